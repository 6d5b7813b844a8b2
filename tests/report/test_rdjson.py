"""Reviewdog's format: its messages, and suggestions applied as it applies them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import jsonschema
from reported import FILES, HERE_ALONE, NET, SINK, TRAIN, WHOLE, every_case, finding, rendered

from loss_lint.findings import Finding

# The messages of reviewdog's `proto/rdf/reviewdog.proto`, with what its comments say of the fields.
POSITION = {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}}
SEVERITY = {"enum": ["UNKNOWN_SEVERITY", "ERROR", "WARNING", "INFO"]}
STRING = {"type": "string"}


def message(required: Sequence[str], **fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


def repeated(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


RANGE = message(["start"], start=message([], **POSITION), end=message([], **POSITION))
LOCATION = message(["path"], path=STRING, range=RANGE)
SOURCE = message(["name"], name=STRING, url=STRING)
DIAGNOSTIC = message(
    ["message", "location"],
    message=STRING,
    location=LOCATION,
    severity=SEVERITY,
    source=SOURCE,
    code=message(["value"], value=STRING, url=STRING),
    suggestions=repeated(message(["range", "text"], range=RANGE, text=STRING)),
    original_output=STRING,
    related_locations=repeated(message(["location"], message=STRING, location=LOCATION)),
)
RESULT = message(["diagnostics"], diagnostics=repeated(DIAGNOSTIC), source=SOURCE, severity=SEVERITY)


def applied(suggestion: dict[str, Any], text: str) -> str:
    """A suggestion applied as reviewdog applies it: columns are bytes."""
    lines = [line.encode() for line in text.split("\n")]
    start, end = suggestion["range"]["start"], suggestion["range"]["end"]
    head = b"\n".join([*lines[: start["line"] - 1], lines[start["line"] - 1][: start["column"] - 1]])
    tail = b"\n".join([lines[end["line"] - 1][end["column"] - 1 :], *lines[end["line"] :]])
    return (head + suggestion["text"].encode() + tail).decode()


@every_case
def test_keeps_to_the_schema(findings: list[Finding]) -> None:
    result = json.loads(rendered("rdjson", findings))
    jsonschema.Draft4Validator(RESULT).validate(result)
    assert len(result["diagnostics"]) == len(findings)


def test_columns_count_bytes() -> None:
    (diagnostic,) = json.loads(rendered("rdjson", [finding(SINK)]))["diagnostics"]
    start = diagnostic["location"]["range"]["start"]
    assert FILES[TRAIN].encode()[start["column"] - 1 :].startswith(b"F.cross_entropy(p, y)")


def test_a_suggestion_is_the_whole_fix() -> None:
    (diagnostic,) = json.loads(rendered("rdjson", [HERE_ALONE]))["diagnostics"]
    (suggestion,) = diagnostic["suggestions"]
    fixed = "x = '日本'; loss = G.cross_entropy(p, y)\nloss = (\n    loss\n)\n"
    assert applied(suggestion, FILES[TRAIN]) == fixed


def test_a_fix_of_several_files_is_no_suggestion() -> None:
    (diagnostic,) = json.loads(rendered("rdjson", [WHOLE]))["diagnostics"]
    assert "suggestions" not in diagnostic
    assert [related["location"]["path"] for related in diagnostic["related_locations"]] == [NET, TRAIN]
