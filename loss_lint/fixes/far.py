"""Repairs away from the loss: where the wrong value is made, if all its uses want that, or where it is handed on."""

from __future__ import annotations

import ast
import re

from loss_lint.fixes.asked import Asked, kept_slot
from loss_lint.fixes.flows import Flows
from loss_lint.fixes.held import TENSOR
from loss_lint.fixes.holding import holds, is_in_a_branch, reaching
from loss_lint.fixes.modules import write_constructor, write_entry
from loss_lint.fixes.program import Tree, parameters
from loss_lint.fixes.rewrite import is_atomic, is_within
from loss_lint.fixes.text import Text
from loss_lint.symbolic.edits import Bypass, Rename
from loss_lint.symbolic.graph import Guards, Op, Site

# Names of what makes probabilities.
_PURPOSE = re.compile(r"prob|soft|sigm|norm|log_?p|^ps?$|activ", re.IGNORECASE)
_WIDTH = 100
_PURE = ast.Name | ast.Attribute | ast.Constant | ast.Load | ast.keyword | ast.UnaryOp | ast.unaryop


def write_earlier(source: Site, target: Site, text: Text, then: str = "") -> bool:
    """Write what an earlier statement of the same function calls by a name, if that still means the same.

    `then` is what follows it: methods that are called.
    """
    one, other = text.tree.at(source), text.tree.at(target)
    if source.path != target.path or one is None or other is None:
        return False
    statement = text.tree.statement(one)
    names = [node for node in ast.walk(one) if isinstance(node, ast.Name)]
    if not all(isinstance(node, _PURE) for node in ast.walk(one)):
        return False
    return all(holds(text.tree, name.id, statement, other) for name in names) and text.put(
        target, text.of(source) + then
    )


def write_far(edit: Bypass | Rename, asked: Asked, guards: Guards) -> bool:
    """Write an edit of an operation outside the loss's own expression; False where that is not safe to do."""
    op = edit.op
    slot = kept_slot(op, edit.operand if isinstance(edit, Bypass) else 0, guards)
    if slot is None or slot == op.site:
        return write_entry(edit, asked)
    if isinstance(edit, Rename) and op.made is not None and op.made.path == op.site.path and not _is_in(op):
        return write_constructor(edit, asked)
    tree = asked.program.tree(op.site.path)
    text = asked.texts.at(op.site.path)
    node = tree.at(op.site) if tree is not None else None
    if tree is None or text is None or node is None:
        return False
    content = _content(edit, slot, text)
    if content is None or is_in_a_branch(tree, node, asked.sink):
        return False
    assigned = _assigned(tree, node)
    is_plain = isinstance(edit, Bypass) and assigned is not None and content.isidentifier()
    kept = tree.at(slot)
    start = tree.statement(kept) if kept is not None else None
    if start is None:
        return False
    comes_first = is_plain or asked.alone
    if (
        comes_first
        and assigned is not None
        and content != assigned[1]
        and _write_at_use(edit, tree, assigned, content, start, asked)
    ):
        return True
    if _is_what_it_is_for(tree, node, content) or (
        not is_within(slot, op.site) and not write_earlier(slot, op.site, text)
    ):
        return False
    if asked.is_all_for_it(_watching(asked.flows(op.site, op.name), node), tree, node, TENSOR):
        if assigned is not None and _write_in_next(tree, assigned, content, text):
            return True
        if isinstance(edit, Bypass) and is_within(slot, op.site):
            return text.replace_expression(op.site, slot)
        return text.put(op.site, content)
    return (
        not is_plain and assigned is not None and _write_at_use(edit, tree, assigned, content, start, asked)
    )


def _is_in(op: Op) -> bool:
    """Whether an operation's module is made in its call: `nn.Softmax(dim=1)(x)`."""
    made, site = op.made, op.site
    return made is not None and (site.line, site.column) <= (made.line, made.column) < (
        site.end_line,
        site.end_column,
    )


def _watching(flows: Flows, node: ast.AST) -> Flows:
    """Flows that know which attributes of the model hold the culprit."""
    held = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    flows.holders = frozenset(held)
    return flows


def _content(edit: Bypass | Rename, slot: Site, text: Text) -> str | None:
    """What stands in the operation's place afterwards."""
    op = edit.op
    if isinstance(edit, Bypass):
        return text.of(slot)
    if edit.parameters or edit.drop:
        return None
    return text.renamed(op.site, op.name, edit.name)


def _is_what_it_is_for(tree: Tree, node: ast.AST, content: str) -> bool:
    """Whether a function would be left without its purpose: it returns its argument, or says what it no longer does."""
    function = tree.function(node)
    if function is None:
        return False
    parent = tree.parents[node]
    if isinstance(parent, ast.Dict):
        keys = [key for key, value in zip(parent.keys, parent.values, strict=True) if value is node]
        if any(isinstance(key, ast.Constant) and _PURPOSE.search(str(key.value)) for key in keys):
            return True
    if isinstance(parent, ast.keyword) and _PURPOSE.search(parent.arg or ""):
        return True
    name = _assigned_name(tree, function) if isinstance(function, ast.Lambda) else function.name
    if tree.owner(function) is not None or _PURPOSE.search(name):
        return bool(_PURPOSE.search(name))
    is_returned = isinstance(tree.parents[node], ast.Return | ast.Lambda)
    return is_returned and content in [one.arg for one in parameters(function)]


def _assigned_name(tree: Tree, function: ast.Lambda) -> str:
    assigned = _assigned(tree, function)
    return "" if assigned is None else assigned[1]


def _write_in_next(tree: Tree, assigned: tuple[ast.stmt, str], content: str, text: Text) -> bool:
    """Write an expression where the next statement reads the name that it has, once, if that name would be wrong."""
    statement, name = assigned
    block, reads = tree.block(statement), tree.reads_after(statement, name)
    following = block[block.index(statement) + 1 :][:1]
    if not _PURPOSE.search(name) or len(reads) != 1 or [tree.statement(reads[0])] != following:
        return False
    following_line = tree.module.lines[reads[0].lineno - 1]
    if isinstance(following[0], ast.For | ast.While | ast.With | ast.FunctionDef | ast.ClassDef):
        return False
    if "\n" in content or len(following_line) + len(content) - len(name) > _WIDTH:
        return False
    parent = tree.parents[reads[0]]
    is_alone = (
        isinstance(parent, ast.Call | ast.keyword | ast.Return | ast.Assign)
        and getattr(parent, "func", None) is not reads[0]
    )
    written = content if is_alone or is_atomic(content) else f"({content})"
    return text.drop(statement) and text.put(tree.site(reads[0]), written)


def _assigned(tree: Tree, node: ast.AST) -> tuple[ast.stmt, str] | None:
    """The statement that gives a value a name, and the name."""
    parent = tree.parents.get(node)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return parent, name
        case _:
            return None


def _write_at_use(
    edit: Bypass | Rename,
    tree: Tree,
    assigned: tuple[ast.stmt, str],
    content: str,
    start: ast.stmt,
    asked: Asked,
) -> bool:
    """Write what should be there where a name is handed on to the loss, if it still has the same value there."""
    statement, name = assigned
    text = asked.texts.at(tree.path)
    if text is None or not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return False
    reads = tree.reads_after(statement, name)
    chosen: list[ast.Name] = []
    for read in reads:
        flows = asked.flows(edit.op.site, edit.op.name, goes_on=True)
        if asked.is_all_for_it(flows, tree, read, TENSOR):
            chosen.append(read)
        elif asked.sink in flows.sinks:
            return False
    if not chosen or not _is_pure(content, edit):
        return False
    used = [one for one in ast.walk(ast.parse(content, mode="eval")) if isinstance(one, ast.Name)]
    if not all(holds(tree, one.id, start, read) for one in used for read in chosen):
        return False
    if not all(len(reaching(tree, name, read)) == 1 for read in chosen):
        return False
    for read in chosen:
        text.put(tree.site(read), content if is_atomic(content) else f"({content})")
    return True


def _is_pure(content: str, edit: Bypass | Rename) -> bool:
    """Whether an expression may be written twice: names alone, or the one operation of them."""
    tree = ast.parse(content, mode="eval").body
    inner = [tree]
    if isinstance(edit, Rename) and isinstance(tree, ast.Call):
        inner = [*tree.args, *(one.value for one in tree.keywords)]
        if isinstance(tree.func, ast.Attribute):
            inner.append(tree.func.value)
    return all(isinstance(node, _PURE) for one in inner for node in ast.walk(one))
