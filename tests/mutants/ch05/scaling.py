"""Answers to 5.4, why alpha / r, and why alpha / sqrt(r)."""

from bank import body, right, swap, wrong

EXERCISE = "5.4"
DB = "dB = gamma * dy.T @ low"
STEP = 'B = -lr * (dB if rule == "sgd" else np.sign(dB))'
CHANGE = "return gamma * low @ B.T"
GAMMA = """gamma = {"alpha": 1.0, "alpha/r": 1 / factor, "alpha/sqrt(r)": 1 / math.sqrt(factor)}[scaling]"""
GROWTH = 'return factor * gamma**2 if rule == "sgd" else factor * gamma'
ANSWERS = [
    wrong("uphill", "uphill", swap("B = -lr", "B = lr")),
    wrong("no gamma in the gradient", "gamma once", swap("dB = gamma * dy", "dB = dy")),
    wrong(
        "no gamma in the output, sgd", "gamma once", swap(CHANGE, "return low @ B.T * (gamma if rule == 'adam' else 1)")
    ),
    wrong("no gamma at all", "no gamma", swap(DB, "dB = dy.T @ low"), swap(CHANGE, "return low @ B.T")),
    wrong("no gamma for adam", "no gamma", swap(CHANGE, "return low @ B.T * (gamma if rule == 'sgd' else 1)")),
    wrong("gamma times the sign", "gamma twice", swap("np.sign(dB)", "gamma * np.sign(dB)")),
    wrong("no learning rate", "no lr", swap("B = -lr * ", "B = -1 * ")),
    wrong("no learning rate for adam", "no lr", swap(STEP, "B = -lr * dB if rule == 'sgd' else -np.sign(dB)")),
    wrong("adam is sgd", "no sign", swap("np.sign(dB)", "dB")),
    wrong("adam divides by the norm", "unit length", swap("np.sign(dB)", "dB / np.linalg.norm(dB)")),
    wrong("B, not the output", "B itself", swap(CHANGE, "return B")),
    wrong("B, not the output, for adam", "B itself", swap(CHANGE, "return gamma * low @ B.T if rule == 'sgd' else B")),
    wrong(
        "a step for every row",
        "row by row",
        body(
            "first_change",
            """
        changes = []
        for row, push in zip(x, dy):
            dB = gamma * np.outer(push, row @ A.T)
            B = -lr * (dB if rule == "sgd" else np.sign(dB))
            changes.append(gamma * (row @ A.T) @ B.T)
        return np.array(changes)
    """,
        ),
    ),
    wrong("the mean gradient", "mean", swap(DB, "dB = gamma * dy.T @ low / len(x)")),
    wrong("only the gradient of the first row", "row by row", swap(DB, "dB = gamma * dy[:1].T @ low[:1]")),
    wrong("no sum over the rows", "no sum", swap(GROWTH, 'return gamma**2 if rule == "sgd" else gamma')),
    wrong("no sum for sgd", "no sum", swap("return factor * gamma**2", "return gamma**2")),
    wrong("a random sum", "root", swap(GROWTH, 'return math.sqrt(factor) * (gamma**2 if rule == "sgd" else gamma)')),
    wrong("a random sum for sgd", "root", swap("return factor * gamma**2", "return math.sqrt(factor) * gamma**2")),
    wrong("sgd meets gamma once", "gamma once", swap("gamma**2", "gamma")),
    wrong("adam meets gamma twice", "gamma twice", swap("else factor * gamma", "else factor * gamma**2")),
    wrong(
        "the two rules exchanged", "gamma twice", swap('if rule == "sgd" else factor', 'if rule == "adam" else factor')
    ),
    wrong("two sums", "squared", swap(GROWTH, 'return factor**2 * gamma**2 if rule == "sgd" else factor**2 * gamma')),
    wrong(
        "old over new",
        "upside down",
        swap(GROWTH, 'return 1 / (factor * gamma**2 if rule == "sgd" else factor * gamma)'),
    ),
    wrong("text", "type", swap(GROWTH, 'return "constant"')),
    wrong("another name for a scaling", "raised", swap('"alpha/sqrt(r)":', '"rslora":')),
    right(
        "by powers of the factor",
        body(
            "growth",
            """
        power = {"alpha": 0, "alpha/sqrt(r)": 0.5, "alpha/r": 1}[scaling]
        return factor ** (1 - power * (1 if rule == "adam" else 2))
    """,
        ),
    ),
    right("a tensor without dimensions", swap(GROWTH, "return torch.tensor(" + GROWTH.removeprefix("return ") + ")")),
    right("Adam's own formula", swap("np.sign(dB)", "dB / (np.sqrt(dB**2) + 1e-8)")),
    right(
        "the new weight and the old one",
        swap(CHANGE, "W = np.zeros((dy.shape[1], x.shape[1]))\n    return x @ (W + gamma * B @ A).T - x @ W.T"),
    ),
    right(
        "a table",
        body(
            "growth",
            """
        if rule == "adam":
            return {"alpha": factor, "alpha/sqrt(r)": math.sqrt(factor), "alpha/r": 1}[scaling]
        return {"alpha": factor, "alpha/sqrt(r)": 1, "alpha/r": 1 / factor}[scaling]
    """,
        ),
    ),
]
