"""The Python of a notebook's cell: what IPython alone understands is masked, all else keeps its line and column.

Which lines those are follows IPython's `inputtransformer2.py`: an escape (`%`, `!`, `?`, `,`, `;`, `/`) that begins
a logical line, `=` followed by one, and `?` behind a name.
"""

from __future__ import annotations

import re

# Cell magics whose cell runs as Python in the notebook's own namespace. All others take their cell out of the module.
_OF_PYTHON = frozenset(
    {"capture", "debug", "ipytest", "memit", "mprun", "prun", "px", "time", "timeit", "wandb"}
)

# What these start is worth a look; no other cell is looked at by character.
_CANDIDATE = re.compile(r"^[ \t]*[%!?,;/]|=[ \t]*[%!]|\?[ \t]*$", re.MULTILINE)
_CELL_MAGIC = re.compile(r"[ \t]*%%([^\s]+)")

# At the start of a logical line. An escape goes on behind a backslash at its line's end, as IPython joins them.
_REST = r"(?:[^\\\r\n]|\\(?:\r\n|\r|\n)|\\.)*\\?"
_ESCAPE = re.compile(rf"(?P<indent>[ \t]*)(?P<magic>[%!?,;/]{_REST})")
_TIMED = re.compile(r"%time[ \t]+(?=[^\W\d])")
# A shell command or a magic without its sign, by the names that IPython knows: `pip install x`, `cd data`.
_UNSIGNED = re.compile(
    r"(?P<indent>)(?P<magic>(?:autoreload|cat|cd|conda|cp|env|less|load_ext|ls|mamba|matplotlib|mkdir|mv|pip|pip3"
    rf"|pwd|pylab|rm|rmdir|run|time|timeit|uv)(?=[ \t]+[^\s=(\[,:]){_REST})"
)
_TOKEN = re.compile(
    r"""(?P<prose>\#[^\r\n]*
      | \"{3}(?:[^"\\]|\\.|"(?!""))*(?:\"{3}|\Z) | '{3}(?:[^'\\]|\\.|'(?!''))*(?:'{3}|\Z)
      | "(?:[^"\\\r\n]|\\(?:\r\n|.))*" | '(?:[^'\\\r\n]|\\(?:\r\n|.))*'
      | \\(?:\r\n|\r|\n))
    | (?P<open>[\[({])
    | (?P<close>[\])}])
    | (?P<assigned>(?<![=!<>:+\-*/%&|^@~])=[ \t]*(?=[%!]))
    | (?P<asked>\?+[ \t]*(?=[\r\n]|\Z))
    | (?P<end>\r\n|\r|\n)""",
    re.DOTALL | re.VERBOSE,
)
_LINE_REST = re.compile(_REST, re.DOTALL)
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
# What nothing is known of: IPython puts it into every namespace.
_UNKNOWN = "get_ipython()"


def python_of(text: str, *, unsigned: bool = False) -> str | None:
    """The Python of a code cell on the same lines and columns; None for a cell in another language.

    With `unsigned`, lines that begin with the name of a magic are masked as well, which may be Python.
    """
    if not unsigned and _CANDIDATE.search(text) is None:
        return text
    parts: list[str] = []
    at = 0
    while at < len(text):
        escape = _ESCAPE.match(text, at) or (_UNSIGNED.match(text, at) if unsigned else None)
        if escape is None:
            at = _logical_line(text, at, parts)
            continue
        magic = escape["magic"]
        cell_magic = _CELL_MAGIC.match(magic)
        if cell_magic is not None and cell_magic[1] not in _OF_PYTHON:
            return None
        parts += [escape["indent"], _masked(magic)]
        at = escape.end()
        end = _LINE_ENDS.match(text, at)
        if end is not None:
            parts.append(end[0])
            at = end.end()
    return "".join(parts)


def _masked(magic: str) -> str:
    """A statement that does nothing in place of a magic, or the one that `%time` runs."""
    timed = _TIMED.match(magic)
    if timed is not None and _is_simple_statement(magic[timed.end() :]):
        return "0" + " " * (timed.end() - 2) + ";" + magic[timed.end() :]
    return "pass" + _line_ends(magic)


def _line_ends(text: str) -> str:
    return "".join(_LINE_ENDS.findall(text))


def _is_simple_statement(text: str) -> bool:
    import ast

    try:
        body = ast.parse(text.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return bool(body) and not any(hasattr(statement, "body") for statement in body)


def _logical_line(text: str, start: int, parts: list[str]) -> int:
    """Add a logical line of Python to `parts`, masked where it holds a magic; gives where the next one starts."""
    depth = 0
    at = start
    while (token := _TOKEN.search(text, at)) is not None:
        at = token.end()
        match token.lastgroup:
            case "open":
                depth += 1
            case "close":
                depth = max(0, depth - 1)
            case "end" if not depth:
                parts.append(text[start:at])
                return at
            case "assigned" if not depth:
                rest = _LINE_REST.match(text, at)
                assert rest is not None
                parts += [text[start:at], _UNKNOWN, _line_ends(rest[0])]
                return _after_line(text, rest.end(), parts)
            case "asked" if not depth:
                line = text[start:at]
                parts += [line[: len(line) - len(line.lstrip(" \t"))], "pass", _line_ends(line)]
                return _after_line(text, at, parts)
    parts.append(text[start:])
    return len(text)


def _after_line(text: str, at: int, parts: list[str]) -> int:
    end = _LINE_ENDS.match(text, at)
    if end is None:
        return at
    parts.append(end[0])
    return end.end()
