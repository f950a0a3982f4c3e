"""Answers to 7.6, hot swap."""

from bank import body, right, swap, wrong

EXERCISE = "7.6"
ADD = "self.adapters[name] = A, B, alpha / len(A)"
LOOKUP = "A, B, gamma = self.adapters[name]"
RETURN = "return y + gamma * (x @ A.T) @ B.T"
BASE = "        if name is None:\n            return y\n"
ANSWERS = [
    wrong("no gamma", "no gamma", swap("gamma * (x", "(x")),
    wrong("alpha for gamma", "no gamma", swap("alpha / len(A)", "alpha")),
    wrong(
        "the gamma that came last",
        "shared gamma",
        swap(ADD, "self.gamma = alpha / len(A)\n        self.adapters[name] = A, B, 0"),
        swap("gamma * (x", "self.gamma * (x"),
    ),
    wrong(
        "the gamma that came first",
        "shared gamma",
        swap(ADD, "self.gamma = getattr(self, 'gamma', alpha / len(A))\n        self.adapters[name] = A, B, 0"),
        swap("gamma * (x", "self.gamma * (x"),
    ),
    wrong(
        "the alpha that came last",
        "shared gamma",
        swap(ADD, "self.alpha = alpha\n        self.adapters[name] = A, B, 0"),
        swap("gamma * (x", "self.alpha / len(A) * (x"),
    ),
    wrong(
        "the alpha that came first",
        "shared gamma",
        swap(ADD, "self.alpha = getattr(self, 'alpha', alpha)\n        self.adapters[name] = A, B, 0"),
        swap("gamma * (x", "self.alpha / len(A) * (x"),
    ),
    wrong(
        "the rank that came last",
        "shared gamma",
        swap(ADD, "self.rank = len(A)\n        self.adapters[name] = A, B, alpha"),
        swap("gamma * (x", "gamma / self.rank * (x"),
    ),
    wrong(
        "one place for all",
        "last added",
        swap(ADD, "self.adapters = {'it': (A, B, alpha / len(A))}"),
        swap(LOOKUP, "A, B, gamma = self.adapters['it']"),
    ),
    wrong(
        "all at once",
        "all active",
        body(
            "serve",
            """
        y = x @ self.weight.T
        if name is None:
            return y
        self.adapters[name]
        return y + sum(gamma * (x @ A.T) @ B.T for A, B, gamma in self.adapters.values())
    """,
        ),
    ),
    wrong("the base in any case", "none", swap(RETURN, "return y")),
    wrong("no case for None", "none", swap(BASE, "")),
    wrong(
        "None is the first adapter",
        "none",
        swap(BASE, "        name = name or next(iter(self.adapters))\n"),
    ),
    wrong("None is the last adapter", "last added", swap(BASE, "        name = name or list(self.adapters)[-1]\n")),
    wrong(
        "merges and stays merged",
        "still active",
        body(
            "serve",
            """
        if name is not None:
            A, B, gamma = self.adapters[name]
            self.weight = self.weight + gamma * B @ A
        return x @ self.weight.T
    """,
        ),
    ),
    wrong(
        "None keeps the adapter of the call before",
        "still active",
        body(
            "serve",
            """
        self.active = name or getattr(self, "active", None)
        y = x @ self.weight.T
        if self.active is None:
            return y
        A, B, gamma = self.adapters[self.active]
        return y + gamma * (x @ A.T) @ B.T
    """,
        ),
    ),
    wrong(
        "the first choice stays",
        "still active",
        body(
            "serve",
            """
        y = x @ self.weight.T
        if name is None:
            return y
        if not hasattr(self, "active"):
            self.active = self.adapters[name]
        A, B, gamma = self.active if name in self.adapters else self.adapters[name]
        return y + gamma * (x @ A.T) @ B.T
    """,
        ),
    ),
    wrong(
        "merges, then subtracts",
        "drift",
        body(
            "serve",
            """
        if name is None:
            return x @ self.weight.T
        A, B, gamma = self.adapters[name]
        self.weight += gamma * B @ A
        y = x @ self.weight.T
        self.weight -= gamma * B @ A
        return y
    """,
        ),
    ),
    wrong(
        "an unknown name is the base",
        "unknown",
        swap(BASE, "        if name not in self.adapters:\n            return y\n"),
    ),
    wrong(
        "get, and none is the base",
        "unknown",
        swap("if name is None", "if self.adapters.get(name) is None"),
    ),
    wrong("an empty name is the base", "unknown", swap("if name is None", "if not name")),
    wrong("an unknown name is another error", "raised", swap(LOOKUP, "A, B, gamma = self.adapters.get(name)")),
    wrong(
        "the first of a name stays", "not replaced", swap(ADD, "self.adapters.setdefault(name, (A, B, alpha / len(A)))")
    ),
    wrong(
        "a new one adds to the old one",
        "not replaced",
        swap(
            ADD,
            "if name in self.adapters:\n            a, b, g = self.adapters[name]\n"
            "            A, B, alpha = torch.cat([a, A]), torch.cat([g * b, alpha / len(A) * B], 1), len(a) + len(A)\n"
            "        self.adapters[name] = A, B, alpha / len(A)",
        ),
    ),
    wrong("writes into x", "mutated", swap("y = x @ self.weight.T", "y = x.mul_(1.5) @ self.weight.T")),
    wrong("A and B swapped", "raised", swap("(x @ A.T) @ B.T", "(x @ B) @ A")),
    right(
        "a merged copy for each call",
        body(
            "serve",
            """
        weight = self.weight.clone()
        if name is not None:
            A, B, gamma = self.adapters[name]
            weight += gamma * B @ A
        return torch.nn.functional.linear(x, weight)
    """,
        ),
    ),
    right(
        "changes computed when added",
        body("add", "self.adapters[name] = torch.einsum('or,ri->oi', B, A) * (alpha / A.shape[0])"),
        body("serve", "return x @ (self.weight if name is None else self.weight + self.adapters[name]).T"),
    ),
    right(
        "None is an adapter too",
        body("add", "self.adapters[name] = alpha / A.shape[0], A.clone(), B.clone()"),
        body(
            "serve",
            """
        if name is None:
            return x.matmul(self.weight.t())
        gamma, A, B = self.adapters[name]
        return torch.addmm(x @ self.weight.T, x @ A.T, B.T, alpha=gamma)
    """,
        ),
    ),
]
