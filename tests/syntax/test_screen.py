"""Which files are looked at: those whose code names a loss, not those whose prose does."""

from __future__ import annotations

import time

import pytest

from loss_lint.syntax.screen import is_relevant

LONG = '"""'


@pytest.mark.parametrize(
    "code",
    [
        "loss = F.cross_entropy(x, y)",
        "criterion = getattr(nn, 'CrossEntropyLoss')()",
        "print('# no comment', nn.MSELoss())",
        r"text = 'it\'s'; loss = nn.MSELoss()  # it's",
        "text = \"'''\"; loss = nn.MSELoss()",
        f"text = {LONG}a 'b{LONG}; loss = nn.MSELoss()",
        f"print(f{LONG}{{F.mse_loss(x, y)}}{LONG})",
        'x = "not closed\nloss = nn.MSELoss()',
    ],
)
def test_code_that_names_a_loss(code: str) -> None:
    assert is_relevant(f"import torch\n{code}\n".encode())


@pytest.mark.parametrize(
    "prose",
    [
        "# Sigmoid Loss for pre-training",
        "x = 1  # 'Loss'",
        f"{LONG}`Sigmoid Loss`: nn.CrossEntropyLoss{LONG}",
        "'''it's\nthe \"Loss\"\n'''",
        f'{LONG}a \\"{LONG[:2]} Loss{LONG}',
    ],
)
def test_prose_that_speaks_of_one(prose: str) -> None:
    assert not is_relevant(f"import torch\n{prose}\nx = 1\n".encode())


def test_unfinished_strings_take_no_time() -> None:
    started = time.process_time()
    for quote in ('"', LONG, "'''"):
        is_relevant(f"import torch  # Loss\nx = {quote}{'a b ' * 200_000}".encode())
        is_relevant((f"import torch  # Loss\nx = {quote}a\\" + f"{quote} " * 20_000).encode())
    assert time.process_time() - started < 10
