"""Workflow commands, taken apart as GitHub's runner does it."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st
from reported import HERE, TRAIN, WHOLE, at, every_case, finding, rendered

from loss_lint.findings import Finding


def _command(line: str) -> tuple[dict[str, str], str]:
    """A workflow command taken apart as the runner does it (actions/runner, `ActionCommand.cs`)."""
    assert line.startswith("::")
    head, data = line[2:].split("::", 1)
    name, properties = head.split(" ", 1)
    assert name == "error"
    pairs = (pair.split("=", 1) for pair in properties.split(",") if pair)
    return {key: _taken_back(value, ":,") for key, value in pairs}, _taken_back(data, "")


def _taken_back(text: str, also: str) -> str:
    for char in f"\r\n{also}%":
        text = text.replace(f"%{ord(char):02X}", char)
    return text


def test_whole() -> None:
    (line,) = rendered("github", [WHOLE]).splitlines()
    assert _command(line) == (
        {
            "title": "loss-lint (LOS201)",
            "file": TRAIN,
            "line": "1",
            "col": "18",
            "endLine": "1",
            "endColumn": "41",
        },
        (
            "train.py:1:18: LOS201 cross_entropy gets probabilities: softmax at net.py:5. "
            "Pass the logits (when use_softmax).\n"
            "  trace:\n"
            "    1. net.py:5:12: softmax makes probabilities\n"
            "    2. train.py:1:5: called here\n"
            "  evidence: loss 1.89 -> 1.61, gradient 0.339 -> 0.0633 (cosine 0.91), measured with torch 2.13.0 "
            "on 8x5 logits\n"
            "  help: Pass the logits"
        ),
    )


@every_case
def test_is_one_command_a_finding(findings: list[Finding]) -> None:
    commands = [_command(line) for line in rendered("github", findings).split("\n")[:-1]]
    for (properties, data), one in zip(commands, findings, strict=True):
        assert properties["file"] == one.place.path.replace("\udce9", "\\udce9")
        assert (
            ("col" in properties)
            == ("endColumn" in properties)
            == (properties["line"] == properties["endLine"])
        )
        assert f": {one.code} " in data


@given(st.text(), st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1))
def test_whatever_there_is_to_say(message: str, name: str) -> None:
    path = f"{HERE}/{name}"
    output = rendered("github", [finding(at(path, 1, 1, 1, 2), message)])
    assert output.count("\n") == 1
    properties, _ = _command(output.removesuffix("\n"))
    assert properties["file"] == os.path.abspath(path)
