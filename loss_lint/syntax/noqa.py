"""`# noqa` comments, with the meaning that flake8 gives them.

The two expressions and the way in which lines are joined are flake8 7's (`defaults.py`, `processor.py`,
`violation.py`): a comment holds for every line of a multi-line string or of lines joined by backslashes,
codes are prefixes and compared with their case, and `# flake8: noqa` on a line of its own silences the
whole file, whatever codes follow it.
"""

from __future__ import annotations

import io
import re
import tokenize
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from loss_lint.findings import Edit, Place
from loss_lint.syntax.module import decode
from loss_lint.syntax.sources import snapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from loss_lint.findings import Finding
    from loss_lint.syntax.sources import Sources

INLINE = re.compile(r"# noqa(?::[\s]?(?P<codes>([A-Z]+[0-9]+(?:[,\s]+)?)+))?", re.IGNORECASE)
_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)
SEPARATOR = re.compile(r"[,\s]")
_SKIPPED = frozenset({tokenize.ENDMARKER, tokenize.DEDENT})
_LINE_ENDS = frozenset({tokenize.NL, tokenize.NEWLINE})


class NoqaComments:
    """The `# noqa` comments of one file, given its lines with their ends."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._whole_file = any(_FILE.match(line) for line in lines)
        self._holds_comments = any(INLINE.search(line) for line in lines)

    def silences(self, code: str, line: int) -> bool:
        """Whether a finding of `code` whose first physical line is `line` is silenced."""
        if self._whole_file:
            return True
        if not self._holds_comments:  # the tokenizer is slow, and most files have nothing for it
            return False
        first, last = self._span(line)
        return _covers("".join(self._lines[first - 1 : last]), code)

    def silencing(
        self, codes: Collection[str], line: int, reason: str = ""
    ) -> tuple[int, int, int, str] | None:
        """A line, two columns in it and the text to put between them, so that `codes` are silent on `line`.

        A `reason` of one line stands behind the codes. A comment that is there already takes the codes in, sorted;
        what else it says stays. None where no comment helps: the file cannot be taken apart, or a string holds what
        flake8 takes for the comment.
        """
        first, last = self._span(line)
        if self._taken_apart is None or not 1 <= last <= len(self._lines):
            return None
        text = self._lines[last - 1].rstrip("\r\n")
        comment = self._taken_apart.comments.get(last)
        known = None if comment is None else INLINE.search(text, comment)
        if known is None or known["codes"] is None:
            start, end = len(text.rstrip()), len(text)
            written = f"  # noqa: {', '.join(sorted(codes))} {reason}".rstrip()
        else:
            start, end = known.span()
            merged = sorted({*codes, *filter(None, SEPARATOR.split(known["codes"]))})
            said = text[end:].strip()
            written = f"# noqa: {', '.join(merged)} {'' if reason in said else reason}".rstrip()
            written += " " if said else ""
        after = "".join(self._lines[first - 1 : last - 1]) + text[:start] + written + text[end:]
        if not all(_covers(after, code) for code in codes):
            return None
        return last, start + 1, end + 1, written

    def row(self, line: int) -> int:
        """The line whose end is the place for a comment that silences `line`."""
        return self._span(line)[1]

    def _span(self, line: int) -> tuple[int, int]:
        found = self._taken_apart
        return (line, line) if found is None else found.spans.get(line, (line, line))

    @cached_property
    def _taken_apart(self) -> _Tokens | None:
        return _tokens(self._lines)


class Suppressions:
    """The `# noqa` comments of a project, each file read when a finding first asks for it."""

    def __init__(self, sources: Sources) -> None:
        self._sources = snapshot(sources)
        self._files: dict[str, NoqaComments] = {}

    def silences(self, finding: Finding) -> bool:
        """Whether a comment at the finding's place, or at the call that brought its parts together, holds."""
        return self.silences_at(finding.code, (finding.place, *finding.also))

    def silences_at(self, code: str, places: Iterable[Place]) -> bool:
        return any(self._comments(place.path).silences(code, place.line) for place in places)

    def silencing(self, code: str, place: Place) -> Edit | None:
        """The edit that silences `code` at a place; None where none can."""
        found = self._comments(place.path).silencing([code], place.line)
        if found is None:
            return None
        line, start, end, text = found
        return Edit(Place(place.path, line, start, line, end), text)

    def row(self, place: Place) -> int:
        """The line, counted as the place's is, whose end is where a comment that silences it belongs."""
        notebook = self._sources.notebook(place.path) if place.cell else None
        if notebook is None:
            return self._comments(place.path).row(place.line)
        line = notebook.line(place.cell, place.line)
        return notebook.cell_and_row(self._comments(place.path).row(line))[1]

    def _comments(self, path: str) -> NoqaComments:
        comments = self._files.get(path)
        if comments is None:
            comments = self._files[path] = NoqaComments(_read_lines(self._sources, path))
        return comments


def _read_lines(sources: Sources, path: str) -> list[str]:
    try:
        data = sources.read(path)
    except (OSError, ValueError):
        return []
    try:
        text = decode(data)
    except (SyntaxError, UnicodeError, LookupError):
        # flake8 reads such a file as latin-1, where every byte is a character.
        text = data.decode("latin-1")
    return io.StringIO(text, newline=None).readlines()


def _covers(text: str, code: str) -> bool:
    """Whether the first comment in lines that count as one silences `code`."""
    comment = INLINE.search(text)
    if comment is None:
        return False
    codes = comment["codes"]
    return codes is None or code.startswith(tuple(part for part in SEPARATOR.split(codes) if part))


class _Tokens(NamedTuple):
    """By each line's number: the first and last of the lines that count as one with it, where its comment begins."""

    spans: dict[int, tuple[int, int]]
    comments: dict[int, int]


def _tokens(lines: Sequence[str]) -> _Tokens | None:
    """What the tokenizer tells of a file; None for one that it cannot take apart."""
    found = _Tokens({}, {})
    first, last = len(lines) + 2, -1
    rest = iter(lines)
    try:
        for token in tokenize.generate_tokens(lambda: next(rest)):
            if token.type in _SKIPPED:
                continue
            if token.type == tokenize.COMMENT:
                found.comments[token.start[0]] = token.start[1]
            first, last = min(first, token.start[0]), max(last, token.end[0])
            if token.type in _LINE_ENDS:
                found.spans.update(dict.fromkeys(range(first, last + 1), (first, last)))
                first, last = len(lines) + 2, -1
    except (tokenize.TokenError, SyntaxError):
        return None
    return found
