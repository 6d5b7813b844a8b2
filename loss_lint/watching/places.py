"""Where in the user's source a torch function was called: frames to places."""

from __future__ import annotations

import ast
import linecache
import os
import sysconfig
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Literal

from loss_lint.findings import Place

if TYPE_CHECKING:
    from types import CodeType, FrameType, TracebackType

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_STDLIB = os.path.join(sysconfig.get_paths()["stdlib"], "")
_MAX_DEPTH = 300

Home = Literal["machinery", "library", "user", "compiled"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call in the user's code; `inside` is the one in a library, nearest to torch, that it led to."""

    place: Place
    inside: Place | None = None

    @property
    def text(self) -> str:
        """The source text of the call, "" where there is none."""
        return source_of(self.place)


_homes: dict[str, Home] = {}


def home_of(filename: str) -> Home:
    """Whose code a file holds: torch's and our own, a library's, the user's, or what torch made of it."""
    if filename not in _homes:
        _homes[filename] = _home(filename)
    return _homes[filename]


def _home(filename: str) -> Home:
    if filename.startswith("<eval_with_key>"):
        return "compiled"
    if filename.startswith(("<frozen ", "<string>", "<eval")):
        return "machinery"
    path = os.path.abspath(filename) if not filename.startswith("<") else filename
    if path.startswith((_PACKAGE, _torch_folder())):
        return "machinery"
    if any(part in path for part in _INSTALLED) or path.startswith(_STDLIB):
        return "library"
    return "user"


@cache
def _torch_folder() -> str:
    spec = find_spec("torch")
    locations = spec.submodule_search_locations if spec is not None else None
    return os.path.join(os.path.abspath(locations[0]), "") if locations else "\0"


def caller(frame: FrameType | None) -> Call | None:
    """The call in the user's code that led to `frame`, or in a library if there is no user's.

    A frame that is the user's own comes first, whatever libraries it called through to get to torch. None for what
    torch has traced: where it was written can no longer be told.
    """
    nearest: Place | None = None
    depth = 0
    while frame is not None and depth < _MAX_DEPTH:
        filename = frame.f_code.co_filename
        home = _homes.get(filename) or home_of(filename)
        if home != "machinery":
            if home == "user":
                return _call(frame.f_code, frame.f_lasti, nearest)
            if home == "compiled":
                return None
            if nearest is None:
                nearest = place_in(frame.f_code, frame.f_lasti)
        frame = frame.f_back
        depth += 1
    return Call(nearest) if nearest is not None else None


# Calls by the code's identity: its hash is that of all it consists of. The code is kept, so that no other takes its
# place.
_calls: dict[tuple[int, int, Place | None], tuple[CodeType, Call]] = {}


def _call(code: CodeType, instruction: int, inside: Place | None) -> Call:
    key = (id(code), instruction, inside)
    known = _calls.get(key)
    if known is None:
        known = _calls[key] = (code, Call(place_in(code, instruction), inside))
    return known[1]


def outside(frame: FrameType | None) -> FrameType | None:
    """The nearest frame that is not of this package."""
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def users(frame: FrameType | None) -> FrameType | None:
    """The nearest frame of the user's code."""
    for _ in range(_MAX_DEPTH):
        if frame is None or home_of(frame.f_code.co_filename) == "user":
            return frame
        frame = frame.f_back
    return None


def caller_in(trace: TracebackType | None) -> Call | None:
    """The same of what a traceback passes through: the innermost call of the user's that raised."""
    steps: list[TracebackType] = []
    while trace is not None:
        steps.append(trace)
        trace = trace.tb_next
    nearest: Place | None = None
    for step in reversed(steps):
        code = step.tb_frame.f_code
        home = home_of(code.co_filename)
        if home == "user":
            return Call(place_in(code, step.tb_lasti), nearest)
        if home == "library" and nearest is None:
            nearest = place_in(code, step.tb_lasti)
    return Call(nearest) if nearest is not None else None


# By the code's identity, as above.
_places: dict[tuple[int, int], tuple[CodeType, Place]] = {}


def place_in(code: CodeType, instruction: int) -> Place:
    """The source range of an instruction."""
    known = _places.get((id(code), instruction))
    if known is None:
        known = _places[id(code), instruction] = (code, _located(code, instruction))
    return known[1]


def _located(code: CodeType, instruction: int) -> Place:
    path = code.co_filename
    row, end_row, column, end_column = next(
        islice(code.co_positions(), instruction // 2, None), (None, None, None, None)
    )
    line = row or code.co_firstlineno
    if row is None or column is None or end_row is None or end_column is None:
        text = linecache.getline(path, line).rstrip("\n")
        start = len(text) - len(text.lstrip())
        return Place(path, line, start + 1, line, max(len(text), start + 1) + 1)
    return Place(
        path, row, _characters(path, row, column) + 1, end_row, _characters(path, end_row, end_column) + 1
    )


def _characters(path: str, row: int, offset: int) -> int:
    """Bytes of UTF-8 from the line's start as characters."""
    line = linecache.getline(path, row)
    return offset if line.isascii() else len(line.encode("utf-8")[:offset].decode("utf-8", "replace"))


def source_of(place: Place) -> str:
    """The text that a place spans."""
    lines = [linecache.getline(place.path, row) for row in range(place.line, place.end_line + 1)]
    if not lines or not lines[0]:
        return ""
    if len(lines) == 1:
        return lines[0][place.column - 1 : place.end_column - 1]
    return "".join([lines[0][place.column - 1 :], *lines[1:-1], lines[-1][: place.end_column - 1]])


@cache
def divisor_text(place: Place) -> str:
    """What a division, or a product with a reciprocal, is written to divide by; "" where that cannot be read."""
    text = source_of(place).strip()
    for mode in ("eval", "exec"):
        try:
            tree = ast.parse(text, mode=mode)
        except SyntaxError:
            continue
        return _divisor(tree)
    return ""


def _divisor(tree: ast.AST) -> str:
    """The divisor in a division's source.

    >>> [_divisor(ast.parse(text)) for text in ("a / len(y)", "a *= 1 / n", "a.div(x.size(0))", "a * n")]
    ['len(y)', 'n', 'x.size(0)', '']
    """
    node = tree.body if isinstance(tree, ast.Expression) else None
    if isinstance(tree, ast.Module) and len(tree.body) == 1:
        node = getattr(tree.body[0], "value", None)
        if isinstance(tree.body[0], ast.AugAssign) and node is not None:
            if isinstance(tree.body[0].op, ast.Mult):
                return _reciprocal(node)
            return ast.unparse(node) if isinstance(tree.body[0].op, ast.Div) else ""
    match node:
        case ast.BinOp(op=ast.Div(), right=right):
            return ast.unparse(right)
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            return _reciprocal(right) or _reciprocal(left)
        case ast.Call(func=ast.Attribute(attr="div" | "div_" | "true_divide" | "divide"), args=[*_, last]):
            return ast.unparse(last)
        case ast.Call(func=ast.Attribute(attr="mul" | "mul_"), args=[*_, last]):
            return _reciprocal(last)
        case _:
            return ""


def _reciprocal(node: ast.AST) -> str:
    match node:
        case ast.BinOp(left=ast.Constant(value=1), op=ast.Div(), right=right):
            return ast.unparse(right)
        case _:
            return ""
