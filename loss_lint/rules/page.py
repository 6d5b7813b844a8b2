"""A rule's page: what its docstring says, and what follows from the rule itself and from what was measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from loss_lint.catalogue import OPERATIONS, Operation
from loss_lint.findings import Comparison, Evidence, Verdict
from loss_lint.rules.rule import FixKind, Rule

NUMBERS, OPTIONS, REFERENCES = "## In numbers", "## Options", "## References"
_BEFORE_NUMBERS = "## Not flagged"
RAISED = "raises"
_TORCH = "https://docs.pytorch.org/docs/stable"
_MAX_REFERENCES = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """What the harness measured on the example of a rule's page; `scale` multiplied the logits."""

    evidence: Evidence
    scale: float = 1.0


def stored(rule: Rule) -> Measured | None:
    """What was measured when the pages were last built; None for a rule that claims nothing of the numbers."""
    file = files(__package__).joinpath("measured", f"{rule.name}.json")
    return decoded(file.read_text(encoding="utf-8")) if file.is_file() else None


def encoded(measured: Measured) -> str:
    """As the JSON text that `decoded` reads; infinities and NaN are in it as Python writes them."""
    evidence = measured.evidence
    record = {
        "verdict": evidence.verdict,
        "loss": _pair(evidence.loss),
        "gradient": _pair(evidence.grad_norm),
        "cosine": evidence.grad_cosine,
        "error": evidence.error,
        "shapes": {label: list(shape) for label, shape in evidence.shapes},
        "scale": measured.scale,
        "seed": evidence.seed,
        "torch": evidence.torch,
    }
    return json.dumps(record, indent=2) + "\n"


def decoded(text: str) -> Measured:
    record: dict[str, Any] = json.loads(text)
    loss, gradient = record["loss"], record["gradient"]
    evidence = Evidence(
        verdict=record["verdict"],
        loss=None if loss is None else Comparison(*loss),
        grad_norm=None if gradient is None else Comparison(*gradient),
        grad_cosine=record["cosine"],
        error=record["error"],
        shapes=tuple((label, tuple(shape)) for label, shape in record["shapes"].items()),
        seed=record["seed"],
        torch=record["torch"],
    )
    return Measured(evidence, record["scale"])


def _pair(pair: Comparison | None) -> list[float | None] | None:
    return None if pair is None else [pair.flagged, pair.fixed]


_FIX: dict[FixKind, str] = {
    "safe": "The fix changes no number.",
    "unsafe": "The fix changes the numbers that the program computes.",
    "none": "There is no fix.",
}


def page(rule: Rule, text: str, measured: Measured | None) -> str:
    """`text`, the docstring, with the sections that nobody has to write."""
    title, _, text = text.strip().partition("\n")
    facts = [f"Claim: {', '.join(rule.claim) or 'none'}.", _FIX[rule.fix]]
    if not rule.default:
        facts.append("Off by default.")
    text = f"{title}\n\n{' '.join(facts)}\n{text}"
    if measured is not None and _BEFORE_NUMBERS in text:
        before, _, after = text.partition(_BEFORE_NUMBERS)
        text = f"{before}{_numbers(measured)}\n\n{_BEFORE_NUMBERS}{after}"
    if not rule.default:
        text = _with_section(text, OPTIONS, f"`--extend-select {rule.code}` turns the rule on.")
    if REFERENCES not in text:
        text = f"{text}\n\n{REFERENCES}\n\n{_references(rule)}"
    return text


def _with_section(text: str, title: str, body: str) -> str:
    """`body` as the first paragraph of a section, which stands before the references."""
    if title in text:
        return text.replace(title, f"{title}\n\n{body}", 1)
    before, references, after = text.partition(REFERENCES)
    return f"{before.rstrip()}\n\n{title}\n\n{body}" + (f"\n\n{references}{after}" if references else "")


_DIFFERENCES: dict[Verdict, str] = {
    "value": "The loss changes.",
    "gradient": "The loss is the same, its gradient is not.",
    "value+gradient": "Loss and gradient change.",
    "raises": "torch raises: `{error}`",
    "unstable": "On logits of usual size the numbers are equal; on large ones they are not.",
    "none": "The numbers are equal.",
    "no-gradient": "No gradient arrives at the logits.",
    "reported": "Nothing that is trained on changes; the number that is reported does.",
    "memory": "The numbers are equal; the graph of every step is kept in memory.",
}


def _numbers(measured: Measured) -> str:
    evidence = measured.evidence
    tensors = [f"{label} {_shape(shape)}" for label, shape in evidence.shapes]
    setting = f"with torch {evidence.torch} on the CPU, seed {evidence.seed}"
    if measured.scale != 1:
        setting = f"all logits times {measured.scale:,.0f}, {setting}"
    if tensors:
        setting = f"on {', '.join(tensors)}, {setting}"
    difference = _DIFFERENCES[evidence.verdict].format(error=" ".join((evidence.error or "").split()))
    if evidence.grad_cosine is not None and evidence.verdict in ("gradient", "value+gradient"):
        difference += f" The cosine between the two gradients is {evidence.grad_cosine:.2f}."
    lines = [NUMBERS, "", f"The example as flagged and as corrected, {setting}:", ""]
    columns = [
        (title, pair)
        for title, pair in (("loss", evidence.loss), ("gradient's norm", evidence.grad_norm))
        if pair is not None
    ]
    if columns:
        flagged = [_number(pair.flagged) for _, pair in columns]
        if flagged[0] == RAISED:
            flagged[1:] = ["-"] * (len(columns) - 1)
        fixed = [_number(pair.fixed) for _, pair in columns]
        lines += [
            f"| | {' | '.join(title for title, _ in columns)} |",
            "| --- |" + " ---: |" * len(columns),
            f"| flagged | {' | '.join(flagged)} |",
            f"| corrected | {' | '.join(fixed)} |",
            "",
        ]
    return "\n".join([*lines, difference])


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _number(value: float | None) -> str:
    if value is None:
        return RAISED
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def _references(rule: Rule) -> str:
    """Where torch documents the operations that a rule looks at: its losses, if there are any among them."""
    found = [entry for entry in OPERATIONS if entry.name in rule.sinks]
    losses = [entry for entry in found if entry.effect == "loss"]
    names = [name for entry in losses or found for name in _documented(entry)[:1]]
    links = [f"[{name}]({_TORCH}/generated/{name}.html)" for name in names[:_MAX_REFERENCES]]
    return "\n".join(f"- {link}" for link in links or [f"[Loss functions]({_TORCH}/nn.html#loss-functions)"])


def _documented(entry: Operation) -> list[str]:
    """Names under which torch documents an operation, the most telling first."""
    classes, functions = [name for name, _ in entry.modules], [name for name, _ in entry.functions]
    methods = [f"torch.Tensor.{name}" for name, _ in entry.methods]
    return [name for name in (*classes, *functions, *methods) if name.startswith("torch.")]
