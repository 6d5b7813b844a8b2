"""What an editor does to a document for all its fixes at once: the lines that change, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol.types import (
    OptionalVersionedTextDocumentIdentifier,
    Position,
    Range,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

from loss_lint.server.line_changes import lines_of
from loss_lint.server.positions import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.server.documents import Document
    from loss_lint.server.messages import Change


def edit_of(
    document: Document, changes: Sequence[Change], encoding: str, *, has_versions: bool
) -> WorkspaceEdit:
    """The edit that makes changes; `has_versions` says whether the client takes versions with edits."""
    lines = lines_of(document.text)
    edits = [
        TextEdit(Range(_at(lines, one.first, encoding), _at(lines, one.last, encoding)), one.text)
        for one in changes
    ]
    if not has_versions:
        return WorkspaceEdit(changes={document.uri: edits})
    versioned = OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
    return WorkspaceEdit(document_changes=[TextDocumentEdit(versioned, list(edits))])


def _at(lines: Sequence[str], number: int, encoding: str) -> Position:
    """Where a line begins, counted from zero; behind the last one, where the text ends."""
    if number == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        return Position(number - 1, units(lines[-1], encoding))
    return Position(number, 0)
