"""Where the program normalized: the latest softmaxes and sigmoids, by what they gave."""

from __future__ import annotations

import weakref
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from loss_lint.watching.places import Call

_MAX_KEPT = 64


class Activations:
    """The latest results that are still alive, and the calls that made them."""

    def __init__(self) -> None:
        self._kept: deque[tuple[str, weakref.ref[torch.Tensor], int, int, Call | None]] = deque(
            maxlen=_MAX_KEPT
        )

    def add(self, kind: str, result: torch.Tensor, call: Call | None) -> None:
        storage = result.untyped_storage().data_ptr()
        self._kept.append((kind, weakref.ref(result), storage, result.numel(), call))

    def behind(self, tensor: torch.Tensor) -> tuple[str, Call | None] | None:
        """The activation whose result `tensor` is, or is a view of all of."""
        if not self._kept:
            return None
        storage = tensor.untyped_storage().data_ptr()
        for kind, reference, pointer, count, call in reversed(self._kept):
            result = reference()
            if result is tensor or (result is not None and pointer == storage and count == tensor.numel()):
                return kind, call
        return None

    def latest(self, kind: str, count: int) -> Call | None:
        """The call of the latest one of that kind and size: where a cast or a copy lies between."""
        for name, _, _, size, call in reversed(self._kept):
            if name == kind and size == count:
                return call
        return None
