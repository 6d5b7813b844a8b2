"""Which of the findings a surface shows: what the configuration selects and no `# noqa` silences."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loss_lint.selection import INTERNAL_ERROR

if TYPE_CHECKING:
    from loss_lint.config import Configuration
    from loss_lint.findings import Finding
    from loss_lint.syntax.noqa import Suppressions


@dataclass(frozen=True, slots=True)
class Showing:
    """What decides whether a finding is shown; a defect of loss-lint itself always is."""

    configuration: Configuration
    suppressions: Suppressions | None = None

    def shows(self, finding: Finding) -> bool:
        if finding.code == INTERNAL_ERROR:
            return True
        path = os.path.abspath(finding.place.path)
        if finding.code not in self.configuration.codes(path):
            return False
        return self.suppressions is None or not self.suppressions.silences(finding)
