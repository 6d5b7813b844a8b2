"""What torch really does, row by row: the expressions of findings on logits and targets whose numbers are known.

Measured once by hand with torch 2.13.0 on the CPU, seed 0, logits of shape (8, 5) and class indices of shape (8,).
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from loss_lint.harness.execute import Run, run, settled
from loss_lint.harness.layouts import Sizes
from loss_lint.harness.plan import Plan, plans
from loss_lint.harness.roles import Role, Roles
from loss_lint.harness.values import Values


@dataclass(frozen=True)
class Row:
    """One row: the loss and the norm of its gradient, as flagged and as fixed, or torch's error."""

    code: str
    body: str
    flagged: tuple[float, float] | str
    fixed: tuple[float, float] = (1.8913, 0.3369)
    scale: float = 1.0


def program(body: str) -> str:
    return f"def step(x, y, w, b):\n    return {body}\n"


ROWS = [
    Row("LOS101", "F.cross_entropy(x, y) / x.size(0)", (1.8913 / 8, 0.3369 / 8)),
    Row("LOS102", "F.cross_entropy(x, y).mean()", (1.8913, 0.3369)),
    Row("LOS102", "F.cross_entropy(x, y).sum()", (1.8913, 0.3369)),
    Row("LOS102", "F.cross_entropy(x, y).mean(dim=0)", (1.8913, 0.3369)),
    Row("LOS102", "F.cross_entropy(x, y).mean(dim=1)", "Dimension out of range"),
    Row("LOS102", "F.cross_entropy(x, y).sum(1)", "Dimension out of range"),
    Row("LOS201", "F.cross_entropy(x.softmax(1), y)", (1.6089, 0.0582)),
    Row("LOS202", "F.cross_entropy(x.log_softmax(1), y)", (1.8913, 0.3369)),
    Row("LOS205", "F.nll_loss(x.softmax(1).log(), y)", (1.8913, 0.3369)),
    Row(
        "LOS205", "F.nll_loss(x.softmax(1).log(), y)", (float("inf"), float("nan")), (1112.1, 0.4330), 1000.0
    ),
    Row(
        "LOS301", "F.cross_entropy(x, F.one_hot(y, 5))", "Expected floating point type for target with class"
    ),
    Row(
        "LOS301", "F.cross_entropy(x, F.one_hot(y, 5).bool())", "Expected floating point type for target with"
    ),
    Row(
        "LOS301",
        "F.nll_loss(x, F.one_hot(y, 5))",
        "0D or 1D target tensor expected, multi-target not",
        (-0.0, 0.3536),
    ),
    Row("LOS302", "F.cross_entropy(x, F.one_hot(y, 5).float())", (1.8913, 0.3369)),
    Row(
        "LOS302",
        "F.cross_entropy(x, F.one_hot(y, 5).float(), label_smoothing=0.1)",
        (1.8993, 0.0),
        (1.8993, 0.0),
    ),
    Row(
        "LOS302",
        "F.cross_entropy(x, F.one_hot(y, 5).float(), ignore_index=0)",
        "ignore_index is not supported for floating point target",
        (0.0, 0.0),
    ),
    Row(
        "LOS303",
        "F.cross_entropy(x, x.argmax(1).float())",
        "expected target dtype to be Long or Byte, but got Float",
        (0.0, 0.0),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code} {row.body}")
def test_row(row: Row, linted) -> None:
    plan = next(plans(linted(program(row.body), row.code).witness))
    with settled():
        fixed, flagged = run(plan.fixed, values(plan, row.scale)), run(plan.flagged, values(plan, row.scale))
    assert_is(fixed, row.fixed, row.scale)
    if isinstance(row.flagged, str):
        assert flagged.error is not None
        assert flagged.error.startswith(row.flagged)
    else:
        assert_is(flagged, row.flagged, row.scale)


def values(plan: Plan, scale: float) -> Values:
    """The logits and targets that the rows were measured with, by the role of each input."""
    torch.manual_seed(0)
    logits, target = torch.randn(8, 5), torch.randint(0, 5, (8,))
    raw = (logits * scale).requires_grad_()
    by_role: dict[Role, torch.Tensor] = {"logits": raw, "log_probabilities": raw, "indices": target}
    return Values(
        plan.roles, Sizes(), {one: by_role[plan.roles.role(one)] for one in plan.roles.inputs}, [raw]
    )


def assert_is(seen: Run, expected: tuple[float, float], scale: float) -> None:
    """A row's loss and gradient (with respect to the unscaled logits); zeros stand for what the row leaves open."""
    loss, norm = expected
    if loss or norm:
        assert seen.loss == pytest.approx(loss, rel=1e-4, abs=1e-4, nan_ok=True)
    if norm:
        assert seen.gradients[0] is not None
        assert seen.gradients[0].norm().item() == pytest.approx(norm, abs=6e-5, nan_ok=True)


def test_a_mask_on_a_mean_multiplies_the_mean(linted) -> None:
    from loss_lint.harness import confirm

    text = program("(F.cross_entropy(x, y) * (y != 0).float()).mean()")
    evidence = confirm(linted(text, "LOS104"))
    assert evidence.verdict == "value+gradient"


def test_a_weight_divides_indices_by_its_sum_and_rows_by_their_number(linted) -> None:
    from loss_lint.harness import confirm

    text = program("F.cross_entropy(x, F.one_hot(y, 5).float(), weight=w)")
    evidence = confirm(linted(text, "LOS302"))
    assert evidence.verdict == "value+gradient"
    assert dict(evidence.shapes)["class weight"] == (5,)
    assert evidence.grad_cosine == pytest.approx(1)


def test_a_sigmoid_twice_shrinks_the_gradient(linted) -> None:
    from loss_lint.harness import confirm

    text = program("F.binary_cross_entropy_with_logits(x.sigmoid(), b)")
    evidence = confirm(linted(text, "LOS206"))
    assert evidence.verdict == "value+gradient"
    assert evidence.grad_norm.flagged < evidence.grad_norm.fixed / 3


def test_roles_come_from_what_the_fixed_expression_wants(linted) -> None:
    finding = linted(program("F.cross_entropy(x, F.one_hot(y, 5))"), "LOS301")
    plan = next(plans(finding.witness))
    roles: Roles = plan.roles
    assert [(one.name, roles.role(one)) for one in roles.inputs] == [("x", "logits"), ("y", "indices")]
