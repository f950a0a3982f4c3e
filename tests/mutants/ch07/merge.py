"""Answers to 7.1, merge and take it back."""

from bank import body, right, swap, wrong

EXERCISE = "7.1"
BESIDE = "y = y + self.alpha / len(self.A) * (x @ self.A.T) @ self.B.T"
INSIDE = "self.weight = self.weight + self.alpha / len(self.A) * self.B @ self.A"
REFUSE = """        if self.kept is not None:
            raise RuntimeError("this adapter is merged already")
"""
REFUSE_BACK = """        if self.kept is None:
            raise RuntimeError("there is nothing to unmerge")
"""
BACK = "self.weight = self.kept\n"
ANSWERS = [
    wrong("merges B A", "no gamma", swap("+ self.alpha / len(self.A) * self.B", "+ self.B")),
    wrong("merges alpha B A", "gamma", swap("self.alpha / len(self.A) * self.B", "self.alpha * self.B")),
    wrong(
        "merges r / alpha B A", "gamma", swap("self.alpha / len(self.A) * self.B", "len(self.A) / self.alpha * self.B")
    ),
    wrong("r from the other side of A", "gamma", swap("len(self.A) * self.B", "self.A.shape[1] * self.B")),
    wrong("W is replaced", "replaced", swap("self.weight = self.weight + self.alpha", "self.weight = self.alpha")),
    wrong("forward without gamma", "no gamma", swap("y = y + self.alpha / len(self.A) *", "y = y +")),
    wrong("forward with alpha", "gamma", swap("y + self.alpha / len(self.A) *", "y + self.alpha *")),
    wrong("forward without the adapter", "adapter off", swap(BESIDE, "pass")),
    wrong("forward by the adapter alone", "replaced", swap("y = y + self.alpha", "y = self.alpha")),
    wrong(
        "the adapter runs in any case", "twice", swap("if self.kept is None:\n            y", "if True:\n            y")
    ),
    wrong("a second merge adds again", "second merge", swap(REFUSE, "")),
    wrong("a second merge does nothing", "second merge", swap('raise RuntimeError("this adapter is', 'return str("')),
    wrong("a second merge is an assertion", "raised", swap(REFUSE, "        assert self.kept is None\n")),
    wrong("keeps a copy that is one more name", "alias", swap(INSIDE, INSIDE.replace("= self.weight +", "+="))),
    wrong(
        "in place by add_",
        "alias",
        swap(INSIDE, "self.weight.add_(self.alpha / len(self.A) * self.B @ self.A)"),
    ),
    wrong(
        "subtracts",
        "subtracted",
        swap(BACK, INSIDE.replace("weight +", "weight -") + "\n"),
    ),
    wrong(
        "keeps the change and subtracts it",
        "subtracted",
        swap("self.kept = self.weight", "self.kept = self.alpha / len(self.A) * self.B @ self.A"),
        swap(INSIDE, "self.weight = self.weight + self.kept"),
        swap(BACK, "self.weight = self.weight - self.kept\n"),
    ),
    wrong(
        "keeps W in 16 bits",
        "subtracted",
        swap("self.kept = self.weight", "self.kept = self.weight.bfloat16().float()"),
    ),
    wrong("never forgets what it kept", "only once", swap("        self.kept = None\n", "")),
    wrong(
        "unmerge does nothing when nothing is merged",
        "unmerge refused",
        swap('raise RuntimeError("there is nothing to unmerge")', "return"),
    ),
    wrong("unmerges anything", "unmerge refused", swap(REFUSE_BACK, "")),
    wrong("unmerge of a new layer fails by chance", "raised", swap(REFUSE_BACK, "        self.kept + 0\n")),
    wrong("A B for B A", "raised", swap("self.B @ self.A", "self.A @ self.B")),
    wrong(
        "A and B the other way round in forward", "raised", swap("(x @ self.A.T) @ self.B.T", "(x @ self.B) @ self.A")
    ),
    right(
        "F.linear and a clone",
        body(
            "forward",
            """
        gamma = self.alpha / self.A.shape[0]
        y = torch.nn.functional.linear(x, self.weight)
        if self.kept is not None:
            return y
        return y + gamma * torch.einsum("ni,ri,or->no", x, self.A, self.B)
    """,
        ),
        body(
            "merge",
            """
        if self.kept is not None:
            raise RuntimeError
        self.kept = self.weight.clone()
        self.weight = torch.addmm(self.weight, self.B, self.A, alpha=self.alpha / self.A.shape[0])
    """,
        ),
    ),
    right(
        "a flag of its own",
        body(
            "forward",
            """
        change = self.alpha / len(self.A) * self.B @ self.A
        return x @ (self.weight if self.kept else self.weight + change).T
    """,
        ),
        body(
            "merge",
            """
        if self.kept:
            raise RuntimeError("merged already")
        self.kept, self.original = True, self.weight
        self.weight = self.original + self.alpha / len(self.A) * self.B @ self.A
    """,
        ),
        body(
            "unmerge",
            """
        if not self.kept:
            raise RuntimeError("not merged")
        self.kept, self.weight = False, self.original
    """,
        ),
    ),
]
