"""The command that editors start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_server_ends_with_its_client() -> None:
    command = [sys.executable, "-m", "loss_lint", "server", "--stdio"]
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {"processId": None, "rootUri": None, "capabilities": {}},
        }
    )
    text = f"Content-Length: {len(body)}\r\n\r\n{body}"
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=60, check=False)
    assert b'"name": "loss-lint"' in done.stdout
    assert b"Traceback" not in done.stderr


def test_without_pygls_the_command_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pygls'] = None; sys.argv = ['loss-lint', 'server']\n"
        "from loss_lint.cli import main\nsys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "torch-loss-lint[lsp]" in done.stderr
