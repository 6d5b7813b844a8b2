"""What is offered for a finding: fixes, silence, numbers; and what a hover shows."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytest_lsp")

from lsprotocol import types

Editor = Any  # what `conftest.py` has

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAFE = """import torch
import torch.nn.functional as F


def step(model, x, y):
    s = "😋"; loss = F.cross_entropy(model(x), y, size_average=True)
    loss.mean().backward()
"""
UNSAFE = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(x)


def step(x, y):
    loss = nn.functional.cross_entropy(torch.softmax(Net()(x), dim=1), y)
    loss.backward()
"""


def applied(text: str, edit: types.WorkspaceEdit, uri: str, version: int) -> str:
    """The text after the edits of one document, which have to be for its version; columns are UTF-16 units."""
    (change,) = edit.document_changes
    assert (change.text_document.uri, change.text_document.version) == (uri, version)
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode("utf-16-le")) + 2)
    data = text.encode("utf-16-le")

    def at(position: types.Position) -> int:
        return starts[position.line] + 2 * position.character

    for one in sorted(change.edits, key=lambda one: at(one.range.start), reverse=True):
        new = one.new_text.encode("utf-16-le")
        data = data[: at(one.range.start)] + new + data[at(one.range.end) :]
    return data.decode("utf-16-le")


async def test_what_is_typed_is_answered_at_once_and_its_fixes_follow(editor: Editor) -> None:
    editor.open("typed.py", "import torch\n")
    await editor.published("typed.py", 1)
    version = editor.change("typed.py", SAFE)
    first = await editor.published("typed.py", version)
    assert [(one.code, one.data["fix"]) for one in first] == [("LOS107", None), ("LOS102", None)]
    # Who asks need not wait for a pause.
    assert any(one.startswith("LOS107: ") for one in await editor.actions("typed.py", 5))
    then = await editor.published("typed.py", version)
    assert [(one.code, one.data["fix"]) for one in then] == [("LOS107", "safe"), ("LOS102", "safe")]
    assert [one.range for one in then] == [one.range for one in first]


async def test_fixes_follow_after_a_pause(editor: Editor) -> None:
    editor.open("paused.py", "import torch\n")
    await editor.published("paused.py", 1)
    version = editor.change("paused.py", SAFE)
    fixes = [(await editor.published("paused.py", version))[0].data["fix"] for _ in range(2)]
    assert fixes == [None, "safe"]


async def test_a_safe_fix_is_preferred_and_made_for_the_version_that_it_saw(editor: Editor) -> None:
    editor.open("a.py", SAFE)
    await editor.published("a.py", 1)
    version = editor.change("a.py", "# typed\n" + SAFE)
    offered = await editor.actions("a.py", 6)
    (title,) = [title for title in offered if title.startswith("LOS107: ")]
    action = offered[title]
    assert (action.kind, action.is_preferred) == (types.CodeActionKind.QuickFix, True)
    assert [one.code for one in action.diagnostics] == ["LOS107"]
    fixed = applied("# typed\n" + SAFE, action.edit, editor.uri("a.py"), version)
    assert fixed == "# typed\n" + SAFE.replace(", size_average=True", "")
    version = editor.change("a.py", fixed)
    assert [one.code for one in await editor.published("a.py", version)] == ["LOS102"]


async def test_a_fix_that_changes_numbers_says_so_and_is_not_preferred(editor: Editor) -> None:
    editor.open("b.py", UNSAFE)
    await editor.published("b.py", 1)
    offered = await editor.actions("b.py", 14)
    (title,) = [title for title in offered if title.startswith("LOS201: ")]
    assert title.endswith("(changes the numbers)")
    assert not offered[title].is_preferred
    fixed = applied(UNSAFE, offered[title].edit, editor.uri("b.py"), 1)
    # The import of torch goes with its last use.
    assert fixed == UNSAFE.replace("torch.softmax(Net()(x), dim=1)", "Net()(x)").replace(
        "import torch\n", "", 1
    )


async def test_fix_all_makes_the_safe_fixes_of_the_file_and_no_others(editor: Editor) -> None:
    text = SAFE + UNSAFE.partition("\n\n\n")[2].replace("nn.", "torch.nn.").replace("def step", "def other")
    editor.open("c.py", text)
    found = await editor.published("c.py", 1)
    assert sorted(one.code for one in found) == ["LOS102", "LOS107", "LOS201"]
    offered = await editor.actions("c.py", 0, only=["source.fixAll"], last=0)
    (action,) = offered.values()
    assert action.kind == "source.fixAll.loss-lint"
    fixed = applied(text, action.edit, editor.uri("c.py"), 1)
    assert fixed == text.replace(", size_average=True", "").replace("loss.mean()", "loss")
    assert list(await editor.actions("c.py", 0, only=["source.organizeImports"], last=0)) == []
    (by_own_kind,) = (await editor.actions("c.py", 0, only=["source.fixAll.loss-lint"], last=0)).values()
    assert by_own_kind.edit == action.edit


FIRST_THE_MASK = """import torch
import torch.nn.functional as F


def step(x, y, mask):
    loss = F.cross_entropy(x, y, size_average=True).mean().mean()
    return loss
"""


async def test_fix_all_goes_on_until_nothing_is_left_as_on_the_command_line(editor: Editor) -> None:
    for name, newline in (("rounds.py", "\n"), ("crlf.py", "\r\n")):
        text = "# -*- coding: utf-8 -*-\n" + FIRST_THE_MASK.removesuffix("\n").replace(
            "torch\n", "torch # ö\n", 1
        )
        text = text.replace("\n", newline)
        editor.write(name, "")
        editor.open(name, text)
        await editor.published(name, 1)
        (action,) = (await editor.actions(name, 0, only=["source.fixAll"], last=0)).values()
        fixed = applied(text, action.edit, editor.uri(name), 1)
        (editor.folder / name).write_bytes(text.encode())
        command = [sys.executable, "-m", "loss_lint", "check", "--fix", "-q", "--isolated", "-n", name]
        subprocess.run(command, cwd=editor.folder, check=False)
        assert (editor.folder / name).read_bytes().decode() == fixed
        assert "F.cross_entropy(x, y)" + newline in fixed
        assert len(action.edit.document_changes[0].edits) == 1, "no other line is touched"
        # What was looked at on the way is gone: the document is what it was.
        version = editor.change(name, text)
        assert {one.code for one in await editor.published(name, version)} == {"LOS102", "LOS107"}
        editor.close(name)


async def test_fix_all_is_worked_out_when_it_is_chosen_where_the_editor_asks_for_that(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    async with start(tmp_path, resolves=True) as editor:
        editor.open("c.py", SAFE)
        await editor.published("c.py", 1)
        (action,) = (await editor.actions("c.py", 0, only=["source.fixAll"], last=0)).values()
        assert action.edit is None
        resolved = await editor.client.code_action_resolve_async(action)
        fixed = applied(SAFE, resolved.edit, editor.uri("c.py"), 1)
        assert fixed == SAFE.replace(", size_average=True", "").replace("loss.mean()", "loss")
        editor.change("c.py", fixed)
        assert (await editor.client.code_action_resolve_async(action)).edit is None


async def test_disabling_puts_a_comment_that_silences_the_finding(editor: Editor) -> None:
    text = UNSAFE.replace("dim=1), y)", "dim=1), y)  # why")
    editor.open("d.py", text)
    await editor.published("d.py", 1)
    action = (await editor.actions("d.py", 14))["Disable LOS201 for this line"]
    silenced = applied(text, action.edit, editor.uri("d.py"), 1)
    assert silenced == text.replace("# why", "# why  # noqa: LOS201")
    assert await editor.published("d.py", editor.change("d.py", silenced)) == []


async def test_disabling_joins_a_comment_that_is_there(editor: Editor) -> None:
    text = UNSAFE.replace("dim=1), y)", "dim=1), y)  # noqa: E501, B008 - long")
    editor.open("e.py", text)
    await editor.published("e.py", 1)
    action = (await editor.actions("e.py", 14))["Disable LOS201 for this line"]
    silenced = applied(text, action.edit, editor.uri("e.py"), 1)
    assert silenced == text.replace("E501, B008", "B008, E501, LOS201"), "as `--add-noqa` does"
    assert await editor.published("e.py", editor.change("e.py", silenced)) == []


async def test_disabling_a_finding_in_joined_lines_goes_to_the_end_of_these(editor: Editor) -> None:
    text = UNSAFE.replace(
        "torch.softmax(Net()(x), dim=1), y)", 'torch.softmax(Net()(x), dim=1), y); """a\nb"""'
    )
    editor.open("f.py", text)
    await editor.published("f.py", 1)
    action = (await editor.actions("f.py", 14))["Disable LOS201 for this line"]
    silenced = applied(text, action.edit, editor.uri("f.py"), 1)
    assert silenced == text.replace('b"""', 'b"""  # noqa: LOS201')
    assert await editor.published("f.py", editor.change("f.py", silenced)) == []


async def test_a_text_that_cannot_be_parsed_is_not_to_be_disabled(editor: Editor) -> None:
    editor.open("g.py", SAFE + "def (")
    await editor.published("g.py", 1)
    assert await editor.actions("g.py", 7) == {}


async def test_a_client_without_versions_gets_plain_changes(start: Any, tmp_path: Path) -> None:
    async with start(tmp_path, capabilities=types.ClientCapabilities()) as editor:
        editor.open("a.py", SAFE)
        await editor.published("a.py", 1)
        offered = await editor.actions("a.py", 5)
        (action,) = [action for title, action in offered.items() if title.startswith("LOS107: ")]
        assert action.edit.document_changes is None
        assert list(action.edit.changes) == [editor.uri("a.py")]


async def test_a_hover_shows_the_tree_the_formula_and_what_the_rule_says(editor: Editor) -> None:
    editor.open("h.py", UNSAFE)
    await editor.published("h.py", 1)
    shown = await editor.hover("h.py", 14, 30)
    text = shown.contents.value
    assert shown.contents.kind == types.MarkupKind.Markdown
    assert "**LOS201** softmax-into-cross-entropy" in text
    assert "Cross entropy applies log-softmax itself." in text
    tree = re.search(r"```text\n(.*?)\n```", text, re.DOTALL)
    assert tree is not None
    assert "cross_entropy --> h.py:15:12" in tree[1]
    assert "-> mean over all targets of -log softmax(softmax(" in tree[1]
    # A step of the loss elsewhere, and a place of none.
    assert "cross_entropy --> h.py:15:12" in (await editor.hover("h.py", 10, 20)).contents.value
    assert await editor.hover("h.py", 0, 3) is None
    assert await editor.hover("h.py", 100, 0) is None


async def test_a_hover_follows_what_is_typed(editor: Editor) -> None:
    editor.open("i.py", UNSAFE)
    await editor.published("i.py", 1)
    editor.change("i.py", UNSAFE.replace("torch.softmax(Net()(x), dim=1)", "Net()(x) * 2"))
    shown = await editor.hover("i.py", 14, 30)
    assert "LOS201" not in shown.contents.value
    assert " * 2" in shown.contents.value


async def test_a_finding_is_measured_in_torch_and_keeps_its_numbers(editor: Editor) -> None:
    pytest.importorskip("torch")
    editor.open("j.py", UNSAFE)
    (finding,) = await editor.published("j.py", 1)
    assert "Measure LOS201 in torch" in await editor.actions("j.py", 14)
    path = str(editor.folder / "j.py")
    command = types.ExecuteCommandParams("loss-lint.measure", [editor.uri("j.py"), "LOS201", path, 15, 12])
    said = await asyncio.wait_for(editor.client.workspace_execute_command_async(command), 120)
    assert re.match(r"loss \S+ -> \S+, gradient \S+ -> \S+ \(cosine \S+\), measured with torch", said)
    (measured,) = await editor.published("j.py")
    assert measured.message == f"{finding.message}\nMeasured: {said}"
    # They stay while other lines change, and go with the finding.
    (moved,) = await editor.published("j.py", editor.change("j.py", "\n" + UNSAFE))
    assert "Measured: " in moved.message
