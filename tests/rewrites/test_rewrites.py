"""A bug stays a bug when its program is written otherwise: each finding of the bad fixtures survives each rewrite."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rewriting import MAIN, REWRITES, Files, named_first, unparsed

from loss_lint.rules import all_rules
from loss_lint.runner import lint_files
from loss_lint.syntax.sources import Memory

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "rules"
FOLDERS = sorted(folder.name for folder in FIXTURES.iterdir() if not folder.name.startswith("."))
OFF = {rule.code: rule.name for rule in all_rules() if not rule.default}

_MARK = re.compile(r"#((?: LOS\d{3})+)$")


def marked(files: Files) -> Counter[tuple[str, int, str]]:
    """The findings that trailing comments announce, by file, line and code."""
    return Counter(
        (path, number, code)
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if (mark := _MARK.search(line))
        for code in mark[1].split()
    )


def found(files: Files, folder: str) -> Counter[tuple[str, int, str]]:
    findings = lint_files(sorted(files), Memory(files), jobs=1).findings
    return Counter(
        (one.place.path, one.place.line, one.code) for one in findings if OFF.get(one.code, folder) == folder
    )


def compared(folder: str, rewrite: Callable[[str], Files]) -> tuple[int, list[str], list[str]]:
    """How many findings there should be, and which are lost and new."""
    before = (FIXTURES / folder / "bad.py").read_text(encoding="utf-8")
    files = rewrite(before)
    if rewrite in (named_first, unparsed):  # where findings stand now, no comment says
        wanted, seen = (_without_places(found(one, folder)) for one in ({MAIN: before}, files))
    else:  # where two stand in one line, one mark speaks of both
        wanted, seen = marked(files), Counter({*found(files, folder)})
    lost, new = wanted - seen, seen - wanted
    return wanted.total(), [*_shown(lost, files)], [*_shown(new, files)]


def _without_places(findings: Counter[tuple[str, int, str]]) -> Counter[tuple[str, int, str]]:
    return Counter(("", 0, code) for _, _, code in findings.elements())


def _shown(findings: Counter[tuple[str, int, str]], files: Files) -> Iterator[str]:
    for path, line, code in sorted(findings.elements()):
        text = files[path].splitlines()[line - 1].strip() if path else ""
        yield f"{code} {path}:{line}: {text}"


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.__name__)
@pytest.mark.parametrize("folder", FOLDERS)
def test_findings_survive(folder: str, rewrite: Callable[[str], Files]) -> None:
    total, lost, new = compared(folder, rewrite)
    assert total
    assert (lost, new) == ([], [])


def table() -> Iterator[str]:
    """For each rewrite, how many of the findings survive and how many are new."""
    yield "| rewrite | findings | kept | lost | new |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for rewrite in REWRITES:
        counts = [compared(folder, rewrite) for folder in FOLDERS]
        total, lost, new = (
            sum(part) for part in zip(*((n, len(x), len(y)) for n, x, y in counts), strict=True)
        )
        yield f"| {rewrite.__name__} | {total} | {total - lost} | {lost} | {new} |"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in table())
