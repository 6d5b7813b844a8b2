"""`loss-lint check` from outside: exit statuses, standard input, streams, and the same bytes every time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from loss_lint.cli import main
from loss_lint.findings import Comparison, Evidence, Finding

Run = Callable[..., subprocess.CompletedProcess[bytes]]

BAD = b"""import torch.nn.functional as F


def loss(x, y):
    return F.cross_entropy(F.softmax(x, dim=1), y)
"""
GOOD = b"import torch.nn.functional as F\n\n\ndef loss(x, y):\n    return F.cross_entropy(x, y)\n"
BROKEN = b"import torch\ndef f(:\n"


def codes(output: bytes) -> list[str]:
    return [line.split(" ")[1] for line in output.decode().splitlines() if line.count(":") >= 3]


@pytest.fixture
def bad(project: Path) -> Path:
    (project / "bad.py").write_bytes(BAD)
    return project / "bad.py"


class TestExitStatus:
    @pytest.mark.parametrize(
        ("content", "flags", "status"),
        [
            pytest.param(GOOD, [], 0, id="nothing found"),
            pytest.param(BAD, [], 1, id="findings"),
            pytest.param(BAD, ["--exit-zero"], 0, id="findings, exit-zero"),
            pytest.param(BAD, ["--ignore", "LOS2"], 0, id="findings, all ignored"),
            pytest.param(BAD, ["--select", "LOS1,LOS205"], 0, id="findings, none selected"),
            pytest.param(BAD, ["--select", "LOS1", "--select", "softmax-into-cross-entropy"], 1, id="name"),
            pytest.param(BROKEN, [], 1, id="unparsable"),
            pytest.param(BROKEN, ["--select", "LOS2"], 1, id="unparsable, whatever is selected"),
            pytest.param(BROKEN, ["--ignore", "LOS000"], 0, id="unparsable, ignored"),
            pytest.param(GOOD, ["--select", "LOS9"], 2, id="unknown selector"),
            pytest.param(GOOD, ["--jobs", "0"], 2, id="no jobs"),
            pytest.param(GOOD, ["--no-such-flag"], 2, id="unknown flag"),
            pytest.param(GOOD, ["--sel", "LOS"], 2, id="flags are not abbreviated"),
            pytest.param(BAD, ["nowhere.py"], 2, id="a path that does not exist"),
            pytest.param(BAD, ["nowhere.py", "--exit-zero"], 2, id="the same, exit-zero"),
        ],
    )
    def test_tells_what_happened(
        self, project: Path, run: Run, content: bytes, flags: list[str], status: int
    ) -> None:
        (project / "file.py").write_bytes(content)
        done = run("check", "file.py", *flags)
        assert done.returncode == status
        assert b"Traceback" not in done.stderr

    def test_an_internal_error_is_2_and_the_run_goes_on(self, project: Path, run: Run) -> None:
        (project / "a.py").write_text("import torch; cross_entropy; crash\n")
        (project / "b.py").write_text("import torch; cross_entropy\nbad(1)\n")
        done = run("check", "--output-format", "concise", "--select", "LOS2", fake=True)
        assert done.returncode == 2
        assert codes(done.stdout) == ["LOS999", "LOS201"]

    @pytest.mark.parametrize("dying", [{1}, {0, 1, 2}, {3, 17, 39}])
    def test_a_process_that_dies_does_not_take_the_run_along(
        self, project: Path, run: Run, dying: set[int]
    ) -> None:
        for number in range(40):
            word = "die" if number in dying else "bad(1)"
            text = f"import torch; cross_entropy\nx = '{word}'\n"
            (project / f"{number:02}.py").write_text(text)
        done = run("check", "--output-format", "concise", "--jobs", "2", "--no-cache", fake=True)
        assert done.returncode == 2
        assert codes(done.stdout) == ["LOS999" if number in dying else "LOS201" for number in range(40)]

    def test_the_other_paths_are_linted(self, bad: Path, run: Run) -> None:
        done = run("check", "nowhere.py", str(bad), "--output-format", "concise")
        assert codes(done.stdout) == ["LOS201"]
        assert done.stderr == b"error: nowhere.py: No such file or directory\n"

    def test_nothing_to_lint_is_a_warning(self, project: Path, run: Run) -> None:
        done = run("check")
        assert (done.returncode, done.stdout) == (0, b"All checks passed!\n")
        assert done.stderr == b"warning: no Python files found under the given paths\n"
        assert run("check", "-q").stderr == b""

    def test_nothing_passed_where_something_is_missing(self, project: Path, run: Run) -> None:
        assert run("check", "nowhere.py").stdout == b""


class TestConfiguration:
    def test_is_read_and_isolated_from(self, bad: Path, run: Run) -> None:
        (bad.parent / "pyproject.toml").write_text('[tool.loss-lint]\nignore = ["LOS201"]\n')
        assert run("check").returncode == 0
        assert run("check", "--isolated").returncode == 1
        assert run("check", "--extend-select", "LOS201").returncode == 1

    def test_a_broken_one_is_2_with_its_place(self, bad: Path, run: Run) -> None:
        (bad.parent / "loss-lint.toml").write_text('\nselct = ["LOS"]\n')
        done = run("check")
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.startswith(b"error: ")
        assert b"unknown key `selct`; did you mean `select`?" in done.stderr


class TestStandardInput:
    def test_is_linted_under_its_name(self, project: Path, run: Run) -> None:
        done = run("check", "-", "--stdin-filename", "sub/x.py", "--output-format", "concise", stdin=BAD)
        assert done.returncode == 1
        assert done.stdout.startswith(b"sub/x.py:5:12: LOS201 ")

    def test_needs_no_name(self, project: Path, run: Run) -> None:
        assert run("check", "-", "--output-format", "concise", stdin=BAD).stdout.startswith(b"-:5:12: LOS201")
        (record,) = json.loads(run("check", "-", "--output-format", "json", stdin=BAD).stdout)
        assert record["filename"] == "-"

    def test_its_frame_shows_the_text_given(self, bad: Path, run: Run) -> None:
        done = run("check", "-", "--stdin-filename", "bad.py", stdin=b"# new\n" + BAD)
        assert b"6 |     return F.cross_entropy" in done.stdout

    def test_its_comments_and_its_configuration_count(self, project: Path, run: Run) -> None:
        assert run("check", "-", stdin=BAD.replace(b", y)\n", b", y)  # noqa: LOS201\n")).returncode == 0
        (project / "sub").mkdir()
        (project / "sub" / "loss-lint.toml").write_text('ignore = ["LOS201"]')
        assert run("check", "-", "--stdin-filename", "sub/x.py", stdin=BAD).returncode == 0

    def test_other_paths_are_left_aside_with_a_warning(self, bad: Path, run: Run) -> None:
        done = run("check", "bad.py", "--stdin-filename", "x.py", stdin=GOOD)
        assert done.returncode == 0
        assert done.stderr == b"warning: ignoring bad.py in favor of standard input\n"

    def test_of_odd_bytes(self, project: Path, run: Run) -> None:
        done = run("check", "-", stdin=b"import torch\n\xff\0")
        assert done.returncode == 1
        assert b"LOS000" in done.stdout


class TestStreams:
    def test_quiet_writes_findings_and_nothing_else(self, bad: Path, run: Run) -> None:
        done = run("check", "-q", "--output-format", "concise")
        assert done.stdout.count(b"\n") == 1
        assert done.stderr == b""

    def test_verbose_speaks_on_stderr(self, bad: Path, run: Run) -> None:
        done = run("check", "-v")
        assert b"linted 1 file" in done.stderr
        assert done.stdout == run("check").stdout

    def test_verbose_shows_which_limits_were_met(self, project: Path, run: Run) -> None:
        """Also those that a module's own body meets, whoever imports it, with and without the cache."""
        adds = "    x = x + 1\n" * 7000
        text = f"import torch.nn.functional as F\ndef f(x, y):\n{adds}    return F.mse_loss(x, y)\n"
        (project / "a.py").write_text(text)
        (project / "b.py").write_text(text + "z = f(1, 2)\n")
        (project / "c.py").write_text("import torch\nfrom b import f, z\nf(z, z)\n")
        first = run("check", "-v", "--jobs", "1").stderr.splitlines()
        assert [line for line in first if b"gave up" in line] == [b"info: gave up 4 times: statements"]
        for arguments in (["-v"], ["-v", "--no-cache", "--jobs", "2"]):
            again = run("check", *arguments).stderr.splitlines()
            assert again[1:] == first[1:]
        assert b"gave up" not in run("check").stderr

    @pytest.mark.parametrize(
        ("flags", "environment", "coloured"),
        [
            ([], {}, False),
            ([], {"FORCE_COLOR": "1"}, True),
            ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
            (["--color", "always"], {"NO_COLOR": "1"}, True),
            (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ],
    )
    def test_colours(
        self, bad: Path, run: Run, flags: list[str], environment: dict[str, str], coloured: bool
    ) -> None:
        for output_format in ("full", "concise"):
            done = run("check", "--output-format", output_format, *flags, **environment)
            assert (b"\x1b[" in done.stdout) == coloured

    def test_json_is_never_coloured(self, bad: Path, run: Run) -> None:
        json.loads(run("check", "--output-format", "json", "--color", "always").stdout)

    def test_a_reader_may_leave(self, bad: Path, project: Path) -> None:
        command = f"{sys.executable} -m loss_lint check | true"
        done = subprocess.run(command, shell=True, capture_output=True, cwd=project, check=False)
        assert done.stderr == b""

    def test_an_encoding_may_lack_characters(self, project: Path, run: Run) -> None:
        (project / "é.py").write_bytes(BAD.replace(b"dim=1), y)", "dim=1), y)  # é".encode()))
        done = run("check", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
        assert done.returncode == 1
        assert b"\\xe9.py:5:12" in done.stdout

    def test_statistics_count_by_rule(self, bad: Path, run: Run) -> None:
        (bad.parent / "broken.py").write_bytes(BROKEN)
        (bad.parent / "more.py").write_bytes(BAD)
        done = run("check", "--statistics")
        assert done.stdout.splitlines() == [
            b"2\tLOS201\tsoftmax-into-cross-entropy",
            b"1\tLOS000\tunreadable-file",
            b"Found 3 errors.",
            b"2 unsafe fixes available with `--fix --unsafe-fixes`.",
        ]
        counts = json.loads(run("check", "--statistics", "--output-format", "json").stdout)
        assert counts[0] == {
            "code": "LOS201",
            "name": "softmax-into-cross-entropy",
            "count": 2,
            "fixable": False,
            "fixable_count": 0,
        }


class TestConfirm:
    def test_gives_evidence_in_every_format(self, bad: Path, run: Run) -> None:
        done = run("check", "--confirm")
        assert (done.returncode, done.stderr) == (1, b"")
        assert b"\nevidence: loss " in done.stdout
        assert b"measured with torch" in run("check", "--confirm", "--output-format", "concise").stdout
        (record,) = json.loads(run("check", "--confirm", "--output-format", "json").stdout)
        assert record["evidence"]["verdict"] == "value+gradient"

    def test_the_evidence_is_one_line_in_every_format(self, bad: Path, run: Run) -> None:
        (record,) = json.loads(run("check", "--confirm", "--output-format", "json").stdout)
        line = record["evidence"]["summary"]
        assert re.fullmatch(
            r"loss \S+ -> \S+, gradient \S+ -> \S+ \(cosine \S+\), measured with torch \S+ on 8x5 logits",
            line,
        )
        assert f"\nevidence: {line}\n" in run("check", "--confirm").stdout.decode()
        first, *_ = run("check", "--confirm", "--output-format", "concise").stdout.decode().splitlines()
        assert first.endswith(f" ({line})")

    def test_what_torch_refutes_is_no_finding(
        self, bad: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def refuted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
            numbers = Evidence("none", Comparison(1.5, 1.5), torch="2")
            return tuple(replace(finding, evidence=numbers) for finding in findings)

        monkeypatch.setattr("loss_lint.harness.confirm_all", refuted)
        assert main(["check", "--confirm", "--no-cache"]) == 0
        assert capsys.readouterr() == ("All checks passed!\n", "")
        assert main(["check", "--confirm", "--no-cache", "-v"]) == 0
        shown = capsys.readouterr()
        assert shown.out == "All checks passed!\n"
        assert (
            "defect: bad.py:5:12: LOS201 claims value or gradient or value+gradient, torch shows none "
            "(the numbers are equal, loss 1.5 -> 1.5, measured with torch 2); it is not reported."
        ) in shown.err

    def test_what_cannot_be_measured_is_a_finding(
        self, bad: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def unmeasured(findings: Iterable[Finding]) -> tuple[Finding, ...]:
            reason = Evidence("unmeasured", error="no shapes fit")
            return tuple(replace(finding, evidence=reason) for finding in findings)

        monkeypatch.setattr("loss_lint.harness.confirm_all", unmeasured)
        assert main(["check", "--confirm", "--no-cache", "--output-format", "concise"]) == 1
        assert "(not measured: no shapes fit)" in capsys.readouterr().out

    def test_needs_torch_and_says_so(self, bad: Path, run: Run) -> None:
        done = run("check", "--confirm", without_torch=True)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b'pip install "torch-loss-lint[harness]"' in done.stderr
        assert b"Traceback" not in done.stderr

    def test_needs_no_torch_where_nothing_is_found(self, project: Path, run: Run) -> None:
        (project / "good.py").write_bytes(GOOD)
        assert run("check", "--confirm", without_torch=True).returncode == 0


class TestSameBytes:
    @pytest.fixture
    def many(self, project: Path) -> Path:
        for number in range(6):
            folder = project / f"d{number % 2}"
            folder.mkdir(exist_ok=True)
            (folder / f"{number}.py").write_bytes(BAD + BAD.replace(b"def loss", b"def other"))
        (project / "broken.py").write_bytes(BROKEN)
        return project

    @pytest.mark.parametrize("output_format", ["full", "concise", "json"])
    def test_for_every_number_of_jobs_order_hash_seed_and_cache(
        self, many: Path, run: Run, output_format: str
    ) -> None:
        flags = ["check", "--output-format", output_format]
        first = run(*flags, "--no-cache", "--jobs", "1")
        assert first.returncode == 1
        assert not (many / ".loss_lint_cache").exists()
        others = [
            run(*flags, "--no-cache", "--jobs", "3", PYTHONHASHSEED="1"),
            run(*flags, "--no-cache", "d1", "broken.py", "d0", PYTHONHASHSEED="2"),
            run(*flags, "--no-cache", ".", "d0/0.py", f"{many}", PYTHONHASHSEED="3"),
            run(*flags, "--jobs", "2"),
            run(*flags),
        ]
        for other in others:
            assert other.stdout == first.stdout
        assert (many / ".loss_lint_cache").exists()


def test_the_cache_sees_a_file_that_is_imported_appear_change_and_go(project: Path, run: Run) -> None:
    user = BAD.replace(b"F.softmax(x, dim=1)", b"predict(x)").replace(
        b"\n\n\n", b"\nfrom net import predict\n\n\n"
    )
    (project / "a.py").write_bytes(user)
    net = project / "net.py"
    softmax = "import torch\n\n\ndef predict(x):\n    return torch.softmax(x, 1)\n"
    for text in (None, softmax, softmax.replace("torch.softmax(x, 1)", "x"), softmax, None):
        if text is None:
            net.unlink(missing_ok=True)
        else:
            net.write_text(text)
        cached, fresh = run("check"), run("check", "--no-cache")
        assert (cached.returncode, cached.stdout) == (fresh.returncode, fresh.stdout)
        assert fresh.returncode == (1 if text == softmax else 0)


def test_paths_are_relative_below_the_working_directory_and_absolute_in_json(bad: Path, run: Run) -> None:
    other = bad.parent.parent / "other.py"
    other.write_bytes(BAD)
    done = run("check", str(bad), str(other), "--output-format", "concise")
    assert done.stdout.startswith(os.fsencode(f"{other}:5:12: "))
    assert b"\nbad.py:5:12: " in done.stdout
    records = json.loads(run("check", "bad.py", "--output-format", "json").stdout)
    assert [record["filename"] for record in records] == [str(bad)]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
def test_names_that_are_not_utf8(project: Path, run: Run) -> None:
    with open(os.fsencode(project) + b"/\xff\x1b.py", "wb") as file:
        file.write(BAD)
    for output_format in ("full", "concise"):
        done = run("check", "--output-format", output_format)
        assert done.returncode == 1
        assert b"\\udcff\\x1b.py:5:12" in done.stdout
    assert len(json.loads(run("check", "--output-format", "json").stdout)) == 1


def test_files_of_every_kind_leave_no_traceback(project: Path, run: Run) -> None:
    files = {
        "null.py": b"import torch\n\0",
        "latin.py": b"# coding: latin-1\nimport torch  # \xe9 cross_entropy\n",
        "not_latin.py": b"import torch  # \xe9 cross_entropy\n",
        "coding.py": b"# coding: nonsense\nimport torch; cross_entropy\n",
        "utf16.py": "import torch; cross_entropy\n".encode("utf-16"),
        "bom.py": b"\xef\xbb\xbf" + BAD,
        "bom_coding.py": b"\xef\xbb\xbf# coding: latin-1\nimport torch; cross_entropy\n",
        "mac.py": BAD.replace(b"\n", b"\r"),
        "windows.py": BAD.replace(b"\n", b"\r\n"),
        "form_feed.py": b"\x0c" + BAD.replace(b"\n\n\n", b"\n\x0c\n\n"),
        "deep.py": b"import torch; cross_entropy\nx = " + b"(" * 5000 + b")" * 5000,
        "minus.py": b"import torch; cross_entropy\nx = " + b"-" * 20_000 + b"1\n",
        "chain.py": b"import torch; cross_entropy\nx = a" + b".b()" * 5000 + b"\n",
        "long.py": b"import torch; cross_entropy\nx = [" + b"1, " * 200_000 + b"]\n",
        "unended.py": BAD.rstrip(b"\n"),
        "empty.py": b"",
        "torch.py": b"torch cross_entropy",
    }
    for name, content in files.items():
        (project / name).write_bytes(content)
    (project / "folder.py").mkdir()
    done = run("check", "--output-format", "concise", "--no-cache")
    assert done.stderr == b""
    assert done.returncode == 1
    found = dict.fromkeys(files, "")
    for line in done.stdout.decode().splitlines()[:-2]:
        name, row, _, rest = line.split(":", 3)
        found[name] = f"{row} {rest.split()[0]}"
    for name in ("null.py", "not_latin.py", "coding.py", "bom_coding.py", "torch.py"):
        assert found[name].endswith("LOS000"), name
    for name in ("bom.py", "mac.py", "windows.py", "form_feed.py", "unended.py"):
        assert found[name].endswith("LOS201"), name
    for name in ("latin.py", "utf16.py", "empty.py", "long.py"):
        assert found[name] == "", name
    assert "LOS999" not in done.stdout.decode()
    assert run("check", "--statistics").returncode == 1
