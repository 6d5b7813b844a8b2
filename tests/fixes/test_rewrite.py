"""Calls with other arguments: formatting stays, order and keywords stay right."""

from __future__ import annotations

import pytest

from loss_lint.fixes.rewrite import call_with, instance_call

LEGACY = ("size_average", "reduce")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("nn.KLDivLoss()", 'nn.KLDivLoss(reduction="sum")'),
        ("F.kl_div(p, q)", 'F.kl_div(p, q, reduction="sum")'),
        ("F.kl_div(p, q, None, None, 'mean')", 'F.kl_div(p, q, reduction="sum")'),
        ("F.kl_div(p, q, reduction = 'mean')", 'F.kl_div(p, q, reduction = "sum")'),
        ("F.kl_div(p, q, False)", 'F.kl_div(p, q, reduction="sum")'),
        ("F.kl_div(p, q, size_average=False)", 'F.kl_div(p, q, reduction="sum")'),
        ("kl_div(p, q, False, log_target=True)", 'kl_div(p, q, reduction="sum", log_target=True)'),
        ("F.kl_div(p, q, True, None, 'none', True)", 'F.kl_div(p, q, reduction="sum", log_target=True)'),
        ("F.kl_div(\n    p,\n    q,\n)", 'F.kl_div(\n    p,\n    q,\n    reduction="sum",\n)'),
        ("F.kl_div(\n    p,\n    q\n)", 'F.kl_div(\n    p,\n    q,\n    reduction="sum"\n)'),
        ("F.kl_div(p, q,)", 'F.kl_div(p, q, reduction="sum",)'),
        ("F.kl_div(p, q,\n  reduce=True)", 'F.kl_div(p, q,\n  reduction="sum")'),
    ],
)
def test_a_call_with_another_reduction(before: str, after: str) -> None:
    assert call_with(before, "kl_div", {"reduction": '"sum"'}, LEGACY) == after


def test_a_default_need_not_be_written() -> None:
    assert call_with("F.kl_div(p, q, size_average=True)", "kl_div", {"reduction": '"mean"'}, LEGACY) == (
        "F.kl_div(p, q)"
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("F.kl_div(*pair)", id="unpacked"),
        pytest.param("F.kl_div(p, q, **options)", id="unpacked-keywords"),
        pytest.param("F.kl_div(p, q, size_average=average)", id="what-is-left-out-is-no-literal"),
        pytest.param("F.kl_div(p, q, reduction=reduction)", id="what-is-set-is-no-literal"),
        pytest.param("divergence(p, q)", id="another-name"),
        pytest.param("losses[0](p, q)", id="no-name"),
        pytest.param("a + b", id="no-call"),
    ],
)
def test_what_is_not_rewritten(text: str) -> None:
    assert call_with(text, "kl_div", {"reduction": '"sum"'}, LEGACY) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("nn.MSELoss(x, y)", "nn.MSELoss()(x, y)"),
        ("MSELoss( x,\n  target = y )", "MSELoss()( x,\n  target = y )"),
        ("nn.MSELoss(x, y, reduction='sum')", None),
        ("nn.MSELoss(x, reduction='sum')", None),
        ("nn.MSELoss(*pair)", None),
        ("self.loss(x, y)", None),
    ],
)
def test_a_construction_as_an_instances_call(before: str, after: str | None) -> None:
    assert instance_call(before, "mse_loss") == after
