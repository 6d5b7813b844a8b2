"""Edits of bytes: what is outside of them stays, whatever the encoding and the line ends."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loss_lint.findings import Edit, Place
from loss_lint.repair.text import Unfit, edited

ENDS = ("\n", "\r\n", "\r")
# A prefix of the file that says how it is encoded, and a character that only that encoding writes so.
ENCODINGS = {
    "utf-8": (b"", "é💡"),
    "utf-8-sig": (b"\xef\xbb\xbf", "é💡"),
    "latin-1": (b"# coding: latin-1\n", "é"),
    "shift_jis": (b"# coding: shift_jis\n", "損失"),
}


def edit(line: int, column: int, end_line: int, end_column: int, content: str, path: str = "a.py") -> Edit:
    return Edit(Place(path, line, column, end_line, end_column), content)


def test_one_edit() -> None:
    assert edited("a.py", b"x = old + 1\n", [edit(1, 5, 1, 8, "new")]) == b"x = new + 1\n"


@pytest.mark.parametrize("end", ENDS)
def test_a_new_line_ends_as_its_neighbours_do(end: str) -> None:
    before = f"a = 1{end}b = 2{end}".encode()
    assert edited("a.py", before, [edit(2, 1, 2, 1, "c = 3\n")]) == f"a = 1{end}c = 3{end}b = 2{end}".encode()


def test_mixed_line_ends_stay_mixed() -> None:
    before = b"a = 1\r\nb = 2\nc = 3\rd = 4"
    assert edited("a.py", before, [edit(4, 5, 4, 6, "5\n")]) == b"a = 1\r\nb = 2\nc = 3\rd = 5\r"


def test_a_form_feed_ends_no_line() -> None:
    assert edited("a.py", b"\x0ca = 1\n\x0c\nb = 2", [edit(3, 5, 3, 6, "3")]) == b"\x0ca = 1\n\x0c\nb = 3"


def test_equal_edits_count_once() -> None:
    one = edit(1, 1, 1, 1, "x")
    assert edited("a.py", b"a", [one, one]) == b"xa"


def test_insertions_at_one_place_keep_their_order() -> None:
    assert edited("a.py", b"a", [edit(1, 1, 1, 1, "x"), edit(1, 1, 1, 1, "y")]) == b"xya"


@pytest.mark.parametrize(
    ("before", "edits"),
    [
        pytest.param(b"abcdef", [edit(1, 1, 1, 4, ""), edit(1, 3, 1, 5, "")], id="overlapping edits"),
        pytest.param(b"abc", [edit(2, 1, 2, 1, "")], id="a line that is not there"),
        pytest.param(b"abc\n", [edit(1, 5, 1, 5, "")], id="a column in the line's end"),
        pytest.param(b"abc", [edit(1, 3, 1, 1, "")], id="an end before the start"),
        pytest.param(b"# coding: latin-1\nx", [edit(2, 1, 2, 2, "💡")], id="no such character"),
        pytest.param(b"# coding: nonsense\nx", [edit(2, 1, 2, 2, "y")], id="no such encoding"),
        pytest.param(b"\xff", [edit(1, 1, 1, 1, "y")], id="not in the encoding"),
        # An `a` written the long way, which would come back as `a`.
        pytest.param(b"# coding: utf-7\n+AGE-b", [edit(2, 2, 2, 2, "y")], id="bytes that do not come back"),
    ],
)
def test_what_does_not_fit(before: bytes, edits: list[Edit]) -> None:
    with pytest.raises(Unfit):
        edited("a.py", before, edits)


@st.composite
def files_with_edits(draw: st.DrawFn) -> tuple[list[bytes], list[Edit], list[bytes], str]:
    """A file's text in pieces, every second of which is edited, the edits, and what they write."""
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    prefix, special = ENCODINGS[encoding]
    character = st.sampled_from(["a", " ", "\t", "\x0c", "#", *special])
    kept = st.lists(character | st.sampled_from(ENDS), max_size=8).map("".join)
    pieces = draw(st.lists(kept, min_size=3, max_size=9).filter(lambda found: len(found) % 2))
    # A carriage return that is kept and a line feed that is not would be one end before and another one after.
    pieces = [piece.rstrip("\r").lstrip("\n") for piece in pieces]
    head = prefix.decode("ascii") if encoding != "utf-8-sig" else ""
    contents, edits = [], []
    before = head
    for index, piece in enumerate(pieces):
        if index % 2:
            content = draw(st.text(character, max_size=4))
            contents.append(content.encode(encoding.removesuffix("-sig")))
            edits.append(Edit(Place("a.py", *position(before), *position(before + piece)), content))
        before += piece
    plain = encoding.removesuffix("-sig")
    kept_bytes = [piece.encode(plain) for piece in pieces]
    kept_bytes[0] = prefix + kept_bytes[0]
    return kept_bytes, draw(st.permutations(edits)), contents, encoding


def position(text: str) -> tuple[int, int]:
    """The line and column behind a text."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files_with_edits())
def test_every_byte_outside_the_edits_stays(
    made: tuple[list[bytes], list[Edit], list[bytes], str],
) -> None:
    pieces, edits, contents, _ = made
    # Edits that touch are of one place only where both are empty: their order is then the given one's.
    if len({(edit.place.line, edit.place.column) for edit in edits}) < len(edits):
        return
    after = edited("a.py", b"".join(pieces), edits)
    wanted = list(pieces)
    wanted[1::2] = contents
    assert after == b"".join(wanted)
