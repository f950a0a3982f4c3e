"""Answers to 5.8, save only the adapter."""

from bank import body, right, swap, wrong

EXERCISE = "5.8"
STATE = 'return {name: value.clone() for name, value in model.state_dict().items() if name.split(".")[-1] in FACTORS}'
MINE = 'mine = {name: value for name, value in model.named_parameters() if name.split(".")[-1] in FACTORS}'
FIT = "if {name: value.shape for name, value in mine.items()} != {name: value.shape for name, value in state.items()}:"
RAISE = 'raise ValueError("the names or shapes of this adapter are not those of the model")'
COPY = "value.copy_(state[name])"
ANSWERS = [
    wrong("the whole state dict", "whole model", swap(STATE, "return model.state_dict()")),
    wrong(
        "what requires a gradient",
        "more than A and B",
        swap(STATE, "return {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}"),
    ),
    wrong(
        "everything inside an adapted layer",
        "more than A and B",
        body(
            "adapter_state",
            """
        state = model.state_dict()
        return {n: v for n, v in state.items() if n.split(".")[-1] in FACTORS or "base_layer" in n}
    """,
        ),
    ),
    wrong(
        "lora anywhere in the name",
        "lora in a name",
        swap(STATE, "return {n: v for n, v in model.state_dict().items() if 'lora' in n}"),
    ),
    wrong(
        "the end of the name as text",
        "lora in a name",
        swap(STATE, "return {n: v for n, v in model.state_dict().items() if n.endswith(FACTORS)}"),
    ),
    wrong(
        "only B",
        "only one",
        swap(STATE, "return {n: v for n, v in model.state_dict().items() if n.endswith('lora_B')}"),
    ),
    wrong(
        "only the last layer",
        "only one",
        swap(STATE, "return dict([(n, v) for n, v in model.state_dict().items() if n.split('.')[-1] in FACTORS][-2:])"),
    ),
    wrong(
        "last parts as names",
        "names",
        swap("return {name: value.clone()", "return {name.split('.')[-1]: value.clone()"),
    ),
    wrong(
        "layer and factor only",
        "names",
        swap("return {name: value.clone()", "return {'.'.join(name.split('.')[-2:]): value.clone()"),
    ),
    wrong("a prefix", "names", swap("return {name: value.clone()", "return {'adapter.' + name: value.clone()")),
    wrong(
        "a list",
        "type",
        swap(STATE, "return [v for n, v in model.state_dict().items() if n.split('.')[-1] in FACTORS]"),
    ),
    wrong("rounds to bfloat16", "value", swap("value.clone()", "value.bfloat16().float()")),
    wrong("scaled by gamma", "value", swap("value.clone()", "2.0 * value")),
    wrong("names a new tensor", "not copied", swap(COPY, "value = state[name]")),
    wrong("changes the dict", "not copied", swap(COPY, "mine[name] = state[name]")),
    wrong("a copy of a copy", "not copied", swap(COPY, "value.clone().copy_(state[name])")),
    wrong("only B is loaded", "not copied", swap(COPY, "value.copy_(state[name] if name.endswith('B') else value)")),
    wrong("adds", "not copied", swap(COPY, "value.add_(state[name])")),
    wrong("load_state_dict, strict", "strict", body("load_adapter", "model.load_state_dict(state)")),
    wrong(
        "load_state_dict, anything goes", "unfit", body("load_adapter", "model.load_state_dict(state, strict=False)")
    ),
    wrong(
        "missing names are ignored",
        "unfit",
        swap(FIT, "if not state.keys() <= mine.keys():"),
        swap(COPY, "value.copy_(state.get(name, value))"),
    ),
    wrong("unknown names are ignored", "unfit", swap(FIT, "if not mine.keys() <= state.keys():")),
    wrong("as many names", "other error", swap(FIT, "if len(mine) != len(state) and len(state) > len(mine):")),
    wrong("a KeyError", "other error", swap("raise ValueError(", "raise KeyError(")),
    wrong("an assert", "raised", swap(FIT, "assert mine.keys() == state.keys()\n    if False:")),
    wrong("torch complains about shapes", "shape", swap(FIT, "if mine.keys() != state.keys():")),
    wrong(
        "load_state_dict complains about shapes",
        "other error",
        swap(FIT, "if mine.keys() != state.keys():"),
        swap(COPY, "pass\n    model.load_state_dict(state, strict=False)"),
    ),
    wrong(
        "only the number of dimensions",
        "shape",
        swap(FIT, "if mine.keys() != state.keys() or len(mine) != sum(v.ndim == 2 for v in state.values()):"),
    ),
    wrong(
        "checks while copying",
        "half done",
        body(
            "load_adapter",
            """
        mine = {n: p for n, p in model.named_parameters() if n.split(".")[-1] in FACTORS}
        with torch.no_grad():
            for name, value in state.items():
                if name not in mine or mine[name].shape != value.shape:
                    raise ValueError(name)
                mine.pop(name).copy_(value)
        if mine:
            raise ValueError("missing")
    """,
        ),
    ),
    wrong(
        "new parameters",
        "new parameters",
        swap(
            COPY,
            "parent, _, last = name.rpartition('.')\n"
            "            setattr(model.get_submodule(parent), last, nn.Parameter(state[name].clone()))",
        ),
    ),
    wrong("takes over the saved tensors", "dtype", swap(COPY, "value.data = state[name]")),
    wrong("takes over copies of them", "dtype", swap(COPY, "value.data = state[name].clone()")),
    wrong(
        "the names in the same order",
        "order",
        swap(FIT, "if list(mine) != list(state) or any(mine[n].shape != state[n].shape for n in mine):"),
    ),
    wrong("a leaf changed in place", "in place", swap("with torch.no_grad():", "with torch.enable_grad():")),
    right(
        "from the parameters",
        body(
            "adapter_state",
            "return {n: p.detach().clone() for n, p in model.named_parameters() if n.endswith(('.lora_A', '.lora_B'))}",
        ),
    ),
    right("views", swap("value.clone()", "value")),
    right(
        "load_state_dict, after the checks",
        swap(COPY, "pass\n    model.load_state_dict(state, strict=False)"),
    ),
    right("data, in its own dtype", swap(COPY, "value.data = state[name].to(value.dtype, copy=True)")),
    right(
        "name by name",
        body(
            "load_adapter",
            """
        mine = {n: p for n, p in model.named_parameters() if n.rpartition(".")[2] in FACTORS}
        odd = set(mine) ^ set(state)
        if odd or any(mine[n].shape != state[n].shape for n in mine):
            raise ValueError(f"this adapter does not fit: {sorted(odd)}")
        for name, parameter in mine.items():
            parameter.data[...] = state[name]
    """,
        ),
    ),
]
