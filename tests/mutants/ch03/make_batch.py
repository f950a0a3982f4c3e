"""Answers to 3.1, batches with shifted targets."""

from bank import body, right, swap, wrong

EXERCISE = "3.1"
LAST = "return n_tokens - context - 1"
PLACES = "places = starts[:, None] + torch.arange(context)"
RETURN = "return tokens[places], tokens[places + 1]"
ANSWERS = [
    wrong("no room for the last target", "no target", swap(LAST, "return n_tokens - context")),
    wrong("one window too few", "too early", swap(LAST, "return n_tokens - context - 2")),
    wrong("counts whole windows", "whole windows", swap(LAST, "return (n_tokens - 1) // context")),
    wrong(
        "from the front on",
        "starts",
        swap(PLACES, "places = torch.arange(len(starts))[:, None] + torch.arange(context)"),
    ),
    wrong(
        "one whole window after the other",
        "whole windows",
        swap(PLACES, "places = torch.arange(len(starts) * context).view(-1, context)"),
    ),
    wrong("starts in units of windows", "whole windows", swap("starts[:, None]", "context * starts[:, None]")),
    wrong("sorts the starts", "sorted", swap("starts[:, None]", "starts.sort().values[:, None]")),
    wrong("targets first", "swapped", swap(RETURN, "return tokens[places + 1], tokens[places]")),
    wrong("targets are the inputs", "unshifted", swap(RETURN, "return tokens[places], tokens[places]")),
    wrong("the token before", "backwards", swap("places + 1", "places - 1")),
    wrong("two tokens ahead", "twice", swap("places + 1", "places + 2")),
    wrong("rolls the inputs", "wraps round", swap("tokens[places + 1]", "tokens[places].roll(-1, dims=1)")),
    wrong("rolls the whole batch", "wraps round", swap("tokens[places + 1]", "torch.roll(tokens[places], -1)")),
    wrong(
        "fills the last target with 0",
        "filled",
        swap("tokens[places + 1]", "torch.nn.functional.pad(tokens[places][:, 1:], (0, 1))"),
    ),
    wrong(
        "marks the last target as ignored",
        "filled",
        swap("tokens[places + 1]", "torch.nn.functional.pad(tokens[places][:, 1:], (0, 1), value=-100)"),
    ),
    wrong("adds 1 to the ids", "new numbers", swap("tokens[places + 1]", "tokens[places] + 1")),
    wrong("columns are windows", "transposed", swap(RETURN, "return tokens[places].T, tokens[places + 1].T")),
    wrong(
        "does not cut the block",
        "one more",
        body(
            "make_batch",
            """
        block = torch.stack([tokens[start : start + context + 1] for start in starts])
        return block, block
    """,
        ),
    ),
    wrong(
        "cuts T tokens and shifts inside",
        "one fewer",
        body(
            "make_batch",
            """
        block = torch.stack([tokens[start : start + context] for start in starts])
        return block[:, :-1], block[:, 1:]
    """,
        ),
    ),
    wrong("one target for each window", "last only", swap("tokens[places + 1]", "tokens[starts + context]")),
    wrong("one long row", "flat", swap(RETURN, "return tokens[places].flatten(), tokens[places + 1].flatten()")),
    wrong(
        "moves the last window back",
        "end",
        swap(PLACES, "places = starts.clamp(max=len(tokens) - context - 2)[:, None] + torch.arange(context)"),
    ),
    wrong("inputs only", "type", swap(RETURN, "return tokens[places]")),
    right(
        "by slices",
        body(
            "make_batch",
            """
        inputs = torch.stack([tokens[start : start + context] for start in starts])
        targets = torch.stack([tokens[start + 1 : start + 1 + context] for start in starts])
        return inputs, targets
    """,
        ),
    ),
    right(
        "one block, two views of it",
        body(
            "make_batch",
            """
        block = tokens[starts.unsqueeze(1) + torch.arange(context + 1)]
        return block[:, :-1], block[:, 1:]
    """,
        ),
    ),
    right(
        "all windows there are, and a choice of them",
        body(
            "make_batch",
            """
        block = tokens.unfold(0, context + 1, 1)[starts]
        return [block[:, :context], block[:, 1:]]
    """,
        ),
    ),
    right(
        "lists of numbers on the way",
        body(
            "make_batch",
            """
        row = tokens.tolist()
        inputs = [row[start : start + context] for start in starts.tolist()]
        targets = [row[start + 1 : start + context + 1] for start in starts.tolist()]
        return torch.tensor(inputs), torch.tensor(targets)
    """,
        ),
    ),
]
