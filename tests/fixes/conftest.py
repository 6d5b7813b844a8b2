"""Programs as fixes would leave them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping

import pytest

from loss_lint.findings import Finding
from loss_lint.linter import Linter
from loss_lint.syntax.sources import Memory

Fixed = Callable[..., dict[str, str]]


def applied(texts: Mapping[str, str], findings: Iterable[Finding]) -> dict[str, str]:
    """The texts after the fixes of findings, of which one that meets another's text is left out."""
    edits = {path: dict[tuple[int, int], tuple[int, str]]() for path in texts}
    for finding in findings:
        own = [] if finding.fix is None else finding.fix.edits
        spans = [
            (edit.place.path, *_span(texts[edit.place.path], *_corners(edit.place)), edit.content)
            for edit in own
        ]
        if any(
            start < other_end
            and other_start < end
            and (start, end, content) != (other_start, other_end, other)
            for path, start, end, content in spans
            for (other_start, _), (other_end, other) in edits[path].items()
        ):
            continue
        for path, start, end, content in spans:
            edits[path][start, end] = (end, content)
    return {path: _edited(text, edits[path]) for path, text in texts.items()}


def _corners(place: object) -> tuple[int, int, int, int]:
    return place.line, place.column, place.end_line, place.end_column  # type: ignore[attr-defined]


def _span(text: str, line: int, column: int, end_line: int, end_column: int) -> tuple[int, int]:
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    return starts[line - 1] + column - 1, starts[end_line - 1] + end_column - 1


def _edited(text: str, edits: Mapping[tuple[int, int], tuple[int, str]]) -> str:
    for (start, end), (_, content) in sorted(edits.items(), reverse=True):
        text = text[:start] + content + text[end:]
    return text


@pytest.fixture
def fixed() -> Fixed:
    """Lints a project's files, which are given by their names, and gives the lines that fixes of a code changed.

    What comes out is, for each file with changes, its new lines that differ from the old ones, and `-` for each
    line that is gone.
    """

    def changed(code: str, head: str = "", **programs: str) -> dict[str, str]:
        texts = {f"/p/{name}.py": head + textwrap.dedent(text) for name, text in programs.items()}
        texts["/p/README.md"] = ""
        linter = Linter(Memory(texts), ("/p",), keeps_reports=True)
        found = {
            finding.sort_key(): finding
            for path in texts
            if path.endswith(".py")
            for finding in linter.lint(path)
            if finding.code == code
        }
        assert found, f"no {code} to fix"
        after = applied(texts, found.values())
        for path, text in after.items():
            if path.endswith(".py"):
                compile(text, path, "exec")
        return {
            path.removeprefix("/p/").removesuffix(".py"): _difference(texts[path], text)
            for path, text in after.items()
            if text != texts[path]
        }

    return changed


def _difference(before: str, after: str) -> str:
    from difflib import SequenceMatcher

    old, new = before.splitlines(), after.splitlines()
    shown: list[str] = []
    for tag, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            written = [line.strip() for line in new[start:end]]
            shown += written + ["-"] * (last - first - len(written))
    return "\n".join(shown)
