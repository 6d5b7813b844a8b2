"""Statements: how a block changes an activation's state, branch by branch."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from loss_lint.symbolic import assign, containers, decorators, frameworks, imports, limits, loops, patterns
from loss_lint.symbolic.activation import Activation, State, atom, join
from loss_lint.symbolic.definitions import decorator_names, define_class, define_function
from loss_lint.symbolic.graph import NONE, Const, External, Leaf, Object, Value, leaf
from loss_lint.symbolic.guards import compatible, guards_of, strip, truth


def execute(body: Sequence[ast.stmt], act: Activation) -> None:
    """Run `body` until it ends or leaves."""
    for statement in body:
        if act.state.dead or not act.machine.spend():
            return
        handler = _STATEMENTS.get(type(statement))
        if handler is None:
            continue
        guards, loops, grad = act.state.guards, act.loops, act.grad
        try:
            handler(statement, act)
        except RecursionError:  # an expression nested deeper than Python lets us follow is unknown
            limits.count("depth")
            act.machine.modules.is_shareable = False  # how deep that was depends on who needed it
            act.state.guards, act.loops, act.grad = guards, loops, grad


def branch(
    act: Activation,
    condition: Value,
    then: Callable[[], None],
    otherwise: Callable[[], None],
) -> None:
    """Run both sides of a condition, each under its guards, and join what goes on."""
    state = act.state
    positive, negative = guards_of(condition, True), guards_of(condition, False)
    if positive is not None and not compatible(state.guards, positive):
        positive = None
    if negative is not None and not compatible(state.guards, negative):
        negative = None
    if negative is None or (positive is not None and not positive - state.guards and negative):
        if positive is None:
            state.dead = True
            return
        state.guards |= positive
        then()
        return
    if positive is None:
        state.guards |= negative
        otherwise()
        return
    entry = state.guards
    act.state = state.fork(positive)
    then()
    taken = act.state
    act.state = state
    state.guards |= negative
    otherwise()
    act.state = join(taken, act.state, entry)


def _if(node: ast.If, act: Activation) -> None:
    condition = act.machine.evaluate(node.test, act)
    branch(act, condition, lambda: execute(node.body, act), lambda: execute(node.orelse, act))


def _return(node: ast.Return, act: Activation) -> None:
    value: Value = NONE if node.value is None else act.machine.evaluate(node.value, act)
    if act.trained:
        frameworks.returned(value, node, act)
    act.returns.append((act.state, value))
    act.state = act.state.fork()
    act.state.dead = True


def _leave(node: ast.stmt, act: Activation) -> None:
    if isinstance(node, ast.Raise):
        if node.exc is not None:
            act.machine.evaluate(node.exc, act)
    elif act.loops:
        ends_loop = isinstance(node, ast.Break) and act.broken is not None
        (act.broken if ends_loop and act.broken is not None else act.left_loop).append(act.state)
        act.state = act.state.fork()
    act.state.dead = True


def _assign(node: ast.Assign, act: Activation) -> None:
    value = act.machine.evaluate(node.value, act)
    for target in node.targets:
        assign.assign(target, value, act)


def _annotated(node: ast.AnnAssign, act: Activation) -> None:
    if node.value is not None:
        assign.assign(node.target, act.machine.evaluate(node.value, act), act)


def _augmented(node: ast.AugAssign, act: Activation) -> None:
    before = act.machine.evaluate(node.target, act)  # evaluation does not look at the node's context
    operand = act.machine.evaluate(node.value, act)
    if containers.added_in_place(node.op, before, operand, assign.site_of(node, act), act):
        return
    if _sums_up(node, before, act):
        value: Value = act.machine.op("add", (before, operand), (), node, (node.target, node.value), act)
    else:
        value = act.machine.binary(node.op, before, operand, node, node.target, node.value, act)
    assign.assign(node.target, value, act)


def _sums_up(node: ast.AugAssign, before: Value, act: Activation) -> bool:
    """Whether a number that an object from outside a loop holds is added to in it: not `0 + 1`, but a sum."""
    if not (isinstance(node.op, ast.Add) and isinstance(node.target, ast.Attribute | ast.Subscript)):
        return False
    number = strip(before)
    if not (isinstance(number, Const) and isinstance(number.value, int | float)):
        return False
    holder = strip(act.machine.evaluate(node.target.value, act))
    return isinstance(holder, Object) and containers.in_inner_loop(holder, act)


def _expression(node: ast.Expr, act: Activation) -> None:
    act.machine.evaluate(node.value, act)


def _define(node: ast.FunctionDef | ast.AsyncFunctionDef, act: Activation) -> None:
    if {"setter", "deleter"} & set(decorator_names(node)):
        return  # the property keeps its getter
    defined = define_function(node, act)
    act.state.names[node.name] = decorators.decorated(defined, node, act) if node.decorator_list else defined


def _class(node: ast.ClassDef, act: Activation) -> None:
    defined = define_class(node, act)
    act.state.names[node.name] = defined
    if node.decorator_list:
        act.state.names[node.name] = decorators.decorated(defined, node, act)


def _with(node: ast.With | ast.AsyncWith, act: Activation) -> None:
    grad = act.grad
    for item in node.items:
        value = act.machine.evaluate(item.context_expr, act)
        act.grad = grad_mode(value, act.grad)
        if item.optional_vars is not None:
            entered = act.machine.enter(value, item.context_expr, act)
            assign.assign(item.optional_vars, entered, act)
    execute(node.body, act)
    act.grad = grad


GRADIENT_FREE = frozenset({"torch.no_grad", "torch.inference_mode", "torch.autograd.no_grad"})


def grad_mode(context: Value, before: bool) -> bool:
    """Whether gradients are recorded inside a `with` of `context`."""
    context = strip(context)
    if isinstance(context, Leaf) and context.operands and isinstance(context.operands[0], External):
        name = context.operands[0].name
        if name in GRADIENT_FREE:
            return False
        if name == "torch.enable_grad":
            return True
        if name in {"torch.set_grad_enabled", "torch.autograd.set_grad_enabled"} and context.operands[1:]:
            enabled = guards_of(context.operands[1], True)
            return before and enabled is not None
    return before


def _try(node: ast.Try, act: Activation) -> None:
    """The body runs, or a handler runs instead of it (from the state before); which one is not known."""
    before = act.state.fork()
    entry = act.state.guards
    execute(node.body, act)
    execute(node.orelse, act)
    ended = act.state
    handlers = [] if all(_imports_the_project(inner, act) for inner in node.body) else node.handlers
    for handler in handlers:
        failed = leaf("unknown", "exception", None, reason="an exception")
        act.state = before.fork(atom(failed, True))
        if handler.name:
            act.state.names[handler.name] = leaf("unknown", handler.name, None)
        execute(handler.body, act)
        if not act.state.dead:
            normal = State(ended.names, ended.heap, ended.guards | atom(failed, False), ended.dead)
            ended = join(normal, act.state, entry)
    act.state = ended
    if node.finalbody:
        was_dead = act.state.dead
        act.state.dead = False
        execute(node.finalbody, act)
        act.state.dead = act.state.dead or was_dead


def _imports_the_project(node: ast.stmt, act: Activation) -> bool:
    """Whether a statement imports nothing but what is there: the project's own modules, or torch's."""
    match node:
        case ast.Import(names=names):
            return all(imports.is_there(alias.name, 0, act) for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            source = module or ""
            below = [f"{source}.{alias.name}" if source else alias.name for alias in names]
            inside = level or source.partition(".")[0] != "torch"
            return bool(inside) and (
                imports.is_there(source, level, act)
                or all(imports.is_there(one, level, act) for one in below)
            )
        case _:
            return False


def _match(node: ast.Match, act: Activation) -> None:
    """Each case is one branch under what its pattern asks for."""
    subject = act.machine.evaluate(node.subject, act)

    def run(cases: list[ast.match_case]) -> None:
        if not cases:
            return
        case, rest = cases[0], cases[1:]
        condition = patterns.condition(case.pattern, subject, act)
        if case.guard is not None:
            condition = _with_guard(condition, case.guard, act)
        branch(act, condition, lambda: execute(case.body, act), lambda: run(rest))

    run(node.cases)


def _with_guard(condition: Value, guard: ast.expr, act: Activation) -> Value:
    """`case pattern if guard`: both hold."""
    known = truth(condition)
    if known is False:
        return condition
    test = act.machine.evaluate(guard, act)
    if known is True or truth(test) is False:
        return test
    if truth(test) is True:
        return condition
    return act.machine.python_op("and", (condition, test), assign.site_of(guard, act), act)


def _assert(node: ast.Assert, act: Activation) -> None:
    guards = guards_of(act.machine.evaluate(node.test, act), True)
    if guards is not None and compatible(act.state.guards, guards):
        act.state.guards |= guards


def _delete(node: ast.Delete, act: Activation) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            act.state.names.pop(target.id, None)
        elif isinstance(target, ast.Subscript):
            holder = act.machine.evaluate(target.value, act)
            assign.delete_item(holder, act.machine.evaluate(target.slice, act), act)


def _global(node: ast.Global | ast.Nonlocal, act: Activation) -> None:
    act.global_names.update(node.names)


def _import(node: ast.Import, act: Activation) -> None:
    for alias in node.names:
        if alias.asname:
            act.state.names[alias.asname] = act.machine.imported(alias.name, act)
        else:
            top = alias.name.partition(".")[0]
            act.state.names[top] = act.machine.imported(top, act)
            act.machine.imported(alias.name, act)


def _import_from(node: ast.ImportFrom, act: Activation) -> None:
    for alias in node.names:
        if alias.name == "*":
            act.machine.import_star(node.module or "", node.level, act)
        else:
            name = alias.asname or alias.name
            act.state.names[name] = act.machine.imported_name(node.module or "", alias.name, node.level, act)


def _for(node: ast.For | ast.AsyncFor, act: Activation) -> None:
    loops.run_for(node, act, execute)


def _while(node: ast.While, act: Activation) -> None:
    loops.run_while(node, act, execute)


_STATEMENTS: dict[type[ast.stmt], Callable[[Any, Activation], None]] = {
    ast.If: _if,
    ast.Return: _return,
    ast.Raise: _leave,
    ast.Break: _leave,
    ast.Continue: _leave,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Expr: _expression,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.ClassDef: _class,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.Match: _match,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.Global: _global,
    ast.Nonlocal: _global,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
}
