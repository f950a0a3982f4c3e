"""Small changes to the solutions that no learner had to think of: each operator, comparison, constant and sign in turn.

`variants(source, id)` yields (what was changed, the whole file with that one change) for the functions of an exercise.
A graded test that lets one through is too weak, unless the change does not matter; those are listed, each with its
reason, as SURVIVORS in the bank file of the exercise, and test_auto.py holds the lists to the truth.
"""

import ast
import copy

from minilm.grading.registry import exercise

SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or,
    ast.Or: ast.And, ast.Break: ast.Continue,
}  # fmt: skip


def variants(source, id):
    """Every single change inside the functions of an exercise."""
    tree = ast.parse(source)
    wanted = exercise(id).functions
    for top in tree.body:
        if getattr(top, "name", None) in wanted:
            body = [node for statement in top.body[1:] for node in ast.walk(statement)]  # body[0] is the docstring
            for place, node in enumerate(body):
                for label, change in _changes(node):
                    yield f"{top.name}: {label}", _rebuilt(tree, top.name, place, change)


def _rebuilt(tree, name, place, change):
    """The source with `change` applied to node number `place` of function `name`."""
    changed = copy.deepcopy(tree)
    top = next(node for node in changed.body if getattr(node, "name", None) == name)
    node = [node for statement in top.body[1:] for node in ast.walk(statement)][place]
    change(node)
    return ast.unparse(ast.fix_missing_locations(changed))


def _changes(node):
    """(label, function that changes such a node) for each way to change it."""
    where = f"line {node.lineno}, {ast.unparse(node)}" if hasattr(node, "lineno") else ""
    where = where.split(", ", 1)[-1]
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in SWAPS:
        yield f"{where} -> {SWAPS[type(node.op)].__name__}", lambda n: setattr(n, "op", SWAPS[type(n.op)]())
    if isinstance(node, ast.BoolOp):
        yield f"{where} -> {SWAPS[type(node.op)].__name__}", lambda n: setattr(n, "op", SWAPS[type(n.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield f"{where} -> {SWAPS[type(node.ops[0])].__name__}", lambda n: n.ops.__setitem__(0, SWAPS[type(n.ops[0])]())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield f"{where} without its sign", lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"{where} without not", lambda n: setattr(n, "operand", ast.UnaryOp(ast.Not(), n.operand))
    yield from _constants(node, where)
    yield from _arguments(node, where)


def _constants(node, where):
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield f"{where} -> {not node.value}", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node.value, (int, float)):
        yield f"{where} -> + 1", lambda n: setattr(n, "value", n.value + 1)
        if node.value:
            yield f"{where} -> - 1", lambda n: setattr(n, "value", n.value - 1)


def _arguments(node, where):
    if isinstance(node, ast.Slice) and node.lower and not node.upper:
        yield f"{where} -> up to", lambda n: (setattr(n, "upper", n.lower), setattr(n, "lower", None))
    if isinstance(node, ast.Slice) and node.upper and not node.lower:
        yield f"{where} -> from", lambda n: (setattr(n, "lower", n.upper), setattr(n, "upper", None))
    if isinstance(node, ast.Call) and len(node.args) == 2:
        yield f"{where} -> arguments swapped", lambda n: n.args.reverse()
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        yield f"{where} -> swapped", lambda n: n.elts.reverse()
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        other = {"min": "max", "max": "min"}[node.func.id]
        yield f"{where} -> {other}", lambda n: setattr(n.func, "id", other)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("sum", "max", "sqrt"):
        other = {"sum": "max", "max": "sum", "sqrt": "abs"}[node.func.attr]
        yield f"{where} -> {other}", lambda n: setattr(n.func, "attr", other)
