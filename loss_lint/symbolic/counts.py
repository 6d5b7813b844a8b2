"""Numbers: what a divisor counts, where that is known."""

from __future__ import annotations

from collections.abc import Iterator

from loss_lint.conventions import Conventions
from loss_lint.symbolic.graph import (
    Alternatives,
    Const,
    Guards,
    Leaf,
    Loop,
    Op,
    Value,
    intern_content,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.naming import counts_samples, counts_steps, name_of
from loss_lint.symbolic.root import Root, parts
from loss_lint.symbolic.shapes import shape_of
from loss_lint.symbolic.walk import effect, views


def divisions(op: Op) -> Iterator[tuple[int, Value, str]]:
    """The operand that is divided, by what, and how that is written: `a / b`, `a * (1 / b)`, `(1 / b) * a`."""
    if op.name == "div":
        yield 0, op.operands[1], op.spelled[1]
        return
    for slot in (0, 1):
        for view in views(op.operands[1 - slot], op.guards):
            factor = view.node
            if (
                isinstance(factor, Op)
                and factor.name == "div"
                and isinstance(strip(factor.operands[0]), Const)
            ):
                yield slot, factor.operands[1], factor.spelled[1]
            elif isinstance(factor, Op) and factor.name == "reciprocal":
                yield slot, factor.operands[0], factor.spelled[0]


def sample_count(
    value: Value, guards: Guards, related: frozenset[int], own: Conventions, spelled: str = ""
) -> str | None:
    """What `value` counts, if that is certainly samples, tokens or pixels of a batch; else None.

    `related` are the contents that the loss is computed from: the size of one of them is the batch's.
    `own` are the project's words, `spelled` is the identifier it is written as, by which a literal number is known.
    What is known to be 1, as the size of a batch that is written down as one sample, changes nothing and counts
    nothing.
    """
    plain = strip(value)
    if isinstance(plain, Const):
        if plain.value == 1:
            return None
        counts = counts_samples(spelled, own) and not counts_steps(spelled, own)
        return f"`{spelled}`" if counts else None
    counted: str | None = None
    for view in views(value, guards):
        one = _count(view.node, related, own, spelled)
        if one is None:
            return None
        counted = counted or one
    return counted


def _count(node: Value, related: frozenset[int], own: Conventions, spelled: str) -> str | None:
    match node:
        case Op(
            name="item" | "to_float" | "to_int" | "to_long" | "to" | "clamp" | "cpu" | "detach",
            operands=(inner, *_),
        ):
            return sample_count(inner, frozenset(), related, own)
        case Op(name="size", operands=(tensor,)):
            dim = node.parameter("dim")
            is_batch = isinstance(dim, Const) and dim.value == 0 and not _is_one_sample(tensor)
            if is_batch and (is_related(tensor, related) or counts_samples(spelled, own)):
                return "the batch size"
            return None
        case Op(name="len", operands=(tensor,)):
            is_batch = is_related(tensor, related) and not _is_taken_apart(tensor, related)
            return "the batch size" if is_batch and not _is_one_sample(tensor) else None
        case Op(name="sum", operands=(mask,)) if node.parameter("dim") is None:
            return "the number of selected elements" if is_mask(mask) else None
        case Op(name="numel", operands=(tensor,)):
            return "the number of elements" if is_related(tensor, related) else None
    name = name_of(node)
    if name and counts_samples(name, own) and not counts_steps(name, own):
        return f"`{name}`"
    return None


def _is_one_sample(tensor: Value) -> bool:
    """Whether a tensor is known to hold one sample only."""
    return shape_of(tensor).size(0) == 1


def is_mask(value: Value) -> bool:
    """Whether `value` is a mask: what a comparison made, or what is called so."""
    for part in parts(value):
        if isinstance(part, Op):
            if part.operands and effect(part) in ("cast", "keep"):
                return is_mask(part.operands[0])
            return effect(part) == "compare" and part.name != "where"
        if "mask" in name_of(part).lower():
            return True
    return False


def sources(value: Value, limit: int = 300) -> frozenset[int]:
    """The contents of everything that `value` is computed from, and of what is taken apart for it."""
    seen: set[int] = set()
    pending: list[Value] = [value]
    while pending and len(seen) < limit:
        for part in parts(pending.pop()):
            if part.content in seen:
                continue
            seen.add(part.content)
            if isinstance(part, Op | Leaf):
                pending.extend(part.operands)
            if isinstance(part, Op) and part.name == "getitem" and len(part.operands) == 1:
                seen.add(_taken_apart(part.operands[0]))
    return frozenset(seen)


def _taken_apart(whole: Value) -> int:
    """The content that says that places of `whole` are used: `images, labels = batch`."""
    return intern_content(("taken apart", strip(whole).content))


def _is_taken_apart(value: Value, related: frozenset[int]) -> bool:
    """Whether `value` is no tensor but holds some: its length is the number of these."""
    return _taken_apart(value) in related


def is_related(value: Value, related: frozenset[int]) -> bool:
    """Whether `value` is one of the tensors in `related`, or computed from the same one by indexing."""
    for part in parts(value):
        if part.content in related:
            return True
        if (
            isinstance(part, Op)
            and part.name in ("getitem", "getattr", "to", "cuda", "view")
            and part.operands
        ):
            base = strip(part.operands[0])
            if isinstance(base, Leaf) and base.role == "element" and base.content in related:
                return True
            if is_related(base, related):
                return True
    return False


# `i % n == 0`, `count == n`, `count >= n`: tests that let the optimizer step every n iterations.
STEP_TESTS = frozenset({"remainder", "floor_divide", "eq", "ge", "gt"})


def is_step_count(value: Value, root: Root, spelled: str = "") -> bool:
    """Whether a loop steps its optimizer every `value` iterations: `if i % value == 0: optimizer.step()`."""
    contents = {part.content for part in (*parts(value), strip(value)) if not isinstance(part, Const)}
    names = ({name_of(part) for part in parts(value)} | {spelled}) - {""}
    for op in root.ops:
        if op.name in STEP_TESTS and len(op.operands) == 2:
            candidates = op.operands if op.name == "eq" else op.operands[1:]
            for divisor in candidates:
                other = strip(op.operands[0] if divisor is op.operands[1] else op.operands[1])
                if op.name == "eq" and isinstance(other, Op) and effect(other) == "size":
                    continue  # `len(batch) == batch_size` asks whether a batch is whole
                named = {name_of(divisor), *(op.spelled[1:] if divisor is op.operands[1] else ())}
                if strip(divisor).content in contents or named & names:
                    return True
    return False


def loop_lengths(loops: tuple[Loop, ...]) -> Iterator[Value]:
    """What the loops around a statement run over: the argument of `range`, or the iterable."""
    for loop in loops:
        if loop.iterable is None:
            continue
        plain = strip(loop.iterable)
        if isinstance(plain, Op) and plain.name in ("range", "enumerate", "zip"):
            yield from plain.operands
        yield plain


def runs_over(value: Value, loops: tuple[Loop, ...]) -> bool:
    """Whether a loop around runs over as many items as `value` counts."""
    plain = strip(value)
    counted = {plain.content}
    names = {name_of(plain)} - {""}
    if isinstance(plain, Op) and plain.name in ("size", "len", "numel") and plain.operands:
        counted.add(strip(plain.operands[0]).content)
    for length in loop_lengths(loops):
        for part in {id(one): one for one in (strip(length), *_joined(length))}.values():
            if part.content in counted or (name_of(part) and name_of(part) in names):
                return True
            measures = isinstance(part, Op) and part.name in ("size", "len") and part.operands
            if measures and isinstance(part, Op) and strip(part.operands[0]).content in counted:
                return True
    return False


def _joined(value: Value) -> Iterator[Value]:
    """The readings of a joined value, one level deep."""
    plain = strip(value)
    if isinstance(plain, Alternatives):
        for _, branch in plain.branches:
            yield strip(branch)
