"""What measuring leaves alone: the caller's random numbers, modes and warnings; and a machine without torch."""

from __future__ import annotations

import subprocess
import sys
import time
import warnings

import pytest
import torch

from loss_lint.harness import confirm, confirm_all, measure
from loss_lint.harness.plan import plans
from loss_lint.linter import lint
from loss_lint.symbolic.edits import Bypass
from loss_lint.syntax.sources import Memory

SOFTMAX = "F.cross_entropy(F.softmax(x, dim=1), y)"


@pytest.fixture
def finding(made):
    return made(
        SOFTMAX, ("cross_entropy", "softmax"), lambda ops: [Bypass(ops["softmax"])], ("value+gradient",)
    )


def test_twice_the_same(finding) -> None:
    assert confirm(finding) == confirm(finding)


def test_random_numbers_go_on_as_before(finding) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    confirm(finding)
    assert torch.equal(torch.rand(2), expected)


def test_modes_are_the_callers_before_and_after(finding) -> None:
    expected = confirm(finding)
    threads = torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(11)
    try:
        with torch.inference_mode():
            assert confirm(finding) == expected
            assert torch.is_inference_mode_enabled()
        with torch.no_grad(), torch.device("meta"):
            assert confirm(finding) == expected
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    "body",
    [
        "F.cross_entropy(F.softmax(x), y)",  # warns of its implicit dim
        "F.cross_entropy(F.softmax(x, dim=1), y, size_average=True)",  # warns of its legacy argument
    ],
)
def test_no_warning_leaks(made, body: str) -> None:
    finding = made(
        body, ("cross_entropy", "softmax"), lambda ops: [Bypass(ops["softmax"])], ("value+gradient",)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert confirm(finding).verdict == "value+gradient"


def test_a_loss_that_broadcasts_is_no_fixed_expression(made) -> None:
    finding = made("F.mse_loss(x, y) / n", ("div", "mse_loss"), lambda ops: [Bypass(ops["div"])])
    shapes = dict(confirm(finding).shapes)
    assert shapes["logits"] == shapes["target"]


def test_equal_expressions_are_measured_once(made, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = measure.measure
    monkeypatch.setattr(measure, "measure", lambda *given: calls.append(given) or original(*given))
    pair = [
        made(SOFTMAX, ("cross_entropy", "softmax"), lambda ops: [Bypass(ops["softmax"])], ("value+gradient",))
        for _ in range(3)
    ]
    first, *others = confirm_all(pair)
    assert len(calls) == 1
    assert all(other.evidence == first.evidence for other in others)


def test_a_finding_keeps_all_else(finding) -> None:
    (confirmed,) = confirm_all([finding])
    assert (confirmed.code, confirmed.place, confirmed.witness) == (
        finding.code,
        finding.place,
        finding.witness,
    )


def test_the_known_number_of_classes_is_used(linted) -> None:
    text = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(32, 17)
    def forward(self, x):
        return self.head(x).softmax(dim=1)

def step(x, y):
    return F.cross_entropy(Net()(x), y)
"""
    evidence = confirm(linted(text, "LOS201"))
    assert evidence.shapes == (("logits", (8, 17)), ("target", (8,)))


def test_input_and_target_never_share_a_leaf(made) -> None:
    finding = made(
        "F.kl_div(F.softmax(x, dim=1), F.softmax(x, dim=1), reduction='batchmean')",
        ("kl_div", "softmax"),
        lambda ops: [Bypass(ops["softmax"])],
    )
    (plan, *_) = plans(finding.witness)
    assert {one.side for one in plan.roles.inputs} == {"input", "target"}


def test_ten_findings_take_no_time() -> None:
    text = "import torch.nn.functional as F\n" + "".join(
        f"def f{number}(x, y):\n    return F.cross_entropy(F.softmax(x, dim=1), y, label_smoothing=0.0{number})\n"
        for number in range(1, 10)
    )
    findings = lint("a.py", Memory({"a.py": text}))
    started = time.monotonic()
    assert all(
        one.evidence is not None and one.evidence.verdict != "unmeasured" for one in confirm_all(findings)
    )
    assert len(findings) == 9
    assert time.monotonic() - started < 5


def test_without_torch() -> None:
    code = """
import sys
sys.modules["torch"] = None
import loss_lint.harness
from loss_lint.harness import TorchMissing, confirm_all
from loss_lint.harness.prove import prove
for call in (lambda: confirm_all([]), prove):
    try:
        call()
    except TorchMissing as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == 'torch is not installed: pip install "torch-loss-lint[harness]"\n' * 2


def test_importing_does_not_import_torch() -> None:
    code = "import sys, loss_lint.harness, loss_lint.harness.prove; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
