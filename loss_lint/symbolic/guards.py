"""Conditions: what a value says about the path that tests it, and which conditions exclude one another."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from loss_lint.symbolic import limits
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Alternatives,
    Atom,
    BoundMethod,
    Class,
    Const,
    External,
    Function,
    Guards,
    Leaf,
    Namespace,
    Object,
    Op,
    Partial,
    Pass,
    Phi,
    Tuple,
    Value,
)
from loss_lint.symbolic.limits import MAX_CHOICES

EQUALITIES = frozenset({"eq", "is"})


def strip(value: Value) -> Value:
    """`value` without the records of the calls that it entered."""
    while isinstance(value, Pass):
        value = value.value
    return value


def truth(value: Value) -> bool | None:
    """Whether `value` is true, None where that is not known."""
    match strip(value):
        case Const(value=plain):
            return bool(plain)
        case Tuple(items=items):
            return bool(items)
        case Object(cls=External(name="builtins.list" | "builtins.dict" | "builtins.set")):
            return None
        case External(name=name):
            return True if _names_something_true(name) else None
        case Object() | Function() | BoundMethod() | Class() | Namespace() | Partial():
            return True
        case Op(name="not", operands=(operand,)):
            known = truth(operand)
            return None if known is None else not known
        case Op(name="and", operands=operands):
            known_all = [truth(operand) for operand in operands]
            return False if False in known_all else (True if all(known_all) else None)
        case Op(name="or", operands=operands):
            known_all = [truth(operand) for operand in operands]
            return True if True in known_all else (None if None in known_all else False)
        case Op(name="is", operands=(left, right)):
            return _identical(left, right)
        case Op(name="eq", operands=(left, right)):
            return _equal(left, right)
        case Alternatives(branches=branches):
            known_all = [truth(branch) for _, branch in branches]
            return known_all[0] if len(set(known_all)) == 1 else None
        case _:
            return None


# What is imported for the type checker alone still says what annotations mean.
_TRUE_FLAGS = frozenset({"typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"})
# Names of torch that are numbers, flags or None, and neither functions nor classes.
_SETTINGS_OF_TORCH = ("torch.backends.", "torch.version.")


def _names_something_true(name: str) -> bool:
    """Whether a name outside the project is that of a module, a class or a function; it may be that of a flag."""
    top, _, rest = name.partition(".")
    if not rest or top == "builtins" or name in _TRUE_FLAGS:
        return True
    if top == "torch":
        return not name.startswith(_SETTINGS_OF_TORCH)
    last = rest.rpartition(".")[2]
    return last[:1].isupper() and not last.isupper()


def _identical(left: Value, right: Value) -> bool | None:
    left, right = strip(left), strip(right)
    if isinstance(left, Const) and isinstance(right, Const):
        return left.content == right.content
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Const) and not isinstance(other, Op | Alternatives | Phi) and is_known(other):
            return False
    known = External | Class | Function
    if isinstance(left, known) and isinstance(right, known):
        return left.content == right.content
    if isinstance(right, Const) and isinstance(left, Op) and left.name not in PYTHON_OPERATIONS:
        return False  # what a torch operation returns is a tensor, never None
    return True if left is right and isinstance(left, Object) else None


def _equal(left: Value, right: Value) -> bool | None:
    left, right = strip(left), strip(right)
    if isinstance(left, Const) and isinstance(right, Const):
        return bool(left.value == right.value)
    if left.content == right.content and isinstance(left, External | Class | Function):
        return True
    return None


# Operations whose result may be any Python object.
PYTHON_OPERATIONS = frozenset(
    {"getattr", "getitem", "and", "or", "not", "eq", "ne", "is", "in", "isinstance", "hasattr", "lookup"}
)


def is_known(value: Value) -> bool:
    """Whether `value` is an object that is certainly not None."""
    return isinstance(
        strip(value), Tuple | Object | Function | BoundMethod | Class | External | Namespace | Partial
    )


def guards_of(value: Value, polarity: bool) -> Guards | None:
    """The conditions that hold where `value` is true (`polarity`) or false; None where that cannot be."""
    key = (value.content, polarity)
    if key not in _guards_of:
        _guards_of[key] = _conditions(value, polarity)
    return _guards_of[key]


# The same few conditions are asked about over and over; what holds follows from contents alone.
_guards_of: dict[tuple[int, bool], Guards | None] = {}
_compatible: dict[tuple[Guards, Guards], bool] = {}
_abouts: dict[Guards, _About] = {}
_choices: dict[tuple[int, bool], _Choice] = {}


def forget_conditions() -> None:
    """Drop what is remembered about conditions, with the contents that it speaks of."""
    _guards_of.clear()
    _compatible.clear()
    _abouts.clear()
    _choices.clear()


def _conditions(value: Value, polarity: bool) -> Guards | None:
    value = strip(value)
    known = truth(value)
    if known is not None:
        return NO_GUARDS if known == polarity else None
    match value:
        case Op(name="not", operands=(operand,)):
            return guards_of(operand, not polarity)
        case Op(name="and", operands=operands) if polarity:
            return _conjunction([guards_of(operand, True) for operand in operands])
        case Op(name="or", operands=operands) if not polarity:
            return _conjunction([guards_of(operand, False) for operand in operands])
        case Op(name="and" | "or", operands=operands):
            return _last_open(value, operands, polarity)
        case Alternatives(branches=branches):
            return _of_alternatives(value, branches, polarity)
        case Op(name="bool", operands=(operand,)):
            return guards_of(operand, polarity)
        case _:
            return frozenset({Atom(value.content, polarity, value)})


def _last_open(value: Op, operands: tuple[Value, ...], polarity: bool) -> Guards | None:
    """`a and b` is false: where all but one are decided, that one decides; else the whole is one condition."""
    still_open = [operand for operand in operands if truth(operand) is None]
    if len(still_open) == 1:
        return guards_of(still_open[0], polarity)
    return frozenset({Atom(value.content, polarity, value)})


def _conjunction(parts: list[Guards | None]) -> Guards | None:
    result: Guards = NO_GUARDS
    for part in parts:
        if part is None or not compatible(result, part):
            return None
        result |= part
    return result


def _of_alternatives(
    value: Value, branches: tuple[tuple[Guards, Value], ...], polarity: bool
) -> Guards | None:
    """A condition over a joined value decides the conditions under which that value was chosen."""
    possible: list[Guards] = []
    for guards, branch in branches:
        inner = guards_of(branch, polarity)
        if inner is not None and compatible(guards, inner):
            possible.append(guards | inner)
    if not possible:
        return None
    if len(possible) == 1:
        return possible[0]
    shared = frozenset.intersection(*possible)
    return shared | {Atom(value.content, polarity, value)}


def decided(guards: Guards) -> Guards:
    """The same with what a condition over a joined value comes to, where the others leave one of its branches."""
    result = guards
    for atom in guards:
        if isinstance(atom.condition, Alternatives):
            rest = result - {atom}
            left = [branch for given, branch in atom.condition.branches if compatible(given, rest)]
            inner = guards_of(left[0], atom.truth) if len(left) == 1 else None
            result |= inner or NO_GUARDS
    return result


def compatible(left: Guards, right: Guards) -> bool:
    """Whether both can hold at once, as far as is known."""
    if not left or not right:
        return True
    key = (left, right)
    known = _compatible.get(key)
    if known is None:
        known = _compatible[key] = _can_hold_at_once(left, right)
    return known


def _can_hold_at_once(left: Guards, right: Guards) -> bool:
    mine, theirs = _about(left), _about(right)
    if mine.never or theirs.never:
        return False
    if mine.reach.isdisjoint(theirs.reach):
        return True
    shared = mine.subjects & theirs.subjects
    if shared:
        if not mine.denied.isdisjoint(theirs.decided):
            return False
        if _excluded(mine, right, shared) or _excluded(theirs, left, shared):
            return False
    return not _rules_out_a_choice(mine, right, theirs) and not _rules_out_a_choice(theirs, left, mine)


class _Choice(NamedTuple):
    """One of several has to hold: `a or b`, `not (a and b)`. `sides` are those that can, `reach` what they speak of."""

    atom: Atom
    sides: tuple[Guards, ...]
    reach: frozenset[int]


class _About(NamedTuple):
    """What a set of conditions speaks of, so that most pairs of sets need no comparison of their members.

    `subjects` are the contents of the conditions and of what they compare, `reach` also those inside choices; `decided`
    and `denied` the conditions with their truth and its opposite; `equalities` and `choices` those that exclude
    conditions of other contents; `never` that a choice has no side left; `ruled_out` remembers which choices the set
    contradicts.
    """

    subjects: frozenset[int]
    reach: frozenset[int]
    decided: frozenset[tuple[int, bool]]
    denied: frozenset[tuple[int, bool]]
    equalities: tuple[Atom, ...]
    choices: tuple[_Choice, ...]
    never: bool
    ruled_out: dict[tuple[int, bool], bool]


def _about(guards: Guards) -> _About:
    known = _abouts.get(guards)
    if known is None:
        subjects: set[int] = set()
        equalities: list[Atom] = []
        choices: list[_Choice] = []
        for atom in guards:
            subjects.add(atom.content)
            condition = atom.condition
            if isinstance(condition, Op):
                if condition.name in EQUALITIES:
                    subjects.add(condition.operands[0].content)
                    if atom.truth:
                        equalities.append(atom)
                elif condition.name == ("or" if atom.truth else "and"):
                    choices.append(_choice(atom, condition))
        if len(choices) > MAX_CHOICES:
            limits.count("choices")
            choices = sorted(choices, key=lambda choice: -choice.atom.content)[:MAX_CHOICES]
        known = _abouts[guards] = _About(
            frozenset(subjects),
            frozenset(subjects).union(*[choice.reach for choice in choices]),
            frozenset([(atom.content, atom.truth) for atom in guards]),
            frozenset([(atom.content, not atom.truth) for atom in guards]),
            tuple(equalities),
            tuple(choices),
            any(not choice.sides for choice in choices),
            {},
        )
    return known


def _choice(atom: Atom, condition: Op) -> _Choice:
    key = (atom.content, atom.truth)
    known = _choices.get(key)
    if known is None:
        sides = tuple(
            side for operand in condition.operands if (side := guards_of(operand, atom.truth)) is not None
        )
        reach = frozenset({atom.content}).union(*[_about(side).reach for side in sides])
        known = _choices[key] = _Choice(atom, sides, reach)
    return known


def _rules_out_a_choice(mine: _About, others: Guards, theirs: _About) -> bool:
    """Whether the `others`, which `theirs` speaks of, exclude each side of one of the choices."""
    return any(
        _rules_out(choice, others, theirs)
        for choice in mine.choices
        if not choice.reach.isdisjoint(theirs.reach)
    )


def _rules_out(choice: _Choice, others: Guards, about: _About) -> bool:
    key = (choice.atom.content, choice.atom.truth)
    known = about.ruled_out.get(key)
    if known is None:
        known = about.ruled_out[key] = not any(compatible(side, others) for side in choice.sides)
    return known


def _excluded(mine: _About, others: Guards, shared: frozenset[int]) -> bool:
    """Whether one of the equalities rules out one of the `others`."""
    for one in mine.equalities:
        condition = one.condition
        assert isinstance(condition, Op)
        if one.content not in shared and condition.operands[0].content not in shared:
            continue
        for other in others:
            if _exclude(one, other) if other.truth else _denies(one, other):
                return True
    return False


def implied(guards: Guards, others: Guards) -> bool:
    """Whether all of `others` hold wherever `guards` do."""
    return all(
        atom in guards
        or not compatible(guards, frozenset({Atom(atom.content, not atom.truth, atom.condition)}))
        for atom in others
    )


def subject(condition: Value) -> int:
    """The content of what a condition is about: `x` in `x == "a"`."""
    plain = strip(condition)
    while isinstance(plain, Op) and plain.name in ("eq", "is", "in", "not", "isinstance", "or", "and"):
        plain = strip(plain.operands[0])
    return plain.content


def _denies(one: Atom, other: Atom) -> bool:
    """`x == "a"` is true although `x` is false."""
    condition = one.condition
    if not (isinstance(condition, Op) and condition.name in EQUALITIES):
        return False
    literal = strip(condition.operands[1])
    same = other.content == condition.operands[0].content
    return same and isinstance(literal, Const) and bool(literal.value)


def _exclude(one: Atom, other: Atom) -> bool:
    """Two true conditions that exclude one another: `x == "a"` and `x == "b"`, `x is None` and `x`."""
    left, right = one.condition, other.condition
    if isinstance(left, Op) and left.name in EQUALITIES and isinstance(strip(left.operands[1]), Const):
        subject = left.operands[0].content
        if isinstance(right, Op) and right.name in EQUALITIES and right.operands[0].content == subject:
            return (
                isinstance(strip(right.operands[1]), Const)
                and _equal(left.operands[1], right.operands[1]) is False
            )
        return right.content == subject and not truth(left.operands[1])
    if isinstance(right, Op) and right.name in EQUALITIES and isinstance(strip(right.operands[1]), Const):
        return left.content == right.operands[0].content and not truth(right.operands[1])
    return False


def rests_on_a_hole(guards: Guards, cut_short: Collection[int]) -> bool:
    """Whether a condition asks for an attribute that an object would have, had all of its constructor been run."""
    return bool(cut_short) and any(_asks_what_was_cut(atom.condition, cut_short) for atom in guards)


def _asks_what_was_cut(condition: Value, cut_short: Collection[int]) -> bool:
    plain = strip(condition)
    if not isinstance(plain, Op):
        return False
    if plain.name == "getattr":
        return strip(plain.operands[0]).content in cut_short
    return any(_asks_what_was_cut(operand, cut_short) for operand in plain.operands)


def contradicts_defaults(guards: Guards) -> bool:
    """Whether a condition fails as long as no caller gives a root's parameters another value than the default."""
    return any(by_default(atom.condition) is (not atom.truth) for atom in guards)


def by_default(condition: Value) -> bool | None:
    """The truth of a condition over parameters with defaults, None where they do not decide it."""
    known = truth(condition)
    if known is not None:
        return known
    match strip(condition):
        case Leaf(default=Const(value=plain)):
            return bool(plain)
        case Op(name="not", operands=(operand,)):
            inner = by_default(operand)
            return None if inner is None else not inner
        case Op(name="and", operands=operands):
            decided = [by_default(operand) for operand in operands]
            return False if False in decided else (True if all(decided) else None)
        case Op(name="or", operands=operands):
            decided = [by_default(operand) for operand in operands]
            return True if True in decided else (None if None in decided else False)
        case Op(name=name, operands=(left, right)) if name in _RELATIONS:
            return _relation(name, literal_of(left), literal_of(right))
        case _:
            return None


def literal_of(value: Value) -> Const | None:
    """The literal that a value is, by its default if it is a root's parameter."""
    match strip(value):
        case Const() as literal:
            return literal
        case Leaf(default=default):
            return default
        case _:
            return None


_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "is": operator.is_,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def _relation(name: str, left: Const | None, right: Const | None) -> bool | None:
    if left is None or right is None:
        return None
    try:
        return bool(_RELATIONS[name](left.value, right.value))
    except TypeError:
        return None
