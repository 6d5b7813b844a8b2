"""A small real training, for tests that run it with and without somebody watching."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn import functional


def network(classes: int = 5) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.3),
        nn.Flatten(),
        nn.Linear(4 * 16, classes),
    )


def train(
    around: Callable[[], AbstractContextManager[Any]] = nullcontext,
    steps: int = 12,
    *,
    wrap: Callable[[nn.Module], Any] = lambda model: model,
    loss: Callable[..., torch.Tensor] = functional.cross_entropy,
    autocast: bool = False,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
) -> dict[str, Any]:
    """Everything that a run computes: losses, weights and the states of all random numbers."""
    random.seed(1)
    torch.manual_seed(1)
    model = network()
    called = wrap(model)
    updating = optimizer(model.parameters(), lr=0.01)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, enabled=autocast)
    losses = []
    with around():
        for step in range(steps):
            x, y = torch.randn(8, 1, 8, 8), torch.randint(0, 5, (8,))
            updating.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
                value = loss(called(x), y)
            scaler.scale(value).backward()
            scaler.step(updating)
            scaler.update()
            losses.append(value.item())
            if step % 4 == 3:
                model.eval()
                with torch.no_grad():
                    losses.append(loss(called(x), y).item())
                model.train()
    return {
        "losses": losses,
        "weights": [parameter.detach().clone() for parameter in model.state_dict().values()],
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
    }


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Bit by bit."""
    return (
        one["losses"] == other["losses"]
        and all(torch.equal(a, b) for a, b in zip(one["weights"], other["weights"], strict=True))
        and torch.equal(one["torch"], other["torch"])
        and one["python"] == other["python"]
    )
