"""The evaluator, tested by small programs that say in a comment what each `reveal(...)` prints.

A line that several roots reach lists each text once, in the order in which they come, joined by ` ; `.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loss_lint.symbolic.describe import reveal
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.root import evaluate_roots
from loss_lint.syntax.sources import Folder

FOLDER = Path(__file__).parents[2] / "fixtures" / "reveal"
PROGRAMS = sorted(FOLDER.glob("*.py"))

# What a careful reader would know and the evaluator does not yet stands behind it: `# wanted: ...`.
_EXPECTED = re.compile(r"# revealed: (.*?\S)(?:\s+# wanted: .*)?$")


def expected(program: Path) -> dict[int, str]:
    """What each line says it reveals."""
    lines = program.read_text(encoding="utf-8").splitlines()
    return {row: found[1] for row, line in enumerate(lines, 1) if (found := _EXPECTED.search(line))}


def revealed(program: Path) -> dict[int, str]:
    """What the evaluator reveals, by line."""
    path = str(program)
    machine = Machine(Folder())
    for _ in evaluate_roots(machine, path):
        pass
    texts: dict[int, list[str]] = {}
    for site, value in machine.reveals:
        known = texts.setdefault(site.line, [])
        text = reveal(value)
        if text not in known:
            known.append(text)
    return {row: " ; ".join(known) for row, known in sorted(texts.items())}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_program_reveals_what_its_comments_say(program: Path) -> None:
    assert revealed(program) == expected(program)


def test_every_reveal_states_what_it_reveals() -> None:
    silent = [
        f"{program.name}:{row}"
        for program in PROGRAMS
        for row, line in enumerate(program.read_text(encoding="utf-8").splitlines(), 1)
        if re.match(r"\s*reveal\(", line) and not _EXPECTED.search(line)
    ]
    assert not silent


def test_there_are_programs() -> None:
    assert PROGRAMS
