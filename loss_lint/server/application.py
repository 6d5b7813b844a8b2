"""The language server's state: its documents, what was found in them, and what the client can do."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import PyglsError
from pygls.lsp.server import LanguageServer

from loss_lint import __version__
from loss_lint.server.checks import TYPING, Checks, Outcome
from loss_lint.server.diagnostics import diagnostics
from loss_lint.server.documents import Documents
from loss_lint.server.locations import Locator
from loss_lint.server.messages import Buffer, Measure, Measured, OnDisk, Setup
from loss_lint.server.notebooks import Notebooks
from loss_lint.server.options import Options, read_options
from loss_lint.server.process import Failed, Process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.server.messages import Found, Told

_LANGUAGES = frozenset({"python", ""})
# All cells of a notebook: which one a finding stands in is counted over those of all kinds.
_NOTEBOOKS = types.NotebookDocumentSyncOptions(
    [types.NotebookDocumentFilterWithNotebook("jupyter-notebook")], save=True
)
_CONFIGURATION = frozenset({"pyproject.toml", "loss-lint.toml"})


class Server(LanguageServer):
    """The server of one client: its documents, what was found in them, and what the client can do."""

    def __init__(self) -> None:
        super().__init__(
            "loss-lint",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            notebook_document_sync=_NOTEBOOKS,
        )
        self.documents = Documents()
        self.notebooks = Notebooks()
        self.options = Options()
        self.worker = Process(self._state)
        self.checks = Checks(self.documents, self.worker, self._done)
        self._evidence: dict[tuple[str, str, str], str] = {}
        self._results: dict[str, tuple[str, list[types.Diagnostic]]] = {}
        self._published: dict[str, tuple[int | None, list[types.Diagnostic]]] = {}
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._refreshing: asyncio.TimerHandle | None = None
        self._problem: str | None = None

    # What the client can do

    @property
    def encoding(self) -> str:
        encoding = self.workspace.position_encoding
        return encoding.value if isinstance(encoding, types.PositionEncodingKind) else str(encoding)

    @property
    def pulls(self) -> bool:
        """Whether the client asks for diagnostics by itself."""
        capabilities = self.client_capabilities.text_document
        return capabilities is not None and capabilities.diagnostic is not None

    @property
    def _refreshes(self) -> bool:
        capabilities = self.client_capabilities.workspace
        return bool(capabilities and capabilities.diagnostics and capabilities.diagnostics.refresh_support)

    @property
    def _relates(self) -> bool:
        """Whether the client shows places that belong to a diagnostic."""
        capabilities = self.client_capabilities.text_document
        if capabilities is None:
            return False
        for one in (capabilities.publish_diagnostics, capabilities.diagnostic):
            if one is not None and one.related_information:
                return True
        return False

    @property
    def has_versions(self) -> bool:
        """Whether the client takes edits with the versions of the documents that they were made for."""
        capabilities = self.client_capabilities.workspace
        return bool(
            capabilities and capabilities.workspace_edit and capabilities.workspace_edit.document_changes
        )

    @property
    def resolves(self) -> bool:
        """Whether the client asks for an action's edit when it is chosen."""
        capabilities = self.client_capabilities.text_document
        action = capabilities.code_action if capabilities is not None else None
        support = action.resolve_support if action is not None else None
        has_data = action is not None and bool(action.data_support)
        return support is not None and has_data and "edit" in support.properties

    # What the worker knows

    def _state(self) -> Iterator[Told]:
        yield self._setup()
        for document in self.documents.all():
            yield Buffer(document.path, document.data)

    def _setup(self) -> Setup:
        return Setup(self._folders(), self.options)

    def _folders(self) -> tuple[str, ...]:
        uris = [folder.uri for folder in self.workspace.folders.values()]
        if not uris and self.workspace.root_uri:
            uris = [self.workspace.root_uri]
        return tuple(sorted({self.documents.path(uri) for uri in uris if uri.startswith("file:")}))

    def configure(self, given: Any) -> None:
        """Take the editor's settings."""
        read = read_options(given)
        self.options = read.options
        for problem in read.problems:
            self.log(f"settings: {problem}", types.MessageType.Warning)
        self.restart()

    def restart(self) -> None:
        """Begin again with other folders or settings."""
        folders = self._folders()
        self.documents.folder = folders[0] if folders else os.getcwd()
        self.worker.tell(self._setup())
        self.recheck(search=True)

    def start(self) -> None:
        """Begin to lint."""
        self.spawn(self.checks.run())

    def spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log(f"{type(error).__name__}: {error}", types.MessageType.Error)

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self.worker.stop()

    def log(self, text: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """Say something in the client's log."""
        self.window_log_message(types.LogMessageParams(kind, text))

    def report_server_error(self, error: Exception, source: type[PyglsError | Exception]) -> None:  # noqa: ARG002
        """An error in the server goes to the log: the editor's user can do nothing about it."""
        self.log(f"{type(error).__name__}: {error}", types.MessageType.Error)

    # Documents

    def opened(self, item: types.TextDocumentItem) -> None:
        if item.language_id not in _LANGUAGES and not item.uri.endswith(".py"):
            return
        document = self.documents.put(item.uri, item.version, item.text)
        self.worker.tell(Buffer(document.path, document.data))
        self.checks.want(document.path, search=True, edited=True)

    def changed(self, uri: str, version: int | None, text: str) -> None:
        if self.documents.of(uri) is None:
            return
        document = self.documents.put(uri, version, text)
        self.worker.tell(Buffer(document.path, document.data))
        self.checks.want(document.path, after=TYPING, edited=True, quick=True)

    def saved(self, uri: str) -> None:
        document = self.documents.of(uri)
        if document is not None:
            self.checks.want(document.path, search=True, edited=True)

    def closed(self, uri: str) -> None:
        if self.documents.of(uri) is None:
            return
        path = self.documents.drop(uri)
        self.worker.tell(Buffer(path, None))
        self.checks.forget(path)
        for gone in self.notebooks.drop(path) or (uri,):
            self._gone(gone)
        self.checks.want_dependents(path, 0.0)

    def _gone(self, uri: str) -> None:
        """Nothing is shown any more in a document, or in a cell."""
        self._results.pop(uri, None)
        self._published.pop(uri, None)
        if not self.pulls:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def notebook_opened(self, uri: str) -> None:
        path = self._take_notebook(uri)
        if path is not None:
            self.checks.want(path, search=True, edited=True)

    def notebook_changed(self, uri: str) -> None:
        before = self.notebooks.at(self.documents.path(uri))
        path = self._take_notebook(uri)
        if path is None or before is None:
            return
        now = self.notebooks.at(path)
        left = {cell.uri for cell in now.cells} if now is not None else set()
        for cell in before.cells:
            if cell.uri not in left:
                self._gone(cell.uri)
        self.checks.want(path, after=TYPING, edited=True, quick=True)

    def _take_notebook(self, uri: str) -> str | None:
        """Tell the worker what a notebook holds now; gives its path, or None for one that is not linted."""
        document = self.workspace.get_notebook_document(notebook_uri=uri)
        if document is None:
            return None
        notebook = self.notebooks.put(self.documents.path(uri), document, self.workspace.text_documents.get)
        if notebook is None:
            return None
        held = self.documents.put(uri, notebook.version, notebook.text)
        self.worker.tell(Buffer(held.path, held.data))
        return held.path

    def home(self, uri: str) -> tuple[str, str]:
        """The path of what is linted where a document is, for a cell its notebook, and the document's address."""
        known = self.notebooks.of_cell(uri)
        if known is not None:
            return known
        path = self.documents.path(uri)
        return path, self.documents.uri(path)

    def on_disk(self, changes: list[types.FileEvent]) -> None:
        """Files were written, made or removed by somebody else."""
        paths = {self.documents.path(change.uri): change.type for change in changes}
        code = [path for path in paths if path.endswith(".py")]
        if any(os.path.basename(path) in _CONFIGURATION for path in paths):
            self.recheck(search=True)
        if code:
            self.worker.tell(OnDisk(tuple(code)))
        if any(paths[path] != types.FileChangeType.Changed for path in code):
            self.recheck(search=True)
        for path in code:
            self.checks.want_dependents(path, TYPING)

    def recheck(self, *, search: bool) -> None:
        """Lint every open document again."""
        for document in self.documents.all():
            self.checks.want(document.path, search=search)

    # Diagnostics

    def _done(self, outcome: Outcome, before: Outcome | None) -> None:
        linted = outcome.linted
        if linted.failure is not None:
            self.log(f"{linted.path}: {linted.failure}", types.MessageType.Error)
        if linted.problem is not None and linted.problem != self._problem:
            self.log(linted.problem, types.MessageType.Error)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, linted.problem))
        self._problem = linted.problem
        if not self.pulls:
            self._publish(outcome)
        elif before is not None and before.linted.found != linted.found:
            self._refresh()

    def locator(self, outcome: Outcome) -> Locator:
        """What finds the places of an outcome in the documents."""
        notebook = self.notebooks.at(outcome.linted.path)
        return Locator(self.encoding, self.documents.uri, outcome.versions, notebook, outcome.linted.starts)

    def shown(self, outcome: Outcome) -> list[tuple[str, types.Diagnostic]]:
        """An outcome's diagnostics, each with the address of its document."""
        if not self.options.enable:
            return []
        shown = diagnostics(outcome.linted, self.locator(outcome), self._measured)
        if not self._relates:
            for _, one in shown:
                one.related_information = None
        return shown

    def _publish(self, outcome: Outcome) -> None:
        path = outcome.linted.path
        versions = {self.documents.uri(path): outcome.versions.get(path)}
        notebook = self.notebooks.at(path)
        if notebook is not None:
            if notebook.version != outcome.versions.get(path):
                return  # its cells are others now, and are being linted
            versions = {cell.uri: cell.version for cell in notebook.cells if cell.is_python}
        shown = self.shown(outcome)
        for uri, version in versions.items():
            items = [one for home, one in shown if home == uri]
            if self._published.get(uri) != (version, items):
                self._published[uri] = (version, items)
                self.text_document_publish_diagnostics(
                    types.PublishDiagnosticsParams(uri, items, version=version)
                )

    def result(self, outcome: Outcome, uri: str) -> tuple[str, list[types.Diagnostic]]:
        """An outcome's diagnostics in one document, with a name that stays the same while they do."""
        items = [one for home, one in self.shown(outcome) if home == uri]
        known = self._results.get(uri)
        if known is None or known[1] != items:
            self._count += 1
            known = self._results[uri] = (str(self._count), items)
        return known

    def _refresh(self) -> None:
        """Ask the client to pull again, once for all that changes at a time."""
        if self._refreshes and self._refreshing is None:
            self._refreshing = asyncio.get_running_loop().call_later(TYPING, self._send_refresh)

    def _send_refresh(self) -> None:
        self._refreshing = None
        self.workspace_diagnostic_refresh(None)

    # Evidence

    def _measured(self, found: Found) -> str | None:
        return self._evidence.get(_key(found))

    async def measure(self, uri: str, code: str, path: str, line: int, column: int) -> str | None:
        """Measure a finding in a process of its own; gives the evidence in words."""
        document = self.documents.of(uri)
        outcome = None if document is None else await self.checks.current(document.path)
        if outcome is None:
            return None
        found = next(
            (
                one
                for one in outcome.linted.found
                if one.finding.code == code
                and (one.finding.place.path, one.finding.place.line, one.finding.place.column)
                == (path, line, column)
            ),
            None,
        )
        if found is None:
            return None
        process = Process(self._state)
        try:
            answer = await process.ask(Measure(outcome.linted.path, code, found.finding.place))
        except Failed as error:
            self.log(f"measuring {code} failed: {error}", types.MessageType.Error)
            return None
        finally:
            await process.stop()
        assert isinstance(answer, Measured)
        if answer.evidence is not None:
            self._evidence[_key(found)] = answer.line
            self._show_again(outcome)
        return answer.line

    def _show_again(self, outcome: Outcome) -> None:
        newest = self.checks.outcomes.get(outcome.linted.path)
        if newest is not None and not self.pulls:
            self._publish(newest)
        elif newest is not None:
            self._refresh()


def _key(found: Found) -> tuple[str, str, str]:
    """What tells a finding whose lines may move: its code, its file and the text of its place."""
    return (found.finding.code, found.finding.place.path, found.text)
