"""`prove --plot`: a rule's example trained as flagged and as fixed, and the picture of it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from loss_lint.cli import main
from loss_lint.harness import training
from loss_lint.harness.picture import Panel, draw
from loss_lint.harness.prove import training as trained_example
from loss_lint.harness.training import Course, Training, Untrainable

# The extra `plot` need not be installed where the tests run; what is trained on then stands in for the digits.
IMAGES = 600
TRAINED = training.trained


@pytest.fixture
def digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten clusters of points that are as easy to tell apart as digits are."""
    generator = torch.Generator().manual_seed(0)
    target = torch.arange(IMAGES) % 10
    centres = torch.rand(10, 64, generator=generator)
    data = (centres[target] + torch.randn(IMAGES, 64, generator=generator) / 8).clamp(0, 1)
    monkeypatch.setattr(training, "_digits", lambda: (data, target))
    monkeypatch.setattr(training, "_HELD_OUT", 100)


def few(code: str, monkeypatch: pytest.MonkeyPatch, steps: int = 120) -> Training:
    monkeypatch.setattr(training, "trained", lambda finding: TRAINED(finding, steps))
    return trained_example(code).training


@pytest.mark.usefixtures("digits")
class TestTraining:
    def test_both_runs_start_alike_and_end_apart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown = few("LOS201", monkeypatch)
        assert shown.flagged.accuracy[0] == shown.fixed.accuracy[0]
        assert len(shown.flagged.losses) == len(shown.fixed.losses) == 120
        assert shown.fixed.accuracy[-1][1] > 0.9 > 0.6 > shown.flagged.accuracy[-1][1]
        # Softmax takes the loss of ten classes to no less than this, however sure the network is.
        assert min(shown.flagged.losses) > math.log(math.e + 9) - 1

    def test_what_changes_no_number_changes_nothing_that_is_learned(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shown = few("LOS202", monkeypatch)
        assert shown.flagged.accuracy == shown.fixed.accuracy
        assert shown.flagged.losses == pytest.approx(shown.fixed.losses, rel=1e-4)

    def test_the_same_run_twice_gives_the_same_numbers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert few("LOS101", monkeypatch, 20) == few("LOS101", monkeypatch, 20)

    def test_where_torch_raises_nothing_is_learned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown = few("LOS303", monkeypatch, 20)
        assert shown.flagged.losses == ()
        assert "Float" in str(shown.flagged.error)
        assert shown.fixed.error is None

    @pytest.mark.parametrize(("code", "reason"), [("LOS502", "memory"), ("LOS103", "reported")])
    def test_what_concerns_no_training_says_so(self, code: str, reason: str) -> None:
        with pytest.raises(Untrainable, match=reason):
            trained_example(code)

    @pytest.mark.parametrize("code", ["LOS104", "LOS206", "LOS305", "LOS601"])
    def test_losses_of_other_kinds_learn_as_fixed(self, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
        shown = few(code, monkeypatch, 60)
        assert shown.fixed.error is None
        assert shown.fixed.losses[-1] < shown.fixed.losses[0]


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    runs = Training(
        Course(tuple(-(2.0**step) for step in range(40)), ((0, 0.1), (40, 0.2))),
        Course(tuple(1 / (1 + step) for step in range(40)), ((0, 0.1), (40, 0.9))),
        "some digits",
    )
    raised = Training(Course((), ((0, 0.1),), "it cannot be"), runs.fixed, "some digits")
    for name, shown in (("runs.png", runs), ("raised.png", raised)):
        draw(
            Panel("LOS204", "logits-into-nll", "import torch\na = 1\n", "a = 2\n", shown),
            str(tmp_path / name),
        )
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    draw(
        Panel("LOS204", "logits-into-nll", "import torch\na = 1\n", "a = 2\n", runs), str(tmp_path / "a.svg")
    )
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    for words in ("LOS204  logits-into-nll", "as flagged", "as fixed", "20 %", "90 %", "a = 1", "a = 2"):
        assert words in text
    assert "import torch" not in text


class TestCommand:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["LOS201", "--plot", "a.gif"], "`--plot` writes .png, .svg, .pdf files, not a.gif"),
            (["LOS2", "--plot", "a.png"], "`--plot` draws one rule, not "),
            (["--plot", "nowhere/a.png"], "nowhere is no folder"),
        ],
    )
    def test_wrong_usage(
        self, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["prove", *arguments]) == 2
        assert message in capsys.readouterr().err

    def test_what_is_missing_is_named(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(
            "loss_lint.harness.missing.find_spec", lambda name: None if name == "sklearn" else object()
        )
        assert main(["prove", "--plot", "a.png"]) == 2
        assert (
            'error: `--plot` cannot draw: scikit-learn is not installed: pip install "torch-loss-lint[plot]"'
            in capsys.readouterr().err
        )
        monkeypatch.setattr(
            "loss_lint.harness.missing.find_spec", lambda name: object() if name == "torch" else None
        )
        assert main(["prove", "--plot", "a.png"]) == 2
        assert "matplotlib and scikit-learn are not installed" in capsys.readouterr().err

    def test_a_rule_without_training_is_2(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("loss_lint.harness.missing.find_spec", lambda name: object())
        for code in ("LOS502", "LOS000"):
            assert main(["prove", code, "--plot", str(tmp_path / "a.png")]) == 2
            assert f"nothing can be trained with {code}: " in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.usefixtures("digits")
    def test_draws_a_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        pytest.importorskip("matplotlib")
        monkeypatch.setattr("loss_lint.harness.missing.find_spec", lambda name: object())
        monkeypatch.setattr(training, "trained", lambda finding: TRAINED(finding, 20))
        assert main(["prove", "--plot", str(tmp_path / "a.png")]) == 0
        assert "LOS201 softmax-into-cross-entropy, trained" in capsys.readouterr().out
        assert (tmp_path / "a.png").stat().st_size > 10_000

    def test_proofs_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["prove", "LOS201", "LOS303", "--output-format", "json"]) == 0
        first, second = json.loads(capsys.readouterr().out)
        assert (first["code"], first["name"], first["holds"]) == (
            "LOS201",
            "softmax-into-cross-entropy",
            True,
        )
        assert first["evidence"]["verdict"] in first["claim"]
        assert first["evidence"]["summary"].startswith("loss ")
        assert "F.softmax" in first["example"]
        assert second["evidence"]["error"] in second["evidence"]["summary"]
