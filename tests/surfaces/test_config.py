"""Configuration files: the nearest one holds, and what is wrong in one is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loss_lint.config import ConfigError, Configuration
from loss_lint.rules.rule import Rule
from loss_lint.selection import Layer

RULES = (
    Rule("LOS000", "unparsable", "", (), "none"),
    Rule("LOS101", "mean-loss-divided", "", ("value",), "unsafe"),
    Rule("LOS201", "softmax-into-cross-entropy", "", ("value",), "unsafe"),
)


def configuration(layer: Layer | None = None, *, isolated: bool = False) -> Configuration:
    return Configuration(lambda: RULES, layer or Layer(), isolated)


def codes(path: Path, **options: bool) -> set[str]:
    return set(configuration(**options).codes(str(path))) - {"LOS000"}


def test_the_nearest_file_holds(tmp_path: Path) -> None:
    inner = tmp_path / "src" / "package"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.loss-lint]\nselect = ["LOS1"]\n')
    (inner / "loss-lint.toml").write_text('ignore = ["mean-loss-divided"]\n')
    assert codes(tmp_path / "a.py") == {"LOS101"}
    assert codes(tmp_path / "src" / "a.py") == {"LOS101"}
    assert codes(inner / "a.py") == {"LOS201"}
    assert codes(inner / "a.py", isolated=True) == {"LOS101", "LOS201"}


def test_a_pyproject_that_does_not_speak_of_us_is_passed_over(tmp_path: Path) -> None:
    inner = tmp_path / "src"
    inner.mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.loss-lint]\nselect = ["LOS1"]\n')
    (inner / "pyproject.toml").write_text("[tool.other]\nbroken = = \n")
    assert codes(inner / "a.py") == {"LOS101"}


def test_our_own_file_comes_before_a_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.loss-lint]\nselect = ["LOS1"]\n')
    (tmp_path / "loss-lint.toml").write_text('select = ["LOS2"]\n')
    assert codes(tmp_path / "a.py") == {"LOS201"}


def test_the_command_line_comes_before_every_file(tmp_path: Path) -> None:
    (tmp_path / "loss-lint.toml").write_text('select = ["LOS2"]\n')
    chosen = configuration(Layer(("LOS1",))).codes(str(tmp_path / "a.py"))
    assert chosen == {"LOS000", "LOS101"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('selct = ["LOS"]', "unknown key `selct`; did you mean `select`?", id="near a key"),
        pytest.param("xyz = 1", "unknown key `xyz`; known are extend-select, ignore, select", id="near none"),
        pytest.param('select = ["LOS102"]', "unknown rule selector `LOS102`; did you mean `LOS10", id="code"),
        pytest.param('select = "LOS"', "`select` must be a list of strings", id="no list"),
        pytest.param("ignore = [1]", "`ignore` must be a list of strings", id="no strings"),
        pytest.param('a = 1\nselect = ["LOS"', "loss-lint.toml:2: Unclosed", id="broken TOML"),
        pytest.param("a = 1\nselect = LOS", "loss-lint.toml:2:10: Invalid value", id="no TOML"),
        pytest.param("a = 1\na = 2\n", "loss-lint.toml:", id="key twice"),
        pytest.param("[" * 100_000, "loss-lint.toml", id="deeply nested"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "loss-lint.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        configuration().validate([str(tmp_path)])
    assert message in str(caught.value)
    assert str(tmp_path / "loss-lint.toml") in str(caught.value)


def test_a_table_must_be_a_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool]\nloss-lint = "LOS"\n')
    with pytest.raises(ConfigError, match="must be a table"):
        configuration().codes(str(tmp_path / "a.py"))


def test_toml_is_utf8(tmp_path: Path) -> None:
    (tmp_path / "loss-lint.toml").write_bytes(b'# x\nselect = ["\xff"]\n')
    with pytest.raises(ConfigError, match=r"loss-lint.toml:2: not UTF-8"):
        configuration().codes(str(tmp_path / "a.py"))


def test_a_folder_of_that_name_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    assert codes(tmp_path / "a.py") == {"LOS101", "LOS201"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "loss-lint.toml").touch(mode=0)
    with pytest.raises(ConfigError, match="cannot be read"):
        configuration().codes(str(tmp_path / "a.py"))


def test_a_wrong_selector_on_the_command_line_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown rule selector `LOS7`"):
        configuration(Layer(("LOS7",))).validate([])


def test_rules_are_not_imported_where_nothing_is_selected(tmp_path: Path) -> None:
    def rules() -> tuple[Rule, ...]:
        raise AssertionError("imported")

    Configuration(rules).validate([str(tmp_path)])
