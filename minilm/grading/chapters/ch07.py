"""Chapter 7, merging: what can be done with trained adapters, exactly and not quite."""

from ..registry import Chapter, Exercise

MERGE = Exercise(
    id="7.1",
    title="Merge, and take it back",
    functions=("MergeableLinear",),
    points=2,
    difficulty=2,
    minutes=20,
    tests=9,
    hints=(
        "`self.kept` can do two jobs: it is None exactly when nothing is merged, and it holds what unmerge needs when "
        "something is.",
        "Subtracting brings back almost W. What could merge put aside, so that unmerge has nothing to compute?",
        "`self.weight += ...` writes into the tensor that you may have put aside a line earlier. A plain `+` makes a "
        "new one.",
    ),
    misconceptions={
        "no gamma": "γ is missing: the change is γ B A, not B A.",
        "gamma": "γ is alpha / r, and r is the number of rows of A.",
        "replaced": "γ B A took the place of W. It is added to W.",
        "adapter off": "before the merge the adapter runs beside W: this is the base alone.",
        "twice": "the adapter took effect twice: once inside the merged weight, and once beside it.",
        "second merge": "a second merge was accepted. It would add the change again: raise RuntimeError.",
        "subtracted": "nearly W, but not W: (W + ΔW) - ΔW rounds twice. Keep W itself and put it back.",
        "alias": "after unmerge the change is still there. Was the tensor that you put aside written into? Two names "
        "do not make two tensors.",
        "unmerge refused": "there was nothing to unmerge: raise RuntimeError.",
        "only once": "merge and unmerge must work again and again. What does unmerge leave behind?",
    },
)

ROUNDING = Exercise(
    id="7.2",
    title="What rounding eats",
    functions=("vanished",),
    points=1,
    difficulty=2,
    minutes=15,
    tests=6,
    hints=(
        "Merge as the docstring says, then look where the result equals W.",
        "`tensor.to(dtype)` rounds. Which of W, delta and their sum should it be called on? And only entries that had "
        "something to lose count, above and below the line.",
    ),
    misconceptions={
        "survived": "this is the share that survives. Asked for is the share that is lost.",
        "threshold": "a threshold is not the rule. The distance to the next number depends on the size of W and on the "
        "direction: merge, and look.",
        "not rounded": "the merged weight was never rounded: it must have the dtype of W.",
        "rounded before": "delta was rounded before the sum. Add in 32 bits, then round once.",
        "zeros": "where delta is 0 there is nothing to lose: leave these entries out, above and below the line.",
        "count": "this is a number of entries. Divide by how many there are.",
        "percent": "this is a percentage. A share goes from 0 to 1.",
        "always bfloat16": "round to the dtype of W, whichever it is.",
    },
)

COMBINE = Exercise(
    id="7.3",
    title="Add adapters by their ranks",
    functions=("combine",),
    points=1,
    difficulty=2,
    minutes=20,
    tests=7,
    hints=(
        "B₁ A₁ + B₂ A₂ is one product of two block matrices: write B₁ and B₂ side by side. How must A₁ and A₂ stand?",
        "Each adapter brings its own γ and its weight: multiply them into one of its factors. Then the result needs "
        "no scaling any more: which alpha gives it γ = 1?",
    ),
    misconceptions={
        "no gamma": "the γ of each adapter is missing, or not its alpha over its rank. They differ from adapter to "
        "adapter, so it cannot be made up for later.",
        "gamma twice": "γ is in the result twice. Multiply it into one factor of each adapter, not into both.",
        "result gamma": "the result is an adapter too, with a γ of its own: its alpha over its rank, r₁ + r₂ + … "
        "Choose alpha so that both together are right.",
        "weights ignored": "`weights` were not used.",
        "weight twice": "each weight is in the result twice. Multiply it into one factor, not into both.",
        "shared gamma": "one adapter's γ was used for all. Each has its own.",
        "added": "the factors were not put together so that their ranks add up. Adding them would need equal ranks, "
        "and (B₁ + B₂)(A₁ + A₂) has two products too many.",
        "order": "the result is (A, B, alpha), with A (ranks, in) and B (out, ranks).",
    },
)

AVERAGE = Exercise(
    id="7.4",
    title="The average of a product",
    functions=("averaging_gap",),
    points=1,
    difficulty=2,
    minutes=20,
    tests=6,
    hints=(
        "Try two clients with numbers in place of matrices first. When do the two averages agree?",
        "Make three averages with the same shares: of the A's, of the B's, and of the products.",
    ),
    misconceptions={
        "sign": "the other way round: the average of the products comes first.",
        "average of products": "this is the average of the products alone.",
        "product of averages": "this is the product of the averages alone.",
        "sum": "sums were taken for averages.",
        "unweighted": "each client counts by its share of all examples, not one like the other.",
        "not a share": "sizes are numbers of examples: divide by their sum.",
        "share twice": "a client's share counts once in each average.",
        "no gap": "in general the two do not agree: the product of sums has terms Bᵢ Aⱼ in it that mix two clients.",
    },
)

EXTRACT = Exercise(
    id="7.5",
    title="Extract an adapter",
    functions=("extract",),
    points=2,
    difficulty=2,
    minutes=20,
    tests=7,
    hints=(
        "First the change, then its best approximation of this rank, as in chapter 4: first columns of U, values of s, "
        "rows of Vᵀ.",
        "Whoever uses the adapter multiplies B A by γ. What must B A be, so that γ B A is right?",
        "Divide by γ in one place only. In which of the two factors does not matter.",
    ),
    misconceptions={
        "trained weight": "the trained weight was decomposed, not the change after - before.",
        "sign": "this is before - after. The change leads from before to after.",
        "no gamma": "γ was forgotten: B A is right, but whoever uses the adapter multiplies it by γ.",
        "gamma twice": "γ was divided out twice. Once is enough, in A or in B.",
        "times gamma": "multiplied by γ. Whoever uses the adapter does that: divide.",
        "alpha": "alpha is not γ: divide by alpha / rank.",
        "V for Vt": "torch.linalg.svd gives Vᵀ: its rows are the directions of the input side.",
        "s twice": "each singular value is in the product twice.",
        "no s": "the singular values are missing from the product.",
        "smallest": "the smallest singular values were kept. The first ones are the largest.",
        "order": "the result is (A, B), with A (rank, in) and B (out, rank).",
        "not best": "γ B A has the right rank, but another adapter of this rank is closer.",
    },
)

SWAP = Exercise(
    id="7.6",
    title="Hot swap",
    functions=("HotSwap",),
    points=1,
    difficulty=2,
    minutes=15,
    tests=8,
    hints=(
        "Nothing has to be merged, and no call needs to know about the last one: a dict from name to adapter is all "
        "the state there is.",
        "Keep each adapter's γ (or alpha) with it. `adapters[name]` raises the KeyError by itself; `.get` does not.",
    ),
    misconceptions={
        "still active": "the adapter of an earlier call is still at work. Each call has the adapter it names and no "
        "other.",
        "all active": "every adapter that was added took effect. One call, one adapter.",
        "last added": "the adapter that was added last was used, not the one that was named.",
        "none": "None is the base alone, a name is the base with that adapter: the two are mixed up.",
        "no gamma": "γ is missing, or not alpha / r: the change is γ B A.",
        "shared gamma": "one γ (or alpha, or rank) was used for all. Each adapter has its own alpha and its own rank.",
        "drift": "the base is no longer the same, bit for bit. Leave W alone: adding and subtracting rounds.",
        "unknown": "an unknown name was answered without an error. The one who asked would never notice. (The empty "
        "name is a name, too: only None is the base.)",
        "not replaced": "an adapter added under an old name takes the place of the old one.",
    },
)

CHAPTER = Chapter(7, "Merging", (MERGE, ROUNDING, COMBINE, AVERAGE, EXTRACT, SWAP), imports=("torch",))
