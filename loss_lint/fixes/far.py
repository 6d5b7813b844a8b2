"""Repairs away from the loss: where the wrong value is made, if all its uses want that, or where it is handed on."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from loss_lint.fixes.flows import MODULE, TENSOR, Flows, Held
from loss_lint.fixes.names import Found
from loss_lint.fixes.program import FUNCTIONS, Program, Tree, Uncertain, parameters
from loss_lint.fixes.rewrite import is_atomic, is_within
from loss_lint.fixes.text import Text, Texts
from loss_lint.symbolic.edits import Bypass, Rename, hand_rolled
from loss_lint.symbolic.graph import Guards, Op, Site

# Names of what makes probabilities.
_PURPOSE = re.compile(r"prob|soft|sigm|norm|log_?p|^ps?$|activ", re.IGNORECASE)
_WIDTH = 100
_PURE = ast.Name | ast.Attribute | ast.Constant | ast.Load | ast.keyword | ast.UnaryOp | ast.unaryop
_BRANCHES = (ast.If, ast.IfExp, ast.While, ast.Match, ast.Try)
# Which of several numbers is the largest does not change with these.
_ORDER_KEEPING = frozenset({"softmax", "log_softmax", "sigmoid", "logsigmoid", "softmax2d"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A repair of the loss at `sink` that has to be written elsewhere.

    `wants` says whether the loss at a place wants the change of what is made at a place, `entered` what a call runs.
    With `alone`, the loss itself is changed too, so that no other one may get the changed value.
    """

    program: Program
    texts: Texts
    sink: Site
    alone: bool
    wants: Callable[[Site, Site, frozenset[str]], bool]
    entered: Callable[[Site, frozenset[str]], list[Found]]

    def flows(self, culprit: Site, name: str, *, ends_at_calls: bool = False, goes_on: bool = False) -> Flows:
        def wants(site: Site, files: frozenset[str]) -> bool:
            return site == self.sink or (not self.alone and self.wants(site, culprit, files))

        return Flows(
            self.program,
            wants,
            self.entered,
            largest_stays=name in _ORDER_KEEPING,
            ends_at_calls=ends_at_calls,
            goes_on=goes_on,
        )

    def is_all_for_it(self, flows: Flows, tree: Tree, node: ast.AST, held: Held) -> bool:
        """Whether all uses of a value are known and want the change, the loss's own among them."""
        try:
            flows.follow(tree, node, held)
        except Uncertain:
            return False
        return self.sink in flows.sinks


def kept_slot(op: Op, operand: int, guards: Guards) -> Site | None:
    """Where the operand is written that stays when an operation goes: a hand-rolled softmax's logits."""
    rolled = hand_rolled(op, guards) if operand == 0 else None
    if rolled is None:
        return op.slots[operand] if operand < len(op.slots) else None
    return rolled[2]


def calls_want(made: Site, flows: Flows, asked: Asked) -> bool:
    """Whether all calls of the object that is made there want the change."""
    tree = asked.program.tree(made.path)
    node = tree.at(made) if tree is not None else None
    return tree is not None and node is not None and asked.is_all_for_it(flows, tree, node, MODULE)


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
        return _write_entry(edit, asked)
    if isinstance(edit, Rename) and op.made is not None and op.made.path == op.site.path and not _is_in(op):
        return _write_constructor(edit, asked)
    tree = asked.program.tree(op.site.path)
    text = asked.texts.at(op.site.path)
    node = tree.at(op.site) if tree is not None else None
    if tree is None or text is None or node is None:
        return False
    content = _content(edit, slot, text)
    if content is None or _is_in_a_branch(tree, node, asked.sink):
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


def _is_in_a_branch(tree: Tree, node: ast.AST, sink: Site) -> bool:
    """Whether a condition decides of a node that does not decide of the sink too."""
    current: ast.AST | None = tree.parents.get(node)
    while current is not None and not isinstance(current, FUNCTIONS):
        if isinstance(current, _BRANCHES):
            inside = current.lineno <= sink.line and sink.end_line <= (current.end_lineno or 0)
            if sink.path != tree.path or not inside:
                return True
        current = tree.parents.get(current)
    return False


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


def reaching(tree: Tree, name: str, read: ast.Name) -> list[ast.AST]:
    """The bindings of a name in its function that a read can come from; more rather than fewer."""
    scope: ast.AST = tree.function(read) or tree.module.tree
    return [
        node
        for node in tree.bindings(scope, name)
        if not isinstance(node, ast.Name) or read in tree.reads_after(tree.statement(node), name)
    ]


def holds(tree: Tree, name: str, statement: ast.stmt, read: ast.AST) -> bool:
    """Whether a name has the same value at a read as when a statement before it ran."""
    function = tree.function(statement)
    if tree.function(read) is not function:
        return False
    user = tree.statement(read)
    block = tree.block(statement)
    around = [user, *_ancestors(tree, user)]
    if not any(one in around for one in block[block.index(statement) + 1 :]):
        return False
    scope: ast.AST = function if function is not None else tree.module.tree
    ending = statement.end_lineno or statement.lineno
    for node in tree.bindings(scope, name):
        binder = tree.statement(node) if not isinstance(node, ast.alias) else node
        line = getattr(binder, "lineno", 0)
        if binder is statement or ending < line <= user.lineno:
            return False
        if any(
            isinstance(one, ast.For | ast.While)
            and one not in _ancestors(tree, statement)
            and one.lineno <= line <= (one.end_lineno or 0)
            for one in around
        ):
            return False
    return not any(
        isinstance(node, ast.Attribute)
        and node.attr.endswith("_")
        and not node.attr.endswith("__")
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        for node in ast.walk(scope)
    )


def is_never_bound(tree: Tree, place: Site, name: str) -> bool:
    """Whether a parameter of the function around a place keeps its value."""
    node = tree.at(place)
    function = tree.function(node) if node is not None else None
    if function is None or not any(one.arg == name for one in parameters(function)):
        return False
    return not tree.bindings(function, name)


def _ancestors(tree: Tree, node: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    current = tree.parents.get(node)
    while current is not None:
        found.append(current)
        current = tree.parents.get(current)
    return found


# Modules


def _write_entry(edit: Bypass | Rename, asked: Asked) -> bool:
    """An entry of a Sequential: taken out where it is the last, or another module in its place."""
    op = edit.op
    if op.made is None:
        return False
    tree, text = asked.program.tree(op.made.path), asked.texts.at(op.made.path)
    node = tree.at(op.made) if tree is not None else None
    if tree is None or text is None or node is None:
        return False
    flows = asked.flows(op.made, op.name)
    flows.holders = _holders(tree, node)
    if isinstance(edit, Rename):
        content = _renamed_constructor(edit, text, op.made)
        return (
            content is not None
            and asked.is_all_for_it(flows, tree, node, MODULE)
            and text.put(op.made, content)
        )
    if not asked.is_all_for_it(flows, tree, node, MODULE):
        return False
    parent = tree.parents[node]
    element: ast.expr = node
    if isinstance(parent, ast.Tuple):
        element, parent = parent, tree.parents[parent]
    match parent:
        case ast.List(elts=[*others, last]) if last is element:
            return text.remove_element(element, others)
        case ast.Call(func=ast.Attribute(attr="append" | "add_module")):
            statement = tree.statement(parent)
            if _is_in_a_branch(tree, node, asked.sink):
                return False
            return isinstance(statement, ast.Expr) and text.drop(statement)
        case ast.Call(args=[*others, last], keywords=[]) if last is element:
            return text.remove_element(element, others)
        case _:
            return False


def _holders(tree: Tree, node: ast.AST) -> frozenset[str]:
    """The attributes whose assignment a node is in."""
    match tree.statement(node):
        case ast.Assign(targets=[ast.Attribute(attr=name)]):
            return frozenset({name})
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name)))):
            return frozenset({name})
        case _:
            return frozenset()


def _write_constructor(edit: Rename, asked: Asked) -> bool:
    """Another module in place of the one that an attribute or a name holds."""
    made = edit.op.made
    assert made is not None
    return write_renamed_module(edit, made, asked, asked.flows(made, edit.op.name))


def write_renamed_module(edit: Rename, made: Site, asked: Asked, flows: Flows) -> bool:
    """Write the class of `edit`'s operation for that of the module made there, if all its calls want that."""
    tree, text = asked.program.tree(made.path), asked.texts.at(made.path)
    node = tree.at(made) if tree is not None else None
    if tree is None or text is None or node is None:
        return False
    flows.holders = _holders(tree, node)
    content = _renamed_constructor(edit, text, made)
    return content is not None and asked.is_all_for_it(flows, tree, node, MODULE) and text.put(made, content)


def _renamed_constructor(edit: Rename, text: Text, made: Site) -> str | None:
    if edit.parameters or edit.drop:
        return None
    return text.renamed(made, edit.op.name, edit.name)
