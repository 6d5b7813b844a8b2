"""The expression that runs: a finding's graph without arguments, joins and calls, its unknowns as inputs.

Nodes are compared as objects; two places that hold the same node are computed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Literal as OneOf

if TYPE_CHECKING:
    from loss_lint.symbolic.graph import Site

Side = OneOf["input", "target", ""]


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A Python literal."""

    value: object


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A constant of torch's by its qualified name: `torch.float32`."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A tuple or list of known length."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """Something that is not known, and is given a tensor or number by its role.

    `content` is the graph's; `side` says of which side of a loss it is, so that a value on both sides becomes two
    tensors. `size` is the number of classes where the graph tells, `rank` that of dimensions, `name` the identifier
    that the program has.
    """

    content: int
    side: Side = ""
    size: int | None = None
    name: str = ""
    integer: bool = False
    rank: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Apply:
    """An operation by the catalogue's name (or one of the graph's own, as `getitem`).

    `site` is where the program has it, None for what stands nowhere.
    """

    name: str
    operands: tuple[Node, ...]
    parameters: tuple[tuple[str, Node], ...] = ()
    site: Site | None = None

    def parameter(self, name: str) -> Node | None:
        for key, node in self.parameters:
            if key == name:
                return node
        return None

    def literal(self, name: str) -> object:
        """The parameter's literal; None where it is missing or no literal."""
        node = self.parameter(name)
        return node.value if isinstance(node, Literal) else None


# Iterations that a loop's sum is computed over, and micro-batches that a batch is cut into.
BATCHES = 3

Node = Literal | Named | Items | Input | Apply


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Apply(operands=operands, parameters=parameters):
            return (*operands, *(value for _, value in parameters))
        case Items(items=items):
            return items
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Every node of an expression once, operands before what they are operands of."""
    seen: set[int] = set()
    pending: list[tuple[Node, bool]] = [(node, False)]
    while pending:
        current, ready = pending.pop()
        if ready:
            yield current
        elif id(current) not in seen:
            seen.add(id(current))
            pending.append((current, True))
            pending.extend((child, False) for child in reversed(children(current)))


def inputs(*nodes: Node) -> list[Input]:
    """The inputs of expressions, each once, in the order in which they are met."""
    found: dict[Input, None] = {}
    for node in nodes:
        for part in walk(node):
            if isinstance(part, Input):
                found.setdefault(part)
    return list(found)


def signature(*nodes: Node) -> str:
    """A text that is equal for expressions that compute the same on equal inputs."""
    numbers: dict[int, int] = {}
    leaves: dict[Input, int] = {}
    lines: list[str] = []
    for node in nodes:
        for part in walk(node):
            numbers[id(part)] = len(numbers)
            refs = [numbers[id(child)] for child in children(part)]
            match part:
                case Literal(value=value):
                    lines.append(f"{type(value).__name__} {value!r}")
                case Named(name=name):
                    lines.append(name)
                case Items():
                    lines.append(f"items {refs}")
                case Input(side=side, size=size, name=name, integer=integer, rank=rank):
                    number = leaves.setdefault(part, len(leaves))
                    lines.append(f"input {number} {side} {size} {name} {integer} {rank}")
                case Apply(name=name, parameters=parameters):
                    lines.append(f"{name} {[key for key, _ in parameters]} {refs}")
        lines.append("--")
    return "\n".join(lines)
