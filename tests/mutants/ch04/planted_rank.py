"""Answers to 4.6, a planted rank under noise."""

from bank import right, swap, wrong

EXERCISE = "4.6"
EDGE = "sigma * (np.sqrt(W.shape[0]) + np.sqrt(W.shape[1]))"
COUNT = "int((np.linalg.svd(W, compute_uv=False) > edge).sum())"
ANSWERS = [
    wrong("every value above 0", "all", swap(EDGE, "0")),
    wrong("numpy's matrix_rank", "all", swap(COUNT, "int(np.linalg.matrix_rank(W))")),
    wrong("sigma itself", "sigma", swap(EDGE, "sigma")),
    wrong("the root of the larger side", "one root", swap(EDGE, "sigma * np.sqrt(max(W.shape))")),
    wrong("the root of the smaller side", "one root", swap(EDGE, "sigma * np.sqrt(min(W.shape))")),
    wrong("the root of the sum", "root of the sum", swap(EDGE, "sigma * np.sqrt(sum(W.shape))")),
    wrong("no roots", "no roots", swap(EDGE, "sigma * sum(W.shape)")),
    wrong("the variance", "variance", swap("sigma * (", "sigma**2 * (")),
    wrong("a tenth of the largest", "share", swap(EDGE, "0.1 * np.linalg.norm(W, 2)")),
    wrong("a fifth of the largest", "share", swap(EDGE, "0.2 * np.linalg.norm(W, 2)")),
    wrong("the values", "type", swap(COUNT, "np.linalg.svd(W, compute_uv=False)[:3].tolist()")),
    wrong("U, s and V at once", "raised", swap(", compute_uv=False", "")),
    wrong("sides in the wrong place", "raised", swap("W.shape[1]", "W.shape[2]")),
    right("shape unpacked", swap(EDGE, "sigma * sum(side**0.5 for side in W.shape)")),
    right("from the squares", swap(COUNT, "int((np.linalg.eigvalsh(W @ W.T) > edge**2).sum())")),
    right("a numpy integer", swap(COUNT, "np.count_nonzero(np.linalg.svd(W)[1] > edge)")),
]
SURVIVORS = {"planted_rank: np.linalg.svd(W, compute_uv=False) > edge -> GtE": "no rounded value is the edge itself"}
