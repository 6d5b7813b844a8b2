"""Each word of a claim, on an expression that shows it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from loss_lint.findings import Evidence
from loss_lint.harness import confirm, contradicts
from loss_lint.harness.execute import Run
from loss_lint.harness.measure import verdict
from loss_lint.symbolic.edits import Bypass, Rename, ReplaceOperand, SetParameter, Wrap
from loss_lint.symbolic.graph import const


def test_value_and_gradient(made) -> None:
    finding = made(
        "F.cross_entropy(x, y) / x.size(0)", ("div", "cross_entropy"), lambda ops: [Bypass(ops["div"])]
    )
    evidence = confirm(finding)
    assert evidence.verdict == "value+gradient"
    assert evidence.grad_norm.fixed == pytest.approx(8 * evidence.grad_norm.flagged)


def test_value(made) -> None:
    finding = made("F.cross_entropy(x, y) + 1.0", ("add", "cross_entropy"), lambda ops: [Bypass(ops["add"])])
    evidence = confirm(finding)
    assert evidence.verdict == "value"
    assert evidence.grad_cosine == pytest.approx(1)


def test_none(made) -> None:
    finding = made(
        "F.cross_entropy(F.log_softmax(x, dim=-1), y)",
        ("cross_entropy", "log_softmax"),
        lambda ops: [Bypass(ops["log_softmax"])],
    )
    assert confirm(finding).verdict == "none"


def test_unstable(made) -> None:
    finding = made(
        "F.binary_cross_entropy(torch.sigmoid(x), y)",
        ("binary_cross_entropy", "sigmoid"),
        lambda ops: [
            Bypass(ops["sigmoid"]),
            Rename(ops["binary_cross_entropy"], "binary_cross_entropy_with_logits"),
        ],
    )
    evidence = confirm(finding)
    assert evidence.verdict == "unstable"
    assert evidence.loss.flagged < 100 < evidence.loss.fixed  # torch clamps the logarithm at -100


def test_raises_on_the_way_forward(made) -> None:
    finding = made(
        "F.cross_entropy(x, y).mean(dim=1)",
        ("mean", "cross_entropy"),
        lambda ops: [Bypass(ops["mean"])],
        ("raises",),
    )
    evidence = confirm(finding)
    assert evidence.verdict == "raises"
    assert evidence.error.startswith("Dimension out of range")
    assert evidence.loss.flagged is None
    assert evidence.loss.fixed == pytest.approx(1.8281954, abs=1e-5)
    assert evidence.grad_norm.flagged is None


def test_raises_on_the_way_back(made) -> None:
    finding = made(
        "F.cross_entropy(x, y, reduction='none').backward()",
        ("backward", "cross_entropy"),
        lambda ops: [SetParameter(ops["cross_entropy"], "reduction", const("mean"))],
        ("raises",),
    )
    evidence = confirm(finding)
    assert evidence.verdict == "raises"
    assert evidence.error == "grad can be implicitly created only for scalar outputs"


def test_raises_where_nothing_requires_a_gradient(made) -> None:
    finding = made(
        "F.mse_loss(x.detach(), y)", ("mse_loss", "detach"), lambda ops: [Bypass(ops["detach"])], ("raises",)
    )
    evidence = confirm(finding)
    assert evidence.verdict == "raises"
    assert evidence.error == "element 0 of tensors does not require grad and does not have a grad_fn"


def test_no_gradient(made) -> None:
    finding = made(
        "torch.tensor(F.mse_loss(x, y), requires_grad=True).backward()",
        ("backward", "tensor", "mse_loss"),
        lambda ops: [Bypass(ops["tensor"])],
    )
    assert confirm(finding).verdict == "no-gradient"


def test_a_gradient_of_zeros(made) -> None:
    finding = made("F.mse_loss(x.round(), y)", ("mse_loss", "round"), lambda ops: [Bypass(ops["round"])])
    evidence = confirm(finding)
    assert evidence.verdict == "value+gradient"
    assert evidence.grad_norm.flagged == 0
    assert evidence.grad_cosine is None


def test_memory(made) -> None:
    finding = made(
        "0.0 + F.cross_entropy(x, y)", ("add", "cross_entropy"), lambda ops: [Wrap(ops["add"], 1, "detach")]
    )
    assert confirm(finding).verdict == "memory"


def test_a_running_total_is_judged_by_what_is_added_here(linted) -> None:
    """Other losses in the same total keep their graphs in both programs, and are other findings."""
    finding = linted(
        """
class Average:
    def __init__(self):
        self.sum = 0

    def update(self, value):
        self.sum += value


def dice(y, out):
    return 1 - (2 * (y * out).sum() + 1) / (y.sum() + out.sum() + 1)


def train(net, loader, optimizer, kind="dice"):
    average = Average()
    for x, y in loader:
        optimizer.zero_grad()
        out = net(x)
        if kind == "dice":
            loss = dice(y, out)
        else:
            loss = nn.functional.binary_cross_entropy(out, y)
        average.update(loss)
        loss.backward()
        optimizer.step()
""",
        "LOS502",
    )
    assert confirm(finding).verdict == "memory"


def test_an_unknown_loss_times_a_count_can_be_trained_on(linted) -> None:
    finding = linted(
        """
def train(net, loss_fn, loader, optimizer):
    total = 0
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(net(x), y)
        total += loss * x.shape[0]
        loss.backward()
        optimizer.step()
""",
        "LOS502",
    )
    evidence = confirm(finding)
    assert evidence.verdict == "memory"
    assert evidence.shapes[0][0] == "loss"


def test_a_finding_contradicts_itself_if_it_was_measured_otherwise(made) -> None:
    finding = made("F.cross_entropy(x, y) + 1.0", ("add", "cross_entropy"), lambda ops: [Bypass(ops["add"])])
    shown = replace(finding, evidence=confirm(finding))
    assert contradicts(replace(shown, claim=("none",)))
    assert not contradicts(replace(shown, claim=("value", "gradient")))
    assert not contradicts(finding)
    assert not contradicts(replace(shown, evidence=Evidence("unmeasured")))


def test_reported(made) -> None:
    finding = made(
        "F.cross_entropy(x, y).item() / n",
        ("div", "item", "cross_entropy"),
        lambda ops: [Bypass(ops["div"])],
    )
    evidence = confirm(finding)
    assert evidence.verdict == "reported"
    assert evidence.grad_norm is None


def test_raising_for_another_reason_does_not_count(made) -> None:
    """Two dimensions have no third one; the claim is about losses that have."""
    finding = made(
        "F.cross_entropy(F.softmax(x, dim=2), y)",
        ("cross_entropy", "softmax"),
        lambda ops: [Bypass(ops["softmax"])],
        ("value+gradient",),
    )
    evidence = confirm(finding)
    assert evidence.verdict == "value+gradient"
    assert len(evidence.shapes[0][1]) == 3


def test_permuted_classes(made) -> None:
    finding = made("F.cross_entropy(x, y)", ("cross_entropy",), completion="permuted_classes")
    evidence = confirm(finding)
    assert evidence.verdict == "value"
    assert evidence.grad_norm is None


def test_one_based_classes(made) -> None:
    finding = made(
        "F.cross_entropy(x, y), y - 1",
        ("cross_entropy",),
        lambda ops: [ReplaceOperand(ops["cross_entropy"], 1, ops["sub"])],
        claim=("raises",),
        completion="one_based_classes",
    )
    evidence = confirm(finding)
    assert evidence.verdict == "raises"
    assert evidence.error == "Target 5 is out of bounds."


def test_refitted_classes(made) -> None:
    finding = made("F.cross_entropy(x, y)", ("cross_entropy",), completion="refitted_classes")
    assert confirm(finding).verdict == "value"


def test_strings(made) -> None:
    finding = made("torch.tensor(['A', 'C', 'B', 'A'])", ("tensor",), claim=("raises",), completion="strings")
    evidence = confirm(finding)
    assert evidence.verdict == "raises"
    assert evidence.error == "too many dimensions 'str'"


def test_tensors_in_a_constructor(made) -> None:
    finding = made("F.cross_entropy(x, y)", ("cross_entropy",), claim=("raises",), completion="constructor")
    evidence = confirm(finding)
    assert evidence.verdict == "raises"
    assert evidence.error == "Boolean value of Tensor with more than one value is ambiguous"


def test_micro_batches_that_count_unequal_numbers(made) -> None:
    finding = made("F.cross_entropy(x, y) / n", ("div", "cross_entropy"), completion="micro_batches")
    evidence = confirm(finding)
    assert evidence.verdict == "value+gradient"


def test_micro_batches_that_count_all(made) -> None:
    finding = made("F.mse_loss(x, y) / n", ("div", "mse_loss"), completion="micro_batches")
    assert confirm(finding).verdict == "none"


def test_an_epochs_sum_of_means(made) -> None:
    body = """sum_of(x)

def f(loader, model):
    total = 0.0
    for x, y in loader:
        total += F.cross_entropy(model(x), y).item()
    return total / len(loader.dataset)
"""
    finding = made(
        body,
        ("div", "item", "cross_entropy"),
        lambda ops: [SetParameter(ops["cross_entropy"], "reduction", const("sum"))],
    )
    evidence = confirm(finding)
    assert evidence.verdict == "reported"
    assert evidence.loss.fixed == pytest.approx(8 * evidence.loss.flagged)


def test_labels_stay_integers_where_the_flagged_loss_takes_indices(made) -> None:
    finding = made(
        "F.cross_entropy(x.unsqueeze(1), y)",
        ("cross_entropy", "unsqueeze"),
        lambda ops: [
            Rename(ops["cross_entropy"], "binary_cross_entropy_with_logits"),
            Bypass(ops["unsqueeze"]),
            Wrap(ops["cross_entropy"], 1, "to_float"),
        ],
        ("raises",),
    )
    assert confirm(finding).error == "Target 1 is out of bounds."


def test_a_mask_on_a_scalar(made) -> None:
    finding = made(
        "F.cross_entropy(x, y) * m",
        ("mul", "cross_entropy"),
        lambda ops: [SetParameter(ops["cross_entropy"], "reduction", const("none"))],
        completion="masked_mean",
    )
    evidence = confirm(finding)
    assert evidence.verdict == "value+gradient"
    assert ("mask", (8,)) in evidence.shapes


def test_without_a_witness() -> None:
    from loss_lint.findings import Finding, Place

    evidence = confirm(Finding("LOS000", "unreadable-file", "", Place("a.py", 1, 1, 1, 2)))
    assert evidence.verdict == "unmeasured"
    assert evidence.error == "the finding comes without an expression to run"


def test_what_cannot_run_says_why(made) -> None:
    evidence = confirm(made("F.ctc_loss(x, y, m, n, blank=99)", ("ctc_loss",)))
    assert evidence.verdict == "unmeasured"
    assert evidence.error == "the corrected expression runs on none of the shapes tried"


def test_sequences_with_their_lengths(made) -> None:
    evidence = confirm(made("F.ctc_loss(x, y, m, n)", ("ctc_loss",)))
    assert evidence.verdict == "none"
    assert evidence.shapes == (("log-probabilities", (8, 3, 5)), ("target", (3, 2)))


def run(loss: float | None, *, error: str | None = None) -> Run:
    return Run(loss=loss, error=error, has_graph=error is None)


@pytest.mark.parametrize(
    ("flagged", "fixed", "expected"),
    [
        pytest.param(math.nan, 1.0, "value", id="nan-is-another-value"),
        pytest.param(math.inf, math.inf, "none", id="the-same-infinity"),
        pytest.param(1.0, 1.0001, "none", id="rounding"),
        pytest.param(None, 1.0, "raises", id="raises"),
    ],
)
def test_verdict(flagged: float | None, fixed: float, expected: str) -> None:
    assert verdict(run(flagged, error="no" if flagged is None else None), run(fixed)) == expected
