"""What holds for every output format, and those that people read."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from reported import CASES, EVIDENCE, HERE_ALONE, ODD, RAISES, SINK, WHOLE, at, every_case, finding, rendered

from loss_lint.findings import Finding
from loss_lint.report import formats
from loss_lint.report.evidence import evidence_line


@every_case
@pytest.mark.parametrize("name", formats.NAMES)
def test_evidence_is_in_every_format_and_two_runs_are_alike(name: str, findings: list[Finding]) -> None:
    text = rendered(name, findings)
    assert text == rendered(name, findings)
    spoken = text
    if name in ("gitlab", "json", "json-lines", "rdjson", "sarif"):
        spoken = "\n".join(_strings([json.loads(part) for part in _documents(name, text)]))
    elif name == "junit":
        spoken = "".join(ET.fromstring(text).itertext())
    for one in findings:
        if one.evidence is not None:
            assert evidence_line(one.evidence) in spoken


def _documents(name: str, text: str) -> list[str]:
    return text.splitlines() if name == "json-lines" else [text]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, "") for name in ("concise", "full", "grouped", "github", "pylint", "json-lines")),
        *((name, "[]\n") for name in ("json", "gitlab")),
    ],
)
def test_nothing(name: str, text: str) -> None:
    assert rendered(name, []) == text


class TestJsonLines:
    @every_case
    def test_are_the_objects_of_the_json_format(self, findings: list[Finding]) -> None:
        lines = rendered("json-lines", findings).splitlines()
        assert [json.loads(line) for line in lines] == json.loads(rendered("json", findings))


class TestGrouped:
    def test_stands_under_the_names_of_files(self) -> None:
        far = finding(at(ODD, 100, 12, 100, 13))
        assert rendered("grouped", [WHOLE, HERE_ALONE, CASES["alike"][0], far]).splitlines() == [
            "train.py:",
            f"  1:18 LOS201 {WHOLE.message} ({evidence_line(EVIDENCE)})",
            f"  2:1  LOS101 [*] {HERE_ALONE.message} ({evidence_line(RAISES)})",
            "",
            "é,%3A:日本 100%.py:",
            "    2:1  LOS201 Bad.",
            "  100:12 LOS201 Bad.",
            "",
        ]


@pytest.mark.parametrize("name", ["concise", "full", "grouped"])
def test_a_marker_says_what_the_flags_at_hand_would_fix(name: str) -> None:
    findings = [WHOLE, HERE_ALONE, finding(SINK)]
    assert rendered(name, findings).count("[*]") == 1
    assert rendered(name, findings, unsafe_fixes=True).count("[*]") == 2
