"""What happens to a loss after it was computed: the chains that lead to `backward()`, `item()` or a return."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from loss_lint.explain.explanation import Consequence, spelling
from loss_lint.explain.formula import expression
from loss_lint.explain.tree import INFIX, LOSS_SYMBOL, TreeBuilder, infixed
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    ZERO,
    Accumulated,
    Alternatives,
    Const,
    Op,
    Pass,
    Phi,
    Tuple,
    Value,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.root import BACKWARD
from loss_lint.symbolic.walk import effect
from loss_lint.syntax.site import short

if TYPE_CHECKING:
    from loss_lint.explain.reasons import Context
    from loss_lint.symbolic.root import Root

# Limits on what is shown.
MAX_CHAINS = 4
MAX_LENGTH = 8
_MAX_OPS = 60
_MAX_OTHER = 60
_MAX_LOSSES = 3

_ENDS = frozenset({"item", "tolist", "numpy"})
# Collections that a loss is put into: what is computed from them is not computed from the loss alone.
_COLLECTIONS = frozenset(
    {"zip", "enumerate", "comprehension", "lookup", "map_entry", "list", "set", "items", "setitem", "range"}
)
# Questions about a loss (`if loss > best`), and what only hands it on.
_IGNORED = frozenset({"getattr", "isnan", "isinf", "isfinite", "is", "eq", "isinstance", "len", "size"})
_MOVED = frozenset({"to", "cpu", "cuda", "contiguous", "clone", "identity"})

_ABOUT_THIS = re.compile(rf"\b{LOSS_SYMBOL}\b")

Chain = tuple[Consequence, ...]


def chains(op: Op, root: Root, tree: TreeBuilder) -> tuple[Chain, ...]:
    """What is made of `op`, the way to a `backward()` first; an operation is in one chain, unless it ends several."""
    steps: dict[int, Chain] = {id(op): ()}
    reached_from: dict[int, Op] = {}
    continued: set[int] = set()
    found: dict[Chain, int] = {}
    met: list[Op] = []
    order = {id(one): position for position, one in enumerate(root.ops)}
    pending = [op]
    while pending and len(steps) < _MAX_OPS:
        current = min(pending, key=lambda one: order.get(id(one), 0))
        pending.remove(current)
        if len(steps[id(current)]) >= MAX_LENGTH or current.name == "autograd_grad":
            continue
        for consumer in filter(_is_told, root.consumers(current)):
            is_end = consumer.name in BACKWARD | _ENDS
            known = reached_from.get(id(consumer))
            if id(consumer) in steps and (known is None or current is op):
                continue
            before = steps[id(current)]
            step = None if consumer.name in _MOVED else _consequence(consumer, current, tree)
            chain = before if step is None else (*before, step)
            if known is not None:
                if _is_passed_by(consumer, known, current, steps):
                    steps[id(consumer)], reached_from[id(consumer)] = chain, current
                    continued.add(id(current))
                elif is_end:  # `loss = loss / n if scaled else loss * k`, then `loss.backward()` of either
                    continued.add(id(current))
                    found.setdefault(chain, _rank(consumer))
                continue
            if is_end or chain != before:
                continued.add(id(current))
            steps[id(consumer)], reached_from[id(consumer)] = chain, current
            met.append(consumer)
            pending.append(consumer)
    for one in (op, *met):
        chain = steps[id(one)]
        if root.is_returned(one):
            place = tree.place(one.site)
            assert place is not None
            chain = (*chain, Consequence(f"returned by {root.name}", place))
            found.setdefault(chain, 1)
        elif id(one) not in continued and chain:
            is_reported = any(step.text == "item()" for step in chain)
            found.setdefault(chain, min(_rank(one), 2) if is_reported else _rank(one))
    best = sorted(found, key=lambda chain: found[chain])
    if any(found[chain] < 3 for chain in best):
        best = [chain for chain in best if found[chain] < 3]
    return tuple([chain for chain in best if not _is_summed(chain, best)][:MAX_CHAINS])


def _is_summed(chain: Chain, others: list[Chain]) -> bool:
    """Whether a chain ends in adding to a total of which another one says what becomes of it."""
    *before, last = chain
    adds = last.text.startswith("added to ") and last.text.endswith(" in the loop")
    return adds and any(
        len(other) >= len(chain)
        and other[: len(before)] == tuple(before)
        and other[len(before)].text.startswith("summed over ")
        for other in others
    )


def _is_passed_by(consumer: Op, earlier: Op, later: Op, steps: dict[int, Chain]) -> bool:
    """Whether `later` is what a step that may be left out makes of `earlier`: `if scaled: loss = loss / n`."""
    before, after = steps[id(earlier)], steps[id(later)]
    is_optional = len(after) > len(before) and after[: len(before)] == before and after[len(before)].when
    return bool(is_optional) and _position(consumer, earlier) == _position(consumer, later)


def _rank(end: Op) -> int:
    """What a chain ends in, the more it tells the lower."""
    if end.name in BACKWARD or end.name == "autograd_grad":
        return 0
    return 2 if end.name in _ENDS else 3


def _is_told(consumer: Op) -> bool:
    ignored = consumer.name in _IGNORED or consumer.name in _COLLECTIONS
    return not ignored and effect(consumer) != "compare" and not _formats(consumer)


def _formats(consumer: Op) -> bool:
    """Whether `"%.3f" % loss` writes a message."""
    first = strip(consumer.operands[0]) if consumer.operands else None
    return isinstance(first, Const) and isinstance(first.value, str)


def objective(op: Op, root: Root, context: Context) -> str:
    """What is trained on, or else returned, as a formula with `L` for the loss, where that is more than it alone."""
    results = [
        ("trained on {}", consumer.operands[0], consumer.guards)
        for consumer in root.downstream(op)
        if consumer.name in BACKWARD and consumer.operands
    ]
    results += [(f"{root.name} returns {{}}", value, NO_GUARDS) for value in root.returned]
    for words, value, guards in results:
        builder = TreeBuilder(context, op)
        tree = builder.of(value, op.guards | guards)
        text = expression(tree, elided="...")
        is_short = len(builder.others) <= _MAX_LOSSES and text.count("...") <= 1
        if is_short and text != LOSS_SYMBOL and _ABOUT_THIS.search(text):
            names = (
                f"{name} the {other.name} at {short(other.site)}"
                for other, name in builder.others
                if re.search(rf"\b{name}\b", text)
            )
            return f"{words.format(text)}, with {', '.join([f'{LOSS_SYMBOL} this loss', *names])}"
    return ""


def _consequence(consumer: Op, value: Op, tree: TreeBuilder) -> Consequence | None:
    place = tree.place(consumer.site)
    if place is None:
        return None
    position, sums = _position(consumer, value)
    text = _text(consumer, position, tree)
    when = tree.conditions(consumer.guards - value.guards)
    return Consequence(f"{sums}, then {text}" if sums else text, place, when)


def _position(consumer: Op, value: Op) -> tuple[int, str]:
    """Which operand `value` is of its consumer, and what loops did to it on the way there."""
    for position, operand in enumerate(consumer.operands):
        sums = _reaches(operand, value, 12)
        if sums is not None:
            return position, sums
    return 0, ""


def _reaches(operand: Value, value: Op, depth: int) -> str | None:
    """Whether `operand` may be `value`: "" if so, in words if through a loop that sums, None if not."""
    if operand is value:
        return ""
    if depth == 0:
        return None
    match operand:
        case Pass(value=inner):
            return _reaches(inner, value, depth - 1)
        case Alternatives(branches=branches):
            found = [_reaches(branch, value, depth - 1) for _, branch in branches]
        case Tuple(items=items):
            found = [_reaches(item, value, depth - 1) for item in items]
        case Phi(init=init, next=following):
            found = [_reaches(one, value, 1) for one in (init, following) if one is not None]
        case Accumulated(init=init, terms=terms, loop=loop):
            if any(_reaches(term, value, depth - 1) is not None for term in terms):
                return f"summed over the loop at {short(loop.site)}"
            started = _reaches(init, value, depth - 1)
            return f"+ what the loop at {short(loop.site)} sums" if started == "" else started
        case _:
            return None
    return next((one for one in found if one is not None), None)


def _text(consumer: Op, position: int, tree: TreeBuilder) -> str:
    if consumer.name == "autograd_grad":
        return "torch.autograd.grad(...)"
    if consumer.name == "unknown_backward":
        return "a backward that is not followed"
    if consumer.name in BACKWARD:
        return "backward()"
    sign = INFIX.get(consumer.name)
    if sign is not None and len(consumer.operands) == 2:
        if sign == "+" and strip(consumer.operands[1 - position]).content == ZERO.content:
            return "added to what starts as 0"
        other = _other(consumer, 1 - position, tree)
        if isinstance(strip(consumer.operands[1 - position]), Phi) and sign == "+":
            return f"added to {other} in the loop"
        if sign in ("*", "/") and isinstance(strip(consumer.operands[1 - position]), Op):
            inner = strip(consumer.operands[1 - position])
            is_sum = isinstance(inner, Op) and inner.name in ("add", "sub") and " " in other
            other = f"({other})" if is_sum else other
        return f"{sign} {other}" if position == 0 or sign == "+" or sign == "*" else f"{other} {sign} it"
    shown = [_other(consumer, index, tree) for index in range(len(consumer.operands)) if index != position]
    shown += [f"{name}={tree.inline(value)}" for name, value in consumer.parameters if not _is_none(value)]
    return f"{spelling(consumer.name)}({', '.join(shown[:4])})"


def _other(consumer: Op, index: int, tree: TreeBuilder) -> str:
    """An operand beside the loss: as it is written there, if that is short."""
    plain = strip(consumer.operands[index])
    slot = consumer.slots[index]
    written = tree.written(slot, _MAX_OTHER) if slot is not None else ""
    if written and not isinstance(plain, Const):
        return written
    if isinstance(plain, Phi):
        return f"`{plain.name}`"
    if isinstance(plain, Op) and effect(plain) == "loss":
        return f"the {plain.name} at {short(plain.site)}"
    text = expression(tree.aside(plain, consumer.guards), elided="...")
    if 0 < len(text) <= _MAX_OTHER:
        return text
    return _brief(plain, tree)


def _brief(value: Value, tree: TreeBuilder) -> str:
    """A value in few words: sums and products as they are written, what they are made of cut short."""
    plain = strip(value)
    if isinstance(plain, Op) and plain.name in INFIX and len(plain.operands) == 2:
        return infixed(plain.name, *(_brief(operand, tree) for operand in plain.operands))
    if isinstance(plain, Op):
        return tree.written(plain.site) or f"{spelling(plain.name)}(...)"
    return tree.inline(plain)


def _is_none(value: Value) -> bool:
    plain = strip(value)
    return isinstance(plain, Const) and plain.value in (None, False)
