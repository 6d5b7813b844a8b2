"""Each primitive of an edit, measured: the flagged expression against the one that it becomes."""

from __future__ import annotations

import pytest

from loss_lint.harness import confirm
from loss_lint.symbolic.edits import Bypass, Rename, ReplaceOperand, SetParameter, Wrap
from loss_lint.symbolic.graph import const

CROSS_ENTROPY = pytest.approx(1.8281954, abs=1e-5)


def test_bypass_takes_an_operation_out(made) -> None:
    finding = made(
        "F.cross_entropy(F.softmax(x, dim=1), y)",
        ("cross_entropy", "softmax"),
        lambda ops: [Bypass(ops["softmax"])],
    )
    evidence = confirm(finding)
    assert evidence.verdict == "value+gradient"
    assert evidence.loss.fixed == CROSS_ENTROPY
    assert evidence.shapes == (("logits", (8, 5)), ("target", (8,)))


def test_bypass_keeps_the_operand_that_it_names(made) -> None:
    finding = made(
        "(1 / n) * F.cross_entropy(x, y)", ("mul", "cross_entropy"), lambda ops: [Bypass(ops["mul"], 1)]
    )
    evidence = confirm(finding)
    assert evidence.loss.fixed == CROSS_ENTROPY
    assert evidence.loss.flagged == pytest.approx(evidence.loss.fixed / 8)


@pytest.mark.parametrize(
    "denominator", ["torch.exp(x).sum(1, keepdim=True)", "torch.exp(x).sum(dim=1).unsqueeze(1)"]
)
def test_bypass_of_a_hand_rolled_softmax_leaves_its_logits(made, denominator: str) -> None:
    finding = made(
        f"F.cross_entropy(torch.exp(x) / {denominator}, y)",
        ("cross_entropy", "div"),
        lambda ops: [Bypass(ops["div"])],
    )
    evidence = confirm(finding)
    assert evidence.verdict == "value+gradient"
    assert evidence.loss.fixed == CROSS_ENTROPY


def test_rename_makes_another_operation(made) -> None:
    finding = made(
        "F.binary_cross_entropy(x, y)",
        ("binary_cross_entropy",),
        lambda ops: [Rename(ops["binary_cross_entropy"], "binary_cross_entropy_with_logits")],
        ("raises",),
    )
    evidence = confirm(finding)
    assert evidence.verdict == "raises"
    assert evidence.error == "all elements of input should be between 0 and 1"


def test_rename_of_a_hand_rolled_softmax_takes_its_logits_and_dim(made) -> None:
    finding = made(
        "F.nll_loss(torch.log(torch.exp(x) / torch.exp(x).sum(dim=1, keepdim=True)), y)",
        ("nll_loss", "log", "div"),
        lambda ops: [Rename(ops["div"], "log_softmax"), Bypass(ops["log"])],
    )
    evidence = confirm(finding)
    assert evidence.verdict == "unstable"
    assert evidence.loss.fixed == pytest.approx(10490.79, rel=1e-4)


def test_rename_drops_what_the_other_loss_does_not_take(made) -> None:
    finding = made(
        "F.cross_entropy(F.log_softmax(x, dim=1), y)",
        ("cross_entropy", "log_softmax"),
        lambda ops: [Rename(ops["cross_entropy"], "nll_loss")],
    )
    assert confirm(finding).verdict == "none"


def test_set_parameter(made) -> None:
    finding = made(
        "F.kl_div(F.log_softmax(x, dim=1), y)",
        ("kl_div", "log_softmax"),
        lambda ops: [SetParameter(ops["kl_div"], "reduction", const("batchmean"))],
    )
    evidence = confirm(finding)
    assert evidence.verdict == "value+gradient"
    assert evidence.loss.fixed == pytest.approx(5 * evidence.loss.flagged)
    assert evidence.grad_cosine == pytest.approx(1)


def test_replace_operand(made) -> None:
    finding = made(
        "F.cross_entropy(y, x)",
        ("cross_entropy",),
        lambda ops: [
            ReplaceOperand(ops["cross_entropy"], 0, ops["cross_entropy"].operands[1]),
            ReplaceOperand(ops["cross_entropy"], 1, ops["cross_entropy"].operands[0]),
        ],
        ("raises",),
    )
    evidence = confirm(finding)
    assert evidence.verdict == "raises"
    assert "not implemented for 'Long'" in evidence.error


def test_wrap(made) -> None:
    finding = made(
        "F.nll_loss(x, y)",
        ("nll_loss",),
        lambda ops: [Wrap(ops["nll_loss"], 0, "log_softmax", (("dim", const(1)),))],
    )
    evidence = confirm(finding)
    assert evidence.verdict == "value+gradient"
    assert evidence.loss.fixed == CROSS_ENTROPY


def test_several_edits_of_one_operation(made) -> None:
    finding = made(
        "F.kl_div(F.softmax(x, dim=1), y)",
        ("kl_div", "softmax"),
        lambda ops: [
            Wrap(ops["kl_div"], 0, "log"),
            SetParameter(ops["kl_div"], "reduction", const("batchmean")),
        ],
    )
    evidence = confirm(finding)
    assert evidence.verdict == "value+gradient"
    assert evidence.loss.fixed > 0
