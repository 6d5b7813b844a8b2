"""What methods change beside their own object."""

from __future__ import annotations

import ast

import pytest

from loss_lint.syntax.changes import changes_more_than_its_own, outer_names_changed


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


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("CONFIG['lr'] = x", True),
        ("config.lr = x", True),
        ("HISTORY.append(x)", True),
        ("made = CONFIG; made['lr'] = x", True),
        ("for one in HISTORY: one.lr = x", True),
        ("made = {}; made['lr'] = x", False),
        ("x.lr = 1", False),
        ("torch.nn.init.normal_(x.weight)", False),
    ],
)
def test_outer_names_that_are_changed(statement: str, changes: bool) -> None:
    function = ast.parse(f"def main(x):\n    {statement}\n").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert outer_names_changed(function) == changes
