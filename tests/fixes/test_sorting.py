"""A set whose order numbers the classes is sorted where its order counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Fixed = Callable[..., dict[str, str]]

PROGRAM = """
import torch
import torch.nn.functional as F

def step(net, x, labels):
    {body}
    return F.cross_entropy(net(x), torch.tensor([index[label] for label in labels]))
"""


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ("index = {c: i for i, c in enumerate(set(labels))}",
         "index = {c: i for i, c in enumerate(sorted(set(labels)))}"),
        ("names = list(set(labels))\n    index = {c: i for i, c in enumerate(names)}",
         "names = sorted(set(labels))"),
        ("names = set(labels)\n    n = len(names)\n    index = {c: i for i, c in enumerate(names)}",
         "index = {c: i for i, c in enumerate(sorted(names))}"),
        ("names = set(labels)\n    order = [*names]\n    index = {c: i for i, c in enumerate(names)}",
         "order = sorted(names)\nindex = {c: i for i, c in enumerate(sorted(names))}"),
    ],
)  # fmt: skip
def test_where_the_order_counts(fixed: Fixed, body: str, change: str) -> None:
    assert fixed("LOS601", program=PROGRAM.format(body=body)) == {"program": change}


def test_a_set_that_goes_elsewhere_is_left_alone(fixed: Fixed) -> None:
    body = "names = set(labels)\n    net.names = names\n    index = {c: i for i, c in enumerate(names)}"
    assert fixed("LOS601", program=PROGRAM.format(body=body)) == {}
