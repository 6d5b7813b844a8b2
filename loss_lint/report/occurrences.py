"""What a finding is known by when its line has moved."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loss_lint.findings import Finding
    from loss_lint.report.source import SourceLines


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The how manieth finding of a code (from 0) it is, in a file, that stands in a line of this text."""

    code: str
    text: str
    number: int

    def fingerprint(self, path: str = "") -> str:
        """32 hexadecimal digits, the same as long as none of these change; `path` makes them differ by file."""
        known = "\0".join((path, self.code, self.text, str(self.number)))
        return hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def occurrences(findings: Sequence[Finding], lines: SourceLines) -> Iterator[Occurrence]:
    """What each of the findings, sorted, is known by; the indentation of its line does not matter."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        place = finding.place
        text = lines.at(place).strip()
        key = (place.path, finding.code, text)
        yield Occurrence(finding.code, text, counts[key])
        counts[key] += 1
