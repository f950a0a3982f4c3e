"""Chapter 4, low rank: what the singular values of a matrix say about it."""

from ..registry import Chapter, Exercise

TRUNCATE = Exercise(
    id="4.1",
    title="The best two thin factors",
    functions=("truncate",),
    points=3,
    difficulty=2,
    minutes=20,
    tests=7,
    hints=(
        "`np.linalg.svd(W, full_matrices=False)` gives U, s and V already transposed. Print their three shapes for a "
        "matrix of 2 x 3 first.",
        "Keep the first `rank` columns of U, values of s, and rows of Vᵀ. Their product is the best approximation.",
        "Each singular value has to be in the product once. If both factors carry the same share of it, what is that "
        "share?",
    ),
    misconceptions={
        "V for Vt": "numpy's third result is Vᵀ, not V: its rows are the directions of the input side, so it "
        "needs no "
        "further transposing.",
        "no s": "the singular values are missing from the product: U Vᵀ alone turns, but does not stretch.",
        "s twice": "each singular value is in the product twice, once in B and once in A. Each may carry its root.",
        "one side": "B A is right, but one factor carries all of each singular value. Here both carry the same share.",
        "smallest": "the smallest singular values were kept. numpy sorts them from large to small: keep the "
        "first ones.",
        "full": "nothing was cut off: B must have `rank` columns and A `rank` rows.",
        "swapped": "the factors are in the other order. W is (out, in): B (out, rank) comes first, then A (rank, in).",
        "not W": "B A is not close to W. Does each singular value stand beside its own column of U and row of Vᵀ?",
    },
)

ERROR = Exercise(
    id="4.2",
    title="The error, without building it",
    functions=("truncation_error",),
    points=2,
    difficulty=1,
    minutes=10,
    tests=5,
    hints=(
        "What is lost are the singular values from number `rank` on: `s[rank:]`. W - B A has exactly those.",
        "The Frobenius norm of a matrix is the root of the sum of its squared singular values; the spectral norm is "
        "its largest one. Take both of what is lost. What if nothing is?",
    ),
    misconceptions={
        "kept": "this is the norm of what was kept. The error is made of the values that were dropped.",
        "plain sum": "the dropped values were added up. The Frobenius norm adds their squares and takes the root.",
        "no root": "the root over the sum of the squares is missing.",
        "spectral sum": "the spectral error is the largest dropped value alone: the worst single direction.",
        "largest kept": "the spectral error is the first value that was dropped, s[rank], and not the last one kept.",
        "swapped": "the two are swapped: first the Frobenius error, then the spectral one.",
        "relative": "this is a share of the whole. Asked for is the error itself.",
        "nothing dropped": "at full rank nothing is dropped, so both errors are 0.",
    },
)

ENERGY = Exercise(
    id="4.3",
    title="How many directions for 90 %",
    functions=("rank_for_energy",),
    points=2,
    difficulty=2,
    minutes=15,
    tests=6,
    hints=(
        "Square, then add up from the largest on: `np.cumsum`. Divide by the total and you have the share that each "
        "rank keeps.",
        "You want the first place where that share reaches `share`. Places count from 0, ranks from 1.",
        "`np.searchsorted(shares, share)` finds the place, or count the ranks that fall short. Is a rank that "
        "reaches "
        "the share exactly enough?",
    ),
    misconceptions={
        "plain values": "the plain values were added up. Energy is made of squares: only those add up to the "
        "sum of the "
        "squared entries of W.",
        "one short": "the rank is one too small. Place 0 is rank 1.",
        "one long": "the rank is one too large. The first rank that reaches the share is enough.",
        "exactly": "a rank that reaches the share exactly is enough: at least, not more than.",
        "threshold": "values below a threshold were cut. The question is how much all kept ones hold together.",
        "from the small end": "the sum began with the smallest values. Keep the largest first.",
        "of the norm": "the share is one of the energy, the sum of the squares, not of its root.",
        "rounding": "rounding in the last place cost a rank. A share of 1 must be reached at the last rank at "
        "the latest.",
    },
)

STORAGE = Exercise(
    id="4.4",
    title="Where two factors stop paying",
    functions=("factor_size", "break_even_rank"),
    points=2,
    difficulty=1,
    minutes=10,
    tests=6,
    hints=(
        "Write down the shapes of B and A, and count the numbers in each.",
        "Two factors pay as long as rank * (out + in) is at most out * in. Solve for the rank; it is a whole number. "
        "In which direction do you round?",
    ),
    misconceptions={
        "square": "2 * d * rank is right for square matrices only. B has out * rank numbers, A has rank * in.",
        "rank squared": "a matrix rank x rank was counted in. Its values are inside B and A already.",
        "one factor": "only one of the two factors was counted.",
        "product": "out * in is what the full matrix holds; the two factors hold less.",
        "rounded up": "rounded up, the factors hold more than the full matrix. Round down.",
        "half side": "half the smaller side is the answer for square matrices only.",
        "strictly": "at equal size the two factors hold no more than the full matrix, so that rank still counts.",
        "float": "a rank is a whole number: `//` gives an int.",
    },
)

EFFECTIVE = Exercise(
    id="4.5",
    title="Effective rank",
    functions=("effective_rank",),
    points=2,
    difficulty=2,
    minutes=15,
    tests=7,
    hints=(
        "Turn the singular values into shares that add up to 1, and take the entropy of those shares.",
        "The entropy of k equal shares is ln k. What turns ln k back into k?",
        "0 times the logarithm of 0 counts as 0 here. numpy says NaN, so leave the zeros out before taking logarithms.",
    ),
    misconceptions={
        "entropy": "this is the entropy. e to the entropy is a number of directions.",
        "squares": "the shares were made of the squares. In this definition they are made of the plain values.",
        "no shares": "the values must be divided by their sum first, so that the size of W plays no role.",
        "zeros": "a singular value of 0 has no share in anything: its term is 0, not NaN.",
        "base 2": "2 to an entropy in nats, or e to one in bits. The two must have the same base.",
        "sign": "the entropy is minus the sum of p ln p, which makes it positive.",
        "count": "the values above 0 were counted. That is the exact rank; the effective one is smooth.",
        "stable rank": "this is the stable rank, the sum of squares over the largest square: another measure.",
        "all zero": "a matrix of zeros uses no direction at all: 0.",
    },
)

PLANTED = Exercise(
    id="4.6",
    title="A planted rank under noise",
    functions=("planted_rank",),
    points=2,
    difficulty=2,
    minutes=20,
    tests=6,
    hints=(
        "A matrix out x in of pure noise with standard deviation sigma has singular values up to about "
        "sigma * (√out + √in), and hardly any above it. That is the edge.",
        "So count the singular values of W that are above the edge. `np.linalg.svd(W, compute_uv=False)` gives the "
        "values alone.",
    ),
    misconceptions={
        "all": "every singular value was counted. Noise makes all of them larger than 0.",
        "sigma": "sigma is the noise in one entry. Over a whole matrix it adds up, to sigma (√out + √in).",
        "one root": "the edge needs both sides, √out + √in.",
        "root of the sum": "√(out + in) is smaller than √out + √in.",
        "no roots": "out + in, without the roots, is far above the noise: real directions are lost.",
        "variance": "sigma is the standard deviation already; squaring it gives another edge.",
        "share": "a fixed share of the largest value does not know how large the noise is.",
    },
)

UPDATES = Exercise(
    id="4.7",
    title="The rank of what training changed",
    functions=("update_ranks",),
    uses=("4.3",),
    points=1,
    difficulty=1,
    minutes=15,
    tests=6,
    hints=(
        "What is decomposed is the update, after - before. Then `rank_for_energy` does the rest.",
        "Two kinds of entry are left out: those with one dimension, and those that did not change at all.",
    ),
    misconceptions={
        "trained weight": "the trained weight itself was decomposed. It has full rank whatever training did: take "
        "after - before.",
        "vectors": "a vector (a norm's weight) has no rank. Leave out what is not a matrix.",
        "unchanged": "what did not change has no update: leave it out.",
        "relative": "the update was divided by the weight, entry by entry. That is another matrix with another rank.",
        "share ignored": "`share` was not used.",
        "exact rank": "this is the exact rank. Rounding alone makes it full; asked for is the rank for a share.",
    },
)

CHAPTER = Chapter(4, "Low rank", (TRUNCATE, ERROR, ENERGY, STORAGE, EFFECTIVE, PLANTED, UPDATES), imports=("numpy",))
