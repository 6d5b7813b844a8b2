"""How long an editor waits after a change in a file of a thousand lines: `python tests/server/latency.py [CHANGES]`.

The file trains three networks with losses, data and an engine of their own modules. Each change is one keystroke in
one of its functions; the clock runs from the notification to the diagnostics of that version.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from conftest import running
from generated import write_project

# Where a statement can be put before.
_STATEMENT = re.compile(r" {8}(self|total|started|state|path|return|for|best|times|lines)\b")


async def measured(changes: int) -> list[float]:
    """Milliseconds for each change."""
    with tempfile.TemporaryDirectory() as folder:
        script = write_project(Path(folder) / "project")
        text = script.read_text()
        lines = text.splitlines(keepends=True)
        typed = [number for number, line in enumerate(lines) if _STATEMENT.match(line)]
        waits: list[float] = []
        async with running(script.parent) as editor:
            editor.open(script.name)
            await editor.published(script.name, 1)
            await asyncio.sleep(3)
            for change in range(changes):
                at = typed[change * 37 % len(typed)]
                new = [*lines[:at], f"        note = {change}\n", *lines[at:]]
                started = time.perf_counter()
                version = editor.change(script.name, "".join(new))
                await editor.published(script.name, version)
                waits.append((time.perf_counter() - started) * 1000)
                await asyncio.sleep(0.1)
        return waits


def main() -> None:
    waits = sorted(asyncio.run(measured(int(sys.argv[1]) if len(sys.argv) > 1 else 60)))
    sys.stdout.write(f"{len(waits)} changes: median {statistics.median(waits):.0f} ms, ")
    sys.stdout.write(f"p95 {waits[int(len(waits) * 0.95)]:.0f} ms, most {waits[-1]:.0f} ms\n")


if __name__ == "__main__":
    main()
