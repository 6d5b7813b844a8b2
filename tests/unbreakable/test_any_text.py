"""No text whatever makes `check` raise, hang, or end with another status than what it found asks for."""

from __future__ import annotations

import encodings.aliases
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutants import EXPRESSIONS, STATEMENTS, mutant
from running import examined, is_python, run

few = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
STEP = "\n\ndef step(x, y):\n    return F.cross_entropy(x.softmax(1), y)\n"
BAD = HEAD + STEP


@few
@given(st.data())
def test_mutants_of_the_fixtures(data: st.DataObject) -> None:
    text = mutant(lambda count: data.draw(st.integers(0, count - 1)))
    examined(text.encode("utf-8", "surrogatepass"))


@few
@given(st.binary(max_size=300), st.booleans(), st.booleans())
def test_bytes(noise: bytes, before: bool, after: bool) -> None:
    examined(BAD.encode() * before + noise + BAD.encode() * after)


@few
@given(st.binary(min_size=1, max_size=6), st.integers(0, len(BAD)), st.integers(0, 40))
def test_bytes_in_a_program(noise: bytes, at: int, length: int) -> None:
    data = BAD.encode()
    examined(data[:at] + noise + data[at + length :])


@few
@given(st.text(max_size=200))
def test_text_after_a_program(text: str) -> None:
    examined((BAD + text).encode("utf-8", "surrogatepass"))


ENDS = st.sampled_from(
    ["\n", "\r\n", "\r", "\x0c\n", "\n\x0c", " \\\n", "\x0b\n", "\x1c\n", "\x85\n", "\u2028\n", "\0\n"]
)


@few
@given(st.lists(ENDS, min_size=7, max_size=7), st.booleans())
def test_ends_of_lines(ends: list[str], bom: bool) -> None:
    rows = BAD.removesuffix("\n").split("\n")
    text = "".join(row + end for row, end in zip(rows, ends, strict=True))
    found = examined(("\ufeff" * bom + text).encode())
    assert len(found) <= 1


# What Python knows, what it knows and is no encoding of text, and what nobody knows.
CODINGS = sorted(
    {*encodings.aliases.aliases.values(), "idna", "punycode", "undefined", "unicode_escape", "utf-8-sig"}
)


@pytest.mark.parametrize("coding", [*CODINGS, "nonsense", "utf-8-unix", "latin-1-dos", "../x", "\xe9", ""])
def test_encodings_that_are_declared(coding: str) -> None:
    """A file is read as Python reads it, whatever it is in truth."""
    text = f"# -*- coding: {coding} -*-\n{BAD}    '\xe9'\n"
    try:
        data = text.encode(coding)
    except (LookupError, ValueError, TypeError, AttributeError):
        data = text.encode()
    for one in (data, b"\xef\xbb\xbf" + text.encode()):
        found = [one["code"] for one in examined(one, fixes=False)]
        if b"\nimport torch" in one:  # and not where only Python's reading of it makes this a line
            assert found == (["LOS201"] if is_python(one) else ["LOS000"])


DEEP: dict[str, str] = {
    "parentheses": "x = {}y{}".format("(" * 5000, ")" * 5000),
    "brackets": "x = {}y{}".format("[" * 5000, "]" * 5000),
    "unary minus": f"x = {'-' * 5000}y",
    "not": f"x = {'not ' * 5000}y",
    "attributes": f"x = y{'.a' * 5000}",
    "calls": f"x = y{'()' * 5000}",
    "methods": f"x = y{'.relu()' * 5000}",
    "items": f"x = y{'[0]' * 5000}",
    "sum": f"x = {'y + ' * 5000}y",
    "powers": f"x = {'y ** ' * 5000}y",
    "and": f"x = {'y and ' * 5000}y",
    "comparison": f"x = {'y < ' * 5000}y",
    "lambdas": f"x = {'lambda: ' * 5000}y",
    "choices": f"x = {'a if b else ' * 5000}y",
    "f-strings": "x = " + "f'{" * 3 + "y" + "}'" * 3 + " ".join(["f'{y}'"] * 5000),
    "elif": "if a:\n    x = 0\n" + "".join(f"elif b == {i}:\n    x = {i}\n" for i in range(2000)),
    "else": "".join(f"{' ' * i}if a:\n{' ' * i} pass\n{' ' * i}else:\n" for i in range(99))
    + " " * 99
    + "x = 1",
    "assignments": f"{'x = ' * 5000}y",
    "decorators": "@d\n" * 5000 + "def x(): pass",
    "strings": "x = " + "'a' " * 5000,
    "comprehension": f"x = [a {'for a in b ' * 5000}]",
    "parameters": f"def x({', '.join(f'a{i}=a{i}' for i in range(5000))}): pass",
    "arguments": f"x = torch.relu({', '.join(f'a{i}' for i in range(5000))})",
    "numbers": f"x = [{'1, ' * 300_000}]",
    "number": f"x = {'9' * 5000}",
    "long line": f"x = '{'a' * 1_000_000}'",
}


@pytest.mark.parametrize("kind", DEEP)
def test_depth_and_size(kind: str) -> None:
    """Beside a loss they change nothing, and on their way into one nothing breaks."""
    text = f"{HEAD}y = 0\n{DEEP[kind]}\n{STEP}"
    text += "\n\nloss = F.cross_entropy(torch.as_tensor(x).softmax(1), y)\n"
    found = [one["code"] for one in examined(text.encode(), fixes=False)]
    assert found[:1] == (["LOS201"] if is_python(text.encode()) else ["LOS000"])


@pytest.mark.parametrize("statement", STATEMENTS)
def test_odd_statements_around_a_loss(statement: str) -> None:
    inside = "\n".join(f"    {line}" for line in statement.split("\n"))
    loss = "    loss = F.cross_entropy(x.softmax(1), y)"
    text = f"{HEAD}{statement}\ndef step(x, y, loss):\n{inside}\n{loss}\n{inside}\n    return loss\n"
    examined(text.encode(), fixes=False)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_odd_expressions_in_a_loss(expression: str) -> None:
    text = (
        f"{HEAD}def step(self, x, y):\n    x = x.softmax(1) * {expression}\n"
        f"    loss = F.cross_entropy({expression}, y, {expression}) / {expression}\n"
        f"    loss += nn.NLLLoss({expression})(x[{expression}], {expression}).mean({expression})\n"
        "    return loss\n"
    )
    examined(text.encode("utf-8", "surrogatepass"), fixes=False)


@pytest.mark.parametrize(
    "name", ["", " ", "a\nb.py", "\udcff.py", "\x1b[31m.py", "a" * 3000, "x.ipynb", "..", "é/ü.py"]
)
def test_names_of_standard_input(name: str) -> None:
    for output_format in ("full", "github", "gitlab", "junit", "sarif", "rdjson"):
        outcome = run(BAD.encode(), "--output-format", output_format, name=name)
        assert outcome.status == 1, outcome.err


def test_an_interpreter_that_allows_little_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others of the process have set is as good as any."""
    monkeypatch.setattr(sys, "setrecursionlimit", lambda limit: None)
    examined(f"{HEAD}x = y{'.a' * 900}\n{STEP}".encode())
