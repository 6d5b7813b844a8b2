"""Follows losses from the call that computes them to `backward()` and the optimizer's step."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.nn import functional

from loss_lint import catalogue
from loss_lint.watching import backwards
from loss_lint.watching.activations import Activations
from loss_lint.watching.backwards import Arrival, Cycle
from loss_lint.watching.judge import judge
from loss_lint.watching.ledger import Ledger, Term, Tracked, together
from loss_lint.watching.looks import (
    Look,
    is_capturing,
    is_plain,
    keep,
    look_at_result,
    look_at_target,
    look_closely,
    see,
)
from loss_lint.watching.observer import passed
from loss_lint.watching.places import Call, caller, outside
from loss_lint.watching.sites import Site, is_due

if TYPE_CHECKING:
    from types import FrameType

    from loss_lint.watching.causes import Cause
    from loss_lint.watching.observer import Handler

_SCALER = os.path.join("torch", "amp", "grad_scaler.py")
_MAX_LIGHT_LOOKS = 256
_MAX_FAILURES = 4
_MAX_ARRIVALS = 512


class Watched(NamedTuple):
    """A loss function of torch's, as the catalogue describes it."""

    name: str
    signature: catalogue.Signature
    operands: tuple[str, ...]


@dataclass(slots=True)
class _Started:
    """A loss call that is under way."""

    site: Site
    look: Look
    closely: bool


class Refused(Exception):
    """Stands for what `on_finding` raised, on its way through the recorder."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Recorder:
    """What is known of a run so far. `on_cause` is called with each new cause, once."""

    def __init__(self, on_cause: Callable[[Cause], None]) -> None:
        self.sites: dict[tuple[object, str], Site] = {}
        self.causes: dict[tuple[str, object], Cause] = {}
        self.failures: list[str] = []
        self.cycle = Cycle(1)
        # Seconds of CPU time that looking at losses has taken, without what was then found.
        self.spent = 0.0
        self._on_cause = on_cause
        self._ledger = Ledger()
        self._activations = Activations()
        self._arithmetic = 0
        self.losses = losses()
        self.handlers: dict[Any, Handler] = self._handlers()

    def _handlers(self) -> dict[Any, Handler]:
        tensor = torch.Tensor
        found: dict[Any, Handler] = dict.fromkeys(self.losses, self._loss)
        names: tuple[tuple[Handler, tuple[str, ...]], ...] = (
            (self._scale, ("div", "div_", "true_divide", "divide", "mul", "mul_", "multiply")),
            (self._add, ("add", "add_", "sub", "sub_")),
            (self._negate, ("neg",)),
            (self._reduce, ("mean", "sum")),
            (self._keep, ("clone", "to", "float", "double", "half", "bfloat16", "squeeze", "view", "reshape", "cpu",
                          "cuda", "contiguous")),
            (self._cut, ("detach",)),
            (self._number, ("item", "__float__")),
            (self._activate, ("softmax", "log_softmax", "sigmoid")),
        )  # fmt: skip
        for handler, spellings in names:
            for name in spellings:
                for home in (tensor, torch):
                    function = getattr(home, name, None)
                    if function is not None:
                        found[function] = handler
        found[tensor.data.__get__] = self._cut  # type: ignore[attr-defined]
        for function in (torch.stack, torch.cat):
            found[function] = self._stack
        for function in (torch.tensor, torch.as_tensor, tensor.new_tensor):
            found[function] = self._make
        for function in (functional.softmax, functional.log_softmax):
            found[function] = self._activate
        found[tensor.backward] = found[torch.autograd.backward] = self._backward
        return found

    # Losses

    def _loss(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        entry = self.losses[func]
        site = self._site(entry)
        if site is None or not (self.cycle.is_deep or is_due(site.calls)):
            return passed(func, args, kwargs)
        started, began = None, time.thread_time()
        with self._unnoticed():
            bound = entry.signature.bind(args, kwargs)
            started = self._started(entry, site, bound) if bound is not None else None
        self.spent += time.thread_time() - began
        result = passed(func, args, kwargs)
        if started is not None:
            began = time.thread_time()
            with self._unnoticed():
                self._finished(started, result)
            self.spent += time.thread_time() - began
        return result

    def _site(self, entry: Watched) -> Site | None:
        """The call that is being made, counted."""
        call = caller(sys._getframe())  # noqa: SLF001
        if call is None:
            return None
        key = (call.place, entry.name)
        site = self.sites.get(key)
        if site is None:
            site = self.sites[key] = Site(entry.name, call)
        site.calls += 1
        return site

    def _started(self, entry: Watched, site: Site, bound: Mapping[str, Any]) -> _Started | None:
        if len(entry.operands) < 2 or is_capturing():
            return None
        look = see(entry.name, site.calls, bound, entry.operands, self.cycle.number)
        if look is None:
            return None
        site.open = [look]
        closely = is_due(site.calls)
        if closely or self.cycle.is_deep:
            self.cycle.light += 1
            # A program without an optimizer has one cycle that never ends.
            self.cycle.is_deep = self.cycle.is_deep and self.cycle.light < _MAX_LIGHT_LOOKS
            look_at_target(look, bound[entry.operands[1]])
        if closely:
            look_closely(look, bound, entry.operands)
            self._remember_activation(site, look, bound[entry.operands[0]])
            if not any(one.kept for one in site.looks) and look.input_shape:
                keep(look, bound, entry.operands)
            if site.calls == 1:
                # A target that is out of range ends a program on a GPU: once, that is known before.
                look.facts(wait=True)
                look._facts = None  # noqa: SLF001 - the result is still to come
        return _Started(site, look, closely)

    def _remember_activation(self, site: Site, look: Look, given: torch.Tensor) -> None:
        kind = look.origin.kind if look.origin is not None else ""
        behind = self._activations.behind(given)
        if behind is not None:
            found, call = behind
            if not kind:
                from loss_lint.watching.origins import Origin

                look.origin = Origin(found)
            if call is not None and kind in ("", found):
                site.applied.setdefault(found, call)
        elif kind in ("softmax", "log_softmax", "sigmoid"):
            latest = self._activations.latest(kind, given.numel())
            if latest is not None:
                site.applied.setdefault(kind, latest)

    def _finished(self, started: _Started, result: Any) -> None:
        site, look = started.site, started.look
        if started.closely:
            look_at_result(look, result)
            site.add(look)
        if isinstance(result, torch.Tensor):
            self._ledger.put(result, Tracked((Term(site, look, has_graph=result.requires_grad),)))
        if started.closely:
            self.judge(site)

    def judge(self, site: Site, *, is_final: bool = False) -> None:
        for cause in judge(site, is_final=is_final):
            self.report(cause)

    def report(self, cause: Cause) -> None:
        """Pass a cause on, unless its like has been."""
        if cause.key in self.causes:
            return
        self.causes[cause.key] = cause
        began = time.thread_time()
        self._on_cause(cause)
        self.spent -= time.thread_time() - began

    # What happens to them

    def _scale(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        if len(self._ledger) and len(args) == 2 and isinstance(result, torch.Tensor):
            left, right = self._ledger.of(args[0]), self._ledger.of(args[1])
            if left is not None or right is not None:
                with self._unnoticed():
                    divides = "div" in func.__name__
                    self._scaled(result, (args[0], left), (args[1], right), divides=divides)
        return result

    def _scaled(
        self,
        result: torch.Tensor,
        left: tuple[Any, Tracked | None],
        right: tuple[Any, Tracked | None],
        *,
        divides: bool,
    ) -> None:
        tracked, other = (left[1], right[0]) if left[1] is not None else (right[1], left[0])
        assert tracked is not None
        if (left[1] is not None and right[1] is not None) or (divides and left[1] is None):
            return
        frame = outside(sys._getframe())  # noqa: SLF001 - who divided
        if _is_scaler(frame):
            self._ledger.put(result, tracked)
            return
        call = caller(frame)
        by = _number_of(other)
        self._ledger.put(result, tracked.scaled(by, divides=divides, call=call))
        if by and call is not None:
            divisor = by if divides else 1 / by
            self.cycle.counts_of_samples |= backwards.named_counts(call, frame, divisor)

    def _add(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        if len(self._ledger) and len(args) == 2 and isinstance(result, torch.Tensor):
            parts = [self._ledger.of(arg) for arg in args]
            if parts[0] is not None or parts[1] is not None:
                if parts[1] is not None and func.__name__.startswith("sub"):
                    parts[1] = parts[1].scaled(-1.0)
                # A number has no gradient: it adds nothing that could be trained on.
                whole = [
                    part for part, arg in zip(parts, args, strict=True) if not isinstance(arg, int | float)
                ]
                tracked = together(whole)
                if tracked is not None:
                    self._ledger.put(result, tracked.scaled(None) if kwargs else tracked)
        return result

    def _negate(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        tracked = self._ledger.of(args[0]) if args else None
        if tracked is not None:
            self._ledger.put(result, tracked.scaled(-1.0))
        return result

    def _reduce(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        tracked = self._ledger.of(args[0]) if args else None
        if tracked is not None and isinstance(result, torch.Tensor):
            with self._unnoticed():
                self._reduced(func.__name__, args[0], result, tracked)
        return result

    def _reduced(self, how: str, source: torch.Tensor, result: torch.Tensor, tracked: Tracked) -> None:
        if source.dim() == 0:
            self._ledger.put(result, tracked)
        elif tracked.terms[0].look.reduction == "none":
            self._ledger.put(result, tracked.reduced(how))
        else:  # a stack of losses
            count = float(source.numel()) if how == "mean" else 1.0
            self._ledger.put(result, tracked.scaled(count, divides=True) if count != 1.0 else tracked)

    def _keep(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        tracked = self._ledger.of(args[0]) if args else None
        if tracked is not None and isinstance(result, torch.Tensor):
            self._ledger.put(result, tracked)
        return result

    def _stack(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        if args and isinstance(args[0], list | tuple):
            tracked = together(self._ledger.of(part) for part in args[0])
            if tracked is not None:
                self._ledger.put(result, tracked)
        return result

    def _cut(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        tracked = self._ledger.of(args[0]) if args else None
        if tracked is not None and isinstance(result, torch.Tensor):
            with self._unnoticed():
                how = "detach()" if getattr(func, "__name__", "") == "detach" else ".data"
                self._ledger.put(result, tracked.cut(how, caller(sys._getframe())))  # noqa: SLF001
                self._ledger.put_storage(result, tracked.cut(how, caller(sys._getframe())))  # noqa: SLF001
        return result

    def _number(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        tracked = self._ledger.of(args[0]) if args else None
        if tracked is not None and isinstance(result, float):
            self._ledger.put_number(result, tracked)
        return result

    def _make(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        data = args[-1] if args else kwargs.get("data")
        found = data[0] if isinstance(data, list) and len(data) == 1 else data
        tracked = self._ledger.of(found) or self._ledger.of_number(found)
        if tracked is not None and isinstance(result, torch.Tensor):
            with self._unnoticed():
                if result.grad_fn is None and result.numel() == 1:
                    name = "new_tensor" if func is torch.Tensor.new_tensor else f"torch.{func.__name__}"
                    self._ledger.put(result, tracked.cut(name, caller(sys._getframe())))  # noqa: SLF001
        return result

    def _activate(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        if self.cycle.is_deep and isinstance(result, torch.Tensor):
            with self._unnoticed():
                if is_plain(result) and not is_capturing():
                    self._activations.add(func.__name__, result, caller(sys._getframe()))  # noqa: SLF001
        return result

    # Backward and step

    def _backward(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not len(self._ledger):
            return func(*args, **kwargs)
        with self._unnoticed():
            call = caller(sys._getframe())  # noqa: SLF001
            first = args[0] if args else None
            given = kwargs.get("gradient", kwargs.get("grad_tensors"))
            for root in first if isinstance(first, list | tuple) else (first,):
                if isinstance(root, torch.Tensor) and call is not None:
                    self._arrived(root, call, has_gradient=given is not None or len(args) > 1)
        return func(*args, **kwargs)

    def _arrived(self, root: torch.Tensor, call: Call, *, has_gradient: bool) -> None:
        tracked = self._ledger.of(root) or self._ledger.of_storage(root)
        cause = backwards.broken(root, tracked, call, has_gradient=has_gradient)
        if cause is not None:
            self.report(cause)
        if tracked is None or root.grad_fn is None:
            return
        if len(self.cycle.arrivals) < _MAX_ARRIVALS:  # a program may never use an optimizer
            self.cycle.arrivals.append(Arrival(call, tracked))
        for term in tracked.terms:
            backwards.note(term, tracked, self.cycle)
            for cause in backwards.divided(term, tracked, self.cycle):
                self.report(cause)

    def stepped(self, number: int) -> None:
        """An optimizer has made its step of that number, and what led to it was listened to."""
        cycle, self.cycle = self.cycle, Cycle(number + 1)
        if not cycle.arrivals:
            return
        with self._unnoticed():
            self._ledger.clear()
            for cause in backwards.closed(cycle):
                self.report(cause)

    def resumed(self, number: int) -> None:
        """Nothing was listened to before the optimizer's step of that number."""
        self.cycle = Cycle(number + 1)
        self._ledger.clear()

    def explain(self, why: Callable[[], Iterable[Cause]]) -> None:
        """Report what `why` tells of an exception."""
        with self._unnoticed():
            for cause in why():
                self.report(cause)

    def finish(self) -> None:
        """Judge what could not be judged before the end."""
        for site in list(self.sites.values()):
            with self._unnoticed():
                self.judge(site, is_final=True)

    @contextmanager
    def _unnoticed(self) -> Iterator[None]:
        """No mode, gradient or cast while looking; a failure of ours is remembered and not the program's."""
        try:
            with (
                torch._C.DisableTorchFunction(),  # noqa: SLF001
                torch.no_grad(),
            ):
                yield
        except Refused as refused:
            raise refused.cause from None
        except Exception as error:  # noqa: BLE001 - a training run must not end for what watches it
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """Remember a failure of ours."""
        if len(self.failures) < _MAX_FAILURES:
            self.failures.append(f"{type(error).__name__}: {error}")


def losses() -> dict[Any, Watched]:
    """The loss functions of the installed torch, by the function."""
    found: dict[Any, Watched] = {}
    for loss in catalogue.LOSSES:
        for spelled, parameters in catalogue.operation(loss.name).functions:
            home, _, name = spelled.rpartition(".")
            function = getattr(functional, name, None) if home == "torch.nn.functional" else None
            if function is not None:
                found[function] = Watched(loss.name, catalogue.Signature(parameters), loss.operands)
    return found


def _number_of(value: object) -> float | None:
    """A Python number, or what a tensor of one element on the host holds: one on a device is not waited for."""
    if isinstance(value, int | float):
        return float(value)
    if (
        isinstance(value, torch.Tensor)
        and value.numel() == 1
        and value.device.type == "cpu"
        and is_plain(value)
    ):
        return float(value.detach().item())
    return None


def _is_scaler(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_code.co_filename.endswith(_SCALER)
