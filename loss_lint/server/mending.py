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
    from loss_lint.server.notebooks import Cell

    Edited = Document | Cell


def edit_of(
    documents: Sequence[Edited], changes: Sequence[Change], encoding: str, *, has_versions: bool
) -> WorkspaceEdit:
    """The edit that makes changes in a document, or in the cells of a notebook.

    `has_versions` says whether the client takes versions with edits.
    """
    edits: list[tuple[Edited, list[TextEdit]]] = []
    for number, document in enumerate(documents, 1):
        lines = lines_of(document.text)
        own = [
            TextEdit(Range(_at(lines, one.first, encoding), _at(lines, one.last, encoding)), one.text)
            for one in changes
            if one.cell in (0, number)
        ]
        if own:
            edits.append((document, own))
    if not has_versions:
        return WorkspaceEdit(changes={document.uri: own for document, own in edits})
    return WorkspaceEdit(
        document_changes=[
            TextDocumentEdit(
                OptionalVersionedTextDocumentIdentifier(document.uri, document.version), list(own)
            )
            for document, own in edits
        ]
    )


def _at(lines: Sequence[str], number: int, encoding: str) -> Position:
    """Where a line begins, counted from zero; behind the last one, where the text ends."""
    if number == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        return Position(number - 1, units(lines[-1], encoding))
    return Position(number, 0)
