"""Which fixes are made together."""

from __future__ import annotations

from loss_lint.findings import Edit, Finding, Fix, Place
from loss_lint.repair.choice import chosen


def finding(start: int, end: int, *edits: tuple[int, int, str], path: str = "a.py") -> Finding:
    made = tuple(Edit(Place(path, 1, first, 1, last), content) for first, last, content in edits)
    return Finding("LOS201", "x", "x", Place(path, 1, start, 1, end), fix=Fix("safe", "x", made))


def test_apart_from_each_other() -> None:
    both = [finding(1, 9, (3, 5, "")), finding(20, 29, (23, 25, ""))]
    assert chosen(both) == both


def test_the_outer_one_of_two_comes_first() -> None:
    outer, inner = finding(1, 20, (15, 20, "")), finding(1, 10, (3, 5, ""))
    assert chosen([outer, inner]) == [outer]


def test_what_another_one_edits_waits() -> None:
    first, second = finding(1, 9, (3, 30, "")), finding(20, 29, (25, 35, ""))
    assert chosen([first, second]) == [first]


def test_equal_edits_are_shared() -> None:
    model = (50, 60, "")
    both = [finding(1, 9, model), finding(20, 29, model)]
    assert chosen(both) == both


def test_a_shared_edit_beside_own_ones() -> None:
    imported = (1, 1, "import x\n")
    both = [finding(10, 19, imported, (12, 13, "")), finding(20, 29, imported, (22, 23, ""))]
    assert chosen(both) == both


def test_different_insertions_at_one_place_wait_for_each_other() -> None:
    first, second = finding(10, 19, (1, 1, "import x\n")), finding(20, 29, (1, 1, "import y\n"))
    assert chosen([first, second]) == [first]


def test_touching_ranges_do_not_meet() -> None:
    both = [finding(1, 5, (1, 5, "x")), finding(5, 9, (5, 9, "y"))]
    assert chosen(both) == both


def test_other_files_are_apart() -> None:
    both = [finding(1, 9, (3, 5, "")), finding(1, 9, (3, 5, ""), path="b.py")]
    assert chosen(both) == both
