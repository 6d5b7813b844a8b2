"""`loss-lint rule`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from loss_lint.rules import documentation
from loss_lint.selection import known_rules, nearest_word

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loss_lint.rules.rule import Rule

SHOWN, FAILED = 0, 2


def rule(options: argparse.Namespace) -> int:
    """Write the page of a rule, or of all; gives the exit status."""
    if options.all == (options.selector is not None):
        return _fail("name one rule, by code or name, or give `--all`")
    rules = known_rules()
    chosen = rules if options.all else [rule for rule in rules if options.selector in (rule.code, rule.name)]
    if not chosen:
        words = [word for rule in rules for word in (rule.code, rule.name)]
        nearest = nearest_word(options.selector, words)
        return _fail(
            f"unknown rule `{options.selector}`" + (f"; did you mean `{nearest}`?" if nearest else "")
        )
    if options.output_format == "json":
        sys.stdout.write(_json(chosen, as_list=options.all))
    else:
        sys.stdout.write("\n".join(documentation(rule) + "\n" for rule in chosen))
    return SHOWN


def _json(rules: Sequence[Rule], *, as_list: bool) -> str:
    import json

    records = [_record(rule) for rule in rules]
    return json.dumps(records if as_list else records[0], indent=2) + "\n"


def _record(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": rule.summary,
        "claim": list(rule.claim),
        "fix": rule.fix,
        "default": rule.default,
        "explanation": documentation(rule),
    }


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return FAILED
