"""Configuration files: the nearest one holds, and what is wrong in one is said."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loss_lint.config import ConfigError, Configuration, Settings
from loss_lint.discover import discover
from loss_lint.rules.rule import Rule
from loss_lint.selection import Layer

RULES = (
    Rule("LOS000", "unparsable", "", (), "none"),
    Rule("LOS101", "mean-loss-divided", "", ("value",), "unsafe"),
    Rule("LOS201", "softmax-into-cross-entropy", "", ("value",), "unsafe"),
)


def configuration(layer: Layer | None = None, *, isolated: bool = False) -> Configuration:
    return Configuration(lambda: RULES, Settings(layers=(layer,) if layer else ()), isolated)


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
        pytest.param(
            "xyz = 1", "loss-lint.toml:1: unknown key `xyz`; known are cache-dir, exclude", id="near none"
        ),
        pytest.param('select = ["LOS102"]', "unknown rule selector `LOS102`; did you mean `LOS10", id="code"),
        pytest.param('select = "LOS"', "`select` must be a list of strings", id="no list"),
        pytest.param("ignore = [1]", "`ignore` must be a list of strings", id="no strings"),
        pytest.param(
            'ignore = []\nselect = [\n  "LOS",\n  "LOS7",\n]',
            "loss-lint.toml:4: unknown rule selector `LOS7`",
            id="line of the code",
        ),
        pytest.param('exclude = "a"', "`exclude` must be a list of strings", id="exclude"),
        pytest.param('exclude = ["[a"]', "`exclude`: bad pattern `[a`: a `[` without its `]`", id="pattern"),
        pytest.param('extend-exclude = ["a{b"]', "a `{` without its `}`", id="open group"),
        pytest.param("unsafe-fixes = 1", "`unsafe-fixes` must be true or false", id="no boolean"),
        pytest.param("cache-dir = true", "`cache-dir` must be a string", id="no text"),
        pytest.param('output-format = "consise"', "did you mean `concise`?", id="format"),
        pytest.param('per-file-ignores = ["LOS"]', "`per-file-ignores` must be a table", id="no table"),
        pytest.param(
            '[per-file-ignores]\n"a" = "LOS"', "`per-file-ignores` of `a` must be a list", id="text"
        ),
        pytest.param(
            '[per-file-ignores]\n"a" = ["LOS1"]\n"b" = ["softmax-into-cross-entrop"]',
            "loss-lint.toml:3: unknown rule selector `softmax-into-cross-entrop`; did you mean `softmax-into",
            id="name in a table",
        ),
        pytest.param('losses = "x"', "`losses` must be a table of names", id="losses"),
        pytest.param("[losses]\nmy.CE = 1", "`losses` of `my.CE` must be a string", id="loss"),
        pytest.param('[losses]\n"my CE" = "torch.nn.NLLLoss"', "`my CE` is no dotted name", id="no name"),
        pytest.param(
            '[losses]\nmy.NLL = "torch.nn.NLLLoss"\nmy.losses.CE = "torch.nn.CrossEntropyLos"',
            "loss-lint.toml:3: `losses`: `torch.nn.CrossEntropyLos` is not a loss of torch's; "
            "did you mean `torch.nn.CrossEntropyLoss`?",
            id="no loss",
        ),
        pytest.param(
            '[softmaxes]\nmy.S = "torch.nn.CrossEntropyLoss"',
            "`torch.nn.CrossEntropyLoss` is not a softmax of torch's",
            id="no softmax",
        ),
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


def test_the_place_in_a_shared_file_is_that_of_our_table(tmp_path: Path) -> None:
    text = '[tool.other]\nselect = ["LOS7"]\n[tool.loss-lint]\n# one\nselect = ["LOS7"]\n'
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"pyproject.toml:5: unknown rule selector `LOS7`"):
        configuration().validate([str(tmp_path)])


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    text = (
        'cache-dir = "../cache"\nsrc = ["lib", "."]\nexclude = ["a/b"]\n[per-file-ignores]\n"b/*" = ["LOS1"]'
    )
    (tmp_path / "loss-lint.toml").write_text(text)
    (tmp_path / "b" / "c").mkdir(parents=True)
    holding = configuration()
    settings = holding.settings(str(tmp_path / "b" / "c"))
    assert settings.cache_dir == str(tmp_path.parent / "cache")
    assert settings.conventions.import_roots == (str(tmp_path / "lib"), str(tmp_path))
    assert holding.excludes(str(tmp_path / "a" / "b" / "c.py"))
    assert not holding.excludes(str(tmp_path / "b" / "a" / "b" / "c.py"))
    assert codes(tmp_path / "b" / "c" / "d.py") == {"LOS201"}
    assert codes(tmp_path / "c.py") == {"LOS101", "LOS201"}


def test_words_and_names_of_a_project(tmp_path: Path) -> None:
    text = """
sample-count-names = ["N_Seqs"]
step-count-names = ["k"]
[losses]
my.losses.CE = "torch.nn.modules.loss.CrossEntropyLoss"
"my.nll" = "torch.nn.functional.nll_loss"
[softmaxes]
my.Soft = "torch.nn.Softmax"
"""
    (tmp_path / "loss-lint.toml").write_text(text)
    found = configuration().conventions(str(tmp_path / "a.py"))
    assert dict(found.losses) == {
        "my.losses.CE": "torch.nn.CrossEntropyLoss",
        "my.nll": "torch.nn.functional.nll_loss",
    }
    assert found.softmaxes == (("my.Soft", "torch.nn.Softmax"),)
    assert found.sample_counts == {"n_seqs"}
    assert found.step_counts == {"k"}
    assert found.loss_words == {"CE", "nll"}


class TestCommandLine:
    """`check` with its flags, beside files."""

    BAD = (
        "import torch.nn.functional as F\n\n\ndef loss(x, y):\n"
        "    return F.cross_entropy(F.softmax(x, dim=1), y)\n"
    )

    @pytest.fixture
    def found(self, project: Path, run: Callable[..., Any]) -> Callable[..., list[str]]:
        for name in ("a.py", "gen/b.py", "lib/c.py"):
            (project / name).parent.mkdir(exist_ok=True)
            (project / name).write_text(self.BAD)

        def found(*arguments: str) -> list[str]:
            done = run("check", "-q", "--output-format", "concise", *arguments)
            assert done.stderr == b""
            return [line.partition(":")[0] for line in done.stdout.decode().splitlines()]

        return found

    def test_flags_lie_over_pairs_and_these_over_files(
        self, project: Path, found: Callable[..., list[str]]
    ) -> None:
        (project / "loss-lint.toml").write_text('exclude = ["a.py"]\nextend-exclude = ["gen"]\n')
        assert found() == ["lib/c.py"]
        assert found("--config", 'exclude = ["lib"]') == ["a.py"]
        assert found("--config", 'exclude = ["lib"]', "--exclude", "none") == ["a.py", "lib/c.py"]
        assert found("--extend-exclude", "lib") == []
        assert found("--isolated") == ["a.py", "gen/b.py", "lib/c.py"]
        assert found("--isolated", "--config", "exclude=['a.py']") == ["gen/b.py", "lib/c.py"]

    def test_a_file_that_is_named_holds_for_all_and_from_here(
        self, project: Path, found: Callable[..., list[str]]
    ) -> None:
        (project / "loss-lint.toml").write_text('ignore = ["ALL"]\n')
        (project / "gen" / "other.toml").write_text('exclude = ["lib/c.py"]\n')
        assert found("--config", "gen/other.toml") == ["a.py", "gen/b.py"]

    def test_what_is_named_is_linted_unless_exclusion_is_forced(
        self, project: Path, found: Callable[..., list[str]]
    ) -> None:
        (project / "loss-lint.toml").write_text('exclude = ["gen"]\n')
        assert found("gen/b.py", "gen") == ["gen/b.py"]
        done = found("--force-exclude", "a.py", "gen/b.py")
        assert done == ["a.py"]
        (project / "loss-lint.toml").write_text('exclude = ["gen"]\nforce-exclude = true\n')
        assert found("a.py", "gen/b.py") == ["a.py"]
        assert found("--no-force-exclude", "a.py", "gen/b.py") == ["a.py", "gen/b.py"]

    def test_standard_input_can_be_excluded(self, project: Path, run: Callable[..., Any]) -> None:
        arguments = ("check", "--stdin-filename", "gen/b.py", "--exclude", "gen", "-")
        assert run(*arguments, stdin=self.BAD.encode()).returncode == 1
        assert run(*arguments, "--force-exclude", stdin=self.BAD.encode()).returncode == 0

    def test_what_git_ignores(self, project: Path, found: Callable[..., list[str]]) -> None:
        (project / ".git").mkdir()
        (project / ".gitignore").write_text("gen\n")
        assert found() == ["a.py", "lib/c.py"]
        assert found("--no-respect-gitignore") == ["a.py", "gen/b.py", "lib/c.py"]
        (project / "loss-lint.toml").write_text("respect-gitignore = false\n")
        assert found() == ["a.py", "gen/b.py", "lib/c.py"]
        assert found("--respect-gitignore") == ["a.py", "lib/c.py"]

    def test_per_file_ignores(self, project: Path, found: Callable[..., list[str]]) -> None:
        (project / "loss-lint.toml").write_text('[per-file-ignores]\n"a.py" = ["LOS201"]\n')
        assert found("--select", "LOS201") == ["gen/b.py", "lib/c.py"]
        assert found("--per-file-ignores", "lib/*:LOS2,gen/*:ALL") == ["a.py"]
        assert found("--extend-per-file-ignores", "lib/*:LOS2") == ["gen/b.py"]

    def test_the_format_and_the_cache(self, project: Path, run: Callable[..., Any]) -> None:
        (project / "a.py").write_text(self.BAD)
        (project / "loss-lint.toml").write_text('output-format = "json"\ncache-dir = "sub/cache"\n')
        assert run("check").stdout.startswith(b"[")
        assert (project / "sub" / "cache" / "CACHEDIR.TAG").exists()
        assert run("check", "--output-format", "concise", "--cache-dir", "other").stdout.startswith(b"a.py")
        assert (project / "other" / "CACHEDIR.TAG").exists()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--config", "nothing.toml"], "--config nothing.toml: no such file"),
            (["--config", "select"], "neither a file nor `KEY=VALUE`"),
            (
                ["--config", "selct = []"],
                "--config 'selct = []': unknown key `selct`; did you mean `select`?",
            ),
            (["--config", "select = [1"], "--config 'select = [1':1"),
            (["--config", "a.toml", "--config", "b.toml"], "more than one `--config` file"),
            (["--config", "a.toml", "--isolated"], "cannot be used with `--isolated`"),
            (["--per-file-ignores", "a.py"], "--per-file-ignores: `a.py` is not of the form PATTERN:CODE"),
            (["--per-file-ignores", "a.py:LOS7"], "--per-file-ignores: unknown rule selector `LOS7`"),
            (["--exclude", "[a"], "--exclude: bad pattern `[a`"),
        ],
    )
    def test_what_is_wrong_is_said(
        self, project: Path, run: Callable[..., Any], arguments: list[str], message: str
    ) -> None:
        for name in ("a.toml", "b.toml"):
            (project / name).touch()
        done = run("check", *arguments)
        assert done.returncode == 2
        assert message in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1


FILES = (
    "a/m.py",
    "a/b/m.py",
    "foo_a/x/m.py",
    "foo_b.py",
    "src/pkg/m.py",
    "src/m.py",
    "dist/m.py",
    "[x]/m.py",
)
PATTERNS = (
    "a", "a/b", "./a", "b", "b/", "a/*", "a/**", "**/b", "**/b/**", "*/m.py", "src/*.py", "foo_*.py", "foo_*", "?",
    "[!a]", "[a-f]", "[[]x]", "m.py", "b/m.py", "**", "*", "src/**/m.py", "*.py", "**/pkg/m.py", "a/**/b/m.py",
    "s*c", "x", "[x]/m.py", r"\[x\]", "**m.py", "src**", "../p/a",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["exclude", "per-file-ignores", "negated"])
def test_patterns_mean_what_they_mean_to_ruff(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "p"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("import os\n")
    theirs, ours = {}, {}
    for pattern in PATTERNS:
        if kind == "exclude":
            toml = f"exclude = ['{pattern}']\n"
            ruff_toml = toml
        else:
            sign = "!" * (kind == "negated")
            toml = f"[per-file-ignores]\n'{sign}{pattern}' = ['LOS201']\n"
            ruff_toml = f"[lint.per-file-ignores]\n'{sign}{pattern}' = ['F401']\n"
        (root / "ruff.toml").write_text(ruff_toml)
        (root / "loss-lint.toml").write_text(toml)
        done = subprocess.run(
            ["ruff", "check", "--no-cache", "--select", "F401", "--output-format", "json", "."],
            cwd=root, capture_output=True, check=False,
        )  # fmt: skip
        theirs[pattern] = sorted({os.path.relpath(one["filename"], root) for one in json.loads(done.stdout)})
        holding = configuration()
        files = discover([str(root)], holding).files
        ours[pattern] = [os.path.relpath(path, root) for path in files if "LOS201" in holding.codes(path)]
    assert ours == theirs
