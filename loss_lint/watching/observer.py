"""The mode under which torch's functions tell when they are called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch.compiler import is_compiling
from torch.overrides import TorchFunctionMode
from torch.utils._device import DeviceContext

if TYPE_CHECKING:
    from collections.abc import Mapping

Handler = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]


class Observer(TorchFunctionMode):
    """Hands calls of functions in `handlers` to these, which call the function themselves.

    `__enter__` and `__exit__` stay torch's own: the compiler follows only such modes. While it traces, calls pass
    through untouched, so that a compiled function is the same with and without.
    """

    def __init__(self, handlers: Mapping[Any, Handler]) -> None:
        super().__init__()
        self.handlers = handlers
        self.calls = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if is_compiling():
            return func(*args, **(kwargs or {}))
        self.calls += 1
        handler = self.handlers.get(func)
        if handler is not None:
            return handler(func, args, kwargs or {})
        return func(*args, **kwargs) if kwargs else func(*args)


def passed(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the program called. torch warns of a loss's caller, once for each line: this is the only one."""
    return func(*args, **kwargs)


# Bound once: these run twice in each step of a training.
_height = torch._C._len_torch_function_stack  # noqa: SLF001
_mode_at = torch._C._get_function_stack_at  # noqa: SLF001
pop_mode = torch._C._pop_torch_function_stack  # noqa: SLF001
push_mode = torch._C._push_on_torch_function_stack  # noqa: SLF001


def innermost() -> tuple[int, Any]:
    """How many function modes are active in this thread, and the innermost of them."""
    count = _height()
    return count, _mode_at(count - 1) if count else None


def active_modes() -> list[Any]:
    """The function modes of this thread but the one of the default device, which torch keeps below all others."""
    modes = [_mode_at(at) for at in range(_height())]
    return [mode for mode in modes if not isinstance(mode, DeviceContext)]


def take_out(mode: Observer) -> None:
    """Take a mode off the stack, wherever it is."""
    above: list[Any] = []
    while _height():
        top = pop_mode()
        if top is mode:
            break
        above.append(top)
    for other in reversed(above):
        push_mode(other)


def compiles() -> bool:
    """Whether anything has been compiled in this process, whose guards know the modes that were active."""
    utils = sys.modules.get("torch._dynamo.utils")
    counters = getattr(utils, "counters", {})
    # A graph that must be whole counts no frames.
    return any(counters.get(kind, {}).get(name, 0) for kind, name in _COMPILED)


_COMPILED = (("frames", "total"), ("stats", "unique_graphs"))
