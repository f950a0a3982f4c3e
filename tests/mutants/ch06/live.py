"""Answers to 6.6, measure what is in memory."""

from bank import body, right, swap, wrong

EXERCISE = "6.6"
TOTAL = "return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())"
STATE = "[value for entry in optimizer.state.values() for value in entry.values()]"
RETURN = "return total(parameters), total(p.grad for p in parameters), total(state)"
ANSWERS = [
    wrong("gradients of everything", "no gradient", swap(" if torch.is_tensor(tensor)", "")),
    wrong("gradients like the weights", "predicted", swap("total(p.grad for p in parameters)", "total(parameters)")),
    wrong(
        "gradients of what may learn",
        "predicted",
        swap("p.grad for p in parameters)", "p for p in parameters if p.requires_grad)"),
    ),
    wrong(
        "a state of twice the weights",
        "predicted",
        swap(RETURN, "return total(parameters), total(p.grad for p in parameters), 2 * total(parameters)"),
    ),
    wrong(
        "a state of twice the gradients",
        "step",
        swap("total(state)", "2 * total(p.grad for p in parameters)"),
    ),
    wrong(
        "layer by layer",
        "tied",
        swap("list(module.parameters())", "[p for _, p in module.named_parameters(remove_duplicate=False)]"),
        swap(TOTAL, "return sum(storage.nbytes() for storage in storages)"),
    ),
    wrong("every storage as often as it is used", "shared", swap(TOTAL, "return sum(s.nbytes() for s in storages)")),
    wrong(
        "once per address of a tensor",
        "shared",
        body(
            "live_bytes",
            """
        def total(tensors):
            return sum({t.data_ptr(): t.untyped_storage().nbytes() for t in tensors if torch.is_tensor(t)}.values())

        parameters = list(module.parameters())
        state = [value for entry in optimizer.state.values() for value in entry.values()]
        return total(parameters), total(p.grad for p in parameters), total(state)
    """,
        ),
    ),
    wrong(
        "numbers times their size",
        "numbers held",
        body(
            "live_bytes",
            """
        def total(tensors):
            return sum(t.numel() * t.element_size() for t in tensors if torch.is_tensor(t))

        parameters = list(module.parameters())
        state = [value for entry in optimizer.state.values() for value in entry.values()]
        return total(parameters), total(p.grad for p in parameters), total(state)
    """,
        ),
    ),
    wrong(
        "four bytes per number",
        "width",
        body(
            "live_bytes",
            """
        def total(tensors):
            return sum(4 * t.numel() for t in tensors if torch.is_tensor(t))

        parameters = list(module.parameters())
        state = [value for entry in optimizer.state.values() for value in entry.values()]
        return total(parameters), total(p.grad for p in parameters), total(state)
    """,
        ),
    ),
    wrong("two bytes per number", "width", swap("storage.nbytes()", "storage.nbytes() // 2")),
    wrong("no counters", "step", swap(STATE, STATE.replace("entry.values()]", "entry.values() if value.ndim]"))),
    wrong("one moment", "one moment", swap(STATE, '[entry["exp_avg"] for entry in optimizer.state.values()]')),
    wrong(
        "moments by name",
        "step",
        swap(STATE, '[e[name] for e in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq") if name in e]'),
    ),
    wrong(
        "the state dict",
        "buffers",
        swap("list(module.parameters())", "list(module.state_dict(keep_vars=True).values())"),
    ),
    wrong(
        "buffers too",
        "buffers",
        swap("list(module.parameters())", "[*module.parameters(), *module.buffers()]"),
    ),
    wrong("the first parameter", "one tensor", swap("list(module.parameters())", "[next(module.parameters())]")),
    wrong(
        "the gradient of the first", "one tensor", swap("p.grad for p in parameters", "p.grad for p in parameters[:1]")
    ),
    wrong("the state of the first", "one tensor", swap("total(state)", "total(state[:3])")),
    wrong("the total", "type", swap(RETURN, RETURN.replace("), total(", ") + total("))),
    right(
        "three loops",
        body(
            "live_bytes",
            """
        found = [{}, {}, {}]
        for parameter in module.parameters():
            things = [[parameter], [parameter.grad], optimizer.state.get(parameter, {}).values()]
            for place, tensors in zip(found, things):
                for tensor in tensors:
                    if isinstance(tensor, torch.Tensor):
                        storage = tensor.untyped_storage()
                        place[storage.data_ptr()] = len(storage)
        return tuple(sum(place.values()) for place in found)
    """,
        ),
    ),
    right(
        "by the state dict of the optimizer",
        swap("optimizer.state.values()", 'optimizer.state_dict()["state"].values()'),
    ),
    right(
        "sizes by a set of pairs",
        swap(TOTAL, "return sum(n for _, n in {(s.data_ptr(), s.nbytes()) for s in storages})"),
    ),
]
