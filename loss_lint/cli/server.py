"""`loss-lint server`."""

from __future__ import annotations

import sys

SERVED, FAILED = 0, 2


def server() -> int:
    """Serve an editor on standard input and output; gives the exit status."""
    try:
        from loss_lint.server.features import serve
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        sys.stderr.write(
            f"error: the language server needs pygls ({error}): `python -m pip install 'torch-loss-lint[lsp]'`\n"
        )
        return FAILED
    serve()
    return SERVED
