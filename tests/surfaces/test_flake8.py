"""The flake8 plugin, in flake8."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loss_lint.findings import Finding, Place
from loss_lint.flake8_plugin import Plugin
from loss_lint.linter import Linter
from loss_lint.rules import all_rules

BAD = """import torch.nn.functional as F


def loss(x, y):
    return F.cross_entropy(F.softmax(x, dim=1), y)
"""
Flake8 = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def flake8(project: Path) -> Flake8:
    def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "flake8", "--select", "LOS", *arguments],
            input=stdin,
            capture_output=True,
            cwd=project,
            check=False,
            timeout=120,
        )
        assert done.stderr == b""
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), "")

    return run


def places(output: str) -> list[str]:
    return [" ".join(line.split(" ")[:2]).removeprefix("./") for line in output.splitlines()]


def test_reports_what_check_reports(project: Path, flake8: Flake8, run: Callable[..., Any]) -> None:
    (project / "a.py").write_text(BAD + BAD.replace("def loss", "def other"))
    (project / "é.py").write_text("# é\n" + BAD.replace("    return", "    'é日'; return"))
    checked = run("check", "--output-format", "concise", "-q").stdout.decode()
    assert sorted(flake8().stdout.replace("./", "").splitlines()) == sorted(checked.splitlines())
    assert len(checked.splitlines()) == 3


def test_reads_standard_input_and_not_the_file(project: Path, flake8: Flake8) -> None:
    (project / "a.py").write_text("")
    done = flake8("--stdin-display-name", "a.py", "-", stdin=b"\n" + BAD.encode())
    assert places(done.stdout) == ["a.py:6:12: LOS201"]
    assert places(flake8("-", stdin=BAD.encode()).stdout) == ["stdin:5:12: LOS201"]


def test_works_in_several_jobs(project: Path, flake8: Flake8) -> None:
    for number in range(8):
        (project / f"{number}.py").write_text(BAD)
    assert flake8("--jobs", "4").stdout == flake8("--jobs", "1").stdout
    assert len(flake8("--jobs", "4").stdout.splitlines()) == 8


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dim=1), y)", "dim=1), y)  # noqa"),
        ("dim=1), y)", "dim=1), y)  # noqa: LOS201"),
        ("import torch", "# flake8: noqa\nimport torch"),
        ("import torch", "# flake8: noqa: LOS201\nimport torch"),
    ],
)
def test_comments_silence_as_in_check(
    project: Path, flake8: Flake8, run: Callable[..., Any], old: str, new: str
) -> None:
    (project / "a.py").write_text(BAD.replace(old, new))
    assert flake8().stdout == ""
    assert run("check").returncode == 0


def test_configuration_of_either_kind_holds(project: Path, flake8: Flake8) -> None:
    (project / "a.py").write_text(BAD)
    assert flake8("--extend-ignore", "LOS2").stdout == ""
    (project / "pyproject.toml").write_text('[tool.loss-lint]\nignore = ["LOS201"]\n')
    assert flake8().stdout == ""


def test_a_broken_configuration_is_said_and_ends_nothing(project: Path, flake8: Flake8) -> None:
    (project / "a.py").write_text(BAD)
    (project / "b.py").write_text("x = 1\n")
    (project / "loss-lint.toml").write_text("selct = 1\n")
    (line,) = flake8().stdout.splitlines()
    assert "a.py:1:1: LOS999" in line
    assert "did you mean `select`" in line


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"import torch; cross_entropy\ndef f(:\n", id="syntax error"),
        pytest.param(b"import torch; cross_entropy\n\0", id="null byte"),
    ],
)
def test_what_cannot_be_parsed_is_flake8s_own_concern(project: Path, flake8: Flake8, text: bytes) -> None:
    (project / "a.py").write_bytes(text)
    assert flake8().stdout == ""
    assert "a.py" in flake8("--extend-select", "E9").stdout


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"# coding: latin-1\n# \xe9\n" + BAD.encode(), id="latin-1"),
        pytest.param(b"\xef\xbb\xbf# BOM\n#\n" + BAD.encode(), id="BOM"),
        pytest.param(b"# -*- coding: ascii -*-\n#\n" + BAD.encode(), id="ASCII"),
        pytest.param(("#\n#\n" + BAD).replace("\n", "\r\n").encode(), id="Windows line ends"),
        pytest.param(("#\n\x0c\n" + BAD).encode(), id="form feed"),
    ],
)
def test_text_in_every_encoding(project: Path, flake8: Flake8, text: bytes) -> None:
    (project / "a.py").write_bytes(text)
    assert places(flake8().stdout) == ["a.py:7:12: LOS201"]
    assert places(flake8("-", stdin=text).stdout) == ["stdin:7:12: LOS201"]


def lint(*findings: Finding) -> Callable[..., tuple[Finding, ...]]:
    return lambda linter, path, **_: findings


def plugin_codes(monkeypatch: pytest.MonkeyPatch, *findings: Finding, lines: str = "\n") -> list[str]:
    monkeypatch.setattr("loss_lint.linter.Linter.lint", lint(*findings))
    source = ["import torch; F.cross_entropy\n", *lines.splitlines(keepends=True)]
    return [text.split()[0] for _, _, text, _ in Plugin(None, source, "a.py").run()]  # type: ignore[arg-type]


def finding(project: Path, code: str, *also: Place, path: str = "a.py") -> Finding:
    return Finding(code, "name", "Bad.", Place(str(project / path), 1, 1, 1, 2), also=also)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of one test are none of the next's."""
    for name in ("_asked_for", "_uses_noqa", "_configuration"):
        monkeypatch.setattr(Plugin, name, getattr(Plugin, name))


class Options:
    def __init__(self, **options: object) -> None:
        self.__dict__.update({"select": None, "extend_select": None, "disable_noqa": False, **options})


@pytest.mark.usefixtures("plugin")
class TestPlugin:
    def test_an_exception_is_a_finding(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*arguments: object) -> None:
            raise RuntimeError("boom\nboom")

        monkeypatch.setattr("loss_lint.linter.Linter.can_matter", fail)
        ((line, column, text, _),) = Plugin(None, ["x\n"], "a.py").run()  # type: ignore[arg-type]
        assert (line, column) == (1, 0)
        assert text == "LOS999 loss-lint failed: RuntimeError: boom boom"

    def test_what_is_known_of_a_project_is_kept_in_whatever_order_files_come(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[Linter] = []
        init = Linter.__init__

        def counted(linter: Linter, *given: Any, **more: Any) -> None:
            made.append(linter)
            init(linter, *given, **more)

        monkeypatch.setattr(Linter, "__init__", counted)
        monkeypatch.setattr(Plugin, "_shared", {})
        monkeypatch.chdir(project)
        deep = project.joinpath(*"abcdefghijklmnopq")
        deep.mkdir(parents=True)
        names = ["one.py", str(deep / "two.py"), "three.py", str(deep / "four.py")]
        for name in names:
            (project / name).write_text("x = 1\n")
            assert [*Plugin(None, ["x = 1\n"], name).run()] == []  # type: ignore[arg-type]
        assert len(made) <= 2

    def test_findings_of_other_files_and_unparsable_ones_stay_out(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = (
            finding(project, "LOS201", path="b.py"),
            finding(project, "LOS000"),
            finding(project, "LOS201"),
        )
        assert plugin_codes(monkeypatch, *found) == ["LOS201"]

    def test_comments_at_other_places_of_a_finding_count(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        also = Place(str(project / "a.py"), 2, 1, 2, 2)
        one = finding(project, "LOS201", also)
        assert plugin_codes(monkeypatch, one, lines="train()  # noqa: LOS2\n") == []
        assert plugin_codes(monkeypatch, one, lines="train()  # noqa: E501\n") == ["LOS201"]
        Plugin.parse_options(Options(disable_noqa=True))  # type: ignore[arg-type]
        assert plugin_codes(monkeypatch, one, lines="train()  # noqa: LOS2\n") == ["LOS201"]

    def test_what_is_off_by_default_needs_its_full_code(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = finding(project, "LOS208")
        assert plugin_codes(monkeypatch, one) == []
        Plugin.parse_options(Options(select=["LOS"], ignore=["E"]))  # type: ignore[arg-type]
        assert plugin_codes(monkeypatch, one) == []
        Plugin.parse_options(Options(extend_select=["LOS208"]))  # type: ignore[arg-type]
        assert plugin_codes(monkeypatch, one) == ["LOS208"]


OWN = "from own import CE\n\n\ndef loss(x, y):\n    return CE()(x.softmax(1), y)\n"


@pytest.mark.parametrize("file", ["setup.cfg", "tox.ini", ".flake8"])
def test_its_options_are_read_from_flake8s_files(project: Path, flake8: Flake8, file: str) -> None:
    (project / "a.py").write_text(BAD)
    (project / "b.py").write_text(OWN)
    (project / "c.py").write_text(
        "import torch.nn.functional as F\n\n\ndef loss(x, y, rows):\n    return F.cross_entropy(x, y) / rows\n"
    )
    assert places(flake8().stdout) == ["a.py:5:12: LOS201"]
    (project / file).write_text(
        "[flake8]\nloss-lint-losses = own.CE=torch.nn.CrossEntropyLoss\nloss-lint-sample-count-names = rows,cols\n"
    )
    assert places(flake8().stdout) == ["a.py:5:12: LOS201", "b.py:5:12: LOS201", "c.py:5:12: LOS101"]
    assert places(flake8("--loss-lint-ignore", "LOS2").stdout) == ["c.py:5:12: LOS101"]
    assert places(flake8("--loss-lint-select", "softmax-into-cross-entropy", "c.py").stdout) == []


def test_its_options_lie_over_our_own_file(project: Path, flake8: Flake8) -> None:
    (project / "a.py").write_text(BAD)
    (project / "loss-lint.toml").write_text('ignore = ["LOS201"]\n')
    assert flake8().stdout == ""
    assert places(flake8("--loss-lint-extend-select", "LOS201").stdout) == ["a.py:5:12: LOS201"]
    (line,) = flake8("--loss-lint-select", "LOS7").stdout.splitlines()
    assert "LOS999" in line
    assert "unknown rule selector `LOS7`" in line


def test_our_own_file_says_what_is_left_out_and_what_names_mean(project: Path, flake8: Flake8) -> None:
    (project / "a.py").write_text(OWN)
    (project / "old").mkdir()
    (project / "old" / "b.py").write_text(BAD)
    text = '[tool.loss-lint]\nexclude = ["old"]\nlosses."own.CE" = "torch.nn.CrossEntropyLoss"\n'
    (project / "pyproject.toml").write_text(text)
    assert places(flake8().stdout) == ["a.py:5:12: LOS201"]
    (project / "pyproject.toml").write_text('[tool.loss-lint]\nper-file-ignores."old/*" = ["LOS2"]\n')
    assert flake8().stdout == ""


def test_files_of_their_own_ignore(project: Path, flake8: Flake8) -> None:
    for name in ("a.py", "b.py"):
        (project / name).write_text(BAD)
    assert places(flake8("--per-file-ignores", "b.py:LOS201").stdout) == ["a.py:5:12: LOS201"]


def test_what_is_off_by_default_stays_off(project: Path, flake8: Flake8) -> None:
    (project / "a.py").write_text(BAD)
    off = [rule.code for rule in all_rules() if not rule.default]
    assert off
    text = "import torch.nn.functional as F\n\n\ndef loss(x, y):\n    return F.cross_entropy(x.log_softmax(1), y)\n"
    (project / "b.py").write_text(text)
    usual = places(flake8().stdout)
    assert places(flake8("--ignore", "E1").stdout) == usual
    assert places(flake8("--extend-ignore", "E1").stdout) == usual


@pytest.mark.parametrize(
    "statement",
    [
        "return F.cross_entropy(  # noqa\n        F.softmax(x, dim=1),\n        y,\n    )",
        "return F.cross_entropy(\n        F.softmax(x, dim=1),  # noqa\n        y,\n    )",
        "return F.cross_entropy(\n        F.softmax(x, dim=1),\n        y,\n    )  # noqa",
        "return \\\n        F.cross_entropy(F.softmax(x, dim=1), y)  # noqa",
        "return F.cross_entropy(F.softmax(x, dim=1), y), '''\n    # noqa'''",
    ],
)
def test_comments_in_statements_of_several_lines(
    project: Path, flake8: Flake8, run: Callable[..., Any], statement: str
) -> None:
    text = BAD.replace("return F.cross_entropy(F.softmax(x, dim=1), y)", statement)
    (project / "a.py").write_text(text)
    checked = run("check", "--output-format", "concise", "-q").stdout.decode()
    assert places(flake8().stdout) == places(checked)


def test_beside_bugbear_and_in_several_jobs(project: Path, flake8: Flake8) -> None:
    pytest.importorskip("bugbear")
    for number in range(6):
        (project / f"{number}.py").write_text(BAD + "\n\ndef other(x=[]):\n    return x\n")
    found = flake8("--select", "LOS,B", "--jobs", "3").stdout
    assert found == flake8("--select", "LOS,B", "--jobs", "1").stdout
    codes = [place.rpartition(" ")[2] for place in places(found)]
    assert sorted(codes) == ["B006"] * 6 + ["LOS201"] * 6
