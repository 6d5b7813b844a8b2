"""Settings, folders, failures, and the end."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytest_lsp")

from lsprotocol import types

pytestmark = pytest.mark.asyncio

BAD = """import torch.nn.functional as F


def step(model, x, y):
    loss = F.cross_entropy(model(x).softmax(1), y)
    loss.backward()
"""
# A linter that fails, or ends its process, where the text asks for it.
FAILING = """
import os, time
from loss_lint.linter import Linter

whole = Linter._evaluated

def evaluated(self, path, *how, **also):
    text = self.project.read(path)
    if b"crash" in text:
        raise RuntimeError("boom")
    if b"die" in text:
        os._exit(9)
    if b"sleep" in text:
        time.sleep(1)
    return whole(self, path, *how, **also)

Linter._evaluated = evaluated
"""


def codes(found: list[types.Diagnostic]) -> list[object]:
    return [one.code for one in found]


async def test_the_editors_settings_go_over_the_files_and_can_change(start: Any, tmp_path: Path) -> None:
    given = {"settings": {"ignore": ["LOS201"], "extendSelect": ["LOS110"], "selct": ["LOS"]}}
    async with start(tmp_path, options=given) as editor:
        editor.write("a.py", BAD)
        editor.open("a.py")
        assert await editor.published("a.py", 1) == []
        assert any("did you mean `select`?" in one.message for one in editor.client.log_messages)

        def configure(settings: object) -> None:
            params = types.DidChangeConfigurationParams(settings)
            editor.client.workspace_did_change_configuration(params)

        configure({"loss-lint": {"select": ["LOS2"]}})
        assert codes(await editor.published("a.py")) == ["LOS201"]
        configure({"loss-lint": {"enable": False}})
        assert await editor.published("a.py") == []
        assert await editor.actions("a.py", 4) == {}
        assert await editor.hover("a.py", 4, 20) is None
        # A client that sends nothing is asked.
        editor.client.set_configuration({"enable": True}, section="loss-lint")
        configure(None)
        assert codes(await editor.published("a.py")) == ["LOS201"]
        configure({"loss-lint": {"ignore": ["LOS2"]}})
        assert await editor.published("a.py") == []
        configure({"loss-lint": {"select": ["LOS999999"]}})
        assert codes(await editor.published("a.py")) == ["LOS201"]
        assert any("LOS999999" in one.message for one in editor.client.messages)


async def test_each_folder_of_a_workspace_has_its_own_configuration(start: Any, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    async with start(tmp_path, folders=folders) as editor:
        editor.write("one/pyproject.toml", "[tool.loss-lint]\nignore = ['LOS201']\n")
        for name in ("one/a.py", "two/a.py"):
            editor.write(name, BAD)
            editor.open(name)
        assert await editor.published("one/a.py", 1) == []
        assert codes(await editor.published("two/a.py", 1)) == ["LOS201"]


@pytest.fixture
def failing(tmp_path: Path) -> dict[str, str]:
    """The environment of a linter that does what the text asks for."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(FAILING)
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])}


async def test_a_request_can_be_cancelled_and_others_are_answered(
    start: Any, tmp_path: Path, failing: dict[str, str]
) -> None:
    async with start(tmp_path, pulls=True, environment=failing) as editor:
        editor.open("a.py", BAD + "# sleep\n")
        document = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(editor.uri("a.py")))
        asked = editor.client.protocol.send_request(
            types.TEXT_DOCUMENT_DIAGNOSTIC, document, msg_id="to-cancel"
        )
        editor.client.cancel_request(types.CancelParams("to-cancel"))
        with pytest.raises(Exception, match=r"[Cc]ancel"):
            await asyncio.wrap_future(asked)
        assert codes((await editor.pull("a.py")).items) == ["LOS201"]


async def test_failures_are_findings_and_the_server_lives_on(
    start: Any, tmp_path: Path, failing: dict[str, str]
) -> None:
    async with start(tmp_path, environment=failing) as editor:
        editor.write("a.py", BAD)
        editor.open("a.py")
        assert codes(await editor.published("a.py", 1)) == ["LOS201"]
        for word, said in (("crash", "boom"), ("die", "its process ended")):
            (finding,) = await editor.published("a.py", editor.change("a.py", f"{BAD}# {word}\n"))
            assert (finding.code, finding.severity) == ("LOS999", types.DiagnosticSeverity.Error)
            assert said in finding.message
            assert any(said in one.message for one in editor.client.log_messages)
            assert codes(await editor.published("a.py", editor.change("a.py", BAD))) == ["LOS201"]


async def test_typing_faster_than_linting_is_answered_with_the_last_text(start: Any, tmp_path: Path) -> None:
    async with start(tmp_path) as editor:
        editor.write("a.py", BAD)
        editor.open("a.py")
        for number in range(60):
            version = editor.change("a.py", f"x = {number}\n{BAD}")
            if number % 10 == 0:
                await asyncio.sleep(0.05)
        (finding,) = await editor.published("a.py", version)
        assert finding.range.start.line == 5
