"""What the expression graph's nodes are to Python: immutable, compared by identity, cheap to make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Class = TypeVar("Class")


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def node(cls: type[Class]) -> type[Class]:
    """A frozen dataclass that is itself and equals nothing else.

    The type checker sees that nothing writes to it. At run time it isn't asked: a dataclass that refuses to be
    written to takes three times as long to make, and a large project's graph has millions of nodes.
    """
    return dataclass(slots=True, eq=False)(cls)
