"""A second `fit_transform` becomes `transform` where the first one is known to be of the training labels."""

from __future__ import annotations

import pytest

from loss_lint.linter import lint
from loss_lint.syntax.sources import Memory

HEAD = """import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.preprocessing import LabelEncoder


"""


def edits(body: str) -> list[tuple[int, str]]:
    """The edits of the fix of the one finding, by lines of the function's body."""
    text = (
        HEAD + "def losses(model, x, y_train, y_test, y_val):\n    " + "\n    ".join(body.splitlines()) + "\n"
    )
    found = [one for one in lint("/p/a.py", Memory({"/p/a.py": text})) if one.code == "LOS602"]
    assert found
    fix = found[0].fix
    return [] if fix is None else [(edit.place.line - 7, edit.content) for edit in fix.edits]


PROGRAM = """encoder = LabelEncoder()
a = torch.tensor(encoder.fit_transform({first}))
b = torch.tensor({other}.fit_transform({again}))
return F.cross_entropy(model(x), a), F.cross_entropy(model(x), b)"""


def test_the_encoder_that_was_fitted_on_the_training_labels() -> None:
    program = PROGRAM.format(first="y_train", other="encoder", again="y_test")
    assert edits(program) == [(3, "encoder.transform")]


@pytest.mark.parametrize(
    ("first", "other", "again"),
    [
        ("y_test", "encoder", "y_train"),
        ("y_test", "encoder", "y_val"),
        ("y_train", "LabelEncoder()", "y_test"),
        ('pd.read_csv("training/test.csv")["y"]', "encoder", 'pd.read_csv("training/train.csv")["y"]'),
    ],
)
def test_no_fix_where_what_was_fitted_on_is_not_known_to_be_for_training(
    first: str, other: str, again: str
) -> None:
    assert edits(PROGRAM.format(first=first, other=other, again=again)) == []


def test_a_fit_of_its_own_statement_is_for_the_author_to_take_out() -> None:
    program = PROGRAM.format(first="y_train", other="encoder", again="y_test").replace(
        "b = torch.tensor(encoder.fit_transform(y_test))",
        "encoder.fit(y_test)\nb = torch.tensor(encoder.transform(y_test))",
    )
    assert edits(program) == []
