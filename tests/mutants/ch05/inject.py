"""Answers to 5.6, adapters by name."""

from bank import body, right, swap, wrong

EXERCISE = "5.6"
LINEARS = "linears = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}"
LAST = 'last = {name: name.split(".")[-1] for name in linears if not name.endswith("base_layer")}'
REFUSE = (
    """raise ValueError(f"no linear layer is called {target!r}; there are {', '.join(sorted(set(last.values())))}")"""
)
CHOSEN = "chosen = [name for name in last if last[name] in targets]"
SEEDS = "for seed, name in enumerate(chosen):"
NEW = "LoRALinear(linears[name], rank, alpha, seed)"
PLACE = f"setattr(parent, last[name], {NEW})"
CHECK = """
    known = {name.split(".")[-1] for name, module in model.named_modules()
             if isinstance(module, nn.Linear) and not name.endswith("base_layer")}
    for target in targets:
        if target not in known:
            raise ValueError(f"{target} is not one of {sorted(known)}")
"""
ANSWERS = [
    wrong(
        "any text inside the name",
        "substring",
        swap(CHOSEN, "chosen = [name for name in last if any(target in name for target in targets)]"),
    ),
    wrong(
        "the end of the name",
        "substring",
        swap(CHOSEN, "chosen = [name for name in last if name.endswith(tuple(targets))]"),
    ),
    wrong("only the first", "first only", swap(SEEDS, "chosen = chosen[:1]\n    " + SEEDS)),
    wrong(
        "only the children of the model",
        "top level",
        swap("model.named_modules() if", "model.named_children() if"),
    ),
    wrong(
        "only the children, without a word",
        "top level",
        body(
            "inject",
            """
        done = []
        for name, child in model.named_children():
            if name in targets:
                setattr(model, name, LoRALinear(child, rank, alpha, len(done)))
                done.append(name)
        return done
    """,
        ),
    ),
    wrong("returns the last parts", "last parts", swap("return chosen", "return [last[name] for name in chosen]")),
    wrong("all linear layers", "everything", swap(CHOSEN, "chosen = list(last)")),
    wrong(
        "dots in an attribute, while walking",
        "while it changes",
        body(
            "inject",
            CHECK
            + """
    done = []
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name.split(".")[-1] in targets:
            setattr(model, name, LoRALinear(module, rank, alpha, len(done)))
            done.append(name)
    return done
    """,
        ),
    ),
    wrong("dots in an attribute", "not in place", swap("setattr(parent, last[name],", "setattr(model, name,")),
    wrong("add_module with dots", "not in place", swap("setattr(parent, last[name],", "model.add_module(name,")),
    wrong("at the top of the model", "not in place", swap("setattr(parent,", "setattr(model,")),
    wrong("in the dict only", "not in place", swap(PLACE, f"linears[name] = {NEW}")),
    wrong("inside the layer", "not in place", swap('name.rpartition(".")[0]', "name")),
    wrong(
        "one target after the other",
        "order",
        swap(CHOSEN, "chosen = [name for target in targets for name in last if last[name] == target]"),
    ),
    wrong(
        "a fresh linear layer",
        "base lost",
        swap(
            NEW,
            "LoRALinear(nn.Linear(linears[name].in_features, linears[name].out_features,"
            " linears[name].bias is not None), rank, alpha, seed)",
        ),
    ),
    wrong("always rank 3", "settings", swap("rank, alpha, seed)", "3, alpha, seed)")),
    wrong("always alpha 6", "settings", swap("rank, alpha, seed)", "rank, 6.0, seed)")),
    wrong("alpha is twice the rank", "settings", swap("rank, alpha, seed)", "rank, 2 * rank, seed)")),
    wrong("one seed for all", "same A", swap("rank, alpha, seed)", "rank, alpha)")),
    wrong("seeds by chance", "seeds", swap("rank, alpha, seed)", "rank, alpha, int(torch.randint(10**9, ())))")),
    wrong("seeds from 1", "seeds", swap("enumerate(chosen)", "enumerate(chosen, start=1)")),
    wrong("seeds of all linear layers", "seeds", swap("rank, alpha, seed)", "rank, alpha, list(linears).index(name))")),
    wrong("silent about unknown names", "unknown name", swap(REFUSE, "continue")),
    wrong("a KeyError", "unknown name", swap("raise ValueError(", "raise KeyError(")),
    wrong(
        "any part of the name",
        "unknown name",
        swap("target not in last.values()", 'not any(target in name.split(".") for name in last)'),
        swap("last[name] in targets]", "set(targets) & set(name.split('.'))]"),
    ),
    wrong(
        "one known name is enough",
        "one is enough",
        swap("if target not in last.values()", "if not set(targets) & set(last.values())"),
    ),
    wrong("no list of names", "no list", swap(REFUSE, 'raise ValueError(f"no linear layer is called {target!r}")')),
    wrong(
        "lists the targets",
        "no list",
        swap(REFUSE, 'raise ValueError(f"{target!r} is not known; choose one of {targets}")'),
    ),
    wrong(
        "checks while changing",
        "half done",
        body(
            "inject",
            """
        linears = {name: m for name, m in model.named_modules() if isinstance(m, nn.Linear)}
        last = {name: name.split(".")[-1] for name in linears if not name.endswith("base_layer")}
        chosen = [name for name in last if last[name] in targets]
        for seed, name in enumerate(chosen):
            parent = model.get_submodule(name.rpartition(".")[0])
            setattr(parent, last[name], LoRALinear(linears[name], rank, alpha, seed))
        for target in targets:
            if target not in last.values():
                raise ValueError(f"{target} is not one of {list(last.values())}")
        return chosen
    """,
        ),
    ),
    wrong("base_layer can be chosen", "twice", swap(' if not name.endswith("base_layer")', "")),
    wrong(
        "adapters on adapters",
        "twice",
        swap("isinstance(module, nn.Linear)}", "isinstance(module, (nn.Linear, LoRALinear))}"),
        swap(NEW, "LoRALinear(getattr(linears[name], 'base_layer', linears[name]), rank, alpha, seed)"),
    ),
    wrong("returns the model", "type", swap("return chosen", "return model")),
    right(
        "while walking, since only values change",
        body(
            "inject",
            CHECK
            + """
    done = []
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name.split(".")[-1] in targets:
            parent, dot, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, LoRALinear(module, rank, alpha, len(done)))
            done.append(name)
    return done
    """,
        ),
    ),
    right(
        "down the tree",
        body(
            "inject",
            CHECK
            + """
    done = []
    def visit(parent, prefix):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and name in targets:
                setattr(parent, name, LoRALinear(child, rank, alpha, seed=len(done)))
                done.append(prefix + name)
            elif not isinstance(child, LoRALinear):
                visit(child, prefix + name + ".")
    visit(model, "")
    return done
    """,
        ),
    ),
    right("set_submodule", swap(PLACE, f"model.set_submodule(name, {NEW})")),
]
