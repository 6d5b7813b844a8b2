"""Encoders of labels: what they were fitted on last, kept with the object.

`encoder.fit(labels)` and a later `encoder.transform(labels)` read like one expression,
`encoder.fit(labels).transform(labels)`, whatever has happened to the encoder between them.
"""

from __future__ import annotations

from loss_lint.symbolic import access
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import Argument, Leaf, Op, Site, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.unknown import spelled, unknown_call

# Encoders that number the sorted classes which they are fitted on.
_ENCODERS = frozenset({"LabelEncoder", "OrdinalEncoder"})


def is_encoder(value: Value) -> bool:
    """Whether a value is an encoder as its constructor made it."""
    return (
        isinstance(value, Leaf)
        and value.role == "call"
        and value.name.startswith("sklearn.preprocessing.")
        and value.name.rpartition(".")[2] in _ENCODERS
        and len(value.operands) == 1  # OrdinalEncoder(categories=...) numbers what it is told
    )


def fit(callee: Value, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Value | None:
    """What `encoder.fit(labels)` returns, which is the encoder; None for every other call.

    `encoder.fit_transform(labels)` is noted as well, and has a result of its own.
    """
    if spelled(callee) not in ("fit", "fit_transform") or not isinstance(callee, Op) or not arguments:
        return None
    encoder = callee.operands[0]
    if not is_encoder(strip(encoder)):
        return None
    fitted = unknown_call(callee, arguments, site, "an encoder that was fitted")
    access.set_attribute(encoder, "transform", access.unknown_attribute(fitted, "transform", site, act), act)
    return encoder if spelled(callee) == "fit" else None
