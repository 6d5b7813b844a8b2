"""Cases as JSON: what the static check, the harness and the watcher say of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loss_lint.watching.cases import Answer, Case


def render(cases: Iterable[Case]) -> str:
    """A JSON array with an element for each case; `code` and `line` are null where nothing is found in a program."""
    records = [
        {
            "agrees": case.agrees,
            "code": case.code or None,
            "filename": case.path,
            "harness": _answer(case.harness),
            "kind": case.kind,
            "line": case.line or None,
            "static": _answer(case.static),
            "watcher": _answer(case.watcher),
        }
        for case in cases
    ]
    return json.dumps(records, indent=2, sort_keys=True) + "\n"


def _answer(answer: Answer) -> dict[str, str | None]:
    return {"detail": answer.detail or None, "outcome": None if answer.outcome == "-" else answer.outcome}
