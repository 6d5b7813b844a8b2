"""Whether a run bears out what the static check says, in numbers of the run's own tensors."""

from __future__ import annotations

import io
import runpy
import warnings
from pathlib import Path
from typing import Any

import pytest

import loss_lint
from loss_lint.findings import Comparison, Evidence
from loss_lint.watching.agreement import factor
from loss_lint.watching.api import Watch

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "watch"
HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\ntorch.manual_seed(0)\n"
LOOP = """
model = nn.Linear(16, 5)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    x, y = torch.randn(32, 16), torch.randint(0, 5, (32,))
    optimizer.zero_grad()
    loss = {loss}
    loss.backward()
    optimizer.step()
"""


def watched(path: Path, **options: Any) -> Watch:
    watch: Watch = loss_lint.watch(**{"on_finding": "collect", "isolated": True, **options})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with watch:
            runpy.run_path(str(path), run_name="__main__")
    return watch


def written(folder: Path, loss: str) -> Path:
    path = folder / "train.py"
    path.write_text(HEAD + LOOP.format(loss=loss))
    return path


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("softmax_in_model", "gradient 4.62 times smaller"),
        ("divided_by_batch", "gradient 8 times smaller"),
        ("probabilities_into_nll", "times smaller"),
        ("kl_of_probabilities", "times smaller"),
        ("loss_cut", "no gradient arrives"),
        ("regression_broadcast", "times"),
    ],
)
def test_what_both_find_is_said_once_with_its_factor(name: str, phrase: str) -> None:
    (finding,) = watched(FIXTURES / "bad" / f"{name}.py").findings
    assert "The static check finds it, too, and this run confirms it" in finding.message
    assert phrase in finding.message


def test_the_static_checks_repair_comes_along() -> None:
    (finding,) = watched(FIXTURES / "bad" / "regression_broadcast.py").findings
    assert finding.fix is not None
    assert finding.fix.message == "Squeeze the dimension of size one"


@pytest.mark.parametrize("name", ["normalized_by_hand", "micro_batches", "raw_pixels"])
def test_what_the_run_alone_finds_stands_alone(name: str) -> None:
    (finding,) = watched(FIXTURES / "bad" / f"{name}.py").findings
    assert "static check" not in finding.message


def test_what_the_static_check_alone_finds_is_measured_on_the_tensors_of_the_run(tmp_path: Path) -> None:
    path = written(tmp_path, "F.kl_div(model(x).log_softmax(1), torch.rand(32, 5).softmax(1))")
    (finding,) = watched(path).findings
    assert (finding.code, finding.place.line) == ("LOS105", 12)
    assert "this run confirms it: gradient 5 times smaller." in finding.message
    assert finding.evidence is not None
    assert finding.evidence.shapes == (("input", (32, 5)),)


def test_a_squashed_logit_is_measured_too(tmp_path: Path) -> None:
    (finding,) = watched(written(tmp_path, "F.cross_entropy(torch.sigmoid(model(x)), y)")).findings
    assert finding.code == "LOS212"
    assert "this run confirms it: gradient" in finding.message


def test_what_the_run_does_not_show_is_a_note(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    text = (FIXTURES / "good" / "batch_of_one.py").read_text()
    assert text.count("torch.randn(1, 16), torch.randint(0, 5, (1,))") == 1
    # What the size of the batch is, only the run knows.
    path.write_text(
        text.replace(
            "torch.randn(1, 16), torch.randint(0, 5, (1,))", "torch.randn(n, 16), torch.randint(0, 5, (n,))"
        )
        .replace("import torch\n", "import os\n\nimport torch\n", 1)
        .replace("torch.manual_seed(0)\n", "torch.manual_seed(0)\nn = min(os.cpu_count(), 1)\n", 1)
    )
    stream = io.StringIO()
    watch = watched(path, on_finding="report", file=stream)
    assert watch.findings == ()
    (note,) = watch.notes
    assert "check reports LOS101" in note
    assert "the tensors of this run do not show it" in note
    assert stream.getvalue().startswith(f"note: {note}\n")


def test_what_did_not_run_is_not_spoken_of(tmp_path: Path) -> None:
    path = written(tmp_path, "F.cross_entropy(model(x), y)")
    path.write_text(
        path.read_text() + "\n\ndef unused(x, y):\n    return F.cross_entropy(F.softmax(x, dim=1), y)\n"
    )
    watch = watched(path)
    assert (watch.findings, watch.notes) == ((), ())


def test_comments_and_configuration_hold_for_the_static_check(tmp_path: Path) -> None:
    path = written(tmp_path, "F.cross_entropy(torch.sigmoid(model(x)), y)  # noqa: LOS212")
    assert watched(path).findings == ()
    path = written(tmp_path, "F.cross_entropy(torch.sigmoid(model(x)), y)")
    assert watched(path, ignore=["LOS212"]).findings == ()
    assert watched(path, check=False).findings == ()


def test_factors() -> None:
    def evidence(flagged: float, fixed: float, cosine: float | None = 1.0) -> Evidence:
        return Evidence("gradient", Comparison(1.0, 1.0), Comparison(flagged, fixed), cosine)

    assert factor(evidence(1.0, 5.8)) == "gradient 5.8 times smaller"
    assert factor(evidence(4.0, 1.0)) == "gradient 4 times larger"
    assert factor(evidence(0.0, 1.0)) == "no gradient arrives"
    assert factor(evidence(1.0, 1.0, 0.5)) == "the gradient points elsewhere (cosine 0.50)"
    assert factor(evidence(1.0, 1.0)) == ""
    assert factor(None) == ""
