"""Epochs: what one run of a loop runs over, and which numbers count its iterations or its samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from loss_lint.catalogue.names import counts_epochs
from loss_lint.symbolic.counts import sources
from loss_lint.symbolic.graph import Accumulated, Const, Guards, Leaf, Loop, Op, Value
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.loaders import TENSOR_DATASETS, Loader, loader_of
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.naming import counts_samples, name_of
from loss_lint.symbolic.sums import UNCHANGING, as_sum, counts_batch, factor, nested, starts_at_zero
from loss_lint.symbolic.walk import View, Walk, descend, views

Counted = Literal["iterations", "samples"]


class Epoch:
    """One run of a loop: what it runs over, and which numbers count its iterations or its samples.

    Of several `loops`, it is the last one's, as often as those before around it run: the epochs of a training.
    """

    def __init__(self, loops: tuple[Loop, ...], guards: Guards, loss: Op) -> None:
        self.loop = loop = loops[-1]
        self._loops = loops
        self._around = tuple(Epoch((outer,), guards, loss) for outer in loops[:-1])
        self._guards = guards
        self._related = sources(loss)
        self._own = loss.frame.conventions
        self.items: list[Value] = []
        self._lengths: set[int] = set()
        self._ends: set[int] = set()
        self._samples: set[int] = set()
        if loop.iterable is not None:
            self._look_through(loop.iterable)
        self._contents = {item.content for item in self.items}
        self.loaders = [loader for item in self.items if (loader := loader_of(item)) is not None]
        self._samples |= {content for loader in self.loaders for content in _samples_of(loader, guards)}

    def _look_through(self, iterable: Value) -> None:
        """What is looped over, with `enumerate`, `zip` and `range(len(...))` taken off."""
        self.items.append(strip(iterable))
        for view in views(iterable, self._guards):
            node = view.node
            self.items.append(node)
            match node:
                case Op(name="enumerate" | "zip" | "list" | "iter", operands=operands):
                    for operand in operands:
                        self._look_through(operand)
                case Op(name="range", operands=(end,)):
                    self._lengths.add(strip(end).content)
                    for length in views(end, self._guards):
                        if isinstance(length.node, Op) and length.node.name == "len":
                            self._look_through(length.node.operands[0])
                case Op(name="range", operands=(_, end, step)) if not _is_one(step):
                    self._ends.add(strip(end).content)

    def is_by_sample(self, machine: Machine) -> bool:
        """Whether each batch is one sample, so that iterations and samples are as many."""
        return any(loader.is_by_sample(machine) for loader in self.loaders)

    def counts_anything(self, value: Value, spelled: str = "") -> bool:
        """Whether `value` counts iterations, samples, or what is in one batch."""
        batch = isinstance(literal_of(value), Const) or counts_batch(
            value, self._guards, self._related, self._own, spelled
        )
        return (batch and counts_samples(spelled, self._own)) or self.counts(value) is not None

    def has_batches(self, ops: Sequence[Op]) -> bool:
        """Whether it is known that the loop gets batches, of which each may hold several samples."""
        return (
            bool(self.loaders)
            or self.has_dataset(ops)
            or any(
                op.name == "add"
                and (summed := as_sum(op)) is not None
                and self._sum(summed, View(op, self._guards)) == "samples"
                for op in ops
            )
        )

    def has_dataset(self, ops: Sequence[Op]) -> bool:
        """Whether what is looped over has a `dataset`, as loaders have."""
        return any(loader.sampler is None for loader in self.loaders) or any(
            op.name == "getattr" and name_of(op) == "dataset" and self._is_item(op.operands[0]) for op in ops
        )

    def counts(self, value: Value) -> Counted | None:
        """What `value` certainly counts, over all loops; None where it is not known, or something else."""
        return self._counts(value, self._around)

    def _counts(self, value: Value, around: tuple[Epoch, ...]) -> Counted | None:
        """What `value` counts over the loop and those `around` it: the product of what each of these counts."""
        alone = self._counts_alone(value, around)
        if alone is not None:
            return alone
        found: set[Counted | None] = set()
        for view in views(value, self._guards):
            node = view.node
            if not (isinstance(node, Op) and node.name == "mul"):
                return None
            found.add(self._product(node, around))
        return found.pop() if len(found) == 1 else None

    def _product(self, product: Op, around: tuple[Epoch, ...]) -> Counted | None:
        for slot in (0, 1):
            one, other = product.operands[slot], product.operands[1 - slot]
            for epoch in around:
                if epoch.counts(other) == "iterations":
                    rest = tuple(outer for outer in around if outer is not epoch)
                    return self._counts(one, rest)
            if counts_epochs(product.spelled[1 - slot]) or counts_epochs(name_of(other)):
                counted = self._counts(one, around)
                if counted is not None:
                    return counted
        return None

    def _counts_alone(self, value: Value, around: tuple[Epoch, ...]) -> Counted | None:
        """What `value` counts, if not as a product with the lengths of the loops `around`."""
        walk = Walk()
        found: set[Counted | None] = set()
        if around:
            for view in descend(View(value, self._guards), walk, UNCHANGING):
                summed = as_sum(view.node)
                found.add(self._sum(summed, view) if summed is not None else None)
            return found.pop() if len(found) == 1 and not walk.exhausted else None
        if strip(value).content in self._lengths:
            return "iterations"
        if strip(value).content in self._ends:
            return "samples"
        for view in descend(View(value, self._guards), walk, UNCHANGING):
            found.add(self._count(view))
        return found.pop() if len(found) == 1 and not walk.exhausted else None

    def _count(self, view: View) -> Counted | None:
        node = view.node
        summed = as_sum(node)
        if summed is not None:
            return self._sum(summed, view)
        match node:
            case Leaf(role="index", operands=(inner, *_)) if self._is_item(inner):
                return "iterations"
            case Op(name="len", operands=(inner,)):
                return self._length(inner)
            case Op(name="add", operands=(left, right)):
                for one, other in ((left, right), (right, left)):
                    if isinstance(literal_of(other), Const) and self.counts(one) == "iterations":
                        return "iterations"
            case Op(name="mul", operands=(left, right)):
                for one, other, slot in ((left, right, 1), (right, left, 0)):
                    power = factor(other, view.guards, self._related, self._own, node.spelled[slot])
                    if power == 1 and self.counts(one) == "iterations":
                        return "samples"
        return None

    def _is_item(self, value: Value) -> bool:
        return any(view.node.content in self._contents for view in views(value, self._guards))

    def _length(self, value: Value) -> Counted | None:
        found: set[Counted | None] = set()
        if strip(value).content in self._contents:
            return "iterations"
        for view in views(value, self._guards):
            found.add(self._length_of(view.node))
        return found.pop() if len(found) == 1 else None

    def _length_of(self, node: Value) -> Counted | None:
        if node.content in self._contents:
            return "iterations"
        if node.content in self._samples:
            return "samples"
        if isinstance(node, Op) and node.name == "getattr" and self._is_item(node.operands[0]):
            part = name_of(node)
            if part in ("dataset", "sampler"):
                return "samples"
            return "iterations" if part == "batch_sampler" else None
        return None

    def _sum(self, summed: Accumulated, view: View) -> Counted | None:
        """A number that the same loops count up: by one, or by what each batch holds."""
        terms, loops = nested(summed, view.guards)
        counted = self._steps(terms, view.guards) if loops == self._loops else None
        if counted is None or starts_at_zero(summed.init, view.guards):
            return counted
        return counted if self._went_on(summed.init, view.guards) == counted else None

    def _went_on(self, init: Value, guards: Guards) -> Counted | None:
        """What loops before have counted in the number that this one goes on to count."""
        found: set[Counted | None] = set()
        for view in views(init, guards):
            summed = view.node
            if not (isinstance(summed, Accumulated) and starts_at_zero(summed.init, view.guards)):
                return None
            found.add(self._steps(nested(summed, view.guards)[0], view.guards))
        return found.pop() if len(found) == 1 else None

    def _steps(self, terms: tuple[Value, ...], guards: Guards) -> Counted | None:
        """What a sum of `terms` counts."""
        found: set[Counted | None] = set()
        for term in terms:
            plain = strip(term)
            if isinstance(plain, Const) and plain.value == 1:
                found.add("iterations")
            else:
                found.add("samples" if counts_batch(term, guards, self._related, self._own) else None)
        return found.pop() if len(found) == 1 else None


def _samples_of(loader: Loader, guards: Guards) -> Iterator[int]:
    """The contents of what has one item for each sample of a loader: its data set, a tensor of it, its sampler's."""
    for view in views(loader.dataset, guards):
        yield view.node.content
        match view.node:
            case Leaf(role="call", name=name, operands=(_, *tensors)) if name in TENSOR_DATASETS:
                for tensor in tensors:
                    yield strip(tensor).content
                    yield from (part.node.content for part in views(tensor, view.guards))
            case Leaf(role="call", name="torch.utils.data.Subset", operands=(_, _, indices)):
                yield strip(indices).content
    for view in views(loader.sampler, guards) if loader.sampler is not None else ():
        match view.node:
            case Leaf(role="call", name=name, operands=(_, given, *_)) if name.endswith("RandomSampler"):
                yield strip(given).content


def _is_one(value: Value) -> bool:
    plain = literal_of(value)
    return plain is not None and plain.value == 1
