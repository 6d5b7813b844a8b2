"""Conditions as phrases: those that a reader can check, and a stand-in for the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from loss_lint.symbolic import describe
from loss_lint.symbolic.graph import Atom, Const, External, Leaf, Op, Value
from loss_lint.symbolic.guards import EQUALITIES, strip, subject
from loss_lint.symbolic.naming import name_of
from loss_lint.syntax.site import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from loss_lint.symbolic.places import Places


def conditions(atoms: Iterable[Atom], places: Places) -> tuple[str, ...]:
    """What has to hold, sorted by text; what says nothing to a reader is left out."""
    atoms = tuple(atoms)
    texts: set[str] = set()
    decided = {_subject(atom) for atom in atoms if atom.truth and _compares(atom) and _names_value(atom)}
    for atom in atoms:
        if not atom.truth and _compares(atom) and _subject(atom) in decided:
            continue  # `x == "a"` says that `x` is not "b"
        if _asks_for_main(strip(atom.condition)):
            continue
        mode = _mode(strip(atom.condition), atom.truth)
        texts.update((mode,) if mode else describe.conditions((atom,), places) or _stand_in(atom, places))
    return tuple(sorted(_joined(texts)))


_UNEQUAL = re.compile(r"(`.+`) != (.+)")
_EQUAL = re.compile(r"`(.+) == (.+)`")


def _joined(texts: Iterable[str]) -> Iterator[str]:
    """Conditions, those that exclude several values of one subject as one."""
    excluded: dict[str, list[str]] = {}
    texts = sorted(texts)
    decided = {match[1] for text in texts if (match := _EQUAL.fullmatch(text))}
    for text in texts:
        negated = _EQUAL.fullmatch(text.removeprefix("not ")) if text.startswith("not ") else None
        if negated is not None and negated[1] in decided:
            continue
        match = _UNEQUAL.fullmatch(text)
        if match is None:
            yield text
        else:
            excluded.setdefault(match[1], []).append(match[2])
    for subject_text, values in excluded.items():
        if len(values) == 1:
            yield f"{subject_text} != {values[0]}"
        else:
            yield f"{subject_text} is none of {', '.join(values)}"


def stated(atoms: Iterable[Atom], places: Places) -> tuple[str, ...]:
    """The conditions that the source states in few words."""
    return tuple(_joined(set(describe.conditions(atoms, places))))


def _mode(condition: Value, truth: bool) -> str:
    """`in training mode`, where a condition asks for a module's `training`; "" for others."""
    match condition:
        case Op(name="not", operands=(inner,)):
            return _mode(strip(inner), not truth)
        case Op(name="eq" | "is", operands=(inner, Const(value=bool(value)))):
            return _mode(strip(inner), truth == value)
        case _ if name_of(condition) == "training":
            return "in training mode" if truth else "in evaluation mode"
        case _:
            return ""


def _stand_in(atom: Atom, places: Places) -> tuple[str, ...]:
    condition = strip(atom.condition)
    match condition:
        case Leaf(name="loop ran", site=site) if site is not None:
            return (f"the loop at {short(site)} {'ran' if atom.truth else 'did not run'}",)
        case Op(site=site):
            return (
                f"the condition at {short(site)} is {'true' if describe.is_as_written(atom, places) else 'false'}",
            )
        case _:
            return ()


def _compares(atom: Atom) -> bool:
    condition = strip(atom.condition)
    return isinstance(condition, Op) and condition.name in EQUALITIES


def _names_value(atom: Atom) -> bool:
    """Whether a comparison is one with a literal: only that says which values its subject has not."""
    condition = strip(atom.condition)
    return isinstance(condition, Op) and isinstance(strip(condition.operands[1]), Const)


def _subject(atom: Atom) -> int:
    return subject(atom.condition)


def _asks_for_main(condition: Value) -> bool:
    """Whether a condition is `__name__ == "__main__"`: it holds where anything runs at all."""
    match condition:
        case Op(name="eq", operands=(External(name="builtins.__name__"), _)):
            return True
        case _:
            return False
