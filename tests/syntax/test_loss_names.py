"""The names by which a loss is seen in a file's bytes are those that the catalogue knows."""

from __future__ import annotations

import pytest

from loss_lint import catalogue
from loss_lint.syntax import relevance


def catalogued() -> set[bytes]:
    """The last parts of the qualified names of torch's losses, as functions and as classes."""
    losses = {loss.name for loss in catalogue.LOSSES}
    tables = (catalogue.by_function, catalogue.by_module)
    return {
        name.rpartition(".")[2].encode()
        for table in tables
        for name, known in table.items()
        if known.operation.name in losses
    }


def test_they_are_the_catalogues() -> None:
    # Two more have gone from torch, and live on in projects' own names.
    assert catalogued() | {b"CrossEntropyLoss2d", b"nll_loss2d"} == relevance._NAMES


@pytest.mark.parametrize("name", sorted(relevance._NAMES))
def test_each_is_found(name: bytes) -> None:
    assert relevance._loss_places(b"return x." + name + b"(y)") == [9]
    assert relevance._loss_places(b"return my_" + name + b"s(y)") == []
