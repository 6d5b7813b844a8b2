"""Which tensors are losses on their way to `backward()`, and what has been done to them on the way.

Tensors are known by weak references: nothing is kept alive that the program lets go.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch

    from loss_lint.watching.looks import Look
    from loss_lint.watching.places import Call
    from loss_lint.watching.sites import Site

# Losses that were read as Python numbers, kept for `torch.tensor(loss.item())`.
_MAX_NUMBERS = 64
# A sum of more losses than this is known by its first ones only.
_MAX_TERMS = 64


@dataclass(frozen=True, slots=True)
class Scaling:
    """A number that a loss was multiplied by (`by` above 1: divided by it), and where."""

    by: float
    divides: bool
    call: Call | None


@dataclass(frozen=True, slots=True)
class Term:
    """One loss call's result inside another tensor.

    `factor` is what it has been multiplied by in all, None where that is not known. `has_graph` says that it could
    be trained on when it was computed, `cut` where its graph was left behind.
    """

    site: Site
    look: Look
    factor: float | None = 1.0
    scalings: tuple[Scaling, ...] = ()
    has_graph: bool = True
    cut: tuple[str, Call | None] | None = None
    # Summed or averaged after `reduction="none"`, as this says.
    reduced: str | None = None

    def scaled(self, by: float | None, *, divides: bool = False, call: Call | None = None) -> Term:
        if by is None or self.factor is None:
            return replace(self, factor=None)
        factor = self.factor / by if divides and by else self.factor * by
        return replace(self, factor=factor, scalings=(*self.scalings, Scaling(by, divides, call)))


@dataclass(frozen=True, slots=True)
class Tracked:
    """A tensor made of losses; `is_whole` says that there is nothing else in it."""

    terms: tuple[Term, ...]
    is_whole: bool = True

    def scaled(self, by: float | None, *, divides: bool = False, call: Call | None = None) -> Tracked:
        return replace(self, terms=tuple(term.scaled(by, divides=divides, call=call) for term in self.terms))

    def cut(self, how: str, call: Call | None) -> Tracked:
        return replace(self, terms=tuple(replace(term, cut=term.cut or (how, call)) for term in self.terms))

    def reduced(self, how: str) -> Tracked:
        return replace(self, terms=tuple(replace(term, reduced=term.reduced or how) for term in self.terms))


def together(parts: Iterable[Tracked | None]) -> Tracked | None:
    """The sum of several, None standing for what is no loss."""
    given = list(parts)
    known = [part for part in given if part is not None]
    if not known:
        return None
    terms = tuple(term for part in known for term in part.terms)
    whole = len(known) == len(given) and all(part.is_whole for part in known) and len(terms) <= _MAX_TERMS
    return Tracked(terms[:_MAX_TERMS], whole)


class Ledger:
    """What is known of tensors that are alive."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[torch.Tensor], Tracked]] = {}
        self._numbers: OrderedDict[float, Tracked] = OrderedDict()
        self._storages: OrderedDict[int, Tracked] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries) + len(self._storages)

    def of(self, tensor: object) -> Tracked | None:
        entry = self._entries.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else None

    def put(self, tensor: torch.Tensor, tracked: Tracked) -> None:
        key = id(tensor)
        entries = self._entries

        def forget(_: object) -> None:
            entries.pop(key, None)

        entries[key] = (weakref.ref(tensor, forget), tracked)

    def of_number(self, number: object) -> Tracked | None:
        return self._numbers.get(number) if isinstance(number, float) and number else None

    def put_number(self, number: float, tracked: Tracked) -> None:
        self._numbers[number] = tracked
        self._numbers.move_to_end(number)
        while len(self._numbers) > _MAX_NUMBERS:
            self._numbers.popitem(last=False)

    def clear(self) -> None:
        """Forget all losses: an optimizer has made its step of them."""
        self._entries.clear()
        self._numbers.clear()
        self._storages.clear()

    def put_storage(self, tensor: torch.Tensor, tracked: Tracked) -> None:
        """Remember what a copy without graph shares its memory with: `Variable(loss.data)` is another object."""
        self._storages[tensor.untyped_storage().data_ptr()] = tracked
        while len(self._storages) > _MAX_NUMBERS:
            self._storages.popitem(last=False)

    def of_storage(self, tensor: torch.Tensor) -> Tracked | None:
        """What a leaf that nothing else is known of shares its memory with."""
        if tensor.grad_fn is not None or tensor.numel() != 1 or not self._storages:
            return None
        return self._storages.get(tensor.untyped_storage().data_ptr())
