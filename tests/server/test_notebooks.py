"""Notebooks in an editor, which opens them cell by cell: one module, shown where it is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("pytest_lsp")

import pytest_asyncio
from lsprotocol import types

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE = 20
HEAD = "import torch\nimport torch.nn.functional as F\n%matplotlib inline"
STEP = 's = "😋"\n%time loss = F.cross_entropy(z.softmax(1), y)'
TWICE = "l = F.cross_entropy(z, y, size_average=True)\nm = l.mean()"
CODE, PROSE = types.NotebookCellKind.Code, types.NotebookCellKind.Markup


class Notebook:
    """An open notebook: cells are known by the letters of their addresses, and `%` begins a cell of prose."""

    def __init__(self, editor: Any, name: str) -> None:
        self.editor, self.name = editor, name
        self.uri = editor.uri(name)
        self.version = 1
        self.order: list[str] = []
        self.versions: dict[str, int] = {}

    def cell(self, letter: str) -> str:
        return self.uri.replace("file:", "vscode-notebook-cell:") + f"#{letter}"

    def item(self, letter: str, text: str, language: str) -> types.TextDocumentItem:
        self.versions[letter] = 1
        return types.TextDocumentItem(self.cell(letter), language, 1, text)

    def open(self, cells: dict[str, str], languages: dict[str, str] | None = None) -> None:
        self.order = list(cells)
        items = [
            self.item(one, text, (languages or {}).get(one, "markdown" if one == "m" else "python"))
            for one, text in cells.items()
        ]
        kinds = [types.NotebookCell(PROSE if one == "m" else CODE, self.cell(one)) for one in cells]
        document = types.NotebookDocument(self.uri, "jupyter-notebook", 1, kinds)
        self.editor.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(document, items))

    def _changed(self, cells: types.NotebookDocumentCellChanges) -> None:
        self.version += 1
        document = types.VersionedNotebookDocumentIdentifier(self.version, self.uri)
        change = types.NotebookDocumentChangeEvent(cells=cells)
        self.editor.client.notebook_document_did_change(
            types.DidChangeNotebookDocumentParams(document, change)
        )

    def change(self, letter: str, text: str) -> None:
        self.versions[letter] += 1
        document = types.VersionedTextDocumentIdentifier(self.versions[letter], self.cell(letter))
        whole = types.TextDocumentContentChangeWholeDocument(text)
        content = types.NotebookDocumentCellContentChanges(document, [whole])
        self._changed(types.NotebookDocumentCellChanges(text_content=[content]))

    def insert(self, at: int, letter: str, text: str) -> None:
        new = types.NotebookCell(CODE, self.cell(letter))
        array = types.NotebookCellArrayChange(at, 0, [new])
        opened = [self.item(letter, text, "python")]
        structure = types.NotebookDocumentCellChangeStructure(array, did_open=opened)
        self._changed(types.NotebookDocumentCellChanges(structure=structure))

    def remove(self, at: int, letter: str) -> None:
        array = types.NotebookCellArrayChange(at, 1)
        closed = [types.TextDocumentIdentifier(self.cell(letter))]
        structure = types.NotebookDocumentCellChangeStructure(array, did_close=closed)
        self._changed(types.NotebookDocumentCellChanges(structure=structure))

    def close(self) -> None:
        cells = [types.TextDocumentIdentifier(self.cell(one)) for one in self.versions]
        document = types.NotebookDocumentIdentifier(self.uri)
        self.editor.client.notebook_document_did_close(types.DidCloseNotebookDocumentParams(document, cells))

    async def published(self, letter: str) -> list[types.Diagnostic]:
        return await self.editor.published(self.cell(letter))


def brief(shown: list[types.Diagnostic]) -> list[tuple[Any, ...]]:
    return [
        (
            one.code,
            one.range.start.line,
            one.range.start.character,
            one.range.end.line,
            one.range.end.character,
        )
        for one in shown
    ]


@pytest_asyncio.fixture(loop_scope="module")
async def notebook(editor: Any, request: pytest.FixtureRequest) -> AsyncIterator[Notebook]:
    """A notebook without cells yet, of a name of its own."""
    yield Notebook(editor, f"{request.node.name}.ipynb")


async def test_findings_stand_in_the_cells_that_they_are_written_in(notebook: Notebook) -> None:
    notebook.open({"m": "# Prose", "a": HEAD, "b": STEP, "c": "", "d": TWICE})
    assert await notebook.published("a") == []
    (found,) = await notebook.published("b")
    # Columns are counted as the cell has them, in UTF-16 units.
    assert brief([found]) == [("LOS201", 1, 13, 1, 45)]
    (step,) = found.related_information
    assert (step.location.uri, step.location.range.start.line) == (notebook.cell("b"), 1)
    assert await notebook.published("c") == []
    assert brief(await notebook.published("d")) == [("LOS107", 0, 4, 0, 44), ("LOS102", 1, 4, 1, 12)]
    notebook.close()
    for letter in "mabcd":
        assert await notebook.published(letter) == []


async def test_they_follow_what_is_typed_and_cells_that_come_and_go(notebook: Notebook) -> None:
    notebook.open({"a": HEAD, "b": "p = z.softmax(1)", "c": "F.cross_entropy(p, y)"})
    assert brief(await notebook.published("c")) == [("LOS201", 0, 0, 0, 21)]
    notebook.change("b", "p = z")
    assert await notebook.published("c") == []
    notebook.insert(2, "d", "# more\np = p.softmax(1)")
    assert await notebook.published("d") == []
    (found,) = await notebook.published("c")
    assert found.related_information[0].location.uri == notebook.cell("d")
    notebook.remove(2, "d")
    assert await notebook.published("d") == []
    assert await notebook.published("c") == []


async def test_a_broken_cell_and_cells_in_other_languages_leave_the_others_alone(notebook: Notebook) -> None:
    cells = {
        "a": HEAD,
        "b": "for",
        "r": "x <- softmax(",
        "s": "%%bash\nls (",
        "d": "F.cross_entropy(z.softmax(1), y)",
    }
    notebook.open(cells, {"r": "r"})
    assert brief(await notebook.published("b"))[0][:2] == ("LOS000", 0)
    assert await notebook.published("s") == []
    assert brief(await notebook.published("d")) == [("LOS201", 0, 0, 0, 32)]


async def test_fixes_and_comments_are_edits_of_cells(notebook: Notebook) -> None:
    notebook.open({"m": "# Prose", "a": HEAD, "b": STEP, "d": TWICE})
    await notebook.published("d")
    offered = await notebook.editor.actions(notebook.cell("b"), 1)
    assert {title.partition(":")[0] for title in offered} >= {"LOS201", "Disable LOS201 for this line"}
    assert not any("LOS107" in title for title in offered), "another cell's"
    (change,) = next(
        one for title, one in offered.items() if title.startswith("LOS201")
    ).edit.document_changes
    assert (change.text_document.uri, change.text_document.version) == (notebook.cell("b"), 1)
    (edit,) = change.edits
    assert (edit.range.start.line, edit.new_text) == (1, "z")
    (comment,) = offered["Disable LOS201 for this line"].edit.document_changes[0].edits
    assert (comment.range.start.line, comment.new_text) == (1, "  # noqa: LOS201")
    assert comment.range.start.character == len(STEP.splitlines()[1])

    for kind in ("source.fixAll", "notebook.source.fixAll"):  # the second is what VS Code asks for on saving
        (action,) = (await notebook.editor.actions(notebook.cell("d"), 0, only=[kind])).values()
        assert action.kind == f"{kind}.loss-lint"
    (change,) = action.edit.document_changes
    assert change.text_document.uri == notebook.cell("d")
    assert "".join(edit.new_text for edit in change.edits) == "l = F.cross_entropy(z, y)\nm = l"


async def test_a_hover_shows_what_a_cell_computes(notebook: Notebook) -> None:
    notebook.open({"m": "# Prose", "a": HEAD, "b": STEP})
    await notebook.published("b")
    shown = await notebook.editor.hover(notebook.cell("b"), 1, 20)
    assert "cross_entropy" in shown.contents.value
    assert shown.range.start.line == 1
    assert await notebook.editor.hover(notebook.cell("m"), 0, 0) is None


async def test_cells_are_pulled_one_by_one(puller: Any) -> None:
    notebook = Notebook(puller, "pulled.ipynb")
    notebook.open({"a": HEAD, "b": "p = z.softmax(1)", "c": "F.cross_entropy(p, y)"})
    assert list((await puller.pull(notebook.cell("a"))).items) == []
    report = await puller.pull(notebook.cell("c"))
    assert brief(report.items) == [("LOS201", 0, 0, 0, 21)]
    again = await puller.pull(notebook.cell("c"), report.result_id)
    assert again.kind == "unchanged"
    notebook.change("b", "p = z")
    assert list((await puller.pull(notebook.cell("c"), report.result_id)).items) == []


async def test_modules_beside_it_count_and_it_is_no_module_itself(notebook: Notebook) -> None:
    editor = notebook.editor
    editor.write("beside.py", "def probabilities(z):\n    return z.softmax(1)\n")
    notebook.open({"a": HEAD, "b": "from beside import probabilities\nF.cross_entropy(probabilities(z), y)"})
    (found,) = await notebook.published("b")
    assert brief([found]) == [("LOS201", 1, 0, 1, 36)]
    assert found.related_information[0].location.uri == editor.uri("beside.py")
    editor.open("beside.py", "def probabilities(z):\n    return z\n")
    assert await notebook.published("b") == []
    editor.close("beside.py")


async def test_the_server_says_that_it_takes_notebooks(editor: Any) -> None:
    sync = editor.result.capabilities.notebook_document_sync
    assert [one.notebook for one in sync.notebook_selector] == ["jupyter-notebook"]
    assert sync.save


async def test_other_kinds_of_notebooks_are_passed_over(editor: Any) -> None:
    other = Notebook(editor, "book.other")
    other.open({"a": HEAD, "b": STEP})
    other.change("b", STEP)
    other.close()
    editor.open("plain.py", "import torch\nx = 1\n")
    assert await asyncio.wait_for(editor.published("plain.py"), PATIENCE) == []
