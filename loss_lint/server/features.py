"""The protocol's features, each a translation between its messages and the server's state."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from loss_lint.server.actions import KINDS, MEASURE, Editor
from loss_lint.server.application import Server
from loss_lint.server.diagnostics import SOURCE
from loss_lint.server.mending import edit_of
from loss_lint.server.messages import Hover, Mend, Mended, Shown
from loss_lint.server.options import SECTION
from loss_lint.server.positions import characters, range_of
from loss_lint.server.process import Failed, Superseded

if TYPE_CHECKING:
    from collections.abc import Callable

_WATCHED = ("**/*.py", "**/pyproject.toml", "**/loss-lint.toml")


def initialize(ls: Server, params: types.InitializeParams) -> None:
    ls.configure(params.initialization_options)


async def initialized(ls: Server, params: types.InitializedParams) -> None:
    ls.start()
    await _register_dynamically(ls)


async def shutdown(ls: Server, params: None) -> None:
    await ls.stop()


def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    ls.opened(params.text_document)


def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    uri = params.text_document.uri
    text = ls.workspace.get_text_document(uri).source
    ls.changed(uri, params.text_document.version, text)


def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    ls.saved(params.text_document.uri)


def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    ls.closed(params.text_document.uri)


def notebook_did_open(ls: Server, params: types.DidOpenNotebookDocumentParams) -> None:
    ls.notebook_opened(params.notebook_document.uri)


def notebook_did_change(ls: Server, params: types.DidChangeNotebookDocumentParams) -> None:
    ls.notebook_changed(params.notebook_document.uri)


def notebook_did_save(ls: Server, params: types.DidSaveNotebookDocumentParams) -> None:
    ls.saved(params.notebook_document.uri)


def notebook_did_close(ls: Server, params: types.DidCloseNotebookDocumentParams) -> None:
    ls.closed(params.notebook_document.uri)


def did_change_watched_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    ls.on_disk(list(params.changes))


def did_change_folders(ls: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
    ls.restart()


async def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
    given = params.settings
    capabilities = ls.client_capabilities.workspace
    if not given and capabilities is not None and capabilities.configuration:
        item = types.ConfigurationItem(section=SECTION)
        (given,) = await ls.workspace_configuration_async(types.ConfigurationParams([item]))
    ls.configure(given)


async def diagnostic(
    ls: Server,
    params: types.DocumentDiagnosticParams,
) -> types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport:
    path, uri = ls.home(params.text_document.uri)
    outcome = await ls.checks.current(path)
    if outcome is None:
        return types.RelatedFullDocumentDiagnosticReport([])
    name, items = ls.result(outcome, uri)
    if name == params.previous_result_id:
        return types.RelatedUnchangedDocumentDiagnosticReport(name)
    return types.RelatedFullDocumentDiagnosticReport(items, result_id=name)


async def code_action(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction] | None:
    path, uri = ls.home(params.text_document.uri)
    outcome = await ls.checks.current(path, whole=True)
    if outcome is None or not ls.options.enable:
        return None
    editor = Editor(outcome, ls.locator(outcome), has_versions=ls.has_versions)
    only = (
        None
        if params.context.only is None
        else [str(getattr(one, "value", one)) for one in params.context.only]
    )
    actions = editor.actions(ls.shown(outcome), types.Location(uri, params.range), only)
    all_at_once = editor.fix_all(only, unsafe=ls.options.unsafe_fixes or outcome.linted.unsafe_fixes)
    if all_at_once is not None:
        if not ls.resolves:
            await code_action_resolve(ls, all_at_once)
        if ls.resolves or all_at_once.edit is not None:
            actions.append(all_at_once)
    return actions


async def code_action_resolve(ls: Server, params: types.CodeAction) -> types.CodeAction:
    data: Any = params.data
    document = ls.documents.of(data["uri"]) if params.kind in KINDS and data else None
    if document is None:
        return params
    try:
        mended = await ls.worker.ask(Mend(document.path, bool(data["unsafe"])))
    except (Failed, Superseded) as error:
        ls.log(f"fixes: {error}", types.MessageType.Error)
        return params
    is_current = ls.documents.at(document.path) is document
    if is_current and isinstance(mended, Mended) and mended.changes:
        notebook = ls.notebooks.at(document.path)
        documents = [document] if notebook is None else notebook.cells
        params.edit = edit_of(documents, mended.changes, ls.encoding, has_versions=ls.has_versions)
    return params


async def hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    path, uri = ls.home(params.text_document.uri)
    document = ls.documents.at(path)
    if document is None or not (ls.options.enable and ls.options.hover):
        return None
    outcome = await ls.checks.current(path)
    line: int | None = params.position.line + 1
    text = document.line(params.position.line + 1)
    notebook = ls.notebooks.at(path)
    if notebook is not None and outcome is not None:
        text = next((cell.line(params.position.line + 1) for cell in notebook.cells if cell.uri == uri), "")
        line = ls.locator(outcome).module_line(uri, params.position.line + 1)
    if line is None:
        return None
    column = characters(text, params.position.character, ls.encoding) + 1
    try:
        shown = await ls.worker.ask(Hover(document.path, line, column))
    except (Failed, Superseded) as error:
        ls.log(f"hover: {error}", types.MessageType.Error)
        return None
    if not isinstance(shown, Shown):
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, shown.markdown)
    if notebook is not None and outcome is not None:
        return types.Hover(content, ls.locator(outcome).location(shown.place, shown.lines).range)
    return types.Hover(content, range_of(shown.place, shown.lines, ls.encoding))


async def measure(ls: Server, uri: str, code: str, path: str, line: int, column: int) -> str | None:
    said = await ls.measure(uri, code, path, line, column)
    if said is not None:
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Info, f"{code}: {said}"))
    return said


async def _register_dynamically(server: Server) -> None:
    """Ask the client to tell of changes on disk and of its configuration, where it can."""
    workspace = server.client_capabilities.workspace
    wanted: list[types.Registration] = []
    watched = workspace.did_change_watched_files if workspace is not None else None
    if watched is not None and watched.dynamic_registration:
        watchers = [types.FileSystemWatcher(pattern) for pattern in _WATCHED]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        wanted.append(types.Registration("watched-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options))
    settings = workspace.did_change_configuration if workspace is not None else None
    if settings is not None and settings.dynamic_registration:
        section = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        wanted.append(types.Registration("configuration", types.WORKSPACE_DID_CHANGE_CONFIGURATION, section))
    if wanted:
        await server.client_register_capability_async(types.RegistrationParams(wanted))


_FEATURES: dict[str, Callable[..., Any]] = {
    types.INITIALIZE: initialize,
    types.INITIALIZED: initialized,
    types.SHUTDOWN: shutdown,
    types.TEXT_DOCUMENT_DID_OPEN: did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: did_change,
    types.TEXT_DOCUMENT_DID_SAVE: did_save,
    types.TEXT_DOCUMENT_DID_CLOSE: did_close,
    types.NOTEBOOK_DOCUMENT_DID_OPEN: notebook_did_open,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: notebook_did_change,
    types.NOTEBOOK_DOCUMENT_DID_SAVE: notebook_did_save,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: notebook_did_close,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: did_change_watched_files,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: did_change_folders,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: did_change_configuration,
    types.TEXT_DOCUMENT_DIAGNOSTIC: diagnostic,
    types.TEXT_DOCUMENT_CODE_ACTION: code_action,
    types.CODE_ACTION_RESOLVE: code_action_resolve,
    types.TEXT_DOCUMENT_HOVER: hover,
}
_OPTIONS = {
    types.TEXT_DOCUMENT_DIAGNOSTIC: types.DiagnosticOptions(
        inter_file_dependencies=True, workspace_diagnostics=False, identifier=SOURCE
    ),
    types.TEXT_DOCUMENT_CODE_ACTION: types.CodeActionOptions(
        code_action_kinds=list(KINDS), resolve_provider=True
    ),
}


def serve() -> None:
    """Serve one client on standard input and output, until it leaves."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not get among the messages
    server = Server()
    for method, handler in _FEATURES.items():
        server.feature(method, _OPTIONS.get(method))(handler)
    server.command(MEASURE)(measure)
    with suppress(KeyboardInterrupt):
        server.start_io(stdout=answers)
