"""Conditions: what they say, what excludes what, and that nothing possible is excluded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import pytest
from building import equals, fails, holds, name, op
from hypothesis import given, settings
from hypothesis import strategies as st

from loss_lint.symbolic.graph import (
    FALSE,
    NO_GUARDS,
    NONE,
    TRUE,
    Const,
    Guards,
    Leaf,
    Op,
    Value,
    alternatives,
    const,
    external,
    tuple_of,
)
from loss_lint.symbolic.guards import compatible, guards_of, truth

A, B, KIND = name("a"), name("b"), name("kind")


def both(one: Guards, other: Guards) -> bool:
    """`compatible`, which has to be symmetric."""
    assert compatible(one, other) == compatible(other, one)
    return compatible(one, other)


class TestCompatible:
    def test_nothing_excludes_no_condition(self) -> None:
        assert both(NO_GUARDS, holds(A))
        assert both(NO_GUARDS, NO_GUARDS)

    def test_a_condition_excludes_its_negation(self) -> None:
        assert not both(holds(A), fails(A))
        assert both(holds(A), holds(A))
        assert both(holds(A), fails(B))

    def test_one_contradiction_among_many_is_enough(self) -> None:
        assert not both(holds(A) | holds(B), holds(KIND) | fails(B))

    def test_unequal_literals_exclude_each_other(self) -> None:
        assert not both(holds(equals(KIND, "mse")), holds(equals(KIND, "l1")))
        assert both(holds(equals(KIND, "mse")), holds(equals(A, "l1")))

    def test_a_literal_allows_not_another(self) -> None:
        assert both(holds(equals(KIND, "mse")), fails(equals(KIND, "l1")))
        assert both(fails(equals(KIND, "mse")), fails(equals(KIND, "l1")))

    @pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (0, False), (0.0, 0)])
    def test_literals_that_are_equal_in_python_exclude_nothing(self, one: object, other: object) -> None:
        assert both(holds(equals(KIND, one)), holds(equals(KIND, other)))

    def test_none_excludes_every_other_literal(self) -> None:
        assert not both(holds(op("is", KIND, NONE)), holds(equals(KIND, "mse")))
        assert not both(holds(op("is", KIND, NONE)), holds(equals(KIND, 0)))

    def test_what_is_none_is_not_true(self) -> None:
        assert not both(holds(op("is", KIND, NONE)), holds(KIND))
        assert both(holds(op("is", KIND, NONE)), fails(KIND))
        assert both(fails(op("is", KIND, NONE)), fails(KIND))

    def test_what_equals_a_false_literal_is_not_true(self) -> None:
        assert not both(holds(equals(KIND, 0)), holds(KIND))
        assert not both(holds(equals(KIND, "")), holds(KIND))
        assert both(holds(equals(KIND, 1)), holds(KIND))

    def test_what_equals_a_true_literal_is_not_false(self) -> None:
        assert not both(holds(equals(KIND, "mse")), fails(KIND))

    def test_equality_with_something_unknown_excludes_nothing(self) -> None:
        assert both(holds(op("eq", KIND, A)), holds(op("eq", KIND, B)))
        assert both(holds(op("eq", KIND, A)), holds(equals(KIND, 1)))

    def test_a_disjunction_whose_sides_both_fail(self) -> None:
        assert not both(holds(op("or", A, B)), fails(A) | fails(B))
        assert both(holds(op("or", A, B)), fails(A))

    def test_a_conjunction_that_fails_although_both_sides_hold(self) -> None:
        assert not both(fails(op("and", A, B)), holds(A) | holds(B))
        assert both(fails(op("and", A, B)), holds(A))


class TestGuardsOf:
    def test_an_unknown_value_is_its_own_condition(self) -> None:
        assert guards_of(A, True) == holds(A)
        assert guards_of(A, False) == fails(A)

    @pytest.mark.parametrize("value", [TRUE, const(1), const("x"), tuple_of((A,)), external("torch.relu")])
    def test_what_is_true_needs_nothing_and_cannot_be_false(self, value: Value) -> None:
        assert guards_of(value, True) == NO_GUARDS
        assert guards_of(value, False) is None

    @pytest.mark.parametrize("value", [FALSE, NONE, const(0), const(""), tuple_of(())])
    def test_what_is_false_cannot_be_true(self, value: Value) -> None:
        assert guards_of(value, True) is None
        assert guards_of(value, False) == NO_GUARDS

    def test_not(self) -> None:
        assert guards_of(op("not", A), True) == fails(A)
        assert guards_of(op("not", op("not", A)), True) == holds(A)

    def test_both_sides_of_a_conjunction_hold(self) -> None:
        assert guards_of(op("and", A, B), True) == holds(A) | holds(B)

    def test_both_sides_of_a_disjunction_fail(self) -> None:
        assert guards_of(op("or", A, B), False) == fails(A) | fails(B)

    def test_which_side_of_a_disjunction_holds_is_open(self) -> None:
        condition = op("or", A, B)
        assert guards_of(condition, True) == holds(condition)

    def test_a_decided_side_leaves_the_other(self) -> None:
        assert guards_of(op("or", FALSE, A), True) == holds(A)
        assert guards_of(op("and", TRUE, A), False) == fails(A)
        assert guards_of(op("or", TRUE, A), False) is None

    def test_a_conjunction_of_what_excludes_each_other_cannot_be(self) -> None:
        assert guards_of(op("and", A, op("not", A)), True) is None
        assert guards_of(op("and", equals(KIND, "a"), equals(KIND, "b")), True) is None

    def test_a_joined_value_decides_why_it_was_chosen(self) -> None:
        chosen = alternatives([(holds(A), TRUE), (fails(A), FALSE)])
        assert guards_of(chosen, True) == holds(A)
        assert guards_of(chosen, False) == fails(A)

    def test_a_joined_value_that_is_always_true(self) -> None:
        chosen = alternatives([(holds(A), const(1)), (fails(A), const(2))])
        assert guards_of(chosen, True) == NO_GUARDS
        assert guards_of(chosen, False) is None

    def test_none_is_known_apart_from_objects(self) -> None:
        assert truth(op("is", NONE, NONE)) is True
        assert truth(op("is", tuple_of((A,)), NONE)) is False
        assert truth(op("is", A, NONE)) is None
        assert truth(op("is", op("relu", A), NONE)) is False
        assert truth(op("is", op("getitem", A), NONE)) is None

    def test_equality_of_literals_is_python_s(self) -> None:
        assert truth(equals(const("a"), "a")) is True
        assert truth(equals(const("a"), "b")) is False
        assert truth(equals(const(1), 1.0)) is True
        assert truth(equals(A, "a")) is None

    def test_equality_of_an_unknown_with_itself_is_open(self) -> None:
        """A tensor compared with itself is a tensor."""
        assert truth(op("eq", A, A)) is None


# Laws: conditions over three names are compared with all the values that the names may have.

NAMES = (name("p"), name("q"), name("kind"))
VALUES: tuple[object, ...] = (None, 0, 1, "", "a", "b")

atoms = st.one_of(
    st.sampled_from(NAMES),
    st.builds(equals, st.sampled_from(NAMES), st.sampled_from(VALUES[1:])),
    st.builds(lambda value: op("is", value, NONE), st.sampled_from(NAMES)),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(lambda a: op("not", a), inner),
        st.builds(lambda a, b: op("and", a, b), inner, inner),
        st.builds(lambda a, b: op("or", a, b), inner, inner),
    ),
    max_leaves=5,
)


def worlds() -> Iterator[dict[int, object]]:
    for values in itertools.product(VALUES, repeat=len(NAMES)):
        yield {leaf.content: value for leaf, value in zip(NAMES, values, strict=True)}


def evaluate(condition: Value, world: Mapping[int, object]) -> object:
    match condition:
        case Leaf(content=content):
            return world[content]
        case Const(value=value):
            return value
        case Op(name="not", operands=(a,)):
            return not evaluate(a, world)
        case Op(name="and", operands=(a, b)):
            return evaluate(a, world) and evaluate(b, world)
        case Op(name="or", operands=(a, b)):
            return evaluate(a, world) or evaluate(b, world)
        case Op(name="eq", operands=(a, b)):
            return evaluate(a, world) == evaluate(b, world)
        case Op(name="is", operands=(a, b)):
            return evaluate(a, world) is evaluate(b, world)
    raise AssertionError(condition)


def hold_in(guards: Guards, world: Mapping[int, object]) -> bool:
    return all(bool(evaluate(atom.condition, world)) == atom.truth for atom in guards)


@given(conditions, st.booleans())
@settings(max_examples=300, deadline=None)
def test_guards_hold_wherever_their_condition_does(condition: Value, polarity: bool) -> None:
    guards = guards_of(condition, polarity)
    for world in worlds():
        if bool(evaluate(condition, world)) == polarity:
            assert guards is not None
            assert hold_in(guards, world)


@given(conditions, conditions, st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_what_can_hold_at_once_is_compatible(one: Value, other: Value, left: bool, right: bool) -> None:
    first, second = guards_of(one, left), guards_of(other, right)
    if first is None or second is None:
        return
    possible = any(hold_in(first, world) and hold_in(second, world) for world in worlds())
    assert both(first, second) or not possible


@given(conditions)
@settings(max_examples=200, deadline=None)
def test_a_condition_is_true_or_false(condition: Value) -> None:
    assert guards_of(condition, True) is not None or guards_of(condition, False) is not None


@given(conditions)
@settings(max_examples=200, deadline=None)
def test_known_truth_is_the_truth(condition: Value) -> None:
    known = truth(condition)
    assert known is None or all(bool(evaluate(condition, world)) == known for world in worlds())


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("options.USE_SOFTMAX", None),
        ("options.cfg.softmax", None),
        ("torch.backends.cudnn.enabled", None),
        ("torch.version.cuda", None),
        ("apex", True),
        ("apex.optimizers.FusedAdam", True),
        ("torch.relu", True),
        ("typing.TYPE_CHECKING", True),
    ],
)
def test_what_is_imported_from_elsewhere_may_be_a_flag(name: str, known: bool | None) -> None:
    assert truth(external(name)) is known
