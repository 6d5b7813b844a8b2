"""Loops: known containers are unrolled, all others run once with what they change held symbolically."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from loss_lint.catalogue.wrappers import WRAPPERS
from loss_lint.symbolic import assign, exits, items, unrolling
from loss_lint.symbolic.activation import Activation, State, atom
from loss_lint.symbolic.graph import (
    NONE,
    ZERO,
    Accumulated,
    Alternatives,
    Const,
    Guards,
    Loop,
    Op,
    Phi,
    Value,
    accumulated,
    alternatives,
    fresh_content,
    leaf,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.readings import narrowed

Execute = Callable[[Sequence[ast.stmt], Activation], None]


def run_for(node: ast.For | ast.AsyncFor, act: Activation, execute: Execute) -> None:
    iterable = items.iterated(act.machine.evaluate(node.iter, act), assign.site_of(node.iter, act), act)
    entries = unrolling.entries(node, iterable, act)
    if entries is not None:

        def iterate(value: Value, loop: Loop) -> None:
            _run(node, loop, lambda: assign.assign(node.target, value, act), act, execute)

        unrolling.run(node, entries, act, execute, iterate)
        return
    loop = Loop(assign.site_of(node, act), iterable, name=_name_of(node.iter, iterable), frame=act.frame)

    def head() -> None:
        element = act.machine.element(iterable, loop, assign.site_of(node.target, act), act)
        assign.assign(node.target, element, act)

    _run(node, loop, head, act, execute)
    execute(node.orelse, act)


def _name_of(node: ast.expr, iterable: Value) -> str:
    """What is looped over as a dotted name: `self.loader` for `tqdm(enumerate(self.loader))`; "" for others."""
    plain = strip(iterable)
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(plain, Op) and plain.name in _LOOKED_THROUGH:
        return ""  # `pairs = enumerate(loader)` has no length
    while isinstance(node, ast.Call) and node.args and _last_name(node.func) in _LOOKED_THROUGH:
        counts_to = _last_name(node.func) == "range"
        node = node.args[0]
        if counts_to and not (isinstance(node, ast.Call) and _last_name(node.func) == "len"):
            return ""
    name = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
    return name if all(part.isidentifier() for part in name.split(".")) else ""


# Calls whose first argument is what is looped over.
_LOOKED_THROUGH = frozenset({"enumerate", "zip", "iter", "range", "len"}) | {
    wrapper.name.rpartition(".")[2] for wrapper in WRAPPERS if wrapper.parameter in ("iterable", "sequence")
}


def _last_name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def run_while(node: ast.While, act: Activation, execute: Execute) -> None:
    loop = Loop(assign.site_of(node, act), None)

    def head() -> None:
        act.machine.evaluate(node.test, act)

    _run(node, loop, head, act, execute)
    execute(node.orelse, act)


def _run(
    node: ast.For | ast.AsyncFor | ast.While,
    loop: Loop,
    head: Callable[[], None],
    act: Activation,
    execute: Execute,
) -> None:
    """One symbolic iteration: every name that the body assigns is a Phi at its head."""
    before = act.state.fork()
    phis: dict[str, Phi] = {}
    for name in act.module.bound_names(node):
        init = act.state.names.get(name)
        if init is not None:
            phis[name] = Phi(name, init, loop, fresh_content())
            act.machine.begin(phis[name])
            act.state.names[name] = phis[name]
    carried = _carried_attributes(node, loop, act)
    left, act.left_loop = act.left_loop, []
    broken, act.broken = act.broken, None
    loops, act.loops = act.loops, (*act.loops, loop)
    started = len(act.machine.ops)
    head()
    execute(node.body, act)
    unrolling.rejoin(act, act.left_loop)
    act.loops, act.left_loop, act.broken = loops, left, broken
    after = act.state
    if after.dead:
        act.state = before
        return
    for name, phi in phis.items():
        phi.next = after.names.get(name)
    last = exits.at_the_last(loop, act.machine.ops[started:])
    act.state = _exit(before, after, phis, carried, loop, last)


def _carried_attributes(
    node: ast.For | ast.AsyncFor | ast.While, loop: Loop, act: Activation
) -> dict[tuple[int, str], Phi]:
    """Attributes that are None until an iteration sets them: at the loop's head they are what the last one left."""
    carried: dict[tuple[int, str], Phi] = {}
    for holder, attribute in _assigned_attributes(node, act):
        owner = act.state.names.get(holder)
        content = strip(owner).content if owner is not None else 0
        record = act.state.heap.get(content)
        init = record.attributes.get(attribute) if record is not None else None
        if init is not None and init.content == NONE.content:
            phi = carried[content, attribute] = Phi(attribute, init, loop, fresh_content())
            act.machine.begin(phi)
            act.state.heap.set_attribute(content, attribute, phi)
    return carried


def _assigned_attributes(node: ast.For | ast.AsyncFor | ast.While, act: Activation) -> list[tuple[str, str]]:
    """`("self", "last")` for `self.last = x`, in the loop or in a method of the same class that it calls."""
    found = set(act.module.bound_attributes(node))
    if act.owner is not None and act.module is act.owner.module:
        called = act.module.called_methods(node)
        for method in act.owner.node.body:
            if isinstance(method, ast.FunctionDef) and ("self", method.name) in called:
                stored = act.module.bound_attributes(method)
                found.update(pair for pair in stored if pair[0] == "self")
    return sorted(found)


def _exit(
    before: State,
    after: State,
    phis: dict[str, Phi],
    carried: dict[tuple[int, str], Phi],
    loop: Loop,
    last: Guards,
) -> State:
    """The state behind the loop: sums are closed, other names are what the last iteration left."""
    ran = leaf("unknown", "loop ran", loop.site, reason="whether a loop runs at all")
    over = atom(ran, True) | last
    names: dict[str, Value] = {}
    for name, value in after.names.items():
        phi = phis.get(name)
        names[name] = value if phi is None or phi.init is None else close(phi, value, ran, over)
        known = before.names.get(name)
        if phi is None and known is not None and known is not value:  # a nested function changed it
            names[name] = summed(known, value, loop) or value
    after.heap.sum_up(before.heap, lambda known, value: _noted(known, value, loop))
    for (content, attribute), phi in carried.items():
        record = after.heap.get(content)
        phi.next = record.attributes.get(attribute) if record is not None else None
        terms = added_terms(phi.next, phi) if phi.next is not None else None
        if terms is not None and phi.init is not None:
            total = accumulated(phi.init, tuple(terms), loop) if terms else phi.init
            after.heap.set_attribute(content, attribute, total)
    heap = after.heap.join(before.heap, atom(ran, True), atom(ran, False))
    return State(names, heap, before.guards)


def close(phi: Phi, value: Value, ran: Value, over: Guards) -> Value:
    """What a variable holds behind a loop that left `value` in it."""
    assert phi.init is not None
    terms = added_terms(value, phi)
    if terms is None:
        return alternatives([(over, narrowed(value, over)), (atom(ran, False), phi.init)])
    return accumulated(phi.init, tuple(terms), phi.loop) if terms else phi.init


def summed(before: Value, value: Value, loop: Loop) -> Value | None:
    """The sum that a loop builds where an iteration makes `value` of `before`; None if it is none."""
    terms = _terms_beside(value, before.content)
    return accumulated(before, tuple(terms), loop) if terms else None


def _noted(before: Value, value: Value, loop: Loop) -> Value | None:
    """The sum that an attribute or item builds, kept with the addition that does it."""
    found = summed(before, value, loop)
    plain = strip(value)
    if isinstance(plain, Op) and isinstance(found, Accumulated):
        loop.sums[id(plain)] = (plain, found)
    return found


def _terms_beside(value: Value, content: int) -> list[Value] | None:
    """The terms that `value` adds to the value of that content."""
    plain = strip(value)
    if plain.content == content:
        return []
    if isinstance(plain, Op) and plain.name == "add":
        for one, other in (plain.operands, plain.operands[::-1]):
            terms = _terms_beside(one, content)
            if terms is not None:
                return [*terms, other]
    if isinstance(plain, Accumulated):
        terms = _terms_beside(plain.init, content)
        return None if terms is None else [*terms, accumulated(ZERO, plain.terms, plain.loop)]
    if isinstance(plain, Alternatives):
        found = [_terms_beside(branch, content) for _, branch in plain.branches]
        if any(terms is None for terms in found):
            return None
        return _of_either(found)
    return None


def _of_either(branches: Sequence[list[Value] | None]) -> list[Value]:
    """The terms of branches of which one runs: what several of them add is one term."""
    terms: list[Value] = []
    for branch in branches:
        known = {term.content for term in terms}
        terms += [term for term in branch or () if term.content not in known]
    return terms


def added_terms(value: Value, phi: Phi) -> list[Value] | None:
    """The terms that `value` adds to `phi`; None where it is no sum of that kind."""
    value = strip(value)
    if value is phi:
        return []
    match value:
        case Op(name="add", operands=(left, right)):
            for one, other in ((left, right), (right, left)):
                terms = added_terms(one, phi)
                if terms is not None:
                    return [*terms, other]
            return None
        case Accumulated(init=init, terms=inner, loop=loop):
            terms = added_terms(init, phi)
            return None if terms is None else [*terms, accumulated(ZERO, inner, loop)]
        case Alternatives(branches=branches):
            found = [added_terms(branch, phi) for _, branch in branches]
            if isinstance(phi.init, Const) and phi.init.value is None and any(found):
                # `total = loss if total is None else total + loss` starts with its first term.
                found = [
                    [branch] if terms is None else terms
                    for terms, (_, branch) in zip(found, branches, strict=True)
                ]
            if any(terms is None for terms in found):
                return None
            return _of_either(found)
        case _:
            return None
