"""Counts of findings, as ruff writes them."""

from __future__ import annotations

import json

from reported import HERE_ALONE, WHOLE, finding, material

from loss_lint.findings import Fix, Place
from loss_lint.report import statistics
from loss_lint.report.palette import Palette

SAFE = Fix("safe", "Do it", ())
PLACE = Place("a.py", 1, 1, 1, 2)
MANY = [WHOLE, finding(PLACE, fix=SAFE), *[finding(PLACE, code="LOS000")] * 10, HERE_ALONE]


def test_say_what_is_fixable() -> None:
    assert statistics.render(material(MANY)).splitlines() == [
        "10\tLOS000\t[ ] softmax-into-cross-entropy",
        " 2\tLOS201\t[-] softmax-into-cross-entropy",
        " 1\tLOS101\t[*] softmax-into-cross-entropy",
    ]
    assert "\tLOS201\t[*] " in statistics.render(material(MANY, unsafe_fixes=True))


def test_say_nothing_of_fixes_where_there_are_none() -> None:
    assert statistics.render(material([WHOLE])) == "1\tLOS201\tsoftmax-into-cross-entropy\n"
    assert statistics.render(material([])) == ""


def test_are_coloured() -> None:
    coloured = statistics.render(material([HERE_ALONE], palette=Palette(enabled=True)))
    assert coloured.count("\x1b[0m") == 3


def test_as_json() -> None:
    counts = [
        (entry["code"], entry["count"], entry["fixable"], entry["fixable_count"])
        for entry in json.loads(statistics.render_json(material(MANY)))
    ]
    assert counts == [("LOS000", 10, False, 0), ("LOS201", 2, False, 1), ("LOS101", 1, True, 1)]
    assert json.loads(statistics.render_json(material([]))) == []
