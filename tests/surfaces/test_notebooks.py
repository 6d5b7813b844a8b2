"""Notebooks on the command line and in the library."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import loss_lint
from loss_lint.cli import main
from loss_lint.findings import Finding
from loss_lint.syntax.notebook_edits import edited_notebook

HEAD = "%matplotlib inline\nimport torch\nimport torch.nn.functional as F\n!pip install rich"
BAD = "p = torch.softmax(z, dim=1)\nloss = F.cross_entropy(p, y)"
BROKEN = "loss = = 3"


def code(source: str, **more: Any) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    return {**cell, "source": source.splitlines(keepends=True), **more}


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": [source]}


def notebook(*cells: dict[str, Any], **metadata: Any) -> str:
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def findings(text: str | bytes) -> tuple[Finding, ...]:
    return loss_lint.lint_source(text, "n.ipynb")


def spots(text: str | bytes) -> list[tuple[str, int, int, int]]:
    return [(one.code, one.place.cell, one.place.line, one.place.column) for one in findings(text)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(["check", "--no-cache", "--isolated", *arguments])
    return capsys.readouterr().out


class TestModule:
    def test_one_module_over_all_code_cells(self) -> None:
        """Cells of all kinds count; magics, empty cells and those of other languages are passed over."""
        cells = [markdown("# Net"), code(HEAD), code(""), code("%%bash\nls"), code(f"%%time\n{BAD}")]
        assert spots(notebook(*cells)) == [("LOS201", 5, 3, 8)]

    def test_a_cell_is_no_later_than_it_stands(self) -> None:
        assert (
            spots(notebook(code(HEAD), code("loss = F.cross_entropy(z, y)"), code("z = z.softmax(1)"))) == []
        )

    @pytest.mark.parametrize(
        "cell",
        [
            pytest.param(code(BAD.replace("\n", "\r\n")), id="line ends of Windows"),
            pytest.param({**code(""), "source": BAD}, id="source in one string"),
            pytest.param({**code(""), "source": [BAD[:9], BAD[9:31], BAD[31:]]}, id="in odd pieces"),
            pytest.param(code(BAD, id="8f3c"), id="with an id"),
            pytest.param(code(BAD.replace("\n", ";\n") + ";"), id="semicolons"),
            pytest.param(code(BAD, metadata={"vscode": {"languageId": "python"}}), id="marked as Python"),
            pytest.param(
                {"cell_type": "code", "source": [*BAD.splitlines(keepends=True), "\n", "\n"]}, id="bare"
            ),
            pytest.param(code("p = (await z).softmax(-1)\nloss = F.cross_entropy(p, y)"), id="await"),
            pytest.param(code("\n".join(f"    {line}" for line in BAD.splitlines())), id="indented"),
            pytest.param(code(BAD + "\npip install torch"), id="magic without a sign"),
        ],
    )
    def test_cells_as_tools_write_them(self, cell: dict[str, Any]) -> None:
        assert [spot[:3] for spot in spots(notebook(code(HEAD), cell))] == [("LOS201", 2, 2)]

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(notebook(code(HEAD), code(BAD), language_info={"name": "R"}), id="R"),
            pytest.param(notebook(code(HEAD), code(BAD), kernelspec={"language": "julia"}), id="Julia"),
            pytest.param(
                notebook(code(HEAD), code(BAD, metadata={"vscode": {"languageId": "sql"}})), id="SQL"
            ),
            pytest.param(notebook(code(HEAD), {**code(BAD), "cell_type": "raw"}), id="raw cell"),
            pytest.param(notebook(code(HEAD), code(BAD), code("# flake8: noqa")), id="silenced"),
            pytest.param(notebook(code(HEAD), code(BAD + "  # noqa: LOS201")), id="silenced on its line"),
            pytest.param(notebook(), id="no cells"),
            pytest.param("", id="empty file"),
            pytest.param("[1, 2]", id="no notebook, no torch"),
        ],
    )
    def test_nothing_to_say(self, text: str) -> None:
        assert spots(text) == []

    def test_version_three(self) -> None:
        cells = [{"cell_type": "code", "language": "python", "input": source} for source in (HEAD, BAD)]
        sheets = [{"cells": cells[:1]}, {"cells": cells[1:]}]
        text = json.dumps({"nbformat": 3, "metadata": {"name": ""}, "worksheets": sheets})
        assert spots(text) == [("LOS201", 2, 2, 8)]

    def test_what_a_file_may_hold(self) -> None:
        """A byte order mark, an encoding in a comment, half a surrogate pair, characters beyond ASCII."""
        cells = [code("# coding: latin-1\n" + HEAD), code(f'ö = "\\ud83d 😀"; {BAD}')]
        text = notebook(*cells).replace("\\\\ud83d", "\\ud83d")
        assert spots(b"\xef\xbb\xbf" + text.encode()) == [("LOS201", 2, 2, 8)]


class TestBroken:
    def test_a_broken_cell_hides_no_other(self) -> None:
        cells = [code(HEAD), code(f"x = 1\n{BROKEN}"), code(BAD), code("f(")]
        assert spots(notebook(*cells)) == [("LOS000", 2, 2, 8), ("LOS201", 3, 2, 8), ("LOS000", 4, 1, 2)]

    def test_what_a_broken_cell_may_bind_is_unknown(self) -> None:
        cells = [code(HEAD), code("p = torch.softmax(z, dim=1)"), code(f"p = z\n{BROKEN}")]
        assert spots(notebook(*cells, code("loss = F.cross_entropy(p, y)"))) == [("LOS000", 3, 2, 8)]

    def test_a_null_byte(self) -> None:
        assert spots(notebook(code(HEAD), code("x = '\0'"), code(BAD)))[1:] == [("LOS201", 3, 2, 8)]

    @pytest.mark.parametrize(
        ("text", "line", "column", "message"),
        [
            ('{"cells": [\n "torch",\n <<<<<<< HEAD\n', 3, 2, "not valid JSON: Expecting value"),
            ('{"cells": [] "torch": 1}', 1, 14, "not valid JSON: Expecting ',' delimiter"),
            ('{"cells": []} torch', 1, 15, "not valid JSON: Extra data"),
            ('["torch"]', 1, 1, "no list of cells"),
            ('{"cells": {"torch": 1}}', 1, 1, "no list of cells"),
            ('{"worksheets": "torch"}', 1, 1, "no list of cells"),
            ('{"worksheets": ["torch"]}', 1, 1, "no list of cells"),
            ("[" * 100_000 + '"torch"', 1, 1, "too deeply nested"),
            (b'{"torch": "\xff"}', 1, 1, "cannot be decoded"),
        ],
    )
    def test_what_is_no_notebook(self, text: str | bytes, line: int, column: int, message: str) -> None:
        (finding,) = findings(text)
        assert finding.code == "LOS000"
        assert message in finding.message
        assert (finding.place.cell, finding.place.line, finding.place.column) == (0, line, column)


class TestProject:
    def test_a_notebook_uses_the_modules_beside_it(self, project: Path) -> None:
        """A module's loss is judged by the notebook's call, and named with its own line."""
        (project / "net.py").write_text(
            "import torch.nn.functional as F\n\n\ndef loss_of(p, y):\n    return F.cross_entropy(p, y)\n"
        )
        (project / "train.ipynb").write_text(
            notebook(code("from net import loss_of"), code("loss = loss_of(z.softmax(1), y)"))
        )
        (finding,) = loss_lint.lint_paths(["."])
        assert (finding.place.path, finding.place.cell) == (str(project / "train.ipynb"), 2)
        assert finding.trace[-1].place.path == str(project / "net.py")

    def test_a_module_is_found_at_fault_by_a_notebook(self, project: Path) -> None:
        (project / "train.py").write_text(
            "import torch.nn.functional as F\n\n\ndef step(model, x, y):\n"
            "    return F.cross_entropy(model(x), y)\n"
        )
        net = "class Net(nn.Module):\n    def forward(self, x):\n        return self.fc(x).softmax(1)"
        cells = [code("from torch import nn\nfrom train import step"), code(net), code("step(Net(), x, y)")]
        (project / "train.ipynb").write_text(notebook(*cells))
        (finding,) = loss_lint.lint_paths(["."])
        assert (finding.place.path, finding.place.line) == (str(project / "train.py"), 5)
        assert "train.ipynb:cell 2:3" in finding.message
        assert [place.cell for place in finding.also] == [3]

    def test_no_module_imports_a_notebook(self, project: Path) -> None:
        (project / "net.ipynb").write_text(notebook(code(HEAD), code("def f(z):\n    return z.softmax(1)")))
        (project / "train.py").write_text(
            "from torch.nn.functional import cross_entropy\nfrom net import f\ncross_entropy(f(z), y)\n"
        )
        assert loss_lint.lint_paths(["."]) == ()


class TestCommand:
    CELLS = (markdown("# Net"), code(HEAD), code(BAD), code(BROKEN))

    def test_concise(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (project / "net.ipynb").write_text(notebook(*self.CELLS), "utf-8")
        assert check(capsys, "--output-format", "concise") == (
            "net.ipynb:cell 3:2:8: LOS201 cross_entropy gets probabilities: softmax at line 1 has been applied "
            "already; loss and gradient change. Pass the logits.\n"
            "net.ipynb:cell 4:1:8: LOS000 SyntaxError: invalid syntax\nFound 2 errors.\n"
            "1 unsafe fix available with `--fix --unsafe-fixes`.\n"
        )

    def test_a_frame_ends_with_its_cell(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (project / "net.ipynb").write_text(notebook(*self.CELLS[:3], code("x = 1")), "utf-8")
        assert check(capsys) == (
            "LOS201 softmax-into-cross-entropy\n"
            "  cross_entropy gets probabilities: softmax at line 1 has been applied already;\n"
            "  loss and gradient change. Pass the logits.\n"
            " --> net.ipynb:cell 3:2:8\n"
            "  |\n"
            "1 | p = torch.softmax(z, dim=1)\n"
            "2 | loss = F.cross_entropy(p, y)\n"
            "  |        ^^^^^^^^^^^^^^^^^^^^^\n"
            "  |\n"
            "trace:\n"
            "  1. net.ipynb:cell 3:1:5: softmax makes probabilities\n"
            "     1 | p = torch.softmax(z, dim=1)\n"
            "help: Pass the logits\n"
            " --> net.ipynb:cell 2\n"
            "  |\n"
            "1 | %matplotlib inline\n"
            "  - import torch\n"
            "2 | import torch.nn.functional as F\n"
            "  |\n"
            " --> net.ipynb:cell 3\n"
            "  |\n"
            "  - p = torch.softmax(z, dim=1)\n"
            "  - loss = F.cross_entropy(p, y)\n"
            "1 + loss = F.cross_entropy(z, y)\n"
            "  |\n"
            "note: this changes the numbers that the program computes\n\n"
            "Found 1 error.\n"
            "1 unsafe fix available with `--fix --unsafe-fixes`.\n"
        )

    def test_standard_input(
        self, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (project / "in").write_text(notebook(*self.CELLS), "utf-8")
        with (project / "in").open() as stream:
            monkeypatch.setattr("sys.stdin", stream)
            out = check(capsys, "-", "--stdin-filename", "x.ipynb", "--output-format", "concise")
        assert [line.partition(" LOS")[0] for line in out.splitlines()[:2]] == [
            "x.ipynb:cell 3:2:8:",
            "x.ipynb:cell 4:1:8:",
        ]

    def test_json_speaks_of_the_cell(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """As in ruff's, rows are counted in the cell, that of a `noqa` too."""
        bad = "loss = F.cross_entropy(\n    torch.softmax(z, 1), '''\n''')"
        (project / "net.ipynb").write_text(notebook(code(HEAD), code("x = 1"), code(bad)))
        (record,) = json.loads(check(capsys, "--output-format", "json"))
        assert (record["cell"], record["location"], record["noqa_row"]) == (3, {"row": 1, "column": 8}, 1)
        assert record["trace"][0]["cell"] == 3
        dropped, edit = record["fix"]["edits"]
        assert (dropped["cell"], dropped["content"]) == (1, "")  # the import that is used nowhere else
        assert (edit["cell"], edit["location"], edit["content"]) == (3, {"row": 2, "column": 5}, "z")

    @pytest.mark.parametrize("output_format", ["github", "pylint", "gitlab", "sarif", "rdjson"])
    def test_services_get_lines_of_the_file(
        self, project: Path, capsys: pytest.CaptureFixture[str], output_format: str
    ) -> None:
        text = notebook(*self.CELLS)
        (project / "net.ipynb").write_text(text, "utf-8")
        before = text[: text.index("F.cross_entropy")]
        line, column = before.count("\n") + 1, len(before) - before.rindex("\n")
        spelled = {
            "github": f"line={line},col={column},endLine={line},endColumn={column + 21}::",
            "pylint": f"net.ipynb:{line}: [LOS201]",
            "gitlab": f'"line": {line},',
            "sarif": f'"startLine": {line},',
            "rdjson": f'"line": {line}\n',
        }
        assert spelled[output_format] in check(capsys, "--select", "LOS201", "--output-format", output_format)

    def test_show(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (project / "net.ipynb").write_text(notebook(*self.CELLS), "utf-8")
        assert main(["show", "net.ipynb:cell 3:2"]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("cross_entropy --> net.ipynb:cell 3:2:8\n")
        assert re.search(r"softmax\(dim=1\) +net\.ipynb:cell 3:1\n", shown)
        assert main(["show", "net.ipynb:cell 2:1"]) == 0
        assert capsys.readouterr().out.endswith("The file's losses are at cell 3:2.\n")

    @pytest.mark.parametrize(
        ("target", "message"),
        [
            ("net.ipynb:cell 1:1", "there is no Python in cell 1"),
            ("net.ipynb:cell 3:9", "there is no line 9; the cell has 2"),
            ("net.ipynb:2", "name a cell and a line of it, as in net.ipynb:cell 3:1"),
        ],
    )
    def test_show_asks_for_a_place(
        self, project: Path, capsys: pytest.CaptureFixture[str], target: str, message: str
    ) -> None:
        (project / "net.ipynb").write_text(notebook(*self.CELLS), "utf-8")
        assert main(["show", target]) == 2
        assert capsys.readouterr().err == f"error: net.ipynb: {message}\n"

    def test_the_cache_follows_cells(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Also where the module stays the same: a cell of text moves the others, a broken one is broken otherwise."""
        found = []
        for cells in (self.CELLS, (markdown("Two"), *self.CELLS), (*self.CELLS[:3], code("loss = )"))):
            (project / "net.ipynb").write_text(notebook(*cells), "utf-8")
            main(["check", "--isolated", "--output-format", "concise"])
            found.append([line.partition(": LOS")[0] for line in capsys.readouterr().out.splitlines()[:2]])
        assert found == [
            ["net.ipynb:cell 3:2:8", "net.ipynb:cell 4:1:8"],
            ["net.ipynb:cell 4:2:8", "net.ipynb:cell 5:1:8"],
            ["net.ipynb:cell 3:2:8", "net.ipynb:cell 4:1:8"],
        ]


def test_a_fix_removes_its_finding_and_changes_one_line() -> None:
    text = notebook(code(HEAD), code("%time loss = F.cross_entropy(z.softmax(1), y)  # ö"))
    (finding,) = findings(text)
    assert finding.fix is not None
    fixed = edited_notebook(text.encode(), finding.fix.edits).decode()
    assert fixed == text.replace("z.softmax(1)", "z")
    assert findings(fixed) == ()


class TestFixing:
    TEXT = notebook(
        markdown("# ö"), code(HEAD), code("%time loss = F.cross_entropy(z.softmax(1), y)"), code(BROKEN)
    )

    def test_fix(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = project / "net.ipynb"
        path.write_text(self.TEXT, "utf-8")
        assert "(1 fixed, 1 remaining)" in check(capsys, "--fix", "--unsafe-fixes")
        assert path.read_text("utf-8") == self.TEXT.replace("z.softmax(1)", "z")

    def test_diff_is_of_the_cells(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        lines = "\n".join(["", *(f"x{number} = {number}" for number in range(9)), ""])
        twice = f"a = F.cross_entropy(z.softmax(1), y){lines}b = F.cross_entropy(z.softmax(1), y)\n"
        text = self.TEXT.replace("%time loss", "%time ö")
        book = json.loads(text)
        book["cells"].append(json.loads(notebook(code(twice)))["cells"][0])
        before = json.dumps(book, indent=1)
        (project / "net.ipynb").write_text(before, "utf-8")
        shown = check(capsys, "--diff", "--unsafe-fixes")
        assert shown == (
            "--- net.ipynb:cell 3\n"
            "+++ net.ipynb:cell 3\n"
            "@@ -1 +1 @@\n"
            "-%time ö = F.cross_entropy(z.softmax(1), y)\n"
            "+%time ö = F.cross_entropy(z, y)\n"
            "--- net.ipynb:cell 5\n"
            "+++ net.ipynb:cell 5\n"
            "@@ -1,4 +1,4 @@\n"
            "-a = F.cross_entropy(z.softmax(1), y)\n"
            "+a = F.cross_entropy(z, y)\n"
            " x0 = 0\n x1 = 1\n x2 = 2\n"
            "@@ -8,4 +8,4 @@\n"
            " x6 = 6\n x7 = 7\n x8 = 8\n"
            "-b = F.cross_entropy(z.softmax(1), y)\n"
            "+b = F.cross_entropy(z, y)\n"
            "\n"
            "Would fix 3 errors.\n"
        )
        assert (project / "net.ipynb").read_text("utf-8") == before

    def test_add_noqa(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = project / "net.ipynb"
        path.write_text(self.TEXT, "utf-8")
        check(capsys, "--add-noqa")
        assert path.read_text("utf-8") == self.TEXT.replace("(1), y)", "(1), y)  # noqa: LOS201")
        assert check(capsys, "--output-format", "concise").startswith("net.ipynb:cell 4:1:8: LOS000")


def test_notebooks_without_torch_are_not_read_as_json(project: Path) -> None:
    """Beside a module with torch they are, for what they import."""
    (project / "a.ipynb").write_text('{"cells": [')
    assert loss_lint.lint_paths(["."]) == ()
    (project / "net.py").write_text(
        "import torch.nn.functional as F\n\n\ndef f(p, y):\n    return F.cross_entropy(p, y)\n"
    )
    (project / "b.ipynb").write_text(notebook(code("from net import f"), code("f(z.softmax(1), y)")))
    assert [Path(finding.place.path).name for finding in loss_lint.lint_paths(["."])] == ["b.ipynb"]
