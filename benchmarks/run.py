"""Measures what loss-lint costs, beside ruff, flake8, TorchFix and torch-preflight, and writes it down.

    python benchmarks/run.py                   # all but what takes many minutes
    python benchmarks/run.py --all             # the slow peers on the large tree too
    python benchmarks/run.py growth start      # some parts only; the others keep what was measured before

Writes `benchmarks/results.json`, `benchmarks/README.md` and `benchmarks/growth.svg`. Trees and environments are made
once, below `--work` (default: `.benchmarks`). Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from growth import points
from measure import Cost, cost
from peers import environment
from report import written
from trees import unpacked

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
Rows = dict[str, Any]
# Of trees with more lines than this, one run says enough.
LARGE = 500_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", choices=[[], *PARTS], help="what to measure (default: everything)"
    )
    parser.add_argument(
        "--all", action="store_true", help="also the slow peers on the large tree: half an hour"
    )
    parser.add_argument("--work", type=Path, default=HERE.parent / ".benchmarks")
    options = parser.parse_args()
    work: Path = options.work.resolve()
    results: Rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for part in options.parts or [part for part in PARTS if part != "slow" or options.all]:
        sys.stderr.write(f"measuring: {part}\n")
        results[part] = PARTS[part](work)
    results["machine"] = machine()
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    written(results, HERE)
    return 0


def machine() -> Rows:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory": f"{memory:.0f} GB",
        "processor": _processor(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _row(measured: Cost, **more: object) -> Rows:
    return {**{name: round(value, 3) for name, value in asdict(measured).items()}, **more}


def _cold(work: Path) -> Rows:
    """Cold runs over the trees: loss-lint with one process and with two, ruff, and libcst's parser alone."""
    ours, ruff, libcst = (environment(name, work) for name in ("loss-lint", "ruff", "libcst"))
    rows: Rows = {"versions": {"loss-lint": ours.version, "ruff": ruff.version, "libcst": libcst.version}}
    for package in ("timm", "transformers"):
        tree = unpacked(package, work)
        runs = 1 if tree.lines > LARGE else 3
        check = [ours.tool("loss-lint"), "check", "--isolated", "--no-cache", str(tree.folder)]
        parse = [libcst.tool("python"), str(HERE / "parse_with_libcst.py"), str(tree.folder)]
        rows[tree.name] = {
            "lines": tree.lines,
            "loss-lint, one process": _row(cost([*check, "--jobs", "1"], folder=work, runs=runs)),
            "loss-lint, two processes": _row(cost([*check, "--jobs", "2"], folder=work, runs=runs)),
            "ruff": _row(
                cost([ruff.tool("ruff"), "check", "--isolated", "--no-cache", str(tree.folder)], folder=work)
            ),
            "libcst parses the files that name a loss": _row(cost(parse, folder=work, runs=runs)),
        }
    return rows


def _warm(work: Path) -> Rows:
    """Runs over unchanged trees, from the cache."""
    ours = environment("loss-lint", work)
    rows: Rows = {}
    for package in ("timm", "transformers"):
        tree = unpacked(package, work)
        with tempfile.TemporaryDirectory() as folder:
            command = [ours.tool("loss-lint"), "check", "--isolated", "--jobs", "1", str(tree.folder)]
            cost(command, folder=Path(folder), runs=1)
            rows[tree.name] = {"loss-lint, warm": _row(cost(command, folder=Path(folder), runs=3))}
    return rows


_FLAKE8 = ("--isolated", "--jobs", "1")


def _flake8(work: Path) -> Rows:
    """flake8 alone and with the plugin, on code without torch and on code of torch."""
    alone, ours = environment("flake8", work), environment("flake8 with loss-lint", work)
    rows: Rows = {"versions": {"flake8": alone.version}}
    for package in ("django", "timm"):
        tree = unpacked(package, work)
        run = [*_FLAKE8, "."]
        rows[tree.name] = {
            "lines": tree.lines,
            "flake8": _row(cost([alone.tool("flake8"), *run], folder=tree.folder, runs=3)),
            "flake8 with loss-lint": _row(cost([ours.tool("flake8"), *run], folder=tree.folder, runs=3)),
        }
    return rows


def _start(work: Path) -> Rows:
    """What it costs to start: the bare interpreter, the version, and a run over a folder without files."""
    ours = environment("loss-lint", work)
    empty = work / "empty"
    shutil.rmtree(empty, ignore_errors=True)
    empty.mkdir(parents=True)
    tool = ours.tool("loss-lint")
    return {
        "python -c pass": _row(cost([ours.tool("python"), "-c", "pass"], folder=empty, runs=21)),
        "loss-lint --version": _row(cost([tool, "--version"], folder=empty, runs=21)),
        "loss-lint check (no files)": _row(cost([tool, "check", "."], folder=empty, runs=21)),
    }


def _peers(work: Path, package: str) -> Rows:
    """The peers that look for mistakes with torch as well."""
    preflight, torchfix = environment("torch-preflight", work), environment("TorchFix", work)
    tree = unpacked(package, work)
    select = ("--select", "TOR")
    return {
        tree.name: {
            f"torch-preflight {preflight.version}": _row(
                cost([preflight.tool("torch-preflight"), "check", str(tree.folder)], folder=work, runs=1)
            ),
            f"TorchFix {torchfix.version}": _row(
                cost([torchfix.tool("flake8"), *_FLAKE8, *select, "."], folder=tree.folder, runs=1)
            ),
        }
    }


def _growth(work: Path) -> Rows:
    """Time by lines, on parts of the large tree."""
    ours = environment("loss-lint", work)
    command = [ours.tool("loss-lint"), "check", "--isolated", "--no-cache", "--jobs", "1", "."]
    tree = unpacked("transformers", work)
    return {"tree": tree.name, "points": [asdict(point) for point in points(tree, command, work)]}


PARTS: dict[str, Callable[[Path], Rows]] = {
    "cold": _cold,
    "warm": _warm,
    "flake8": _flake8,
    "start": _start,
    "peers": lambda work: _peers(work, "timm"),
    "slow": lambda work: _peers(work, "transformers"),
    "growth": _growth,
}

if __name__ == "__main__":
    sys.exit(main())
