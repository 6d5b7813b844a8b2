"""Lines that readers of pylint's `parseable` take."""

from __future__ import annotations

import re

import pytest
from reported import every_case, rendered

from loss_lint.findings import Finding

# What flake8, ruff and pylint's own `parseable` write is read by expressions like these: Jenkins' (analysis-model,
# PyLintParser), that of pylint's editor integrations, and the usual problem matcher.
PYLINT_READERS = [
    r"(.*):(\d+): \[(\D\d*).*\] (.*)",
    r"^(?P<path>.+?):(?P<line>\d+): \[(?P<type>[A-Z]\w*)(, (?P<object>.*?))?\] (?P<message>.*)$",
    r"^(.+):(\d+):\s\[([^\]]+)\]\s(.*)$",
]


@every_case
@pytest.mark.parametrize("reader", PYLINT_READERS)
def test_is_read(reader: str, findings: list[Finding]) -> None:
    lines = rendered("pylint", findings).split("\n")[:-1]
    for line, one in zip(lines, findings, strict=True):
        match = re.match(reader, line)
        assert match is not None
        assert int(match[2]) == one.place.line
