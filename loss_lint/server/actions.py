"""What an editor offers to do about findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol.types import (
    CodeAction,
    CodeActionKind,
    Command,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lsprotocol.types import Diagnostic, Location, Range

    from loss_lint.findings import Edit
    from loss_lint.server.checks import Outcome
    from loss_lint.server.locations import Locator
    from loss_lint.server.messages import Found

FIX_ALL = "source.fixAll.loss-lint"
MEASURE = "loss-lint.measure"
# What VS Code asks for when it saves a notebook; an action for one cell would be made for each of them.
NOTEBOOK_FIX_ALL = f"notebook.{FIX_ALL}"
KINDS = (CodeActionKind.QuickFix.value, FIX_ALL, NOTEBOOK_FIX_ALL)


class Editor:
    """Writes actions for one outcome. `has_versions` says whether the client takes edits with the versions of the
    documents that they were made for.
    """

    def __init__(self, outcome: Outcome, locator: Locator, *, has_versions: bool) -> None:
        self._outcome = outcome
        self._locator = locator
        self._has_versions = has_versions

    def actions(
        self, shown: Sequence[tuple[str, Diagnostic]], wanted: Location, only: Sequence[str] | None
    ) -> list[CodeAction]:
        """The actions for a range of a document, of the kinds in `only`; `shown` are the outcome's diagnostics."""
        actions: list[CodeAction] = []
        if is_wanted(CodeActionKind.QuickFix.value, only):
            for found, (uri, diagnostic) in zip(self._outcome.linted.found, shown, strict=True):
                if uri == wanted.uri and _overlap(diagnostic.range, wanted.range):
                    actions += self._of(found, diagnostic)
        return actions

    def fix_all(self, only: Sequence[str] | None, *, unsafe: bool) -> CodeAction | None:
        """The action that makes all fixes of the file, without its edit; None where it has none, or nobody asks.

        With `unsafe`, fixes that change numbers are among them.
        """
        kinds = (FIX_ALL,) if self._locator.notebook is None else (FIX_ALL, NOTEBOOK_FIX_ALL)
        kind = next((one for one in kinds if is_wanted(one, only)), None)
        if kind is None:
            return None
        path = self._outcome.linted.path
        fixes = (found.finding.fix for found in self._outcome.linted.found)
        if not any(
            fix is not None
            and (unsafe or fix.applicability == "safe")
            and all(edit.place.path == path for edit in fix.edits)
            for fix in fixes
        ):
            return None
        return CodeAction(
            "loss-lint: fix all auto-fixable problems",
            kind,
            data={"uri": self._locator.uri(path), "unsafe": unsafe},
        )

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
                self._locator.uri(self._outcome.linted.path),
                finding.code,
                place.path,
                place.line,
                place.column,
            ]
            yield CodeAction(title, kind, [diagnostic], command=Command(title, MEASURE, arguments=arguments))

    def _edit(self, edits: Iterable[Edit]) -> WorkspaceEdit:
        by_document: dict[tuple[str, str], list[TextEdit]] = {}
        for edit in sorted(edits):
            here = self._locator.location(edit.place, self._outcome.linted.lines)
            by_document.setdefault((here.uri, edit.place.path), []).append(TextEdit(here.range, edit.content))
        if not self._has_versions:
            return WorkspaceEdit(changes={uri: texts for (uri, _), texts in by_document.items()})
        return WorkspaceEdit(
            document_changes=[
                TextDocumentEdit(self._locator.document(uri, path), list(texts))
                for (uri, path), texts in by_document.items()
            ]
        )


def is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Whether a kind, or one that it belongs to, was asked for."""
    return only is None or any(kind == one or kind.startswith(f"{one}.") or not one for one in only)


def _overlap(one: Range, other: Range) -> bool:
    return _at(one.start) <= _at(other.end) and _at(other.start) <= _at(one.end)


def _at(position: object) -> tuple[int, int]:
    return (position.line, position.character)  # type: ignore[attr-defined]
