"""Which definitions are worth evaluating: those that use a loss, not those that speak of one."""

from __future__ import annotations

import pytest

from loss_lint.syntax.module import parse


def leading(text: str) -> set[str]:
    """The names of the top-level definitions that lead to a loss."""
    module = parse("main.py", text.encode())
    return {node.name for node in module.tree.body if hasattr(node, "name") and module.leads_to_loss(node)}


@pytest.mark.parametrize(
    "use",
    [
        "return F.cross_entropy(x, y)",
        "return nn.CrossEntropyLoss()(x, y)",
        "return LOSSES['cross_entropy'](x, y)",
        "return getattr(nn, 'CrossEntropyLoss')()(x, y)",
        "print(f'loss is {F.mse_loss(x, y)} now')",
        "print(rf'loss is {nn.MSELoss()(x, y)} now')",
        "x.sum().backward()",
        "return inner(x, y)",
        "text = 'a string \\' that ends here'; return F.mse_loss(x, y)  # not here",
        "text = '''it's'''; return F.mse_loss(x, y)",
        "text = ''; more = \"\"; return F.mse_loss(x, y)",
    ],
)
def test_a_use_leads_to_a_loss(use: str) -> None:
    text = f"def f(x, y):\n    {use}\ndef inner(x, y):\n    return F.nll_loss(x, y)\n"
    assert leading(text) == {"f", "inner"}


@pytest.mark.parametrize(
    "no_use",
    [
        "return x  # for backward compatibility, see cross_entropy",
        "'''What nll_loss wants.'''\n    return x",
        '"""What\n    nll_loss wants.\n    """\n    return x',
        "raise ValueError('no CrossEntropyLoss here')",
        "raise ValueError('on two lines \\\n    no CrossEntropyLoss here')",
    ],
)
def test_prose_leads_nowhere(no_use: str) -> None:
    text = f"def f(x, y):\n    {no_use}\ndef loss(x, y):\n    return F.nll_loss(x, y)\n"
    assert leading(text) == {"loss"}


def test_methods_lead_to_a_loss_only_with_their_own_class() -> None:
    """Every class has an `__init__`: one that makes a loss says nothing about the others."""
    text = (
        "class Trained(Module):\n    def __init__(self):\n        self.loss = nn.MSELoss()\n"
        "class Plain(Module):\n    def __init__(self):\n        super().__init__()\n"
        "    def forward(self, x):\n        return x\n"
        "class Child(Trained):\n    pass\n"
    )
    assert leading(text) == {"Trained", "Child"}


def test_lines_stay_where_they_are() -> None:
    text = 'a = """x y\r\nz"""\rb = "c d" \\\n  "e f"\n# g\nF.mse_loss\n'
    module = parse("main.py", text.encode())
    last = module.tree.body[-1]
    assert "mse_loss" in module.mentions(last)
    assert "g" not in module.mentions(last)
