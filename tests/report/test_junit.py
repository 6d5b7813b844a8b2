"""JUnit's XML: its schema, and a reader of it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from junitparser import Failure, JUnitXml
from reported import CASES, HERE_ALONE, ODD, SINK, TRAIN, WHOLE, every_case, finding, rendered

from loss_lint.findings import Evidence, Finding

# What Jenkins' schema (xunit-plugin, junit-10.xsd) allows: the attributes of each element, those it needs first.
JUNIT = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
}


@every_case
def test_keeps_to_the_schema(findings: list[Finding]) -> None:
    for element in ET.fromstring(rendered("junit", findings)).iter():
        needed, allowed, children = JUNIT[element.tag]
        assert needed <= element.attrib.keys() <= needed | allowed
        assert {child.tag for child in element} <= children


@every_case
def test_is_read(findings: list[Finding]) -> None:
    report = JUnitXml.fromstring(rendered("junit", findings).encode())
    assert (report.tests, report.failures, report.errors) == (len(findings) or 1, len(findings), 0)
    cases = [case for suite in report for case in suite]
    assert len({(case.classname, case.name) for case in cases}) == len(cases)
    for case, one in zip(cases, findings, strict=bool(findings)):
        (failure,) = case.result
        assert isinstance(failure, Failure)
        assert failure.type == one.code
        assert f":{one.place.line}:{one.place.column}: " in failure.text
    if not findings:
        assert [case.is_passed for case in cases] == [True]


def test_suites_add_up() -> None:
    report = JUnitXml.fromstring(rendered("junit", [WHOLE, HERE_ALONE, *CASES["alike"]]).encode())
    assert [(suite.name, suite.tests, suite.failures) for suite in report] == [
        (TRAIN, 2, 2),
        (ODD, 3, 3),
    ]
    report.update_statistics()
    assert (report.tests, report.failures) == (5, 5)


@given(st.text(), st.text())
def test_whatever_there_is_to_say(message: str, error: str) -> None:
    evidence = Evidence("raises", error=error, torch="2")
    root = ET.fromstring(rendered("junit", [finding(SINK, message, evidence=evidence)]))
    assert root.find(".//failure") is not None
