"""Where a value goes in the whole project, as far as the text says: whether all its uses want the same change.

What a fix would change (a tensor, what a module returns when it is called) is followed from where it is made through
names (`bindings`), attributes, returns and arguments (`calls`, `layers`, `torch_uses`). Each use has to be known: a
loss that wants the change, something that is indifferent to it, or a step on the way. For anything else `Uncertain`
is raised.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from loss_lint.fixes.attributes import read_attribute, read_item
from loss_lint.fixes.bindings import bind
from loss_lint.fixes.calls import call_it, pass_to
from loss_lint.fixes.held import MODULE, Held
from loss_lint.fixes.names import Found
from loss_lint.fixes.program import Program, Tree, Uncertain
from loss_lint.fixes.returns import return_it
from loss_lint.symbolic.graph import Site

_MAX_NODES = 400
# A module in a list of layers, alone or with its name.
_ENTRIES = (((), ()), ((1,), ()))


@dataclass(slots=True)
class Flows:
    """Follows values; `wants` says whether the loss at a call wants the change, `entered` what a call runs.

    `sinks` are the losses' calls that it came to, `files` those that it went through. With `goes_on`, a use that is
    not known does not end the search, so that `sinks` are all. `classes` are those whose instances it came to.
    """

    program: Program
    wants: Callable[[Site, frozenset[str]], bool]
    entered: Callable[[Site, frozenset[str]], list[Found]]
    holders: frozenset[str] | None = None
    largest_stays: bool = True
    ends_at_calls: bool = False
    goes_on: bool = False
    sinks: set[Site] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    classes: list[ast.ClassDef] = field(default_factory=list)
    _seen: set[tuple[int, Held]] = field(default_factory=set)
    _pending: list[tuple[Found, Held]] = field(default_factory=list)

    def follow(self, tree: Tree, node: ast.AST, held: Held) -> None:
        """Follow what a node holds to the end; raises Uncertain where a use is not known."""
        self.go(tree, node, held)
        doubt: Uncertain | None = None
        while self._pending:
            found, held = self._pending.pop()
            try:
                self._step(found.tree, found.node, held)
            except Uncertain as error:
                if not self.goes_on:
                    raise
                doubt = error
        if doubt is not None:
            raise doubt

    def go(self, tree: Tree, node: ast.AST, held: Held) -> None:
        """Follow what a node holds as well; raises Uncertain where that would be too much."""
        key = (id(node), held)
        if key not in self._seen:
            self._seen.add(key)
            self.files.add(tree.path)
            self._pending.append((Found(tree, node), held))
            if len(self._seen) > _MAX_NODES:
                raise Uncertain("it goes too far")

    def _step(self, tree: Tree, node: ast.AST, held: Held) -> None:
        """Follow a value from an expression into what is around it."""
        parent = tree.parents[node]
        match parent:
            case ast.Expr():
                return
            case ast.Assign(value=value, targets=targets) if value is node:
                for target in targets:
                    bind(self, tree, parent, target, held)
            case ast.AnnAssign(value=value, target=target) if value is node:
                bind(self, tree, parent, target, held)
            case ast.NamedExpr(value=value, target=target) if value is node:
                bind(self, tree, tree.statement(parent), target, held)
                self.go(tree, parent, held)
            case ast.Return() | ast.Lambda():
                return_it(self, tree, node, held)
            case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
                return
            case _:
                self._step_inside(tree, parent, node, held)

    def _step_inside(self, tree: Tree, parent: ast.AST, node: ast.AST, held: Held) -> None:
        """Follow a value into the expression that it is part of."""
        match parent:
            case ast.Tuple(elts=[*elements]) if not held.is_layers:
                self.go(tree, parent, held.inside(elements.index(node)))  # type: ignore[arg-type]
            case ast.List(elts=[*_, last]) if last is node and held.levels in _ENTRIES:
                self.go(tree, parent, Held(MODULE.levels, is_layers=True))
            case ast.List(elts=[*elements]) if not held.is_layers:
                self.go(tree, parent, held.inside(elements.index(node)))  # type: ignore[arg-type]
            case ast.Dict(keys=keys, values=values) if node in values:
                key = keys[values.index(node)]
                if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                    raise Uncertain("a key that is not known")
                self.go(tree, parent, held.inside(key.value))
            case ast.Subscript(value=value, slice=index) if value is node:
                read_item(self, tree, parent, index, held)
            case ast.Attribute():
                read_attribute(self, tree, parent, held)
            case ast.IfExp(test=test) if test is not node:
                self.go(tree, parent, held)
            case ast.Call(func=function) if function is node:
                call_it(self, tree, parent, held)
            case ast.Call():
                pass_to(self, tree, parent, node, held)
            case ast.keyword():
                call = tree.parents[parent]
                if not isinstance(call, ast.Call) or parent.arg is None:
                    raise Uncertain("it is unpacked")
                pass_to(self, tree, call, node, held)
            case ast.Starred() if held.is_layers:
                self.go(tree, parent, held)
            case ast.Await():
                self.go(tree, parent, held)
            case _:
                raise Uncertain(f"{type(parent).__name__} at {tree.path}:{getattr(parent, 'lineno', 0)}")

    def is_sink(self, tree: Tree, call: ast.Call) -> bool:
        """Whether a call is a loss that wants the change."""
        site = tree.site(call)
        if not self.wants(site, frozenset(self.files)):
            return False
        self.sinks.add(site)
        return True
