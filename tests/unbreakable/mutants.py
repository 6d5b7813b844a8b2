"""Texts that nobody wrote: programs with pieces of others in them, drawn by hypothesis or by a seed."""

from __future__ import annotations

import io
import random
import tokenize
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
FOLDERS = ("rules", "reveal", "losses", "show", "watch")

# Statements and expressions that are rare, circular, wrong, or larger than anybody can compute.
STATEMENTS = (
    "global loss",
    "nonlocal loss",
    "del loss",
    "raise",
    "return",
    "try:\n    pass\nfinally:\n    pass",
    "try:\n    pass\nexcept* E as e:\n    pass",
    "match x:\n    case [a, *b]:\n        pass\n    case {'k': v, **rest} | A(v, k=rest):\n        pass",
    "class A(A): pass",
    "class B(B.C): pass",
    "class A(*A, metaclass=A, **A): x = x",
    "@property",
    "async with a as b: pass",
    "async for x in x: pass",
    "while True: break",
    "while x: x = x",
    "for loss in loss: loss = loss",
    "for x.y[0], *z in x: pass",
    "loss: int",
    "def f(f=f, *, g: f = f, **k) -> f: return f(f)",
    "x.y.z = x",
    "x[0][1] += x",
    "from . import *",
    "from .. import x",
    "from a import *",
    "a, *b = c",
    "[a, (b, *c)] = d = e",
    "criterion.reduction = criterion",
    "x = yield",
    "assert loss",
    "with x: pass",
    "x = [x]",
    "x = (x, x)",
    "d = {}\nd[d] = d",
    "nn.Module.__call__ = nn.Module",
    "setattr(self, name, self)",
    "self.__dict__.update(x)",
    "self.forward = self",
    "loss = loss(loss)",
)
EXPRESSIONS = (
    "(yield x)",
    "(await x)",
    "(lambda *a, **k: a)",
    "(lambda: (yield))()",
    "[*x]",
    "{**x}",
    "(x := 1)",
    "super()",
    "super().__init__()",
    "super(A, self).forward(x)",
    "self",
    "...",
    "(x if y else z)",
    "[i for i in x if i for j in i]",
    "{i: j for i, j in x}",
    "print(*x, **y)",
    'f"{x!r:>{w}}"',
    "-x ** -y",
    "x[::2, ..., None]",
    "torch.tensor(torch.tensor)",
    "functools.partial(f)(f)",
    "nn.Sequential(*nn.Sequential())",
    "(1 / 0)",
    "10 ** 10 ** 10",
    '("a" * 1000000000)',
    "([0] * 1000000000)",
    "range(10**12)",
    "(1 << 10**9)",
    "0 ** -1",
    '("%d" % x)',
    "divmod(1, 0)",
    'int("x")',
    'float("nan")',
    "1e999",
    "[][0]",
    '{}["x"]',
    "min([])",
    "max()",
    "list(range(10**9))",
    "torch.zeros(10**9)",
    "x.view(0, -1)",
    "torch.softmax(x, dim=10**30)",
    "nn.CrossEntropyLoss(ignore_index=1 << 70)",
    "nn.CrossEntropyLoss(**{'reduction': x})",
    "F.one_hot(y, -5)",
    "x.permute()",
    "x.unsqueeze(99)",
    "x.reshape(-1, -1)",
    "torch.cat([])",
    "torch.stack(())",
    "nn.Linear(-1, 0)",
    'nn.Linear(1e9, "x")',
    "'\\ud800'",
    "b'\\xff'",
)


@cache
def programs() -> tuple[str, ...]:
    """The fixtures."""
    paths = sorted(path for folder in FOLDERS for path in (FIXTURES / folder).rglob("*.py"))
    return tuple(path.read_text(encoding="utf-8") for path in paths)


@cache
def lines() -> tuple[str, ...]:
    """All lines of the fixtures, each once."""
    return tuple(sorted({line for text in programs() for line in text.split("\n") if line.strip()}))


@cache
def words() -> tuple[str, ...]:
    """All names, numbers and strings of the fixtures, each once."""
    return tuple(sorted({text[row][start:end] for text in _rows() for row, start, end in _tokens(text)}))


@cache
def _rows() -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(text.split("\n")) for text in programs())


def _tokens(rows: tuple[str, ...] | list[str]) -> list[tuple[int, int, int]]:
    """Row and columns of the names, numbers and strings of a text, as far as it can be told apart."""
    found: list[tuple[int, int, int]] = []
    wanted = {tokenize.NAME, tokenize.NUMBER, tokenize.STRING}
    with suppress(tokenize.TokenError, SyntaxError):  # what comes before it is good enough
        found.extend(
            (token.start[0] - 1, token.start[1], token.end[1])
            for token in tokenize.generate_tokens(io.StringIO("\n".join(rows)).readline)
            if token.type in wanted and token.start[0] == token.end[0]
        )
    return [one for one in found if one[0] < len(rows)]


# Draws one of so many: hypothesis's integers, or those of a random generator.
Draw = Callable[[int], int]


def mutant(draw: Draw) -> str:
    """A fixture with some edits."""
    rows = list(_rows()[draw(len(_rows()))])
    for _ in range(draw(8) + 1):
        _edit(rows, draw)
    return "\n".join(rows)


def mutants(seed: int) -> Iterator[str]:
    """Mutants without end, the same for the same seed."""
    chance = random.Random(seed)
    while True:
        yield mutant(chance.randrange)


def _edit(rows: list[str], draw: Draw) -> None:
    at = draw(len(rows))
    match draw(9):
        case 0 if len(rows) > 2:
            del rows[at]
        case 1:
            rows.insert(at, rows[draw(len(rows))])
        case 2:
            rows[at] = lines()[draw(len(lines()))]
        case 3 | 4:
            margin = rows[at][: len(rows[at]) - len(rows[at].lstrip())]
            statement = STATEMENTS[draw(len(STATEMENTS))]
            rows.insert(at, "\n".join(margin + line for line in statement.split("\n")))
            rows[:] = "\n".join(rows).split("\n")
        case 5:
            other = draw(len(rows))
            rows[at], rows[other] = rows[other], rows[at]
        case _:
            found = _tokens(rows)
            if found:
                row, start, end = found[draw(len(found))]
                pool = words() if draw(2) else EXPRESSIONS
                rows[row] = rows[row][:start] + pool[draw(len(pool))] + rows[row][end:]
