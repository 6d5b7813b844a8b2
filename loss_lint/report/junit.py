"""JUnit's XML: a suite of failed tests for each file, for services that show tests.

Only what Jenkins' schema knows (xunit-plugin, `junit-10.xsd`), which the other readers know too: the place of a
finding stands in its text. GitLab takes tests of one name in one class for one, so that names are numbered.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from loss_lint.report.paths import absolute_path, printable, shown_position
from loss_lint.report.wording import paragraph, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loss_lint.findings import Finding
    from loss_lint.report.material import Material

_TOOL = "loss-lint"


def render(material: Material) -> Iterator[str]:
    """An XML document, its text in ASCII; one test that has passed where there is nothing to report."""
    findings = material.findings
    root = ET.Element("testsuites", {"name": _TOOL, **_counts(len(findings))})
    for path, group in groupby(findings, key=lambda finding: finding.place.path):
        _add_suite(root, printable(absolute_path(path)), list(group), material.folder)
    if not findings:
        suite = ET.SubElement(root, "testsuite", {"name": _TOOL, **_counts(0)})
        ET.SubElement(suite, "testcase", name="No errors found", classname=_TOOL)
    ET.indent(root, "    ")
    body = ET.tostring(root, encoding="us-ascii", xml_declaration=False).decode("ascii")
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _counts(failures: int) -> dict[str, str]:
    return {"tests": str(failures or 1), "failures": str(failures), "errors": "0"}


def _add_suite(root: ET.Element, path: str, findings: Sequence[Finding], folder: str) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": path, "package": _TOOL, **_counts(len(findings))})
    seen: Counter[str] = Counter()
    for finding in findings:
        seen[finding.code] += 1
        again = f" ({seen[finding.code]})" if seen[finding.code] > 1 else ""
        name = f"{_TOOL}.{finding.code}{again}"
        case = ET.SubElement(suite, "testcase", name=name, classname=os.path.splitext(path)[0])
        failure = ET.SubElement(case, "failure", type=finding.code, message=sentence(finding))
        first, *others = paragraph(finding, folder)
        failure.text = "\n".join([f"{shown_position(finding.place, folder)}: {first}", *others])
