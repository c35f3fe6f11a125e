"""The faults that are planted into a module, one at a time."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One fault in a module."""

    function: str
    """The function or class with the fault; "" at the level of the module."""
    line: int
    """Number of the changed line in the original."""
    text: str
    """The changed line in the original."""
    change: str
    """What was changed."""
    ordinal: int = 1
    """Number of the fault among those with the same function, text and change."""
    source: str
    """The whole module with the fault."""

    @property
    def name(self) -> str:
        """A name that stays the same when other parts of the module change."""
        name = f"{self.function}: {self.text}: {self.change}"
        return name if self.ordinal == 1 else f"{name} ({self.ordinal})"


def mutants_of(source: str) -> list[Mutant]:
    """All faults that this module can have, in order of lines."""
    tree = ast.parse(source)
    lines = source.splitlines()
    unchanged = ast.unparse(tree)
    mutants = []
    for function, path in _places(tree):
        node = _at(tree, path)
        faults = _in_statement(node) if isinstance(node, ast.stmt) else _in_expression(node)
        for change, faulty in faults:
            text = ast.unparse(ast.fix_missing_locations(_replaced(tree, path, faulty)))
            if text != unchanged:
                line = lines[node.lineno - 1].strip()
                mutants.append(
                    Mutant(function=function, line=node.lineno, text=line, change=change, source=text)
                )
    return _numbered(sorted(mutants, key=lambda mutant: mutant.line))


def _numbered(mutants: list[Mutant]) -> list[Mutant]:
    """The same faults, each with a name of its own."""
    counts: Counter[tuple[str, str, str]] = Counter()
    result = []
    for mutant in mutants:
        key = (mutant.function, mutant.text, mutant.change)
        counts[key] += 1
        result.append(replace(mutant, ordinal=counts[key]))
    return result


_Path = tuple[tuple[str, int | None], ...]
_Node = TypeVar("_Node", bound=ast.AST)


def _places(tree: ast.Module) -> Iterator[tuple[str, _Path]]:
    """Ways from the root to every statement and expression that runs, with the function around it."""

    def walk(node: ast.AST, path: _Path, function: str) -> Iterator[tuple[str, _Path]]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            function = f"{function}.{node.name}".lstrip(".")
        if path and isinstance(node, ast.stmt | ast.expr):
            yield function, path
        for field, value in ast.iter_fields(node):
            if field in {"annotation", "returns", "decorator_list", "type_params"}:
                continue
            if isinstance(value, list):
                for index, child in enumerate(value):
                    if isinstance(child, ast.AST) and not _is_idle(child):
                        yield from walk(child, (*path, (field, index)), function)
            elif isinstance(value, ast.AST):
                yield from walk(value, (*path, (field, None)), function)

    return walk(tree, (), "")


def _is_idle(node: ast.AST) -> bool:
    """Whether this part does nothing when the program runs: texts, imports, blocks for type checkers."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr)


def _at(tree: ast.AST, path: _Path) -> Any:
    node: Any = tree
    for field, index in path:
        node = getattr(node, field)
        if index is not None:
            node = node[index]
    return node


def _replaced(tree: ast.Module, path: _Path, new: ast.AST | list[ast.stmt]) -> ast.Module:
    """A copy of the tree with something else in one place."""
    result = copy.deepcopy(tree)
    parent, (field, index) = _at(result, path[:-1]), path[-1]
    if index is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[index : index + 1] = new if isinstance(new, list) else [new]
    return result


def _with(node: _Node, **changes: Any) -> _Node:
    """A copy of a node with other fields."""
    result = copy.deepcopy(node)
    for field, value in changes.items():
        setattr(result, field, value)
    return result


def _in_expression(node: Any) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Compare(ops=[operator]):
            yield "compared otherwise", _with(node, ops=[_COMPARISONS[type(operator)]()])
        case ast.BoolOp():
            yield "and/or swapped", _with(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
        case ast.UnaryOp(op=ast.Not()):
            yield "not removed", node.operand
        case ast.BinOp() if type(node.op) in _OPERATORS:
            yield "other operator", _with(node, op=_OPERATORS[type(node.op)]())
        case ast.Constant(value=bool(value)):
            yield f"{value} negated", ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield f"{value} + 1", ast.Constant(value + 1)
        case ast.IfExp():
            yield "always", node.body
            yield "never", node.orelse
        case ast.Call():
            for keyword in filter(lambda each: each.arg, node.keywords):
                rest = [each for each in node.keywords if each is not keyword]
                yield f"without {keyword.arg}", _with(node, keywords=rest)


def _in_statement(node: ast.stmt) -> Iterator[tuple[str, ast.AST | list[ast.stmt]]]:
    match node:
        case ast.AugAssign():
            yield "other operator", _with(node, op=_OPERATORS[type(node.op)]())
            yield "removed", ast.Pass()
        case ast.Expr() | ast.Raise() | ast.Continue() | ast.Break():
            yield "removed", ast.Pass()
        case ast.Return(value=ast.expr() as value) if not _is_nothing(value):
            yield "returns None", ast.Return(ast.Constant(None))
        case ast.If():
            yield "always", _with(node, test=ast.Constant(value=True))
            yield "never", _with(node, test=ast.Constant(value=False))
        case ast.With():
            for item in node.items:
                if item.optional_vars is None:
                    rest = [each for each in node.items if each is not item]
                    yield (
                        f"without {ast.unparse(item.context_expr)}",
                        _with(node, items=rest) if rest else node.body,
                    )
        case ast.Try():
            yield from _in_try(node)


def _in_try(node: ast.Try) -> Iterator[tuple[str, ast.AST | list[ast.stmt]]]:
    if node.finalbody:
        yield "without finally", _with(node, finalbody=[]) if node.handlers else node.body
    for number, handler in enumerate(node.handlers):
        handlers = list(node.handlers)
        handlers[number] = _with(handler, body=[ast.Raise()])
        yield f"handler {number + 1} raises again", _with(node, handlers=handlers)


def _is_nothing(node: ast.expr) -> bool:
    """Whether callers could hardly tell this value from None."""
    if isinstance(node, ast.Tuple):
        return not node.elts
    return isinstance(node, ast.Constant) and not node.value
