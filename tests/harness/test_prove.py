"""`prove`: the examples of the rules' own pages."""

from __future__ import annotations

import pytest

from loss_lint.harness.examples import example
from loss_lint.harness.prove import prove
from loss_lint.linter import lint
from loss_lint.rules import all_rules, documentation
from loss_lint.rules.rule import Rule
from loss_lint.syntax.sources import Memory

PAGE = """# a-rule (LOS999)

## Example

```python
bad()
```

Use instead:

```python
good()
```

## Not flagged

Nothing.
"""

WITH_EXAMPLE = [rule for rule in all_rules() if rule.claim]


def test_an_example_is_read_from_its_page() -> None:
    assert example(PAGE) == ("bad()\n", "good()\n")


def test_a_page_may_show_no_better_way() -> None:
    shown = example(PAGE.replace("Use instead:", "Nothing helps:").replace("```python\ngood()\n```", ""))
    assert shown == ("bad()\n", "")


def test_a_page_may_have_no_example() -> None:
    assert example("# a-rule\n\n## What it does\n\nNothing.\n") is None


@pytest.mark.parametrize("rule", WITH_EXAMPLE, ids=lambda rule: rule.code)
def test_every_rule_holds_on_its_own_example(rule: Rule) -> None:
    (proof,) = prove([rule.code])
    assert (proof.code, proof.name) == (rule.code, rule.name)
    assert proof.holds, proof.evidence


@pytest.mark.parametrize("rule", WITH_EXAMPLE, ids=lambda rule: rule.code)
def test_what_a_page_asks_for_is_not_flagged(rule: Rule) -> None:
    shown = example(documentation(rule))
    assert shown is not None
    findings = lint("example.py", Memory({"example.py": shown.good}))
    assert [finding.code for finding in findings if finding.code == rule.code] == []


def test_codes_choose() -> None:
    assert [proof.code for proof in prove(["LOS201", "LOS101"])] == ["LOS101", "LOS201"]


def test_what_claims_nothing_is_left_out() -> None:
    assert prove(["LOS000"]) == []
