"""`python -m loss_lint` is `loss-lint`."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        # `-m` puts the working folder first, whose `textwrap.py` would be executed in place of Python's.
        del sys.path[0]

    from loss_lint.cli import program

    sys.exit(program())
