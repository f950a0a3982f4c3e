"""Answers to 6.7, measure what autograd keeps."""

from bank import body, right, swap, wrong

EXERCISE = "6.7"
OWN = "own = {parameter.untyped_storage().data_ptr() for parameter in module.parameters()}"
NOTE = "kept[storage.data_ptr()] = storage.nbytes()"
RETURN = "return sum(size for address, size in kept.items() if address not in own)"
CALL = "module(x.clone().requires_grad_())"
ANSWERS = [
    wrong("parameters too", "parameters", swap(" if address not in own", "")),
    wrong(
        "parameters as objects",
        "parameters",
        swap(OWN, "own = list(map(id, module.parameters()))"),
        swap(NOTE, "kept[id(tensor)] = storage.nbytes()"),
    ),
    wrong(
        "what may learn is no parameter",
        "parameters",
        swap("in module.parameters()}", "in module.parameters() if parameter.requires_grad}"),
    ),
    wrong(
        "each time it is kept",
        "twice",
        swap(NOTE, "kept[len(kept)] = (storage.data_ptr(), storage.nbytes())"),
        swap(RETURN, "return sum(size for address, size in kept.values() if address not in own)"),
    ),
    wrong("the input as it comes", "no gradient", swap(CALL, "module(x)")),
    wrong("numbers", "numbers", swap("storage.nbytes()", "tensor.numel()")),
    wrong("always four bytes", "numbers", swap("storage.nbytes()", "4 * tensor.numel()")),
    wrong("the output", "output", swap(RETURN, "return module(x).untyped_storage().nbytes()")),
    wrong("input and output", "output", swap(RETURN, "return x.nbytes + module(x).nbytes")),
    wrong(
        "the output as well",
        "output",
        swap(CALL, "y = module(x.clone().requires_grad_())"),
        swap(RETURN, RETURN + " + y.nbytes"),
    ),
    wrong(
        "the call comes later", "outside", swap(CALL, "pass"), swap("    return sum", "    module(x)\n    return sum")
    ),
    wrong("without gradients", "outside", swap(CALL, "torch.no_grad()(module)(x)")),
    wrong("a dict", "type", swap(RETURN, "return kept")),
    wrong("no pack", "raised", swap("(pack, lambda tensor: tensor)", "(lambda tensor: tensor)")),
    wrong("changes x", "mutated", swap(CALL, "module(x.mul_(2).requires_grad_())")),
    wrong("x itself, which then needs a gradient", "mutated", swap(CALL, "module(x.requires_grad_())")),
    right(
        "collects tensors, counts afterwards",
        body(
            "kept_bytes",
            """
        seen = []
        x = x.detach().clone()
        x.requires_grad = True
        with torch.autograd.graph.saved_tensors_hooks(lambda t: (seen.append(t), t)[1], lambda t: t):
            y = module(x)
        found = {t.untyped_storage().data_ptr(): len(t.untyped_storage()) for t in seen}
        for p in module.parameters():
            found.pop(p.untyped_storage().data_ptr(), None)
        return sum(found.values())
    """,
        ),
    ),
    right(
        "packs a number and nothing else",
        body(
            "kept_bytes",
            """
        kept, inputs = {}, x.clone().requires_grad_()

        def pack(tensor):
            kept[tensor.untyped_storage().data_ptr()] = tensor
            return 0

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda number: None):
            output = module(inputs)
        for parameter in module.parameters():
            kept.pop(parameter.untyped_storage().data_ptr(), None)
        return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    """,
        ),
    ),
]
