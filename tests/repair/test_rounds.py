"""Rounds of fixes: they end, in a text that the linter has seen, or leave out what has no end."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from loss_lint.findings import Edit, Finding, Fix, Place
from loss_lint.repair.rounds import Workshop, repair
from loss_lint.syntax.sources import Memory, Snapshot

Rule = tuple[str, str]
Rules = dict[str, Rule]


def workshop(
    files: dict[str, str], rules: Rules, obstacle: Callable[[str], str | None] = lambda path: None
) -> Workshop:
    """One in which each word that `rules` name is a finding, by its code, and becomes another text."""

    def look(sources: Snapshot) -> Sequence[Finding]:
        found = []
        for path in files:
            for row, line in enumerate(sources.read(path).decode().split("\n"), 1):
                for code, (word, content) in rules.items():
                    for match in re.finditer(rf"\b{word}\b", line):
                        place = Place(path, row, match.start() + 1, row, match.end() + 1)
                        fix = Fix("safe", "", (Edit(place, content),))
                        found.append(Finding(code, "x", "x", place, fix=fix))
        return sorted(found, key=Finding.sort_key)

    return Workshop(Snapshot(Memory(files)), look, lambda finding: finding.fix is not None, obstacle)


def test_all_that_can_be_fixed() -> None:
    place = workshop({"a.py": "bad(bad)\nbad\n", "b.py": "bad\n", "c.py": "x\n"}, {"LOS201": ("bad", "good")})
    done = repair(place.look(place.sources), place)
    assert done.after == {"a.py": b"good(good)\ngood\n", "b.py": b"good\n"}
    assert done.before == {"a.py": b"bad(bad)\nbad\n", "b.py": b"bad\n"}
    assert len(done.applied) == 4
    assert done.findings == ()


def test_what_comes_to_light_is_fixed_too() -> None:
    place = workshop({"a.py": "one\n"}, {"LOS201": ("one", "two"), "LOS202": ("two", "three")})
    done = repair(place.look(place.sources), place)
    assert done.after == {"a.py": b"three\n"}
    assert [finding.code for finding in done.applied] == ["LOS201", "LOS202"]


def test_many_that_wait_for_each_other() -> None:
    """Each makes the next one's text: as many rounds as there are of them."""
    rules = {f"LOS{number}": (f"w{number}", f"w{number + 1}") for number in range(300, 309)}
    place = workshop({"a.py": "w300\n"}, rules)
    assert repair(place.look(place.sources), place).after == {"a.py": b"w309\n"}


def test_a_second_time_changes_nothing() -> None:
    place = workshop({"a.py": "bad\n"}, {"LOS201": ("bad", "good")})
    done = repair(place.look(place.sources), place)
    assert repair(done.findings, place).after == {}


def left_out(place: Workshop) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    done = repair(place.look(place.sources), place)
    return dict(done.after), [(finding.code, reason) for finding, reason in done.left_out]


def test_two_that_undo_each_other_are_left_out() -> None:
    rules = {"LOS201": ("one", "two"), "LOS202": ("two", "one"), "LOS203": ("bad", "good")}
    after, reasons = left_out(workshop({"a.py": "one; bad\n"}, rules))
    # One of them may be made: then the other one, which would take it back, is not.
    assert after in ({"a.py": b"one; good\n"}, {"a.py": b"two; good\n"})
    assert {code for code, _ in reasons} <= {"LOS201", "LOS202"}
    assert reasons


def test_one_that_never_ends_is_left_out() -> None:
    after, reasons = left_out(
        workshop({"a.py": "bad; x\n"}, {"LOS201": ("bad", "f(bad)"), "LOS202": ("x", "y")})
    )
    assert after == {"a.py": b"bad; y\n"}
    assert reasons == [("LOS201", "it does not settle with the others. Please report this")]


def test_one_that_changes_nothing_is_left_out() -> None:
    after, reasons = left_out(workshop({"a.py": "bad\n"}, {"LOS201": ("bad", "bad")}))
    assert (after, len(reasons)) == ({}, 1)


def test_one_after_which_the_file_does_not_parse_is_left_out() -> None:
    rules = {"LOS201": ("bad", "("), "LOS202": ("old", "new")}
    after, reasons = left_out(workshop({"a.py": "bad\nold\n", "b.py": "old\n"}, rules))
    assert after == {"a.py": b"bad\nnew\n", "b.py": b"new\n"}
    assert reasons == [("LOS201", "a file would not parse after it. Please report this")]


def test_files_that_must_not_be_changed() -> None:
    place = workshop(
        {"a.py": "bad\n", "b.py": "bad\n"},
        {"LOS201": ("bad", "good")},
        lambda path: "no" if path == "a.py" else None,
    )
    assert left_out(place) == ({"b.py": b"good\n"}, [("LOS201", "no")])


THREE = {"a.py": "bad\n", "b.py": "bad\n", "c.py": "bad\n"}


class TestSeveralFiles:
    @staticmethod
    def workshop(
        files: dict[str, str], obstacle: Callable[[str], str | None] = lambda path: None
    ) -> Workshop:
        """One in which the word `bad` of `a.py` is fixed there and in `b.py`, and that of `c.py` alone."""
        base = workshop(files, {"LOS201": ("bad", "good")}, obstacle)

        def look(sources: Snapshot) -> Sequence[Finding]:
            found = {finding.place.path: finding for finding in base.look(sources)}
            joined = []
            for path, finding in found.items():
                own = [found[one].fix for one in ("a.py", "b.py") if one in found] if path == "a.py" else []
                edits = tuple(edit for fix in own if fix is not None for edit in fix.edits)
                fix = Fix("safe", "", edits) if path == "a.py" else finding.fix if path == "c.py" else None
                joined.append(Finding(finding.code, "x", "x", finding.place, fix=fix))
            return joined

        return Workshop(base.sources, look, base.wants, base.obstacle)

    def test_all_files_or_none(self) -> None:
        place = self.workshop(THREE, lambda path: "no" if path == "b.py" else None)
        assert left_out(place) == ({"c.py": b"good\n"}, [("LOS201", "no")])

    def test_files_that_are_written_together(self) -> None:
        place = self.workshop(THREE)
        done = repair(place.look(place.sources), place)
        assert done.groups() == [{"a.py", "b.py"}, {"c.py"}]

    def test_not_if_one_of_them_would_not_parse(self) -> None:
        place = self.workshop({**THREE, "b.py": "(bad\n"})
        assert left_out(place)[0] == {"c.py": b"good\n"}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_text_that_the_encoding_lacks(encoding: str) -> None:
    files = {"a.py": f"# coding: {encoding}\nbad = 1\n"}
    after, reasons = left_out(workshop(files, {"LOS201": ("bad", "λ")}))
    if encoding == "utf-8":
        assert after["a.py"] == "# coding: utf-8\nλ = 1\n".encode()
    else:
        assert after == {}
        assert reasons == [("LOS201", "the file's encoding, iso-8859-1, does not have its characters")]
