"""What measuring says where torch is not installed."""

from __future__ import annotations

from importlib.util import find_spec


class TorchMissing(ImportError):
    """torch is not installed, so nothing can be measured."""

    def __init__(self) -> None:
        super().__init__('torch is not installed: pip install "torch-loss-lint[harness]"')


def require_torch() -> None:
    """Raise TorchMissing where torch cannot be imported."""
    if find_spec("torch") is None:
        raise TorchMissing
