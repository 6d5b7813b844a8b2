"""The source trees that are linted: packages from PyPI, pinned, unpacked once and never imported."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder of Python files, what it is called, and how many lines its `.py` files have."""

    name: str
    folder: Path
    lines: int


# Of torch, large and very large; and one that has nothing to do with torch.
PACKAGES = {"timm": "1.0.31", "transformers": "5.23.0", "django": "5.2.8"}


def unpacked(package: str, work: Path) -> Tree:
    """The tree of a package, downloaded to `work` where it is not there yet."""
    version = PACKAGES[package]
    folder = work / "trees" / f"{package}-{version}"
    if not folder.exists():
        wheels = work / "wheels"
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels)]
        subprocess.run([*command, f"{package}=={version}"], check=True)
        (wheel,) = wheels.glob(f"{package}-{version}-*.whl")
        part = folder.with_suffix(".part")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(part)
        part.rename(folder)
    return Tree(f"{package} {version}", folder / package, lines_in(folder / package))


def lines_in(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.rglob("*.py"))
