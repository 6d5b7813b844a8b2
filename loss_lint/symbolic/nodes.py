"""What the expression graph is made of, to Python: immutable classes that are cheap to make.

The type checker sees that nothing writes to them. At run time it is not asked: a dataclass that refuses to be written
to takes three times as long to make, and a large project's graph has millions of nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Class = TypeVar("Class")


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def node(cls: type[Class]) -> type[Class]:
    """A frozen dataclass whose instances are themselves and equal nothing else."""
    return dataclass(slots=True, eq=False)(cls)


@dataclass_transform(frozen_default=True, eq_default=True, field_specifiers=(field,))
def equal_by_parts(cls: type[Class]) -> type[Class]:
    """A frozen dataclass whose instances are equal if what they hold is."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
