"""Selectors mean what they mean to ruff."""

from __future__ import annotations

import pytest

from loss_lint.rules.rule import Rule
from loss_lint.selection import Layer, UnknownSelector, nearest_word, selected_codes

RULES = (
    Rule("LOS000", "unparsable", "", (), "none"),
    Rule("LOS101", "mean-loss-divided", "", ("value",), "unsafe"),
    Rule("LOS102", "scalar-loss-reduced-again", "", ("none",), "safe"),
    Rule("LOS110", "masked-elements-counted", "", ("value",), "unsafe", default=False),
    Rule("LOS201", "softmax-into-cross-entropy", "", ("value",), "unsafe"),
    Rule("LOS208", "sigmoid-then-bce", "", ("unstable",), "safe", default=False),
)
DEFAULT = {"LOS000", "LOS101", "LOS102", "LOS201"}


def codes(*layers: Layer) -> set[str]:
    return set(selected_codes(layers, RULES))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        pytest.param(Layer(), DEFAULT, id="default"),
        pytest.param(Layer(("ALL",)), DEFAULT, id="ALL leaves out what is off by default"),
        pytest.param(Layer(("LOS",)), DEFAULT, id="so does a prefix"),
        pytest.param(Layer(("LOS1",)), {"LOS000", "LOS101", "LOS102"}, id="prefix"),
        pytest.param(Layer(("LOS208",)), {"LOS000", "LOS208"}, id="full code of a rule that is off"),
        pytest.param(Layer(("sigmoid-then-bce",)), {"LOS000", "LOS208"}, id="its name"),
        pytest.param(Layer(extend_select=("LOS208",)), DEFAULT | {"LOS208"}, id="extend-select"),
        pytest.param(Layer(ignore=("LOS1",)), {"LOS000", "LOS201"}, id="ignore"),
        pytest.param(Layer(("LOS101",), ("LOS1",)), {"LOS000", "LOS101"}, id="the longer selector wins"),
        pytest.param(Layer(("LOS1",), ("LOS101",)), {"LOS000", "LOS102"}, id="the longer ignore wins"),
        pytest.param(Layer(("LOS101",), ("LOS101",)), {"LOS000"}, id="ignore wins at equal length"),
        pytest.param(Layer(("mean-loss-divided",), ("LOS1",)), {"LOS000", "LOS101"}, id="name is full code"),
        pytest.param(Layer(extend_select=("LOS208",), ignore=("ALL",)), {"LOS208"}, id="ALL is weak"),
        pytest.param(Layer((), ()), {"LOS000"}, id="select of nothing"),
        pytest.param(Layer(ignore=("LOS000",)), DEFAULT - {"LOS000"}, id="unparsable files can be ignored"),
    ],
)
def test_one_layer(layer: Layer, expected: set[str]) -> None:
    assert codes(layer) == expected


@pytest.mark.parametrize(
    ("config", "command_line", "expected"),
    [
        pytest.param(Layer(ignore=("LOS201",)), Layer(("LOS",)), DEFAULT, id="select starts anew"),
        pytest.param(Layer(ignore=("LOS201",)), Layer(extend_select=("LOS2",)), DEFAULT, id="extends"),
        pytest.param(Layer(("LOS1",)), Layer(extend_select=("LOS201",)), DEFAULT, id="to what is on"),
        pytest.param(Layer(("LOS208",)), Layer(ignore=("LOS2",)), {"LOS000"}, id="ignore takes away"),
    ],
)
def test_the_command_line_comes_last(config: Layer, command_line: Layer, expected: set[str]) -> None:
    assert codes(config, command_line) == expected


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("LOS9", "LOS"),
        ("LOS20l", "LOS20"),
        ("los201", "LOS201"),
        ("mean-loss-divide", "mean-loss-divided"),
        ("all", "ALL"),
    ],
)
def test_an_unknown_selector_names_the_nearest(selector: str, hint: str) -> None:
    with pytest.raises(UnknownSelector, match=f"did you mean `{hint}"):
        codes(Layer((selector,)))


@pytest.mark.parametrize("selector", ["", "zzzzzzzzzzz", "LOS9999"])
def test_every_unknown_selector_is_refused(selector: str) -> None:
    with pytest.raises(UnknownSelector, match="unknown rule selector"):
        codes(Layer(ignore=(selector,)))


def test_nothing_is_near_to_nonsense() -> None:
    assert nearest_word("qqqq", ["select", "ignore"]) is None
