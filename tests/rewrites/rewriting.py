"""Rewrites of a program that keep its meaning; a trailing comment stays with its statement.

Each takes the text of a module and gives the files that it becomes, by path; the first one is the module itself.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Sequence

import libcst as cst

Files = dict[str, str]
MAIN = "program.py"


def renamed(text: str) -> Files:
    """Each local variable has another name."""
    return {MAIN: cst.parse_module(text).visit(_Renamer()).code}


def imported_otherwise(text: str) -> Files:
    """Modules are imported in another form and order."""
    forms = {
        "import torch.nn as nn": "from torch import nn",
        "import torch.nn.functional as F": "from torch.nn import functional as F",
        "from torch import nn": "import torch.nn as nn",
        "from torch.nn import functional as F": "import torch.nn.functional as F",
        "import numpy as np": "import numpy\nnp = numpy",
    }
    body = ast.parse(text).body
    simple = [
        one for one in body if isinstance(one, ast.Import | ast.ImportFrom) and one.lineno == one.end_lineno
    ]
    lines = text.split("\n")
    old = [lines[one.lineno - 1] for one in simple]
    for one, line in zip(simple, reversed(old), strict=True):
        lines[one.lineno - 1] = forms.get(line, line)
    return {MAIN: "\n".join(lines)}


def named_first(text: str) -> Files:
    """The call that is another call's first argument gets a name in a statement of its own before."""
    return {MAIN: cst.parse_module(text).visit(_Namer()).code}


def handed_on(text: str) -> Files:
    """The body of each function is another function, to which the first hands its arguments."""
    return {MAIN: cst.parse_module(text).visit(_HandingOn()).code}


def in_a_closure(text: str) -> Files:
    """The body of each function is a function inside it."""
    return {MAIN: cst.parse_module(text).visit(_Enclosing()).code}


def in_try(text: str) -> Files:
    """The body of each function stands in a `try`."""
    return {MAIN: cst.parse_module(text).visit(_Trying()).code}


def in_a_class(text: str) -> Files:
    """The functions that nothing calls are methods of a class."""
    module = cst.parse_module(text)
    used = _used_names(text)
    inside = [one for one in module.body if _is_plain(one) and one.name.value not in used]
    if not inside:
        return {MAIN: text}
    methods = [_as_method(one) for one in inside]
    holder = cst.ClassDef(cst.Name("Holder"), cst.IndentedBlock(methods), leading_lines=[cst.EmptyLine()])
    outside = [one for one in module.body if one not in inside]
    return {MAIN: module.with_changes(body=[*outside, holder]).code}


def in_two_files(text: str) -> Files:
    """The classes stand in another file, as far as they need nothing of this one."""
    tree = ast.parse(text)
    imports = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    known = set(dir(builtins)) | {
        (alias.asname or alias.name.partition(".")[0]) for one in imports for alias in one.names
    }
    moved: list[ast.ClassDef] = []
    for one in tree.body:
        if isinstance(one, ast.ClassDef) and _free_names(one) <= known:
            moved.append(one)
            known.add(one.name)
    if not moved:
        return {MAIN: text}
    lines = text.split("\n")
    parts = [ast.get_source_segment(text, one) or "" for one in imports]
    future = [part for part in parts if part.startswith("from __future__")]
    parts = future + [part for part in parts if part not in future]
    taken: set[int] = set()
    for one in moved:
        first = min([one.lineno, *(decorator.lineno for decorator in one.decorator_list)])
        taken.update(range(first, (one.end_lineno or one.lineno) + 1))
        parts.append("\n" + "\n".join(lines[first - 1 : one.end_lineno]) + "\n")
    start = max((one.end_lineno or 0) for one in imports)
    kept = [line for number, line in enumerate(lines, 1) if number not in taken]
    above = sum(1 for number in taken if number <= start)
    kept.insert(start - above, f"from parts import {', '.join(one.name for one in moved)}")
    return {MAIN: "\n".join(kept), "parts.py": "\n".join(parts)}


def unparsed(text: str) -> Files:
    """Everything is formatted anew, without comments."""
    return {MAIN: ast.unparse(ast.parse(text)) + "\n"}


REWRITES: Sequence[Callable[[str], Files]] = (
    renamed,
    imported_otherwise,
    named_first,
    handed_on,
    in_a_closure,
    in_try,
    in_a_class,
    in_two_files,
    unparsed,
)


# Names


def _used_names(text: str) -> set[str]:
    return {one.id for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Name)}


def _free_names(definition: ast.ClassDef) -> set[str]:
    """The names that a class reads and does not bind itself, anywhere in it."""
    bound: set[str] = {definition.name}
    read: set[str] = set()
    for node in ast.walk(definition):
        match node:
            case ast.Name(ctx=ast.Load()):
                read.add(node.id)
            case ast.Name():
                bound.add(node.id)
            case ast.arg():
                bound.add(node.arg)
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                bound.add(node.name)
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.alias():
                bound.add(node.asname or node.name.partition(".")[0])
            case _:
                pass
    return read - bound


def _parameters(function: cst.FunctionDef) -> set[str]:
    given = function.params
    stars = [one for one in (given.star_arg, given.star_kwarg) if isinstance(one, cst.Param)]
    return {one.name.value for one in (*given.posonly_params, *given.params, *given.kwonly_params, *stars)}


def _is_plain(node: cst.CSTNode) -> bool:
    """Whether a statement is a function that can be taken apart: no decorator, no generator, nothing of a class."""
    if not isinstance(node, cst.FunctionDef) or node.decorators or node.asynchronous is not None:
        return False
    text = cst.Module([node]).code
    return isinstance(node.body, cst.IndentedBlock) and not re.search(
        r"\b(?:yield|super|nonlocal|global|await)\b", text
    )


def _assigned(function: cst.FunctionDef) -> set[str]:
    """The names that a function assigns itself, and that nothing inside it binds in another way."""
    tree = ast.parse(cst.Module([function.with_changes(decorators=(), leading_lines=())]).code)
    stored: set[str] = set()
    other: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(ctx=ast.Store()):
                stored.add(node.id)
            case ast.Global() | ast.Nonlocal():
                other.update(node.names)
            case ast.arg():
                other.add(node.arg)
            case ast.keyword(arg=str(name)):
                other.add(name)
            case ast.FunctionDef() | ast.ClassDef():
                other.add(node.name)
            case ast.alias():
                other.add(node.asname or node.name)
            case ast.Constant(value=str(text)):
                other.update(re.findall(r"\w+", text))
            case _:
                pass
    return stored - other


class _Renamer(cst.CSTTransformer):
    """Names stay where they say something: the rules read them where nothing else is known."""

    TELLING = re.compile(
        r"mask|batch|sample|size|count|num|step|label|target|total|len|acc|loss|self|^n$|vocab|map|class|epoch|token|idx|index",
        re.IGNORECASE,
    )

    def __init__(self) -> None:
        self._names: list[set[str]] = []
        self._attributes: list[cst.Name] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        names = {name for name in _assigned(node) if not self.TELLING.search(name)}
        self._names.append(names if not self._names else set())

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self._names.pop()
        return updated_node

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return not self._names

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self._attributes.append(node.attr)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        if any(one is original_node for one in self._attributes[-40:]):
            return updated_node
        if any(original_node.value in names for names in self._names):
            return updated_node.with_changes(value=f"{original_node.value}_now")
        return updated_node


class _Namer(cst.CSTTransformer):
    def __init__(self) -> None:
        self._count = 0

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        if len(updated_node.body) != 1:
            return updated_node
        statement = updated_node.body[0]
        if not isinstance(statement, cst.Assign | cst.Return) or not isinstance(statement.value, cst.Call):
            return updated_node
        call = statement.value
        if (
            not call.args
            or call.args[0].star
            or call.args[0].keyword
            or not isinstance(call.args[0].value, cst.Call)
        ):
            return updated_node
        self._count += 1
        name = cst.Name(f"given_{self._count}")
        before = cst.SimpleStatementLine(
            [cst.Assign([cst.AssignTarget(name)], call.args[0].value)],
            leading_lines=updated_node.leading_lines,
        )
        changed = call.with_changes(args=[call.args[0].with_changes(value=name), *call.args[1:]])
        after = updated_node.with_changes(body=[statement.with_changes(value=changed)], leading_lines=())
        return cst.FlattenSentinel([before, after])


class _OfFunctions(cst.CSTTransformer):
    """Changes the functions at the top of a module."""

    def __init__(self) -> None:
        self._depth = 0

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.FlattenSentinel[cst.FunctionDef]:
        return self.changed(updated_node) if _is_plain(updated_node) else updated_node

    def changed(self, node: cst.FunctionDef) -> cst.FunctionDef | cst.FlattenSentinel[cst.FunctionDef]:
        raise NotImplementedError


class _HandingOn(_OfFunctions):
    def changed(self, node: cst.FunctionDef) -> cst.FunctionDef | cst.FlattenSentinel[cst.FunctionDef]:
        given = node.params
        if (
            given.kwonly_params
            or given.posonly_params
            or isinstance(given.star_arg, cst.Param)
            or given.star_kwarg
        ):
            return node
        inner = cst.Name(f"{node.name.value}_itself")
        arguments = [cst.Arg(one.name) for one in given.params]
        plain = [cst.Param(one.name, one.annotation) for one in given.params]
        call = cst.SimpleStatementLine([cst.Return(cst.Call(inner, arguments))])
        body = node.with_changes(name=inner, params=given.with_changes(params=plain), returns=None)
        return cst.FlattenSentinel(
            [body, node.with_changes(body=cst.IndentedBlock([call]), leading_lines=())]
        )


class _Enclosing(_OfFunctions):
    def changed(self, node: cst.FunctionDef) -> cst.FunctionDef:
        stored = {
            one.id
            for one in ast.walk(ast.parse(cst.Module([node]).code))
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store | ast.Del)
        }
        if not stored.isdisjoint(_parameters(node)):
            return node
        inner = cst.FunctionDef(cst.Name("inside"), cst.Parameters(), node.body)
        call = cst.SimpleStatementLine([cst.Return(cst.Call(cst.Name("inside")))])
        return node.with_changes(body=cst.IndentedBlock([inner, call]))


class _Trying(_OfFunctions):
    def changed(self, node: cst.FunctionDef) -> cst.FunctionDef:
        last = cst.SimpleStatementLine(
            [cst.Expr(cst.Call(cst.Name("print"), [cst.Arg(cst.SimpleString('"done"'))]))]
        )
        attempt = cst.Try(node.body, finalbody=cst.Finally(cst.IndentedBlock([last])))
        return node.with_changes(body=cst.IndentedBlock([attempt]))


def _as_method(function: cst.FunctionDef) -> cst.FunctionDef:
    given = function.params
    return function.with_changes(
        params=given.with_changes(params=[cst.Param(cst.Name("holder")), *given.params])
        if not given.posonly_params
        else given.with_changes(posonly_params=[cst.Param(cst.Name("holder")), *given.posonly_params])
    )
