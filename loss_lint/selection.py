"""Which rules a run reports: selectors with ruff's meaning.

A selector is `ALL`, a prefix of codes (`LOS`, `LOS2`, `LOS201`) or a rule's name. Selectors come in layers
(a configuration file, then the command line). Within a layer the more specific selector wins, and `ignore`
wins over `select` where both are equally specific; a layer with a `select` replaces what came before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loss_lint.rules.rule import Rule

# A file that cannot be parsed is never passed over in silence: only `ignore` can do that.
UNPARSABLE = "LOS000"
# Reported whatever is selected: it says that the other findings may be incomplete.
INTERNAL_ERROR = "LOS999"


class UnknownSelector(ValueError):
    """A selector that no rule answers to; the message names the nearest right one."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The selectors of one configuration file, or of the command line."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()


def selected_codes(layers: Iterable[Layer], rules: Sequence[Rule]) -> frozenset[str]:
    """The codes that are on after all layers; raises UnknownSelector."""
    codes = {rule.code for rule in rules if rule.default}
    for layer in layers:
        switches = _switches(layer, rules)
        if layer.select is not None:
            codes = {UNPARSABLE}
        codes |= {code for code, on in switches.items() if on}
        codes -= {code for code, on in switches.items() if not on}
    return frozenset(codes)


def _switches(layer: Layer, rules: Sequence[Rule]) -> dict[str, bool]:
    """What a layer turns on and off, the most specific selector having the last word."""
    turned_on = (*(layer.select or ()), *layer.extend_select)
    # The sort is stable: at equal length what turns off comes last, and so wins.
    ordered = [(selector, True) for selector in turned_on] + [(selector, False) for selector in layer.ignore]
    ordered.sort(key=lambda switch: _specificity(switch[0], rules))
    return {code: on for selector, on in ordered for code in matching_codes(selector, rules, turning_on=on)}


def _specificity(selector: str, rules: Sequence[Rule]) -> int:
    if selector == "ALL":
        return 0
    return max((len(rule.code) for rule in rules if rule.name == selector), default=len(selector))


def matching_codes(selector: str, rules: Sequence[Rule], *, turning_on: bool) -> frozenset[str]:
    """The codes that a selector means; raises UnknownSelector.

    Rules that are off by default are turned on by their full code or name alone.
    """
    exact = {rule.code for rule in rules if selector in (rule.code, rule.name)}
    if exact:
        return frozenset(exact)
    prefix = "" if selector == "ALL" else selector
    by_prefix = [rule for rule in rules if rule.code.startswith(prefix)]
    if not by_prefix or not selector:
        raise UnknownSelector(f"unknown rule selector `{selector}`{_suggestion(selector, rules)}")
    return frozenset(rule.code for rule in by_prefix if rule.default or not turning_on)


def _suggestion(selector: str, rules: Sequence[Rule]) -> str:
    prefixes = sorted({rule.code[:length] for rule in rules for length in (3, 4)})
    words = ["ALL", *prefixes, *(rule.code for rule in rules), *(rule.name for rule in rules)]
    nearest = nearest_word(selector, words)
    return f"; did you mean `{nearest}`?" if nearest else ""


def nearest_word(word: str, words: Sequence[str]) -> str | None:
    """The most similar of `words`, one that starts with `word` first, its case left out of account."""
    import difflib

    folded: dict[str, str] = {}
    for candidate in words:
        folded.setdefault(candidate.casefold(), candidate)
    longer = [candidate for candidate in folded if word and candidate.startswith(word.casefold())]
    matches = longer or difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.5)
    return folded[matches[0]] if matches else None


def known_rules() -> Sequence[Rule]:
    """Every rule; imports them all."""
    from loss_lint.rules import all_rules

    return all_rules()


def known_codes() -> Sequence[Rule]:
    """Everything that can be selected: every rule, and what only a running program shows."""
    from loss_lint.rules import all_rules
    from loss_lint.rules.observations import OBSERVATIONS

    return (*all_rules(), *OBSERVATIONS)
