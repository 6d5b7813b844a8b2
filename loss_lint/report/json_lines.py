"""The objects of the JSON format, a line each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from loss_lint.report.json import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.report.material import Material


def render(material: Material) -> Iterator[str]:
    """One line for each finding, in ASCII; nothing for none."""
    for finding in material.findings:
        known = record(finding, material.suppressions)
        yield json.dumps(known, sort_keys=True, separators=(",", ":")) + "\n"
