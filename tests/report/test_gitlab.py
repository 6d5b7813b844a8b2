"""GitLab's report: docs.gitlab.com/ci/testing/code_quality tells what it has to hold."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from reported import CASES, HERE, NET, ODD, ROOT, TRAIN, WHOLE, at, every_case, finding, lower, rendered

from loss_lint.findings import Finding


@every_case
def test_has_what_gitlab_asks_for(findings: list[Finding]) -> None:
    records = json.loads(rendered("gitlab", findings))
    for record in records:
        assert record["description"].startswith(f"{record['check_name']}: ")
        assert record["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert re.fullmatch("[0-9a-f]{32}", record["fingerprint"])
        location = record["location"]
        assert not location["path"].startswith(("./", ROOT))
        assert location["positions"]["begin"]["line"] >= 1
    assert len({record["fingerprint"] for record in records}) == len(findings)


def test_paths_lead_from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(rendered("gitlab", [WHOLE]))[0]["location"]["path"] == "sub/train.py"
    monkeypatch.setenv("CI_PROJECT_DIR", f"{HERE}/")
    assert json.loads(rendered("gitlab", [WHOLE]))[0]["location"]["path"] == "train.py"


def test_fingerprints_stay_when_lines_move() -> None:
    before = json.loads(rendered("gitlab", CASES["alike"]))
    moved = [replace(one, place=lower(one.place, 3)) for one in CASES["alike"]]
    after = json.loads(rendered("gitlab", moved, {ODD: "#\n#\n#\nbad()\n    bad(); bad()\n"}))
    assert [record["fingerprint"] for record in after] == [record["fingerprint"] for record in before]


def test_fingerprints_tell_files_and_texts_apart() -> None:
    same = [finding(at(path, 1, 1, 1, 2)) for path in (NET, TRAIN)]
    other = json.loads(rendered("gitlab", same, {NET: "a\n", TRAIN: "a\n"}))
    assert other[0]["fingerprint"] != other[1]["fingerprint"]
    changed = json.loads(rendered("gitlab", same, {NET: "b\n", TRAIN: "a\n"}))
    assert changed[0]["fingerprint"] != other[0]["fingerprint"]
    assert changed[1]["fingerprint"] == other[1]["fingerprint"]
