"""The static check, the harness and the watcher on one case: they agree, and the documentation says what each tells."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from loss_lint.cli import main
from loss_lint.watching.cases import Answer, Case, Kind, of_examples, of_file

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "agreement.md").read_text(encoding="utf-8").splitlines()
FOLDERS = sorted(folder for folder in (ROOT / "fixtures" / "rules").iterdir() if folder.is_dir())
SCRIPTS = [
    path for kind in ("bad", "raising") for path in sorted((ROOT / "fixtures" / "watch" / kind).glob("*.py"))
]
HEAD = "import torch.nn.functional as F\n\n\n"
BUG = (
    "def step(model, x, y):\n    loss = F.cross_entropy(F.softmax(model(x), dim=1), y)\n    loss.backward()\n"
)


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_of_docs", ROOT / "docs" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_all_three_agree_on_the_fixtures_of_a_rule(folder: Path, build: ModuleType) -> None:
    assert build.fixture_row(folder) in PAGE, "run `python docs/build.py --agreement`"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_all_three_agree_on_a_program_that_runs(path: Path, build: ModuleType) -> None:
    rows = build.script_rows(path)
    assert rows
    assert set(rows) <= set(PAGE), "run `python docs/build.py --agreement`"


def test_all_three_agree_on_the_examples_of_the_rules() -> None:
    cases = list(of_examples())
    assert [case for case in cases if not case.agrees] == []
    assert {case.kind for case in cases} == {"flagged", "fixed"}


def case(static: str, harness: str, watcher: str, kind: Kind = "flagged") -> Case:
    one, two, three = (Answer(outcome) for outcome in (static, harness, watcher))  # type: ignore[arg-type]
    return Case("LOS201", "a.py", 1, kind, one, two, three)


def test_what_agreement_is() -> None:
    assert case("finds", "confirms", "finds").agrees
    assert case("finds", "confirms", "blind").agrees
    assert case("blind", "-", "finds").agrees
    assert case("silent", "-", "silent").agrees
    assert not case("finds", "refutes", "finds").agrees
    assert not case("finds", "confirms", "silent").agrees
    assert not case("silent", "-", "finds").agrees
    assert case("-", "-", "silent", "fixed").agrees
    assert not case("-", "-", "finds", "fixed").agrees


def test_a_file_of_the_users(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.py").write_text(HEAD + BUG)
    assert main(["prove", "--files", str(tmp_path), "--output-format", "json"]) == 0
    flagged, fixed = json.loads(capsys.readouterr().out)
    assert (flagged["code"], flagged["line"], flagged["kind"]) == ("LOS201", 5, "flagged")
    assert [flagged[one]["outcome"] for one in ("static", "harness", "watcher")] == [
        "finds",
        "confirms",
        "finds",
    ]
    assert [fixed[one]["outcome"] for one in ("static", "harness", "watcher")] == [None, None, "silent"]


def test_nothing_of_a_file_is_run(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(HEAD + BUG + "\n\nraise SystemExit('run')\n")
    assert [one.watcher.outcome for one in of_file(str(path))] == ["finds", "silent"]


def test_a_program_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        "import torch\n" + HEAD + "model = torch.nn.Linear(8, 3)\nfor _ in range(4):\n"
        "    x, y = torch.randn(16, 8), torch.randint(0, 3, (16,))\n"
        "    F.cross_entropy(model(x).softmax(1), y).backward()\nprint('done')\n"
    )
    assert main(["prove", "--scripts", str(path)]) == 0
    head, row, summary = capsys.readouterr().out.splitlines()
    assert head.split() == ["case", "static", "harness", "watcher"]
    assert row.startswith("LOS201 ")
    assert row.endswith("train.py:8 run  finds   confirms: value+gradient  finds")
    assert summary.startswith("1 of 1 cases agree;")


def test_a_path_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--files", "nowhere.py"]) == 2
    assert "nowhere.py does not exist" in capsys.readouterr().err
