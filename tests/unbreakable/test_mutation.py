"""Bugs put into the right fixtures at random places are found where a loss and what feeds it are all they need."""

from __future__ import annotations

import pytest
from mutation import candidates_of_fixtures, measured

# The others need what a place may lack (a model whose end is known, targets that are known to be class indices,
# an optimizer): `mutation.py` has their figures.
WHOLE = (
    "LOS101", "LOS102", "LOS104", "LOS106", "LOS107", "LOS108", "LOS201", "LOS202", "LOS205", "LOS206", "LOS209",
    "LOS210", "LOS211", "LOS212", "LOS301", "LOS302", "LOS306", "LOS501", "LOS502",
)  # fmt: skip
COUNT = 1


@pytest.mark.parametrize("code", WHOLE)
def test_bugs_are_found(code: str) -> None:
    row = measured(candidates_of_fixtures(), COUNT, [code])[code]
    assert row.inserted
    assert row.missed == []
