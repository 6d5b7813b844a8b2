"""What methods change beside their own object."""

from __future__ import annotations

import ast

import pytest

from loss_lint.syntax.changes import changes_more_than_its_own


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("self.head = x", False),
        ("config.head = x", True),
        ("self.config.head = x", True),
        ("config.layers.append(x)", True),
        ("REGISTRY[x] = self", True),
        ("REGISTRY['net'] = self", True),
        # What only their classes know of others.
        ("config._checked = x", False),
        ("self.config._checked = x", False),
        ("REGISTRY[self] = x", False),
    ],
)
def test_what_is_changed_elsewhere(statement: str, changes: bool) -> None:
    method = ast.parse(f"def __init__(self, config, x):\n    {statement}\n").body[0]
    assert isinstance(method, ast.FunctionDef)
    assert changes_more_than_its_own(method) == changes
