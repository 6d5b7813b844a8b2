"""What an editor offers to do about findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol.types import (
    CodeAction,
    CodeActionKind,
    Command,
    OptionalVersionedTextDocumentIdentifier,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

from loss_lint.server.positions import range_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lsprotocol.types import Diagnostic, Range

    from loss_lint.findings import Edit
    from loss_lint.server.checks import Outcome
    from loss_lint.server.messages import Found

FIX_ALL = "source.fixAll.loss-lint"
MEASURE = "loss-lint.measure"
KINDS = (CodeActionKind.QuickFix.value, FIX_ALL)


class Editor:
    """Writes actions for one outcome. `uri` gives the address of a path, `has_versions` says whether the client
    takes edits with the versions of the documents that they were made for.
    """

    def __init__(
        self, outcome: Outcome, encoding: str, uri: Callable[[str], str], *, has_versions: bool
    ) -> None:
        self._outcome = outcome
        self._encoding = encoding
        self._uri = uri
        self._has_versions = has_versions

    def actions(
        self, shown: Sequence[Diagnostic], wanted: Range, only: Sequence[str] | None, *, unsafe: bool
    ) -> list[CodeAction]:
        """The actions for a range, of the kinds in `only`; `shown` are the outcome's diagnostics.

        With `unsafe`, fixes that change numbers are among those that are all applied at once.
        """
        actions: list[CodeAction] = []
        if _is_wanted(CodeActionKind.QuickFix.value, only):
            for found, diagnostic in zip(self._outcome.linted.found, shown, strict=True):
                if _overlap(diagnostic.range, wanted):
                    actions += self._of(found, diagnostic)
        if _is_wanted(FIX_ALL, only):
            edits = [*self._all(unsafe=unsafe)]
            if edits:
                actions.append(
                    CodeAction("loss-lint: fix all auto-fixable problems", FIX_ALL, edit=self._edit(edits))
                )
        return actions

    def _of(self, found: Found, diagnostic: Diagnostic) -> Iterator[CodeAction]:
        finding, kind = found.finding, CodeActionKind.QuickFix
        if finding.fix is not None:
            is_safe = finding.fix.applicability == "safe"
            title = f"{finding.code}: {finding.fix.message}" + ("" if is_safe else " (changes the numbers)")
            edit = self._edit(finding.fix.edits)
            yield CodeAction(title, kind, [diagnostic], is_preferred=is_safe or None, edit=edit)
        if found.disable is not None:
            title = f"Disable {finding.code} for this line"
            yield CodeAction(title, kind, [diagnostic], edit=self._edit([found.disable]))
        if finding.claim and self._outcome.linted.can_measure:
            title = f"Measure {finding.code} in torch"
            place = finding.place
            arguments = [
                self._uri(self._outcome.linted.path),
                finding.code,
                place.path,
                place.line,
                place.column,
            ]
            yield CodeAction(title, kind, [diagnostic], command=Command(title, MEASURE, arguments=arguments))

    def _all(self, *, unsafe: bool) -> Iterator[Edit]:
        """The edits of all fixes in the file that can be made together, the first ones where they get in each
        other's way: the editor asks again after it has saved.
        """
        taken: list[Edit] = []
        for found in self._outcome.linted.found:
            fix = found.finding.fix
            if fix is None or (fix.applicability != "safe" and not unsafe):
                continue
            if any(edit.place.path != self._outcome.linted.path for edit in fix.edits):
                continue
            if not any(_meet(edit, other) for edit in fix.edits for other in taken):
                taken += fix.edits
        yield from taken

    def _edit(self, edits: Iterable[Edit]) -> WorkspaceEdit:
        by_path: dict[str, list[TextEdit]] = {}
        for edit in sorted(edits):
            span = range_of(edit.place, self._outcome.linted.lines, self._encoding)
            by_path.setdefault(edit.place.path, []).append(TextEdit(span, edit.content))
        if not self._has_versions:
            return WorkspaceEdit(changes={self._uri(path): texts for path, texts in by_path.items()})
        return WorkspaceEdit(
            document_changes=[
                TextDocumentEdit(
                    OptionalVersionedTextDocumentIdentifier(
                        self._uri(path), self._outcome.versions.get(path)
                    ),
                    list(texts),
                )
                for path, texts in by_path.items()
            ]
        )


def _is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Whether a kind, or one that it belongs to, was asked for."""
    return only is None or any(kind == one or kind.startswith(f"{one}.") or not one for one in only)


def _overlap(one: Range, other: Range) -> bool:
    return _at(one.start) <= _at(other.end) and _at(other.start) <= _at(one.end)


def _at(position: object) -> tuple[int, int]:
    return (position.line, position.character)  # type: ignore[attr-defined]


def _meet(one: Edit, other: Edit) -> bool:
    """Whether two edits touch the same text; equal ones are needed by two fixes and made once."""
    left, right = one.place, other.place
    return (
        left.path == right.path
        and (left.line, left.column) <= (right.end_line, right.end_column)
        and (right.line, right.column) <= (left.end_line, left.end_column)
    )
