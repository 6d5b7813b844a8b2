"""Linting from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import loss_lint

BAD = """import torch.nn.functional as F


def loss(x, y):
    return F.cross_entropy(F.softmax(x, dim=1), y)
"""


def test_a_text() -> None:
    (finding,) = loss_lint.lint_source(BAD, path="train.py")
    assert (finding.code, finding.place.path, finding.place.line) == ("LOS201", "train.py", 5)
    assert isinstance(finding, loss_lint.Finding)
    assert loss_lint.lint_source(BAD.encode()) != ()


def test_its_comments_count() -> None:
    assert loss_lint.lint_source(BAD.replace(", y)\n", ", y)  # noqa\n")) == ()


def test_rules_are_selected_as_on_the_command_line() -> None:
    assert loss_lint.lint_source(BAD, select=["LOS1"]) == ()
    assert loss_lint.lint_source(BAD, ignore=["softmax-into-cross-entropy"]) == ()
    with pytest.raises(ValueError, match="unknown rule selector `LOS9`"):
        loss_lint.lint_source(BAD, select=["LOS9"])


def test_what_cannot_be_parsed_is_a_finding() -> None:
    (finding,) = loss_lint.lint_source("import torch\ndef f(:\n")
    assert finding.code == "LOS000"


def test_files_and_folders(project: Path) -> None:
    (project / "a.py").write_text(BAD)
    (project / "sub").mkdir()
    (project / "sub" / "b.py").write_text(BAD)
    findings = loss_lint.lint_paths([project / "sub", "a.py"])
    assert [finding.place.path for finding in findings] == [
        str(project / "a.py"),
        str(project / "sub" / "b.py"),
    ]
    with pytest.raises(FileNotFoundError, match=r"gone\.py"):
        loss_lint.lint_paths(["gone.py"])


def test_findings_keep_their_witness() -> None:
    (finding,) = loss_lint.lint_source(BAD)
    assert finding.witness is not None


def test_there_is_nothing_else() -> None:
    assert set(loss_lint.__all__) <= set(dir(loss_lint))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = loss_lint.nonsense
