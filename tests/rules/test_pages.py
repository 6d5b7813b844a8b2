"""Each rule's page: its sections, its measured numbers, and that it is the same with and without torch."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loss_lint.findings import Comparison, Evidence
from loss_lint.harness import pages
from loss_lint.harness.prove import Proof
from loss_lint.rules import all_rules, documentation
from loss_lint.rules.page import Measured, decoded, encoded, page, stored
from loss_lint.rules.rule import Rule

ROOT = Path(__file__).resolve().parents[2]
RULES = all_rules()
EVERYWHERE = ("## What it does", "## Why is this bad?", "## Not flagged", "## Fix safety", "## References")
WITH_EXAMPLE = ("## Example", "## In numbers")
EVIDENCE = Evidence(
    "value+gradient",
    Comparison(1.572, 1.828),
    Comparison(0.0624, 0.323),
    0.76,
    shapes=(("logits", (8, 5)), ("target", (8,))),
    torch="2.13.0",
)
MEASURED = Measured(EVIDENCE)
PAGE = """# a-rule (LOS999)

## What it does

Nothing.

## Not flagged

Everything.
"""
RULE = Rule("LOS999", "a-rule", "nothing", ("value",), "none", frozenset({"cross_entropy", "mul"}))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_is_whole(rule: Rule) -> None:
    text = documentation(rule)
    assert text.startswith(f"# {rule.name} ({rule.code})\n\nClaim: ")
    for section in (*EVERYWHERE, *(WITH_EXAMPLE if rule.claim else ())):
        assert text.count(f"\n{section}\n") == 1, f"{rule.code} has not one section {section!r}"
        body = text.partition(f"\n{section}\n")[2].partition("\n## ")[0]
        assert body.strip(), f"{rule.code} says nothing under {section!r}"
    if not rule.default:
        assert "\n## Options\n" in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_references_lead_to_what_torch_has(rule: Rule) -> None:
    for name in re.findall(r"docs\.pytorch\.org/docs/stable/generated/([\w.]+)\.html", documentation(rule)):
        owner, value = "", None
        for part in name.split("."):
            owner = f"{owner}.{part}".removeprefix(".")
            value = importlib.import_module(part) if value is None else _member(value, part, owner)


def _member(value: object, part: str, qualified: str) -> object:
    return getattr(value, part) if hasattr(value, part) else importlib.import_module(qualified)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.claim], ids=lambda rule: rule.code)
def test_what_a_page_says_in_numbers_is_what_its_rule_claims(rule: Rule) -> None:
    measured = stored(rule)
    assert measured is not None, "run `python docs/build.py`"
    assert measured.evidence.verdict in rule.claim
    assert measured.evidence.torch


def test_a_page_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['numpy'] = None\n"
        "from loss_lint.cli import main; sys.exit(main(['rule', '--all']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "\n".join(documentation(rule) + "\n" for rule in RULES)


def test_what_follows_from_rule_and_measurement_stands_in_its_place() -> None:
    text = page(replace(RULE, default=False), PAGE, MEASURED)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## What it does",
        "## In numbers",
        "## Not flagged",
        "## Options",
        "## References",
    ]
    assert "| flagged | 1.572 | 0.0624 |\n| corrected | 1.828 | 0.323 |\n" in text
    assert "on logits (8, 5), target (8,), with torch 2.13.0" in text
    assert "- [torch.nn.CrossEntropyLoss](" in text
    assert "torch.mul" not in text


def test_what_a_docstring_says_itself_is_kept() -> None:
    own = f"{PAGE}\n## Options\n\nMany.\n\n## References\n\n- [a page](https://example.org)\n"
    text = page(replace(RULE, default=False), own, None)
    assert text.endswith(
        "## Options\n\n`--extend-select LOS999` turns the rule on.\n\nMany.\n\n"
        "## References\n\n- [a page](https://example.org)"
    )
    assert "In numbers" not in text


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (Evidence("raises", error="no\n such", torch="2"), "seed 0:\n\ntorch raises: `no such`"),
        (
            replace(EVIDENCE, verdict="raises", error="no", loss=Comparison(None, 1.0)),
            "| flagged | raises | - |\n| corrected | 1 | 0.323 |\n\ntorch raises: `no`",
        ),
        (
            replace(EVIDENCE, verdict="unstable", loss=Comparison(float("inf"), 10490.0)),
            "| corrected | 10,490 |",
        ),
        (replace(EVIDENCE, grad_norm=None), "| | loss |\n| --- | ---: |\n"),
    ],
)
def test_numbers_in_words(evidence: Evidence, expected: str) -> None:
    assert expected in page(RULE, PAGE, Measured(evidence))


@pytest.mark.parametrize(
    "measured",
    [
        MEASURED,
        Measured(replace(EVIDENCE, verdict="raises", loss=Comparison(None, 1.0), error="no"), 1e4),
        Measured(Evidence("none")),
    ],
)
def test_measurements_are_stored_whole(measured: Measured) -> None:
    assert decoded(encoded(measured)) == measured


def changed(**values: object) -> Measured:
    return Measured(replace(EVIDENCE, **values))


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        (changed(), True),
        (changed(loss=Comparison(1.573, 1.828)), True),
        (changed(grad_cosine=0.77), True),
        (changed(torch="2.14.0"), True),
        (changed(loss=Comparison(1.58, 1.828)), False),
        (changed(loss=Comparison(float("nan"), 1.828)), False),
        (changed(loss=None), False),
        (changed(grad_cosine=None), False),
        (changed(verdict="value"), False),
        (changed(shapes=()), False),
        (changed(error="no"), False),
        (changed(error="no", torch="2.14.0"), True),
    ],
)
def test_stored_numbers_are_kept_while_torch_confirms_them(
    now: Measured, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = Proof(RULE.code, RULE.name, "", RULE.claim, now.evidence, holds=True)
    monkeypatch.setattr(pages, "prove", lambda codes: [proof])
    monkeypatch.setattr(pages, "stored", lambda rule: MEASURED)
    assert pages.measured(RULE) == (MEASURED if kept else now)


def test_numbers_are_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = replace(
        EVIDENCE,
        loss=Comparison(1.23456789, float("inf")),
        grad_norm=Comparison(None, 12345.6),
        grad_cosine=0.12345,
    )
    proof = Proof(RULE.code, RULE.name, "", RULE.claim, exact, holds=True)
    monkeypatch.setattr(pages, "prove", lambda codes: [proof])
    measured = pages.measured(RULE)
    assert measured is not None
    assert measured.evidence.loss == Comparison(1.235, float("inf"))
    assert measured.evidence.grad_norm == Comparison(None, 12350.0)
    assert measured.evidence.grad_cosine == 0.12


def test_a_rule_that_claims_nothing_has_no_numbers() -> None:
    assert [rule.code for rule in RULES if stored(rule) is None] == ["LOS000"]
    assert pages.measured(RULES[0]) is None
