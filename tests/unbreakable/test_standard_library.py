"""Python's own library, its broken tests among it: none of it raises, and a loss behind it is understood.

Whole, in minutes: `python tests/unbreakable/test_standard_library.py`.
"""

from __future__ import annotations

import sys
import sysconfig
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from running import is_python

from loss_lint.runner import lint_files
from loss_lint.syntax.sources import Memory

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
STEP = (
    b"\n\n\nimport torch\nimport torch.nn.functional as F\n\n\n"
    b"def _step(x, y):\n    return F.cross_entropy(x.softmax(1), y)\n"
)
# What the tests of Python's own parser and reader of files are fed with.
BROKEN = (
    "bad",
    "coding",
    "bom",
    "crlf",
    "encoded",
    "tokenize",
    "future",
    "syntax",
    "grammar",
    "unicode",
    "string",
)
EVERY = 60


def files() -> list[Path]:
    return sorted(path for path in LIBRARY.rglob("*.py") if "site-packages" not in path.parts)


def amiss(path: Path) -> str:
    """What is wrong with what is found in a file that a loss was written into; nothing if nothing is."""
    data = path.read_bytes() + STEP
    started = time.process_time()
    findings = lint_files(["/p/a.py"], Memory({"/p/a.py": data}), roots=("/p",), jobs=1).findings
    seconds = time.process_time() - started
    wanted = ["LOS201"] if is_python(data) else ["LOS000"]
    if [one.code for one in findings] != wanted:
        return f"{path}: {[f'{one.code} {one.message}' for one in findings]}"
    return f"{path}: {seconds:.0f} s" if seconds > 20 else ""


def test_a_part_of_it() -> None:
    every = files()
    part = {
        *every[::EVERY],
        *(path for path in every if "test" in path.parts and path.name.startswith(BROKEN)),
    }
    assert part
    assert [problem for path in sorted(part) if (problem := amiss(path))] == []


def main() -> int:
    started, used = time.perf_counter(), time.process_time()
    problems = Counter(problem for path in files() if (problem := amiss(path)))
    for problem in problems:
        print(problem)
    wall, processor = time.perf_counter() - started, time.process_time() - used
    print(f"{len(files())} files, {len(problems)} problems, {processor:.0f} s of the processor, {wall:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
