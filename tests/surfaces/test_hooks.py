"""pre-commit and CI: the hooks in a repository that uses them, and the README's snippets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import libcst
import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
BAD = (
    "import torch.nn.functional as F\n\n\ndef loss(x, y):\n"
    "    return F.cross_entropy(F.log_softmax(x, dim=1), y).mean()\n"
)


def git(folder: Path, *arguments: str) -> None:
    name = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    """This project as a repository of hooks."""
    pytest.importorskip("pre_commit")
    pytest.importorskip("setuptools")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path / "hooks"
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "loss_lint", folder / "loss_lint", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, folder)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "hooks")
    return folder


def test_the_hooks_in_a_repository(tmp_path: Path, project: Path, hooks: Path) -> None:
    git(project, "init", "-q")
    (project / "loss-lint.toml").write_text('exclude = ["old.py"]\nextend-select = ["LOS102"]\n')
    for name in ("a.py", "old.py"):
        (project / name).write_text(BAD)
    (project / "c.txt").write_text(BAD)
    git(project, "add", ".")
    # The hook's own environment takes what it needs from here, as there may be no network.
    environment = os.environ | {
        "PRE_COMMIT_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(Path(libcst.__file__).parents[1]),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }

    def tried(hook: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "try-repo", str(hooks), hook, "--all-files", "--color", "never"],
            cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip

    done = tried("loss-lint")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a.py:5:12" in done.stdout
    assert "old.py" not in done.stdout
    done = tried("loss-lint-fix")
    assert "files were modified by this hook" in done.stdout
    assert ".mean()" not in (project / "a.py").read_text()
    assert (project / "old.py").read_text() == BAD


def snippet(name: str) -> Any:
    """The README's YAML for a service."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"- \*\*{name}\*\*.*?```yaml\n(.*?)\n  ```", text, re.DOTALL)
    assert found is not None
    return yaml.safe_load(found[1])


def commands(name: str) -> list[str]:
    """The shell commands of the README's snippet for a service."""
    if name == "GitLab":
        return list(snippet(name)["loss-lint"]["script"])
    return [step["run"] for step in snippet(name)["jobs"]["loss-lint"]["steps"] if "run" in step]


@pytest.mark.parametrize(
    ("service", "shown"),
    [("GitHub", "::error title=loss-lint (LOS202)"), ("GitLab", '"check_name": "LOS202"')],
)
def test_the_commands_for_a_service(tmp_path: Path, project: Path, service: str, shown: str) -> None:
    install, check = commands(service)
    assert install == "pip install torch-loss-lint"
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "loss-lint"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m loss_lint "$@"\n')
    program.chmod(0o755)
    (project / "a.py").write_text(BAD)
    environment = os.environ | {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        check, shell=True, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    report = project / "gl-code-quality-report.json"
    assert shown in (report.read_text() if report.exists() else done.stdout)


def test_the_readmes_hook_is_the_real_one() -> None:
    (theirs,) = snippet("pre-commit")["repos"][0]["hooks"]
    ours = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in ours] == ["loss-lint", "loss-lint-fix"]
    for key in ("entry", "types_or", "require_serial"):
        assert theirs[key] == ours[0][key]
