"""Sums over an epoch: which losses a loop adds up, and how each was reduced.

Losses are measured in powers of the batch size: a mean is 0, a sum over the batch's samples is 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from loss_lint.conventions import Conventions
from loss_lint.symbolic.counts import sample_count, sources
from loss_lint.symbolic.facts import reduction
from loss_lint.symbolic.graph import (
    NONE,
    Accumulated,
    Const,
    Guards,
    Loop,
    Op,
    Phi,
    Value,
    accumulated,
)
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.loops import added_terms
from loss_lint.symbolic.naming import counts_samples, counts_steps, name_of
from loss_lint.symbolic.walk import View, Walk, descend, effect, origins, views

# What leaves a number what it is.
UNCHANGING = frozenset(
    {"item", "detach", "cpu", "cuda", "numpy", "to", "to_float", "to_double", "to_half", "to_bfloat16", "clone",
     "contiguous", "squeeze", "tolist", "round", "getitem", "variable"}
)  # fmt: skip
_POWERS = {"mean": 0, "batchmean": 0, "sum": 1}


def as_sum(node: Value) -> Accumulated | None:
    """`node` as a loop's sum: closed behind the loop, or inside it what has been added so far."""
    if isinstance(node, Accumulated):
        return node
    if isinstance(node, Op) and node.name == "add":
        for loop in node.loops:
            if id(node) in loop.sums:
                return loop.sums[id(node)][1]
    phi = _running(node)
    if phi is None or phi.init is None or phi.next is None:
        return None
    terms = added_terms(node, phi)
    if not terms or not added_terms(phi.next, phi):  # it starts anew within the loop
        return None
    return accumulated(phi.init, tuple(terms), phi.loop)


def _running(node: Value) -> Phi | None:
    """The variable that an addition adds to."""
    pending: list[Value] = [node]
    for _ in range(12):
        if not pending:
            return None
        plain = strip(pending.pop())
        if isinstance(plain, Phi) and plain is not strip(node):
            return plain
        if isinstance(plain, Op) and plain.name == "add":
            pending.extend(plain.operands)
    return None


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of losses over an epoch: each batch adds `loss` times the batch size to the `power`.

    `view` is the loss, with all operations between it and the sum's use. `loops` are those that add up: the last one
    over batches, those before around it, as of several epochs. `scaled` says that the program multiplies by a batch
    size itself, `certain` that nothing unknown is added as well.
    """

    power: int
    view: View
    loops: tuple[Loop, ...]
    scaled: bool
    certain: bool

    @property
    def loop(self) -> Loop:
        return self.loops[-1]

    @property
    def loss(self) -> Op:
        assert isinstance(self.view.node, Op)
        return self.view.node


def totals(value: Value, guards: Guards) -> Iterator[Total]:
    """The readings of `value` in which it is a sum of losses over one loop."""
    walk = Walk()
    for view, power, summed in _sums(View(value, guards), walk):
        if starts_at_zero(summed.init, view.guards):
            terms, loops = nested(summed, view.guards)
            total = _total([replace(view, node=term) for term in terms], power, loops, walk)
            if total is not None:
                yield total


def summand(value: Value, guards: Guards, loop: Loop) -> Total | None:
    """`value` as what each iteration of `loop` adds to a sum of losses."""
    return _total([View(value, guards)], 0, (loop,), Walk())


def nested(summed: Accumulated, guards: Guards) -> tuple[tuple[Value, ...], tuple[Loop, ...]]:
    """What a sum adds up and over which loops: where each term is the sum of a loop within, that loop's terms."""
    loops: tuple[Loop, ...] = ()
    while True:
        loops = (*loops, summed.loop)
        inner = strip(summed.terms[0]) if len(summed.terms) == 1 else None
        if not (isinstance(inner, Accumulated) and starts_at_zero(inner.init, guards)):
            return summed.terms, loops
        summed = inner


def _total(terms: list[View], power: int, loops: tuple[Loop, ...], walk: Walk) -> Total | None:
    found: list[_Part] = []
    certain = True
    for term in terms:
        for part in _parts(term, loops[-1], walk):
            if part is None:
                certain = False
            else:
                found.append(part)
    if len({part.power for part in found}) != 1 or walk.exhausted:
        return None
    raised = found[0].power + power
    return Total(raised, found[0].view, loops, raised != found[0].own, certain)


def _sums(view: View, walk: Walk) -> Iterator[tuple[View, int, Accumulated]]:
    for inner in descend(view, walk, UNCHANGING):
        node = inner.node
        summed = as_sum(node)
        if summed is not None:
            yield inner, 0, summed
        elif isinstance(node, Op) and node.name == "mul":
            for slot, other in ((0, 1), (1, 0)):
                deeper = replace(inner, node=node.operands[slot], chain=(*inner.chain, node))
                raised = factor(
                    node.operands[other],
                    inner.guards,
                    frozenset(),
                    node.frame.conventions,
                    node.spelled[other],
                )
                if raised is not None:
                    for found, power, summed in _sums(deeper, walk):
                        yield found, power + raised, summed


def starts_at_zero(value: Value, guards: Guards) -> bool:
    nodes = [view.node for view in views(value, guards)]
    return bool(nodes) and all(_is_zero(node) for node in nodes)


def _is_zero(node: Value) -> bool:
    match node:
        case Const(value=int() | float() as number):
            return number == 0
        case Op(name="zeros"):
            return True
        case Op(name="tensor" | "float_tensor" | "as_tensor", operands=(data, *_)):
            return _is_zero(strip(data))
        case Op(name=name, operands=(inner, *_)) if name in UNCHANGING:
            return _is_zero(strip(inner))
        case _:
            return False


@dataclass(frozen=True, slots=True)
class _Part:
    """A loss in a term; `own` is its own power."""

    power: int
    own: int
    view: View


def _parts(view: View, loop: Loop, walk: Walk) -> Iterator[_Part | None]:
    """The losses that a term adds up; None for each summand that is none."""
    for inner in descend(view, walk, UNCHANGING):
        yield from _of(inner, loop, walk)


def _of(view: View, loop: Loop, walk: Walk) -> Iterator[_Part | None]:
    node = view.node
    match node:
        case Const():
            return
        case Op() if effect(node) == "loss":
            power = _POWERS.get(reduction(node, view.guards) or "")
            known = (
                power is not None and _runs_once(node, loop) and not (power and _is_of_average(node, view))
            )
            yield _Part(power, power, view) if power is not None and known else None
        case Op(name="add" | "sub", operands=operands):
            for operand in operands:
                yield from _parts(_below(view, operand), loop, walk)
        case Op(name="mul", operands=(left, right)):
            yield from _scaled(view, node, ((left, right, 1), (right, left, 0)), 1, loop, walk)
        case Op(name="div", operands=(left, right)):
            yield from _scaled(view, node, ((left, right, 1),), -1, loop, walk)
        case Op(name="mean" | "sum" as name, operands=(inner, *_)) if node.parameter("dim") is None:
            yield _reduced(view, inner, name, loop, walk)
        case _:
            yield None


def _is_of_average(loss: Op, view: View) -> bool:
    """Whether a loss is of an average over the samples, as a regularizer is: its sum adds up no samples."""
    return any(_averages(operand, view.guards, 6) for operand in loss.operands[:1])


def _averages(value: Value, guards: Guards, depth: int) -> bool:
    for found in origins(value, guards):
        node = found.node
        if not isinstance(node, Op) or not node.operands or depth == 0:
            continue
        if effect(node) == "reduce":
            dim = literal_of(node.parameter("dim") or NONE)
            if dim is not None and dim.value == 0 and type(dim.value) is int:
                return True
        elif effect(node) in ("unary", "arithmetic") and _averages(node.operands[0], found.guards, depth - 1):
            return True
    return False


def _below(view: View, operand: Value) -> View:
    assert isinstance(view.node, Op)
    return replace(view, node=operand, chain=(*view.chain, view.node))


def _scaled(
    view: View,
    node: Op,
    orders: tuple[tuple[Value, Value, int], ...],
    sign: int,
    loop: Loop,
    walk: Walk,
) -> Iterator[_Part | None]:
    """A loss times or over a number: what the batch's samples number raises or lowers the power."""
    for operand, other, slot in orders:
        parts = list(_parts(_below(view, operand), loop, walk))
        known = [part for part in parts if part is not None]
        if not known or len(known) != len(parts):
            continue
        related = frozenset[int]().union(*(sources(part.view.node) for part in known))
        raised = factor(other, view.guards, related, node.frame.conventions, node.spelled[slot])
        if raised is not None:
            yield from (replace(part, power=part.power + sign * raised) for part in known)
            return
    yield None


def _reduced(view: View, inner: Value, name: str, loop: Loop, walk: Walk) -> _Part | None:
    """A loss by element that the program reduces, or a scalar that it reduces once more."""
    for found in descend(_below(view, inner), walk, UNCHANGING):
        node = found.node
        if not (isinstance(node, Op) and effect(node) == "loss" and _runs_once(node, loop)):
            return None
        known = reduction(node, found.guards)
        power = _POWERS[name] if known == "none" else _POWERS.get(known or "")
        return None if power is None else _Part(power, power, found)
    return None


def _runs_once(op: Op, loop: Loop) -> bool:
    """Whether `op` runs once in each iteration of `loop`: loops further in are unrolled."""
    if loop not in op.loops:
        return False
    return all(inner.unrolled for inner in op.loops[op.loops.index(loop) + 1 :])


def factor(
    value: Value, guards: Guards, related: frozenset[int], own: Conventions, spelled: str
) -> int | None:
    """The power of the batch size that a factor is; None where that is not known."""
    plain = literal_of(value)
    if isinstance(plain, Const):
        if counts_samples(spelled, own) and plain.value != 1:
            return 1
        return 0 if isinstance(plain.value, float) or plain.value == 1 else None
    if counts_steps(spelled, own) or counts_steps(name_of(value), own):
        return 0
    return 1 if counts_batch(value, guards, related, own, spelled) else None


def counts_batch(
    value: Value, guards: Guards, related: frozenset[int], own: Conventions, spelled: str = ""
) -> bool:
    """Whether `value` counts what is in one batch: samples, tokens, selected elements."""
    for view in views(value, guards):
        node = view.node
        if isinstance(node, Op) and node.name in ("size", "len") and _adds_dimension(node.operands[0]):
            return False
    return sample_count(value, guards, related, own, spelled) is not None


def _adds_dimension(value: Value) -> bool:
    """Whether a tensor's first dimension was made for it: a single sample as a batch of one."""
    plain = strip(value)
    while isinstance(plain, Op) and plain.name in ("to", "cuda", "cpu", "to_float", "to_long"):
        plain = strip(plain.operands[0])
    return isinstance(plain, Op) and plain.name in (
        "unsqueeze",
        "view",
        "reshape",
        "expand",
        "repeat",
        "stack",
    )
