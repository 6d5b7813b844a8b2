"""Mutants for as long as one likes: `python tests/unbreakable/fuzz.py SEED SECONDS [FOLDER]`.

What breaks is written to FOLDER (by default `mutants`) and named; the exit status is 1 then.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from mutants import mutants
from running import examined, is_python


def main(seed: int, seconds: float, folder: Path) -> int:
    end = time.monotonic() + seconds
    seen = parsed = findings = 0
    broken: set[str] = set()
    for text in mutants(seed):
        if time.monotonic() > end:
            break
        seen += 1
        data = text.encode("utf-8", "surrogatepass")
        if not is_python(data) and seen % 20:  # most mutants are none: of these a few will do
            continue
        parsed += is_python(data)
        try:
            findings += len(examined(data, fixes=seen % 4 == 0))
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            what = f"{type(error).__name__}: {error}"[:160]
            if what not in broken:
                broken.add(what)
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / f"{seed}_{seen}.py"
                path.write_bytes(data)
                print(path, what, flush=True)
    print(f"{seen} mutants, {parsed} of them Python, {findings} findings, {len(broken)} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    target = Path(sys.argv[3]) if len(sys.argv) > 3 else Path("mutants")
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), target))
