"""Scripts that start themselves: their `main()` is evaluated once, unless something depends on when it runs."""

from __future__ import annotations

import pytest

from loss_lint.runner import lint_files
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.root import evaluate_roots
from loss_lint.syntax.sources import Memory

SCRIPT = """import torch.nn as nn
import torch.nn.functional as F

STATE = {{}}

def train(out, y):
    {change}
    loss = F.cross_entropy(out.softmax(1), y)
    reveal(loss)
    return loss

def main({parameters}):
    train(out, y).backward()

{start}
"""
START = 'if __name__ == "__main__":\n    main()'


def times_run(script: str) -> int:
    """How often the calls of `train` are run."""
    machine = Machine(Memory({"/p/train.py": script}))
    for _ in evaluate_roots(machine, "/p/train.py"):
        pass
    return len(machine.reveals)


@pytest.mark.parametrize(
    ("change", "parameters", "start", "times"),
    [
        ("pass", "", START, 2),  # as a root of its own, and in `main`
        ("pass", "", 'if __name__ == "__main__":\n    print("x")\n    main()', 2),
        ("STATE['seen'] = y", "", START, 3),
        ("global STATE; STATE = y", "", START, 3),
        ("pass", "lr=0.1", START, 3),
        ("pass", "", "main()", 3),
        ("pass", "", 'if __name__ == "__main__":\n    main()\n    print(STATE)', 3),
        ("pass", "", START + "\nelse:\n    main()", 4),
    ],
)
def test_it_is_run_beside_the_function_only_where_that_matters(
    change: str, parameters: str, start: str, times: int
) -> None:
    assert times_run(SCRIPT.format(change=change, parameters=parameters, start=start)) == times


@pytest.mark.parametrize("start", ["", START, "main()"])
def test_the_finding_is_the_same(start: str) -> None:
    script = SCRIPT.format(change="pass", parameters="", start=start)
    (found,) = lint_files(["/p/train.py"], Memory({"/p/train.py": script}), roots=["/p"], jobs=1).findings
    assert (found.code, found.place.line, len(found.trace)) == ("LOS201", 8, 1)
