"""`loss-lint rule` and `loss-lint prove`."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import dataclass, replace

import pytest

from loss_lint.cli import main
from loss_lint.findings import Comparison, Evidence
from loss_lint.harness.missing import TorchMissing
from loss_lint.rules import all_rules


@pytest.mark.parametrize("selector", ["LOS201", "softmax-into-cross-entropy"])
def test_a_rule_is_explained_by_code_and_by_name(selector: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", selector]) == 0
    page = capsys.readouterr().out
    assert page.startswith("# softmax-into-cross-entropy (LOS201)\n\nClaim: value, gradient")
    assert page.count("(LOS201)") == 1
    for section in ("## What it does", "## Why is this bad?", "## Example"):
        assert section in page


def test_all_rules_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "--all"]) == 0
    page = capsys.readouterr().out
    for rule in all_rules():
        assert f"# {rule.name} ({rule.code})\n" in page


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "LOS201", "--output-format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["code"], record["name"], record["fix"]) == (
        "LOS201",
        "softmax-into-cross-entropy",
        "unsafe",
    )
    assert "## What it does" in record["explanation"]
    assert main(["rule", "--all", "--output-format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(all_rules())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rule", "LOS20"], "unknown rule `LOS20`; did you mean `LOS20"),
        (["rule", "zzzz"], "unknown rule `zzzz`\n"),
        (["rule"], "name one rule"),
        (["rule", "LOS201", "--all"], "name one rule"),
        (["prove", "LOS9"], "unknown rule selector `LOS9`"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


@dataclass(frozen=True)
class Proof:
    code: str
    name: str
    claim: tuple[str, ...]
    evidence: Evidence
    holds: bool = True


PROOF = Proof(
    "LOS201",
    "softmax-into-cross-entropy",
    ("value", "gradient"),
    Evidence("value+gradient", Comparison(1.9, 1.6), torch="2.13.0"),
)


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> list[Proof]:
    given: list[Proof] = [PROOF]
    module = types.ModuleType("loss_lint.harness.prove")
    module.prove = lambda codes: given  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "loss_lint.harness.prove", module)
    return given


def test_proofs_are_a_table(proofs: list[Proof], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--all"]) == 0
    everything = capsys.readouterr().out
    assert main(["prove"]) == 0
    out = capsys.readouterr().out
    assert out == everything
    head, row, summary = out.splitlines()
    assert head.split() == ["rule", "claim", "measured", "evidence"]
    assert row.startswith(
        "LOS201 softmax-into-cross-entropy  value, gradient  value+gradient  holds  loss 1.9"
    )
    assert summary == "1 of 1 claims hold."


def test_a_claim_that_fails_is_1(proofs: list[Proof], capsys: pytest.CaptureFixture[str]) -> None:
    proofs.append(replace(PROOF, holds=False))
    assert main(["prove", "LOS2"]) == 1
    assert "FAILS" in capsys.readouterr().out


def test_without_torch_it_is_2(
    proofs: list[Proof], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(codes: object) -> None:
        raise TorchMissing

    monkeypatch.setattr(sys.modules["loss_lint.harness.prove"], "prove", missing)
    assert main(["prove"]) == 2
    assert 'pip install "torch-loss-lint[harness]"' in capsys.readouterr().err
