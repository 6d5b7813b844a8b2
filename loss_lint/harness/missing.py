"""What measuring says where torch, or what a picture needs, is not installed."""

from __future__ import annotations

from importlib.util import find_spec


class TorchMissing(ImportError):
    """torch is not installed, so nothing can be measured."""

    def __init__(self) -> None:
        super().__init__('torch is not installed: pip install "torch-loss-lint[harness]"')


class PlotMissing(ImportError):
    """What a picture is drawn with, or what is trained on for it, is not installed."""

    def __init__(self, missing: str) -> None:
        super().__init__(f'{missing} not installed: pip install "torch-loss-lint[plot]"')


def require_torch() -> None:
    """Raise TorchMissing where torch cannot be imported."""
    if find_spec("torch") is None:
        raise TorchMissing


def require_plot() -> None:
    """Raise TorchMissing or PlotMissing where a picture cannot be made."""
    require_torch()
    needed = {"matplotlib": "matplotlib", "sklearn": "scikit-learn"}
    missing = [name for module, name in needed.items() if find_spec(module) is None]
    if missing:
        raise PlotMissing(f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'}")
