"""The explanation of a file's losses: plain frozen data, without a graph behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.findings import Place

Kind = Literal[
    "operation",
    "layer",  # a parametrised layer: what comes out of it is as good as unknown numbers
    "unknown",
    "number",  # a Python number: a size, a count, a literal
    "choice",  # one of several values; `when` of its children says which
    "sum",  # what a loop adds up
    "sequence",
]


@dataclass(frozen=True, slots=True)
class Child:
    """A value that goes into another one: `label` is the operand's name, `when` the conditions under which."""

    node: Node
    label: str = ""
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a computation.

    `name` is the operation's canonical name (an identifier for what is unknown), `text` how it reads, with its
    configuration. `made` is where the module was constructed that computes it. `note` says why nothing more is
    known, or what is worth knowing. `symbol` is the letter that stands for it in the formula.
    """

    kind: Kind
    name: str
    text: str
    place: Place | None = None
    made: Place | None = None
    note: str = ""
    children: tuple[Child, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    symbol: str = ""

    def walk(self) -> Iterator[Node]:
        """The node and all below it."""
        yield self
        for child in self.children:
            yield from child.node.walk()

    def parameter(self, name: str) -> str:
        return dict(self.parameters).get(name, "")


@dataclass(frozen=True, slots=True)
class Consequence:
    """What happens to a loss next: `/ inputs.size(0)`, `backward()`; `when` are the conditions under which."""

    text: str
    place: Place
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A call on the way to a loss: `function` is called at `place` by `caller`."""

    function: str
    caller: str
    place: Place


@dataclass(frozen=True, slots=True)
class Reading:
    """What a loss is in one situation.

    `calls` are the calls that bring it about, outermost first, one tuple for each way there. `then` are the chains
    of what happens to the result, and `objective` is what is made of it in the end, with `L` for the loss.
    `gradient` is False where nothing can be trained on it.
    """

    tree: Node
    formula: tuple[str, ...]
    function: str
    calls: tuple[tuple[Call, ...], ...] = ()
    when: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()
    gradient: bool = True
    then: tuple[tuple[Consequence, ...], ...] = ()
    objective: str = ""

    def places(self) -> Iterator[Place]:
        """Every place that this reading passes through."""
        for node in self.tree.walk():
            yield from (place for place in (node.place, node.made) if place is not None)
        yield from (call.place for calls in self.calls for call in calls)
        yield from (step.place for chain in self.then for step in chain)


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss of a program, at the call (or the `backward()`) where it stands; `omitted` counts further readings."""

    place: Place
    title: str
    readings: tuple[Reading, ...]
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """All losses of one file in the order of their places; `elsewhere` are other files' losses that go through it.

    `others` are where the file's losses begin that were not asked for. `limits` are the limits on work that were
    reached, with how often: what lies past them is unknown.
    """

    path: str
    losses: tuple[Loss, ...]
    elsewhere: tuple[Loss, ...] = ()
    limits: tuple[tuple[str, int], ...] = ()
    others: tuple[Place, ...] = ()


def spelling(name: str) -> str:
    """An operation's name as programs write it: `float` for `to_float`."""
    return "sum" if name == "total" else name.removeprefix("to_")
