"""NLL as a gather: what it picks out of its input may be wanted for its own sake, and not be minimized."""

from __future__ import annotations

from collections.abc import Iterator

from loss_lint.symbolic.facts import reduction
from loss_lint.symbolic.graph import Op, Value
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.limits import MAX_PARTS
from loss_lint.symbolic.root import BACKWARD, Root, parts
from loss_lint.symbolic.walk import keeps_numbers

_REDUCED = frozenset({"mean", "sum", "nanmean", "nansum"})
# What loses of several elements or terms are put together with.
_COMBINING = frozenset({"mul", "div", "add", "sub", "stack", "cat", "where", "masked_select", "masked_fill"})


def is_pick(loss: Op, root: Root) -> bool:
    """Whether a loss picks the numbers at the targets: `-nll_loss(p, y)` is the target's probability.

    Such a result is negated, subtracted from something, or shifted by a number (`1 + nll_loss(p, y)` is what is left to
    certainty). One number for each sample that nothing in sight averages may be put to any use.
    """
    if reduction(loss, loss.guards) == "none" and not _is_reduced(loss, root):
        return True
    return any(_is_used_as_number(used, user) for used, user in _uses(loss, root))


def _uses(loss: Op, root: Root) -> Iterator[tuple[Op, Op]]:
    """The uses of a loss and of what has the same numbers up to a factor: what is used, and the use."""
    pending, seen = [loss], {id(loss)}
    while pending and len(seen) < MAX_PARTS:
        used = pending.pop()
        for user in root.consumers(used):
            yield used, user
            scales = user.name in ("mul", "div") and _is_operand(used, user.operands[0])
            if (scales or user.name in _REDUCED or keeps_numbers(user)) and id(user) not in seen:
                seen.add(id(user))
                pending.append(user)


def _is_used_as_number(used: Op, user: Op) -> bool:
    match user:
        case Op(name="neg"):
            return True
        case Op(name="sub", operands=(left, right)):
            return _is_operand(used, right) or _is_shift(right)
        case Op(name="rsub", operands=(left, right)):
            return _is_operand(used, left) or _is_shift(left)
        case Op(name="add", operands=(left, right)):
            return _is_shift(right if _is_operand(used, left) else left)
        case Op(name="mul" | "div", operands=(left, right)):
            return _is_negative(right if _is_operand(used, left) else left)
        case _:
            return False


def _is_operand(used: Op, operand: Value) -> bool:
    return any(part is used for part in parts(operand))


def _is_shift(value: Value) -> bool:
    """Whether a term is a number; zero is what a sum of losses starts from."""
    return _number(value) not in (None, 0)


def _is_negative(factor: Value) -> bool:
    number, plain = _number(factor), strip(factor)
    return (number is not None and number < 0) or (isinstance(plain, Op) and plain.name == "neg")


def _number(value: Value) -> float | None:
    literal = literal_of(value)
    if literal is None or not isinstance(literal.value, int | float):
        return None
    return float(literal.value)


def _is_reduced(loss: Op, root: Root) -> bool:
    """Whether a loss for each sample is averaged, summed, or trained on."""
    pending, seen = [loss], {id(loss)}
    while pending and len(seen) < MAX_PARTS:
        for user in root.consumers(pending.pop()):
            if user.name in _REDUCED or user.name in BACKWARD:
                return True
            if (user.name in _COMBINING or keeps_numbers(user)) and id(user) not in seen:
                seen.add(id(user))
                pending.append(user)
    return False
