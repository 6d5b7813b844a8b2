"""Notebooks on the command line and in the library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loss_lint.cli import main

HEAD = "%matplotlib inline\nimport torch\nimport torch.nn.functional as F\n!pip install rich"
BAD = "p = torch.softmax(z, dim=1)\nloss = F.cross_entropy(p, y)"


def code(source: str, **more: Any) -> dict[str, Any]:
    lines = source.splitlines(keepends=True)
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": lines,
        **more,
    }


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": [source]}


def notebook(*cells: dict[str, Any], **metadata: Any) -> str:
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_finding_is_told_by_its_cell(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells of all kinds count; magics, empty cells and those of other languages are passed over."""
    cells = [markdown("# Net"), code(HEAD), code(""), code("%%bash\nls"), code("%%time\n" + BAD)]
    (project / "net.ipynb").write_text(notebook(*cells), "utf-8")
    assert main(["check", "--no-cache", "--isolated", "--output-format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("net.ipynb:cell 5:3:8: LOS201 ")
