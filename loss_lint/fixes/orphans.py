"""What a fix orphans goes with it: imports, names and attributes that nothing but the changed text has used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress

from loss_lint.fixes.program import Program, Tree, Uncertain
from loss_lint.fixes.rewrite import is_within
from loss_lint.fixes.text import Text, Texts
from loss_lint.syntax.project import is_package

# Modules and functions whose call has no other effect than its result.
_WITHOUT_EFFECT = re.compile(
    r"(?:torch|nn|F|f|functional)(?:\.\w+)*|(?:Log)?Soft(?:max|min)(?:2d)?|Sigmoid|LogSigmoid"
    r"|(?:log_)?softmax|sigmoid"
)
_METHODS = frozenset(
    {"argmax", "bool", "clamp", "contiguous", "cpu", "cuda", "detach", "dim", "div", "double", "exp",
     "expand", "flatten", "float", "half", "int", "log", "log_softmax", "long", "max", "mean", "mul",
     "permute", "pow", "reshape", "scatter", "sigmoid", "size", "softmax", "sqrt", "squeeze", "sub",
     "sum", "to", "transpose", "type", "unsqueeze", "view", "view_as"}
)  # fmt: skip
_ROUNDS = 5


def drop_orphans(program: Program, texts: Texts) -> None:
    """Take out, in every file that is written into, what only the text that is gone has used."""
    with suppress(Uncertain):
        _drop_all(program, texts)


def _drop_all(program: Program, texts: Texts) -> None:
    for text in texts.files():
        for _ in range(_ROUNDS):
            dropped = [_drop_unused(name, text, program) for name in sorted(_lost_names(text))]
            if not any(dropped):
                break


def _lost_names(text: Text) -> set[str]:
    """The names and attributes of `self` that are read less often than before."""
    lost: set[str] = set()
    for site, content in text.outermost().items():
        kept = set(re.findall(r"\w+", content))
        for node in text.tree.inside(site):
            match node:
                case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name):
                    lost |= {name} - kept
                case _:
                    pass
    return lost


def _is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _drop_unused(name: str, text: Text, program: Program) -> bool:
    """Drop what binds a name that is read nowhere any more; whether something was dropped."""
    tree = text.tree
    dropped = False
    for node in tree.imports:
        alias = next((one for one in node.names if (one.asname or one.name) == name), None)
        if alias is None or text.is_dropped(node) or text.is_exchanged(alias):
            continue
        if _is_unused_import(name, node, text, program):
            dropped |= _drop_import(node, alias, text)
    for target in (*tree.names.get(name, ()), *tree.attributes.get(name, ())):
        statement = tree.parents[target]
        if (
            not isinstance(statement, ast.Assign)
            or statement.targets != [target]
            or text.is_dropped(statement)
        ):
            continue
        if isinstance(target, ast.Name):
            fills = _fills(tree, statement, name, text)
            is_unused = _is_pure(statement.value) and _is_unused_name(statement, name, text, program, fills)
            if is_unused and not all(text.drop(one) for one in fills):
                continue
        else:
            is_own = _is_of_self(target) and _is_module(statement.value)
            is_unused = is_own and _is_unused_attribute(name, target, text, program)
        dropped |= is_unused and text.drop(statement)
    return dropped


def _remaining(text: Text, nodes: list[ast.Name] | list[ast.Attribute]) -> Iterator[ast.expr]:
    """The reads among nodes that stand where nothing is written."""
    written = text.outermost()
    for node in nodes:
        site = text.tree.site(node)
        if not isinstance(node.ctx, ast.Store) and not any(is_within(site, one) for one in written):
            yield node


def _is_written(name: str, text: Text) -> bool:
    """Whether the new text mentions a name."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(word.search(content) for content in text.outermost().values())


def _is_unused_import(name: str, node: ast.Import | ast.ImportFrom, text: Text, program: Program) -> bool:
    tree = text.tree
    if (
        tree.function(node) is not None
        or is_package(tree.path)
        or len(tree.bindings(tree.module.tree, name)) != 1
    ):
        return False
    if _is_written(name, text) or next(_remaining(text, tree.names.get(name, [])), None) is not None:
        return False
    return not _is_in_a_string(name, tree) and not _is_imported(name, tree, program)


def _is_in_a_string(name: str, tree: Tree) -> bool:
    """Whether a string mentions a name: `__all__`, an annotation, code that is run."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    return bool(word.search(tree.strings))


def _is_imported(name: str, tree: Tree, program: Program) -> bool:
    """Whether another file may take a name from this one."""
    word = re.compile(rb"\b" + re.escape(name.encode()) + rb"\b")
    for path, data in program.importers(tree.path):
        other = program.tree(path)
        if other is None:
            return bool(word.search(data))
        for node in other.imports:
            if isinstance(node, ast.ImportFrom) and any(one.name in (name, "*") for one in node.names):
                source = program.project.resolve(path, node.module or "", node.level)
                if source == tree.path and (_brings(node, name) or name in other.names):
                    return True
        if any(
            isinstance(node.value, ast.Name) for node in other.attributes.get(name, ())
        ) and _imports_module(other, tree, program):
            return True
    return False


def _brings(node: ast.ImportFrom, name: str) -> bool:
    return any(one.name == name for one in node.names)


def _imports_module(other: Tree, tree: Tree, program: Program) -> bool:
    """Whether a file imports another one as a module, whose names it may read."""
    return any(
        isinstance(node, ast.Import)
        and any(program.project.resolve(other.path, one.name, 0) == tree.path for one in node.names)
        for node in other.imports
    )


def _drop_import(node: ast.Import | ast.ImportFrom, alias: ast.alias, text: Text) -> bool:
    others = [one for one in node.names if one is not alias]
    if not others:
        return text.drop(node)
    return text.remove_alias(node, alias)


def _fills(tree: Tree, statement: ast.Assign, name: str, text: Text) -> list[ast.stmt]:
    """Statements that only write into what a statement gives to a name: `rows.scatter_(1, y, 1)`."""
    found: list[ast.stmt] = []
    for read in tree.reads_after(statement, name, text.is_dropped):
        method = tree.parents[read]
        call = tree.parents[method]
        around = tree.parents.get(call)
        if not isinstance(method, ast.Attribute) or not isinstance(call, ast.Call) or call.func is not method:
            continue
        is_in_place = method.attr.endswith("_") and not method.attr.endswith("__")
        if is_in_place and isinstance(around, ast.Expr) and all(map(_is_pure, call.args)):
            found.append(around)
    return found


def _is_unused_name(
    statement: ast.Assign, name: str, text: Text, program: Program, fills: list[ast.stmt]
) -> bool:
    """Whether nothing but `fills` reads what a statement gives to a name."""
    tree = text.tree
    function = tree.function(statement)
    if _is_written(name, text):
        return False
    if function is None:
        if tree.around(statement, (ast.ClassDef,)) is not None or is_package(tree.path):
            return False
        if _is_in_a_string(name, tree) or _is_imported(name, tree, program):
            return False
    reads = [
        read
        for read in tree.reads_after(statement, name, text.is_dropped)
        if tree.statement(read) not in fills
    ]
    return next(_remaining(text, reads), None) is None


def _is_unused_attribute(name: str, target: ast.Attribute, text: Text, program: Program) -> bool:
    """Whether no file of the project reads an attribute of that name."""
    tree = text.tree
    owner = tree.around(target, (ast.ClassDef,))
    if not isinstance(owner, ast.ClassDef) or _is_written(name, text) or _is_in_a_string(name, tree):
        return False
    for path in program.mentioning(name, tree.path):
        other = program.tree(path)
        if other is None:
            return False
        reads = other.attributes.get(name, [])
        if other is tree:
            reads = [one for one in _remaining(text, reads) if isinstance(one, ast.Attribute)]
        if any(not isinstance(one.ctx, ast.Store) and not _is_another(one, other, owner) for one in reads):
            return False
        if other is not tree and _is_in_a_string(name, other):
            return False
    return True


def _is_another(read: ast.Attribute, other: Tree, owner: ast.ClassDef) -> bool:
    """Whether it is a module's attribute that is read (`F.softmax`), or one of `self` in an unrelated class."""
    if isinstance(read.value, ast.Name) and read.value.id in ("torch", "F", "f", "nn"):
        return True
    if not _is_of_self(read):
        call = other.parents.get(read)
        return isinstance(call, ast.Call) and call.func is read and read.attr in _METHODS
    cls = other.around(read, (ast.ClassDef,))
    if cls is owner or not isinstance(cls, ast.ClassDef):
        return False
    bases = {ast.unparse(base).rpartition(".")[2] for base in (*cls.bases, *owner.bases)}
    return bases <= {"Module", "LightningModule", "object", "ABC", "Dataset"}


def _is_module(value: ast.expr) -> bool:
    """Whether an expression makes one of torch's modules."""
    return isinstance(value, ast.Call) and _is_pure(value)


def _is_pure(value: ast.expr) -> bool:
    """Whether evaluating an expression has no effect but its value: torch's arithmetic of names."""
    for node in ast.walk(value):
        match node:
            case ast.Call(func=function):
                if not _has_no_effect(function):
                    return False
            case ast.Await() | ast.Yield() | ast.YieldFrom() | ast.NamedExpr() | ast.Lambda():
                return False
            case _:
                pass
    return True


def _has_no_effect(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name):
            return bool(_WITHOUT_EFFECT.fullmatch(name)) or name == "len"
        case ast.Attribute(value=ast.Name(id="self")):
            return False
        case ast.Attribute(attr=name) if _WITHOUT_EFFECT.fullmatch(ast.unparse(function)):
            return not name.endswith("_") and not name.startswith(
                ("manual_seed", "set_", "save", "load", "rand")
            )
        case ast.Attribute(attr=name):
            return name in _METHODS and not name.endswith("_")
        case ast.Call():
            return _has_no_effect(function.func)
        case _:
            return False
