"""How findings speak of places, conditions and losses."""

from __future__ import annotations

from loss_lint.symbolic.graph import Op, Site
from loss_lint.syntax.site import line_of, short


def at(site: Site, seen_from: Site) -> str:
    """`line 18`, or `net.py:18` from another file."""
    return line_of(site, seen_from) if site.path == seen_from.path else short(site)


def origin(op: Op) -> Site:
    """Where an operation is written: its call, or where its module was made if a `Sequential` calls it."""
    return op.made if op.made is not None and op.site in op.slots else op.site


def spelled(op: Op) -> str:
    """An operation as a reader of the code would name it."""
    return {"div": "a hand-rolled softmax", "getitem": "indexing"}.get(op.name, op.name)
