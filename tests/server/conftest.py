"""A client for the language server, with what the tests say again and again."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if find_spec("pytest_lsp") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    import pytest_asyncio
    from lsprotocol import types
    from pytest_lsp import make_test_lsp_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from pytest_lsp import LanguageClient

SERVER = (sys.executable, "-m", "loss_lint", "server")
# Seconds after which a message counts as missing.
PATIENCE = 20


def client_capabilities(
    *, pulls: bool, encodings: list[str] | None = None, resolves: bool = False
) -> types.ClientCapabilities:
    kinds = [types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]
    return types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=encodings),
        text_document=types.TextDocumentClientCapabilities(
            diagnostic=types.DiagnosticClientCapabilities() if pulls else None,
            publish_diagnostics=types.PublishDiagnosticsClientCapabilities(
                related_information=True,
                version_support=True,
                data_support=True,
                tag_support=types.ClientDiagnosticsTagOptions([types.DiagnosticTag.Deprecated]),
            ),
            code_action=types.CodeActionClientCapabilities(
                is_preferred_support=True,
                data_support=resolves,
                resolve_support=types.ClientCodeActionResolveOptions(["edit"]) if resolves else None,
                code_action_literal_support=types.ClientCodeActionLiteralOptions(
                    types.ClientCodeActionKindOptions(kinds)
                ),
            ),
            hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
        ),
        notebook_document=types.NotebookDocumentClientCapabilities(
            types.NotebookDocumentSyncClientCapabilities()
        ),
        workspace=types.WorkspaceClientCapabilities(
            workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True),
            diagnostics=types.DiagnosticWorkspaceClientCapabilities(refresh_support=pulls),
            did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
            configuration=True,
        ),
    )


class Editor:
    """A client and the workspace that it has opened."""

    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client, self.folder = client, folder
        self.result: types.InitializeResult
        self.registered: list[types.Registration] = []
        self.commands: list[types.Command] = []
        self._versions: dict[str, int] = {}
        self._published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()

    async def start(
        self, capabilities: types.ClientCapabilities, folders: list[Path], options: object
    ) -> None:
        publish = types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS
        self.client.protocol.fm._features.pop(publish, None)
        self.client.feature(publish)(lambda params: self._published.put_nowait(params))  # noqa: PLW0108
        register = types.CLIENT_REGISTER_CAPABILITY
        self.client.protocol.fm._features.pop(register, None)
        self.client.feature(register)(lambda params: self.registered.extend(params.registrations))
        self.result = await self.client.initialize_session(
            types.InitializeParams(
                capabilities=capabilities,
                workspace_folders=[types.WorkspaceFolder(one.as_uri(), one.name) for one in folders],
                initialization_options=options,
            )
        )

    def write(self, name: str, text: str) -> str:
        """Put a file on disk; gives its address."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path.as_uri()

    def uri(self, name: str) -> str:
        return name if ":" in name else (self.folder / name).as_uri()

    def open(self, name: str, text: str | None = None, language: str = "python") -> None:
        """Open a file, or a text that is not the file's."""
        uri = self.uri(name)
        self._versions[uri] = 1
        content = (self.folder / name).read_text(encoding="utf-8") if text is None else text
        item = types.TextDocumentItem(uri, language, 1, content)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, name: str, text: str) -> int:
        """Type; gives the new version."""
        uri = self.uri(name)
        self._versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(self._versions[uri], uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        return self._versions[uri]

    def save(self, name: str) -> None:
        document = types.TextDocumentIdentifier(self.uri(name))
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(document))

    def close(self, name: str) -> None:
        document = types.TextDocumentIdentifier(self.uri(name))
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    def touched(self, name: str, kind: types.FileChangeType) -> None:
        """Tell of what somebody else did to a file."""
        event = types.FileEvent(self.uri(name), kind)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    async def published(self, name: str, version: int | None = None) -> list[types.Diagnostic]:
        """The next diagnostics for a file, of a version if one is given."""
        uri = self.uri(name)
        while True:
            params = await asyncio.wait_for(self._published.get(), PATIENCE)
            if params.uri == uri and version in (None, params.version):
                return list(params.diagnostics)

    def nothing_published(self) -> bool:
        return self._published.empty()

    async def pull(self, name: str, previous: str | None = None) -> Any:
        document = types.TextDocumentIdentifier(self.uri(name))
        params = types.DocumentDiagnosticParams(document, previous_result_id=previous)
        return await asyncio.wait_for(self.client.text_document_diagnostic_async(params), PATIENCE)

    async def actions(
        self, name: str, line: int, *, only: list[str] | None = None, last: int | None = None
    ) -> dict[str, types.CodeAction]:
        """What is offered on a line (from zero), by title."""
        span = types.Range(types.Position(line, 0), types.Position(line if last is None else last, 0))
        if last is None:
            span.end.character = 200
        document = types.TextDocumentIdentifier(self.uri(name))
        params = types.CodeActionParams(document, span, types.CodeActionContext([], only))
        found = await asyncio.wait_for(self.client.text_document_code_action_async(params), PATIENCE)
        return {one.title: one for one in found or []}

    async def hover(self, name: str, line: int, character: int) -> types.Hover | None:
        document = types.TextDocumentIdentifier(self.uri(name))
        params = types.HoverParams(document, types.Position(line, character))
        return await asyncio.wait_for(self.client.text_document_hover_async(params), PATIENCE)


@asynccontextmanager
async def running(
    folder: Path,
    *,
    pulls: bool = False,
    encodings: list[str] | None = None,
    options: object = None,
    folders: list[Path] | None = None,
    capabilities: types.ClientCapabilities | None = None,
    environment: dict[str, str] | None = None,
    resolves: bool = False,
) -> AsyncIterator[Editor]:
    """An editor with a server of its own."""
    client = make_test_lsp_client()
    await client.start_io(*SERVER, env={**os.environ, **(environment or {})})
    editor = Editor(client, folder)
    try:
        given = capabilities or client_capabilities(pulls=pulls, encodings=encodings, resolves=resolves)
        await editor.start(given, folders or [folder], options)
        yield editor
        await asyncio.wait_for(client.shutdown_session(), PATIENCE)
    finally:
        if client._server.returncode is None:
            client._server.kill()  # `stop` would wait for it
        await client.stop()


if find_spec("pytest_lsp") is not None:

    @pytest_asyncio.fixture(loop_scope="module", scope="module")
    async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
        """An editor that takes what is pushed; the tests of a file share it, each with a folder of its own in it."""
        async with running(tmp_path_factory.mktemp("workspace")) as started:
            yield started

    @pytest_asyncio.fixture(loop_scope="module", scope="module")
    async def puller(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
        """An editor that pulls."""
        async with running(tmp_path_factory.mktemp("pulled"), pulls=True) as started:
            yield started


@pytest.fixture
def start() -> Callable[..., Any]:
    """Starts an editor with a server of its own: an asynchronous context manager, see `running`."""
    return running
