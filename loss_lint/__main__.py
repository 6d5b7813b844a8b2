"""`python -m loss_lint` is `loss-lint`."""

from __future__ import annotations

import sys

from loss_lint.cli import program

if __name__ == "__main__":
    sys.exit(program())
