"""Diagnostics: pushed and pulled, at the right places, while files change."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytest_lsp")

from lsprotocol import types

Editor = Any  # what `conftest.py` has

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = """import torch.nn.functional as F


def step(model, x, y):
    loss = F.cross_entropy(model(x), y)
    loss.backward()
"""
BAD = GOOD.replace("model(x)", "model(x).softmax(1)")


def codes(found: list[types.Diagnostic]) -> list[object]:
    return [one.code for one in found]


def spans(found: list[types.Diagnostic]) -> list[tuple[int, int, int, int]]:
    return [
        (one.range.start.line, one.range.start.character, one.range.end.line, one.range.end.character)
        for one in found
    ]


async def test_a_finding_appears_goes_and_comes_back_as_the_text_changes(editor: Editor) -> None:
    editor.write("a/train.py", BAD)
    editor.open("a/train.py")
    (finding,) = await editor.published("a/train.py", 1)
    assert (finding.code, finding.source, finding.severity) == (
        "LOS201",
        "loss-lint",
        types.DiagnosticSeverity.Warning,
    )
    assert finding.code_description is None
    assert "softmax" in finding.message
    assert spans([finding]) == [(4, 11, 4, 50)]
    version = editor.change("a/train.py", GOOD)
    assert await editor.published("a/train.py", version) == []
    version = editor.change("a/train.py", "\n" + BAD)
    assert spans(await editor.published("a/train.py", version)) == [(5, 11, 5, 50)]


async def test_closing_a_document_clears_its_diagnostics(editor: Editor) -> None:
    editor.write("b/train.py", BAD)
    editor.open("b/train.py")
    assert codes(await editor.published("b/train.py", 1)) == ["LOS201"]
    editor.close("b/train.py")
    assert await editor.published("b/train.py") == []


async def test_a_text_that_cannot_be_parsed_is_one_error_and_recovers(editor: Editor) -> None:
    editor.write("c/train.py", BAD)
    editor.open("c/train.py")
    await editor.published("c/train.py", 1)
    for broken in (BAD.replace("(x)", "(x"), BAD[:-14], BAD + "\x00", BAD + "    '''", "\udcff" + BAD):
        version = editor.change("c/train.py", broken)
        (finding,) = await editor.published("c/train.py", version)
        if finding.code != "LOS201":  # the text may have been cut at a good place
            assert (finding.code, finding.severity) == ("LOS000", types.DiagnosticSeverity.Error)
    version = editor.change("c/train.py", BAD)
    assert codes(await editor.published("c/train.py", version)) == ["LOS201"]


async def test_related_information_leads_through_other_files(editor: Editor) -> None:
    net = editor.write(
        "d/net.py",
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))\n\n"
        "    def forward(self, x):\n        return self.head(x)\n",
    )
    editor.write(
        "d/train.py",
        "import torch.nn.functional as F\nfrom net import Net\n\nmodel = Net()\n\n\ndef step(x, y):\n"
        "    F.cross_entropy(model(x), y).backward()\n",
    )
    editor.open("d/train.py")
    (finding,) = await editor.published("d/train.py", 1)
    assert finding.code == "LOS201"
    related = finding.related_information or []
    assert net in [one.location.uri for one in related]


async def test_an_unsaved_buffer_counts_for_the_files_that_import_it(editor: Editor) -> None:
    net = "import torch\n\n\ndef predict(model, x):\n    return model(x)\n"
    editor.write("e/net.py", net)
    editor.write(
        "e/train.py",
        "import torch.nn.functional as F\nfrom net import predict\n\n\ndef step(model, x, y):\n"
        "    F.cross_entropy(predict(model, x), y).backward()\n",
    )
    editor.open("e/train.py")
    assert await editor.published("e/train.py", 1) == []
    editor.open("e/net.py")
    await editor.published("e/net.py", 1)
    editor.change("e/net.py", net.replace("model(x)", "model(x).softmax(-1)"))
    assert codes(await editor.published("e/train.py")) == ["LOS201"]
    editor.close("e/net.py")  # without saving: the file on disk counts again
    assert await editor.published("e/train.py") == []


async def test_a_file_that_is_being_typed_does_not_disturb_those_that_import_it(editor: Editor) -> None:
    net = "import torch\n\n\ndef predict(model, x):\n    return model(x).softmax(1)\n"
    editor.write("f/net.py", net)
    editor.write(
        "f/train.py",
        "import torch.nn.functional as F\nfrom net import predict\n\n\ndef step(model, x, y):\n"
        "    F.cross_entropy(predict(model, x), y).backward()\n",
    )
    editor.open("f/train.py")
    assert codes(await editor.published("f/train.py", 1)) == ["LOS201"]
    editor.open("f/net.py")
    await editor.published("f/net.py", 1)
    await asyncio.sleep(0.6)  # whatever opening causes has been said
    while not editor.nothing_published():
        await editor.published("f/train.py")
    version = editor.change("f/net.py", net + "def half(")
    assert codes(await editor.published("f/net.py", version)) == ["LOS000"]
    await asyncio.sleep(0.8)
    assert editor.nothing_published()


async def test_a_file_that_changes_on_disk_refreshes_what_imports_it(editor: Editor) -> None:
    net = "import torch\n\n\ndef predict(model, x):\n    return model(x)\n"
    editor.write("g/net.py", net)
    editor.write(
        "g/train.py",
        "import torch.nn.functional as F\nfrom net import predict\n\n\ndef step(model, x, y):\n"
        "    F.cross_entropy(predict(model, x), y).backward()\n",
    )
    editor.open("g/train.py")
    assert await editor.published("g/train.py", 1) == []
    editor.write("g/net.py", net.replace("model(x)", "model(x).softmax(-1)"))
    editor.touched("g/net.py", types.FileChangeType.Changed)
    assert codes(await editor.published("g/train.py")) == ["LOS201"]
    (editor.folder / "g/net.py").unlink()
    editor.touched("g/net.py", types.FileChangeType.Deleted)
    assert await editor.published("g/train.py") == []
    editor.write("g/net.py", net.replace("model(x)", "model(x).softmax(-1)"))
    editor.touched("g/net.py", types.FileChangeType.Created)
    assert codes(await editor.published("g/train.py")) == ["LOS201"]


async def test_watching_files_is_asked_of_the_client(editor: Editor) -> None:
    patterns = {
        watcher["globPattern"]
        for registration in editor.registered
        if registration.method == types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        for watcher in registration.register_options["watchers"]
    }
    assert {"**/*.py", "**/pyproject.toml"} <= patterns


async def test_a_caller_in_another_file_judges_a_function_when_it_is_opened(editor: Editor) -> None:
    engine = "def train(model, loss_fn, x, y):\n    loss = loss_fn(model(x), y)\n    loss.backward()\n"
    editor.write("h/engine.py", "import torch\n\n\n" + engine)
    editor.write(
        "h/main.py",
        "from torch import nn\nfrom engine import train\n\n\ndef main(x, y):\n"
        "    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))\n"
        "    train(model, nn.CrossEntropyLoss(), x, y)\n",
    )
    editor.open("h/engine.py")
    (finding,) = await editor.published("h/engine.py", 1)
    assert (finding.code, finding.range.start.line) == ("LOS201", 4)
    # The call that brings the parts together shows it too.
    editor.open("h/main.py")
    (finding,) = await editor.published("h/main.py", 1)
    assert (finding.code, finding.range.start.line) == ("LOS201", 6)
    assert editor.uri("h/engine.py") in [one.location.uri for one in finding.related_information or []]


async def test_while_typing_callers_say_what_they_said_and_are_looked_at_when_it_rests(
    editor: Editor,
) -> None:
    engine = (
        "import torch\n\n\ndef train(model, loss_fn, x, y):\n"
        "    loss = loss_fn(model(x), y)\n    loss.backward()\n"
    )
    editor.write("n/engine.py", engine)
    editor.write(
        "n/main.py",
        "from torch import nn\nfrom engine import train\n\n\ndef main(x, y):\n"
        "    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))\n"
        "    train(model, nn.CrossEntropyLoss(), x, y)\n",
    )
    editor.open("n/engine.py")
    assert spans(await editor.published("n/engine.py", 1)) == [(4, 11, 4, 31)]
    version = editor.change("n/engine.py", "# typed\n" + engine)
    assert spans(await editor.published("n/engine.py", version)) == [(5, 11, 5, 31)]
    version = editor.change("n/engine.py", "# typed\n" + engine.replace("(x), y)", "(x.float()), y)"))
    assert await editor.published("n/engine.py", version) == []  # what they said was of another line
    assert spans(await editor.published("n/engine.py", version)) == [(5, 11, 5, 39)]


async def test_nearest_configuration_and_noqa_hold_as_on_the_command_line(editor: Editor) -> None:
    editor.write("i/pyproject.toml", '[tool.loss-lint]\nignore = ["LOS201"]\n')
    editor.write("i/train.py", BAD)
    editor.open("i/train.py")
    assert await editor.published("i/train.py", 1) == []
    editor.write("i/pyproject.toml", "[tool.loss-lint]\n")
    editor.touched("i/pyproject.toml", types.FileChangeType.Changed)
    assert codes(await editor.published("i/train.py")) == ["LOS201"]
    silenced = BAD.replace(", y)\n", ", y)  # noqa: LOS201\n")
    assert await editor.published("i/train.py", editor.change("i/train.py", silenced)) == []


async def test_exclusion_and_a_projects_own_names_hold_as_on_the_command_line(editor: Editor) -> None:
    own = (
        '[tool.loss-lint]\nextend-exclude = ["old.py"]\nlosses = {"mine.ce" = "torch.nn.CrossEntropyLoss"}\n'
    )
    editor.write("o/pyproject.toml", own)
    editor.write("o/old.py", BAD)
    editor.open("o/old.py")
    assert await editor.published("o/old.py", 1) == []
    editor.open("o/new.py", "import torch\nimport mine\n" + BAD.replace("F.cross_entropy", "mine.ce()"))
    assert codes(await editor.published("o/new.py", 1)) == ["LOS201"]


async def test_a_configuration_that_cannot_be_read_is_said_and_left_out_of_account(editor: Editor) -> None:
    editor.write("j/pyproject.toml", '[tool.loss-lint]\nselekt = ["LOS"]\n')
    editor.write("j/train.py", BAD)
    editor.open("j/train.py")
    assert codes(await editor.published("j/train.py", 1)) == ["LOS201"]
    assert any("selekt" in one.message for one in editor.client.messages)


async def test_a_buffer_without_a_file_is_linted_too(editor: Editor) -> None:
    editor.open("untitled:Untitled-1", BAD)
    assert codes(await editor.published("untitled:Untitled-1", 1)) == ["LOS201"]
    editor.close("untitled:Untitled-1")
    assert await editor.published("untitled:Untitled-1") == []


async def test_a_file_outside_all_folders_is_linted_too(editor: Editor, tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(BAD)
    editor.open(path.as_uri(), BAD)
    assert codes(await editor.published(path.as_uri(), 1)) == ["LOS201"]


async def test_what_is_no_python_is_left_alone(editor: Editor) -> None:
    editor.open("untitled:notes", BAD, language="markdown")
    editor.write("k/train.py", GOOD)
    editor.open("k/train.py")
    assert await editor.published("k/train.py", 1) == []
    assert editor.nothing_published()


async def test_a_renamed_file_takes_its_diagnostics_along(editor: Editor) -> None:
    editor.write("l/old.py", BAD)
    editor.open("l/old.py")
    await editor.published("l/old.py", 1)
    (editor.folder / "l/old.py").rename(editor.folder / "l/new.py")
    editor.close("l/old.py")
    editor.open("l/new.py")
    assert await editor.published("l/old.py") == []
    assert codes(await editor.published("l/new.py", 1)) == ["LOS201"]


async def test_a_form_feed_and_odd_line_ends_move_no_place(editor: Editor) -> None:
    text = "x = 1\n\x0cy = '\u2028'\r\n" + BAD.replace("\n", "\r\n")
    editor.open("m.py", text)
    assert spans(await editor.published("m.py", 1)) == [(6, 11, 6, 50)]


async def test_columns_count_in_the_units_that_were_agreed_on(start: Any, tmp_path: Path) -> None:
    text = BAD.replace("    loss = ", "    s = 'äß😋😋'; loss = ")
    async with start(tmp_path, encodings=["utf-8", "utf-16"]) as editor:
        assert editor.result.capabilities.position_encoding == "utf-8"
        editor.open("a.py", text)
        (finding,) = await editor.published("a.py", 1)
        assert finding.range.start.character == 31
        shown = await editor.hover("a.py", 4, 31)
        assert "-log softmax(softmax(model(x)))[y]" in shown.contents.value
        assert await editor.hover("a.py", 4, 28) is None


async def test_who_pulls_gets_nothing_pushed_and_an_unchanged_report_for_what_it_has(puller: Editor) -> None:
    puller.write("a/train.py", BAD)
    puller.open("a/train.py")
    report = await puller.pull("a/train.py")
    assert report.kind == "full"
    assert codes(report.items) == ["LOS201"]
    again = await puller.pull("a/train.py", report.result_id)
    assert (again.kind, again.result_id) == ("unchanged", report.result_id)
    puller.change("a/train.py", GOOD)
    newest = await puller.pull("a/train.py", report.result_id)
    assert (newest.kind, list(newest.items)) == ("full", [])
    assert puller.nothing_published()


async def test_who_pulls_is_asked_to_pull_again_when_another_file_changes_the_result(puller: Editor) -> None:
    net = "import torch\n\n\ndef predict(model, x):\n    return model(x)\n"
    puller.write("b/net.py", net)
    puller.write(
        "b/train.py",
        "import torch.nn.functional as F\nfrom net import predict\n\n\ndef step(model, x, y):\n"
        "    F.cross_entropy(predict(model, x), y).backward()\n",
    )
    puller.open("b/train.py")
    assert list((await puller.pull("b/train.py")).items) == []
    puller.open("b/net.py")
    await puller.pull("b/net.py")
    before = puller.client.diagnostic_refresh_count
    puller.change("b/net.py", net.replace("model(x)", "model(x).softmax(-1)"))
    await puller.pull("b/net.py")
    for _ in range(600):
        if puller.client.diagnostic_refresh_count > before:
            break
        await asyncio.sleep(0.1)
    assert puller.client.diagnostic_refresh_count > before
    assert codes((await puller.pull("b/train.py")).items) == ["LOS201"]


async def test_pulling_a_document_that_is_not_open_gives_nothing(puller: Editor) -> None:
    assert list((await puller.pull("nowhere.py")).items) == []
