"""Gradient accumulation: several backward passes before the optimizer steps once."""

from __future__ import annotations

from collections.abc import Iterator

from loss_lint.symbolic.counts import STEP_TESTS, is_step_count, runs_over
from loss_lint.symbolic.graph import Leaf, Loop, Op, Site, Value
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.loaders import stands_for_a_batch
from loss_lint.symbolic.naming import counts_steps, name_of
from loss_lint.symbolic.root import BACKWARD, Root, parts
from loss_lint.symbolic.single import sampled_at


def accumulating_loop(divided: Op, steps: Value, spelled: str, root: Root) -> Loop | None:
    """The loop that runs `divided` backward `steps` times for each step of an optimizer; None if there is none."""
    literal = literal_of(steps)
    if literal is not None and literal.value == 1:  # as long as nobody asks for more
        return None
    for loop in _loops_of_backward(divided, root):
        if runs_over(steps, (loop,)):
            if _steps_outside(loop, root) or is_called_steps(steps, spelled, root):
                return loop
        elif _steps_every(steps, spelled, loop, root):
            return loop
    return None


def is_called_steps(steps: Value, spelled: str, root: Root) -> bool:
    """Whether a value has the name of a number of accumulation steps."""
    own = root.machine.conventions
    return counts_steps(spelled, own) or counts_steps(name_of(steps), own)


def _loops_of_backward(divided: Op, root: Root) -> Iterator[Loop]:
    """The innermost loop of each backward pass that `divided` goes into, where that loop computes it."""
    if not (divided.loops and root.is_trained_on(divided)):
        return
    for op in root.downstream(divided):
        if op.name in BACKWARD and op.loops and op.loops[-1] in divided.loops:
            yield op.loops[-1]


def _steps_outside(loop: Loop, root: Root) -> bool:
    return any(op.name == "step" and loop not in op.loops for op in root.ops)


def _steps_every(steps: Value, spelled: str, loop: Loop, root: Root) -> bool:
    """Whether the optimizer steps in `loop` under a test of `steps`; by its name alone if no step is seen."""
    stepping = [op for op in root.ops if op.name == "step" and loop in op.loops and not _schedules(op)]
    if not stepping:
        named = is_called_steps(steps, spelled, root)
        return named and is_step_count(steps, root, spelled)
    return any(_tests(atom.condition, steps, spelled) for op in stepping for atom in op.guards)


def _schedules(step: Op) -> bool:
    """Whether what steps is a learning rate's schedule."""
    receiver = strip(step.operands[0]) if step.operands else None
    name = receiver.name if isinstance(receiver, Leaf) else name_of(receiver) if receiver is not None else ""
    return "sched" in name.lower()


def _tests(condition: Value, steps: Value, spelled: str, depth: int = 5) -> bool:
    """Whether a condition compares something with `steps`, or with a multiple of it."""
    plain = strip(condition)
    if not isinstance(plain, Op) or depth == 0:
        return False
    if plain.name in STEP_TESTS and any(_is_same(operand, steps, spelled) for operand in plain.operands):
        return True
    written = plain.spelled[-1:] if plain.name in STEP_TESTS else ()
    if spelled and spelled in written:
        return True
    return any(_tests(operand, steps, spelled, depth - 1) for operand in plain.operands)


def _is_same(one: Value, other: Value, spelled: str) -> bool:
    contents = {part.content for part in parts(other)}
    if any(part.content in contents for part in parts(one)):
        return True
    name = name_of(one)
    return bool(name) and name in (name_of(other), spelled)


def is_drawn_in(value: Value, loop: Loop, *, by_index: bool) -> bool:
    """Whether each iteration of `loop` draws a `value` of its own.

    That is an element of what is looped over, the samples of a batch, what a call returns, or what is chosen at
    random; `by_index`, a part by the loop's number as well, which may be a head or a scale instead.
    """
    roles = ("element", "call", "index") if by_index else ("element", "call")
    for node in origin(value):
        if isinstance(node, Leaf) and (node.role in roles or stands_for_a_batch(node)):
            if _is_inside(node.site, loop):
                return True
        elif isinstance(node, Op):
            if node.name in _CHOOSES and loop in node.loops:
                return True
            sampled = sampled_at(node)
            if sampled is not None and _is_inside(sampled, loop):
                return True
    return False


# What chooses samples.
_CHOOSES = frozenset({"randint", "randperm", "multinomial"})


def _is_inside(site: Site | None, loop: Loop) -> bool:
    if site is None or site.path != loop.site.path:
        return False
    start, end = (site.line, site.column), (site.end_line, site.end_column)
    return (loop.site.line, loop.site.column) <= start and end <= (loop.site.end_line, loop.site.end_column)


def origin(value: Value, limit: int = 400) -> Iterator[Value]:
    """Everything that `value` is computed from."""
    seen: set[int] = set()
    pending = [value]
    while pending and len(seen) < limit:
        for part in parts(pending.pop()):
            if id(part) not in seen:
                seen.add(id(part))
                yield part
                if isinstance(part, Op | Leaf):
                    pending.extend(part.operands)
