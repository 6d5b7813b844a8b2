"""The explanation of a file's losses as JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loss_lint.explain.explanation import Call, Consequence, Explanation, Loss, Node, Reading
    from loss_lint.findings import Place


def render(explanation: Explanation) -> str:
    """One object, its text in ASCII: paths need not be Unicode."""
    record = {
        "filename": os.path.abspath(explanation.path),
        "losses": [_loss(loss) for loss in explanation.losses],
        "elsewhere": [_loss(loss) for loss in explanation.elsewhere],
        "limits": dict(explanation.limits),
        "others": [_place(place) for place in explanation.others],
    }
    return json.dumps(record, indent=2, sort_keys=True) + "\n"


def _loss(loss: Loss) -> dict[str, Any]:
    return {
        "name": loss.title,
        "place": _place(loss.place),
        "readings": [_reading(reading) for reading in loss.readings],
        "omitted": loss.omitted,
    }


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "formula": list(reading.formula),
        "function": reading.function,
        "calls": [[_call(call) for call in way] for way in reading.calls],
        "when": list(reading.when),
        "loops": list(reading.loops),
        "gradient": reading.gradient,
        "objective": reading.objective,
        "tree": _node(reading.tree),
        "then": [[_consequence(step) for step in chain] for chain in reading.then],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "kind": node.kind,
        "name": node.name,
        "text": node.text,
        "symbol": node.symbol,
        "note": node.note,
        "place": _place(node.place),
        "made": _place(node.made),
        "parameters": dict(node.parameters),
        "children": [
            {"label": child.label, "when": list(child.when), "node": _node(child.node)}
            for child in node.children
        ],
    }


def _call(call: Call) -> dict[str, Any]:
    return {"function": call.function, "caller": call.caller, "place": _place(call.place)}


def _consequence(step: Consequence) -> dict[str, Any]:
    return {"text": step.text, "place": _place(step.place), "when": list(step.when)}


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {
        "filename": os.path.abspath(place.path),
        "cell": place.cell or None,
        "location": {"row": place.line, "column": place.column},
        "end_location": {"row": place.end_line, "column": place.end_column},
    }
