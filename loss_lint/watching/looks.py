"""What one loss call was given: its shapes at once, numbers of its tensors when they are ready.

Statistics are computed where the tensors are, of a part of the rows where there are many, and copied without waiting.
Nothing here draws a random number, keeps a graph or touches what the program computes with.
"""

from __future__ import annotations

import ctypes
import math
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from loss_lint.watching.origins import Origin, origin_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Shape = tuple[int, ...]

# So many rows, and elements of them, are looked at.
MAX_ROWS = 256
MAX_ELEMENTS = 1 << 20
# What is kept of a call to measure on, in elements.
MAX_KEPT = 1 << 16

BY_CLASS = frozenset({"cross_entropy", "nll_loss", "multi_margin_loss"})
_BY_ROWS = BY_CLASS | {"kl_div"}
_BY_ELEMENT = frozenset(
    {"binary_cross_entropy", "binary_cross_entropy_with_logits", "multilabel_soft_margin_loss"}
)
_PLAIN = (torch.Tensor, torch.nn.Parameter)


class Pending:
    """Named numbers on their way from a device."""

    __slots__ = ("__weakref__", "_event", "_host", "_names", "_numbers")

    def __init__(self, names: tuple[str, ...], numbers: torch.Tensor) -> None:
        self._names = names
        self._numbers: dict[str, float] | None = None
        self._event: torch.cuda.Event | None = None
        self._host: torch.Tensor | None = numbers
        if numbers.is_cuda:
            self._host = torch.full(numbers.shape, math.nan, dtype=numbers.dtype, pin_memory=True)
            self._host.copy_(numbers, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record(torch.cuda.current_stream(numbers.device))
            _on_their_way.add(self)

    def read(self, *, wait: bool = False) -> Mapping[str, float] | None:
        """The numbers; None while they are not there yet. With `wait` they are waited for."""
        if self._numbers is None and self._host is not None:
            if self._event is not None and not self._is_there(wait=wait):
                return None
            values = [float(value) for value in self._host.tolist()]
            self._numbers = dict(zip(self._names, values, strict=True))
            self._event = self._host = None
        return self._numbers

    def _is_there(self, *, wait: bool) -> bool:
        assert self._event is not None
        try:
            if wait:
                self._event.synchronize()
            return wait or bool(self._event.query())  # type: ignore[no-untyped-call]
        except RuntimeError:  # the device has failed; what was copied before is on the host
            abandon()
            return True

    def keep(self) -> None:
        """Never free what cannot be freed any more."""
        for thing in (self._host, self._event):
            if thing is not None:
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


_on_their_way: weakref.WeakSet[Pending] = weakref.WeakSet()


def abandon() -> None:
    """A device has failed: freeing the memory that it was to write to would end the process at once."""
    for pending in list(_on_their_way):
        pending.keep()
    _on_their_way.clear()


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of a call's own tensors, to measure on: plain copies, their graphs left behind."""

    input: torch.Tensor
    target: torch.Tensor
    parameters: tuple[tuple[str, Any], ...] = ()
    is_whole: bool = True


@dataclass(slots=True)
class Look:
    """One call of a loss.

    `number` counts the calls at its place from 1. `facts` are numbers of its tensors, by name (see `statistics`),
    None where it was not looked at closely or they have not arrived.
    """

    loss: str
    number: int
    reduction: str
    input_shape: Shape
    target_shape: Shape
    input_dtype: torch.dtype
    target_dtype: torch.dtype
    input_requires_grad: bool
    target_requires_grad: bool
    grad_enabled: bool
    ignore_index: int = -100
    weighted: bool = False
    smoothing: float = 0.0
    log_target: bool = False
    cycle: int = 0
    origin: Origin | None = None
    kept: Kept | None = None
    pending: list[Pending] = field(default_factory=list)
    # Facts that the host knows: how many rows were looked at.
    counts: dict[str, int] = field(default_factory=dict)
    _facts: dict[str, float] | None = None

    @property
    def is_close(self) -> bool:
        """Whether its tensors were looked at."""
        return bool(self.pending)

    def facts(self, *, wait: bool = False) -> Mapping[str, float] | None:
        if self._facts is None and self.pending:
            found: dict[str, float] = dict(self.counts)
            for part in self.pending:
                numbers = part.read(wait=wait)
                if numbers is None:
                    return None
                found.update(numbers)
            self._facts = found
        return self._facts

    @property
    def classes(self) -> int:
        """The size of the dimension that the classes are on."""
        if not self.input_shape:
            return 0
        return self.input_shape[1 if len(self.input_shape) > 1 else 0]

    @property
    def batch(self) -> int:
        """The number of samples, the first dimension's size."""
        return self.input_shape[0] if self.input_shape else 1

    @property
    def targets(self) -> int:
        return math.prod(self.target_shape)

    @property
    def has_indices(self) -> bool:
        """Whether the target is of integers."""
        return not self.target_dtype.is_floating_point and not self.target_dtype.is_complex


def is_plain(*tensors: object) -> bool:
    """Whether tensors are what they seem: no subclass, no placeholder, dense numbers on a device that can be read."""
    return all(
        type(tensor) in _PLAIN
        and tensor.layout is torch.strided  # type: ignore[attr-defined]
        and tensor.device.type != "meta"  # type: ignore[attr-defined]
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)  # type: ignore[arg-type] # noqa: SLF001
        for tensor in tensors
    )


def is_capturing() -> bool:
    """Whether what is computed now is recorded instead of run."""
    if torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing():  # type: ignore[no-untyped-call]
        return True
    return torch._C._get_tracing_state() is not None  # noqa: SLF001


def see(loss: str, number: int, bound: Mapping[str, Any], names: Sequence[str], cycle: int) -> Look | None:
    """What can be told of a call without looking at its tensors; None where it is no plain call."""
    given, target = bound.get(names[0]), bound.get(names[1])
    if not isinstance(given, torch.Tensor) or not isinstance(target, torch.Tensor):
        return None
    if not is_plain(given, target):
        return None
    return Look(
        loss=loss,
        number=number,
        reduction=_reduction(bound),
        input_shape=tuple(given.shape),
        target_shape=tuple(target.shape),
        input_dtype=given.dtype,
        target_dtype=target.dtype,
        input_requires_grad=given.requires_grad,
        target_requires_grad=target.requires_grad,
        grad_enabled=torch.is_grad_enabled(),
        ignore_index=_integer(bound.get("ignore_index"), -100),
        weighted=bound.get("weight") is not None,
        smoothing=float(bound.get("label_smoothing") or 0.0),
        log_target=bool(bound.get("log_target")),
        cycle=cycle,
    )


def _reduction(bound: Mapping[str, Any]) -> str:
    """The reduction, also as the legacy arguments say it."""
    average, reduce = bound.get("size_average"), bound.get("reduce")
    if average is None and reduce is None:
        reduction = str(bound.get("reduction", "mean"))
        return "mean" if reduction == "elementwise_mean" else reduction
    if reduce is False:
        return "none"
    return "sum" if average is False else "mean"


def _integer(value: object, default: int) -> int:
    return value if isinstance(value, int) else default


def look_at_target(look: Look, target: torch.Tensor) -> None:
    """How many targets count, and between which indices: small numbers, read before the loss runs."""
    if look.loss not in BY_CLASS or not look.has_indices or not target.numel() or target.dtype == torch.bool:
        return  # torch raises for truth values
    target = target.detach()
    counts = target != look.ignore_index
    bounds = torch.iinfo(target.dtype)
    low = torch.where(counts, target, bounds.max).min()
    high = torch.where(counts, target, bounds.min).max()
    look.pending.append(_pending({"counted": counts.sum(), "lowest": low, "highest": high}))


def look_closely(look: Look, bound: Mapping[str, Any], names: Sequence[str]) -> None:
    """The statistics of a call's tensors."""
    given, target = bound[names[0]], bound[names[1]]
    look.origin = origin_of(given)
    found = dict(statistics(look, given.detach(), target.detach()))
    if found:
        look.pending.append(_pending(found))


def look_at_result(look: Look, result: object) -> None:
    """The loss itself, where it is one number."""
    if isinstance(result, torch.Tensor) and is_plain(result) and result.dim() == 0:
        look.pending.append(_pending({"loss": result.detach()}))


def keep(look: Look, bound: Mapping[str, Any], names: Sequence[str]) -> None:
    """Copies of a part of what the call was given, to measure on later."""
    given, target = bound[names[0]].detach(), bound[names[1]].detach()
    whole = given.numel() + target.numel() <= MAX_KEPT
    if not whole:
        share = (
            max(1, (given.shape[0] * MAX_KEPT) // max(given.numel() + target.numel(), 1))
            if given.dim()
            else 1
        )
        if given.dim() == 0 or not target.dim() or target.shape[0] != given.shape[0]:
            return
        given, target = given[:share], target[:share]
        if given.numel() + target.numel() > 4 * MAX_KEPT:
            return
    others = tuple(
        (name, value.detach().clone() if isinstance(value, torch.Tensor) else value)
        for name, value in bound.items()
        if name not in (names[0], names[1], "size_average", "reduce", "reduction") and value is not None
    )
    if any(isinstance(value, torch.Tensor) and value.numel() > MAX_KEPT for _, value in others):
        return
    look.kept = Kept(given.clone(), target.clone(), (*others, ("reduction", look.reduction)), whole)


def _pending(numbers: Mapping[str, torch.Tensor]) -> Pending:
    given = list(numbers.values())
    dtype = torch.float32 if given[0].device.type == "mps" else torch.float64
    if any(number.dtype != given[0].dtype for number in given):
        given = [number.to(dtype) for number in given]
    return Pending(tuple(numbers), torch.stack(given).to(dtype))


def rows_of(tensor: torch.Tensor, axis: int) -> torch.Tensor:
    """Some of the rows along `axis`, as a matrix: the first of every other dimension."""
    moved = tensor.movedim(axis, -1)
    width = moved.shape[-1]
    budget = min(MAX_ROWS, max(1, MAX_ELEMENTS // max(width, 1)))
    for dim in range(moved.dim() - 1):
        take = min(moved.shape[dim], budget)
        moved = moved.narrow(dim, 0, take)
        budget = max(1, budget // max(take, 1))
    return moved.reshape(-1, width).float()


def statistics(look: Look, given: torch.Tensor, target: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """Numbers of the tensors, by name.

    Of the input's rows: `sum_error` the farthest that one's sum is from one, `log_error` how far its logarithmic sum
    is from zero, `minimum`, `maximum`, `spread` how much one row differs within itself, `binary` how far its elements
    are from zero and one. The same of a target of floats with `target_` before it.
    """
    if not given.numel() or not target.numel() or not given.is_floating_point():
        return
    if look.loss in _BY_ROWS:
        rows = rows_of(given, _class_axis(look))
        look.counts["rows"] = rows.shape[0]
        yield from _of_rows(rows, "")
        if target.is_floating_point() and target.shape == given.shape:
            rows = rows_of(target, _class_axis(look))
            look.counts["target_rows"] = rows.shape[0]
            yield from _of_rows(rows, "target_")
        elif look.loss in BY_CLASS and _fits_one_hot(look):
            ones = rows_of(target, target.dim() - 1)
            yield "one_hot_error", _largest(ones.sum(1) - 1) + _distance_from_binary(ones)
    elif look.loss in _BY_ELEMENT:
        yield from _of_elements(given, "")
        yield from _of_elements(target, "target_")


def _of_elements(tensor: torch.Tensor, prefix: str) -> Iterator[tuple[str, torch.Tensor]]:
    part = tensor.reshape(-1)[:MAX_ELEMENTS].float()
    low, high = part.aminmax()
    yield f"{prefix}minimum", low
    yield f"{prefix}maximum", high
    yield f"{prefix}binary", _distance_from_binary(part)


def _largest(tensor: torch.Tensor) -> torch.Tensor:
    """The largest absolute value."""
    largest: torch.Tensor = torch.linalg.vector_norm(tensor, math.inf)
    return largest


def _distance_from_binary(tensor: torch.Tensor) -> torch.Tensor:
    """How far from zero and one an element is, as the product of both distances."""
    return _largest(tensor.addcmul(tensor, tensor, value=-1))


def _class_axis(look: Look) -> int:
    """The dimension of the distributions: the second for losses by class, the last for divergences."""
    rank = len(look.input_shape)
    return (1 if rank > 1 else 0) if look.loss in BY_CLASS else rank - 1


def _fits_one_hot(look: Look) -> bool:
    """Whether integer rows as wide as there are classes pass for class indices: logits (N, C, C)."""
    return look.has_indices and len(look.target_shape) > 1 and look.target_shape[-1] == look.classes > 2


def _of_rows(rows: torch.Tensor, prefix: str) -> Iterator[tuple[str, torch.Tensor]]:
    # Few operations: each costs a launch, however little there is to compute.
    low, high = rows.aminmax(dim=1)
    yield f"{prefix}sum_error", _largest(rows.sum(1) - 1)
    yield f"{prefix}log_error", _largest(rows.logsumexp(1))
    yield f"{prefix}minimum", low.min()
    yield f"{prefix}maximum", high.max()
    yield f"{prefix}spread", (high - low).max()
    yield f"{prefix}binary", _distance_from_binary(rows)
