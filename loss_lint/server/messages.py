"""What the server and its worker say to each other: plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loss_lint.findings import Edit, Evidence, Finding, Place
    from loss_lint.server.options import Options


# What is told


@dataclass(frozen=True, slots=True)
class Setup:
    """The folders of the workspace, and the editor's settings."""

    folders: tuple[str, ...]
    options: Options


@dataclass(frozen=True, slots=True)
class Buffer:
    """The text of an open document; None when it is closed, and the file counts again."""

    path: str
    data: bytes | None


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Files that have changed on disk, or of which there are more or fewer."""

    paths: tuple[str, ...]


# What is asked


@dataclass(frozen=True, slots=True)
class Lint:
    """Lint a file; with `search`, after a look at the whole project.

    When `quick`, as its callers are remembered and without fixes.
    """

    path: str
    search: bool
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Hover:
    """What the losses at a place compute, and what the findings there mean; 1-based, in characters."""

    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Measure:
    """Run the expression of a file's finding of `code` at `place` in torch."""

    path: str
    code: str
    place: Place


@dataclass(frozen=True, slots=True)
class Mend:
    """What an open document becomes when all fixes are made that change nothing else; with `unsafe`, of numbers too."""

    path: str
    unsafe: bool


Told = Setup | Buffer | OnDisk
Asked = Lint | Hover | Measure | Mend


# What is answered


@dataclass(frozen=True, slots=True)
class Found:
    """A finding; the edit that disables it for its line, and what its place reads."""

    finding: Finding
    disable: Edit | None
    text: str


@dataclass(frozen=True, slots=True)
class Linted:
    """What a file's lint gave: its findings as `check` shows them.

    `lines` are the texts of all lines that the findings' places begin or end in, `files` what it followed from.
    `starts` are a notebook's cells with Python, and the first line of each in the module that they make. Without
    `is_whole`, callers were not looked at again or fixes not written. `problem` is what is wrong with the
    configuration, `failure` the trace of an internal error.
    """

    path: str
    found: tuple[Found, ...]
    lines: Mapping[tuple[str, int], str]
    files: frozenset[str] = frozenset()
    starts: tuple[tuple[int, int], ...] = ()
    is_parsable: bool = True
    is_whole: bool = True
    can_measure: bool = False
    unsafe_fixes: bool = False
    problem: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a hover shows, as Markdown, and the place that it is about."""

    markdown: str
    place: Place
    lines: Mapping[tuple[str, int], str]


@dataclass(frozen=True, slots=True)
class Measured:
    """What torch computed, in words too; None where the finding is not there any more."""

    evidence: Evidence | None
    line: str


@dataclass(frozen=True, slots=True)
class Change:
    """Lines of a document, counted from zero and the last one excluded, and the text that replaces them.

    In a notebook they are those of a cell, counted from one over cells of all kinds.
    """

    first: int
    last: int
    text: str
    cell: int = 0


@dataclass(frozen=True, slots=True)
class Mended:
    """What fixes change in a document."""

    changes: tuple[Change, ...] = ()


Answer = Linted | Shown | Measured | Mended | None


@dataclass(frozen=True, slots=True)
class Request:
    """A question and its number; the answer carries the same one."""

    number: int
    asked: Asked


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a question. `superseded` says that something newer came first, `failure` that it went wrong."""

    number: int
    answer: Answer = None
    superseded: bool = False
    failure: str | None = None
