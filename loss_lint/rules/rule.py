"""The shape of a rule.

A rule is one file of this folder: its docstring is its documentation page (sections `What it does`,
`Why is this bad?`, `Example`, `Not flagged`, `Fix safety`), its `RULE` says the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from loss_lint.findings import Verdict

if TYPE_CHECKING:
    from loss_lint.rules.match import Match
    from loss_lint.symbolic.graph import Op
    from loss_lint.symbolic.root import Root

FixKind = Literal["safe", "unsafe", "none"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as data.

    `sinks` are the canonical operations (catalogue names) at which `match` is called; an empty set means
    that no operation is looked at (LOS000). `claim` is the set of verdicts that the harness may return.
    With `unanimous`, a finding stands only if every known caller reaches it. `covers` are the codes of rules that say
    less specifically what this one says: of a loss or an operation that this one matches, they keep silent.
    With `by_shape`, a match follows from shapes alone: nothing is said where the program itself asks for shapes, and
    what it would find is not known.
    """

    code: str
    name: str
    summary: str
    claim: tuple[Verdict, ...]
    fix: FixKind
    sinks: frozenset[str] = frozenset()
    match: Callable[[Op, Root], Iterator[Match]] | None = None
    unanimous: bool = False
    default: bool = True
    covers: frozenset[str] = frozenset()
    by_shape: bool = False
