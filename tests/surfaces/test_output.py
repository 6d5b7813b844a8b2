"""Where `check` writes its report, and in which formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loss_lint.cli import main
from loss_lint.report import formats

HEAD = "import torch; cross_entropy\n"


@pytest.fixture
def bad(project: Path, linter: object) -> Path:
    """A file with one finding of the linter that stands in for the real one."""
    path = project / "bad.py"
    path.write_text(f"{HEAD}bad(1)\n")
    return path


def check(*arguments: str) -> int:
    return main(["check", "--no-cache", *arguments])


@pytest.mark.parametrize("name", formats.NAMES)
def test_a_file_gets_what_standard_output_would(
    bad: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert check("--output-format", name) == 1
    written = capsys.readouterr().out
    assert check("--output-format", name, "-o", "report.txt") == 1
    assert capsys.readouterr() == ("", "")
    assert Path("report.txt").read_text(encoding="utf-8") == written
    assert "LOS201" in written


@pytest.mark.parametrize("name", formats.NAMES)
def test_only_people_are_told_that_nothing_was_found(
    project: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (project / "good.py").write_text("import torch\n")
    assert check("--output-format", name) == 0
    assert ("All checks passed!" in capsys.readouterr().out) == (name in formats.FOR_PEOPLE)


def test_the_folders_of_a_file_are_made(bad: Path) -> None:
    assert check("--output-file", "a/b/report.json", "--output-format", "json") == 1
    assert len(json.loads(Path("a/b/report.json").read_text())) == 1


def test_an_earlier_report_is_replaced(bad: Path) -> None:
    Path("report.txt").write_text("old\n" * 1000)
    check("-o", "report.txt", "-q", "--output-format", "pylint")
    assert Path("report.txt").read_text() == "bad.py:2: [LOS201] cross_entropy gets probabilities.\n"


def test_a_file_is_not_coloured(bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    check("-o", "report.txt", "--color", "always")
    assert "\x1b" not in Path("report.txt").read_text()


@pytest.mark.parametrize("target", [".", "bad.py/report.txt"])
def test_a_file_that_cannot_be_written_is_a_failure(
    bad: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    assert check("-o", target) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {target}: ")


def test_statistics_can_go_to_a_file(bad: Path) -> None:
    assert check("--statistics", "-o", "counts.json", "--output-format", "json") == 1
    assert json.loads(Path("counts.json").read_text())[0]["count"] == 1


@pytest.mark.parametrize("name", [name for name in formats.NAMES if name not in formats.FOR_STATISTICS])
def test_statistics_have_few_formats(bad: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert check("--statistics", "--output-format", name) == 2
    assert capsys.readouterr() == (
        "",
        f"error: `--statistics` has no output format `{name}`; it has `concise`, `full`, `json`\n",
    )


def test_an_unknown_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        check("--output-format", "xml")
    assert stopped.value.code == 2
    assert "invalid choice: 'xml'" in capsys.readouterr().err
