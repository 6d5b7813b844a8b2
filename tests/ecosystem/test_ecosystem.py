"""The findings in real packages are the judged ones; here those packages that lint in seconds, the others by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import run

QUICK = ["segmentation-models-pytorch", "pytorch-metric-learning", "recbole", "opacus"]


def test_every_pinned_package_is_judged() -> None:
    judged = run.recorded()
    assert sorted(judged) == sorted(run.pinned())
    assert [
        one for found in judged.values() for one in found if one.verdict == run.UNJUDGED or not one.why
    ] == []


def test_no_finding_is_false() -> None:
    assert [one for found in run.recorded().values() for one in found if one.verdict == "false"] == []


@pytest.mark.parametrize("package", QUICK)
def test_the_findings_are_the_judged_ones(package: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    work = tmp_path_factory.mktemp("ecosystem")
    try:
        folder = run.unpacked(package, run.pinned()[package], work)
    except subprocess.CalledProcessError:
        pytest.skip("the package cannot be downloaded here")
    assert run.changes(run.recorded()[package], run.linted(folder)) == ([], [])
