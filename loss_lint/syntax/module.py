"""One source file: its text, its tree, and the names that its definitions mention."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from dataclasses import dataclass, field
from functools import cached_property

# Words that make a definition worth evaluating; what mentions such a definition is worth it too.
_LOSS_WORD = re.compile(r"Loss(?:2d)?$|cross_entropy|nll_loss|kl_div|_loss$|^loss_fn$|^criterion$|^backward$")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Unparsable(Exception):
    """The file is no Python that this interpreter reads: `message` and its 1-based place."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(eq=False)
class SourceModule:
    """A parsed file."""

    path: str
    data: bytes
    tree: ast.Module = field(repr=False)

    @cached_property
    def text(self) -> str:
        return decode(self.data)

    @cached_property
    def lines(self) -> list[str]:
        """Physical lines without their ends; form feeds and the like do not end a line for Python."""
        return re.split(r"\r\n|\n|\r", self.text)

    @cached_property
    def mentions(self) -> dict[int, frozenset[str]]:
        """The identifiers in each definition, by `id` of its node."""
        found: dict[int, frozenset[str]] = {}
        _identifiers(self.tree, found)
        return found

    @cached_property
    def loss_names(self) -> frozenset[str]:
        """Names in this file that lead to a loss: torch's own, and what is defined or assigned by them."""
        words = {name for name in _all_names(self.tree) if _LOSS_WORD.search(name)}
        definitions = [node for node in ast.walk(self.tree) if isinstance(node, Definition)]
        assignments = _outer_assignments(self.tree)
        size = -1
        while size != len(words):
            size = len(words)
            for definition in definitions:
                if definition.name not in words and not words.isdisjoint(self.mentions[id(definition)]):
                    words.add(definition.name)
            for targets, names in assignments:
                if not words.isdisjoint(names):
                    words.update(targets)
        # Constructors and forward methods are found through their class.
        return frozenset(words - {"__init__", "forward", "__call__", "self"})

    @cached_property
    def _writers(self) -> dict[int, bool]:
        return {}

    def writes(self, node: ast.AST) -> bool:
        """Whether a function changes something that its caller may see: attributes, items, globals."""
        known = self._writers.get(id(node))
        if known is None:
            known = self._writers[id(node)] = any(_is_write(inner) for inner in ast.walk(node))
        return known

    def leads_to_loss(self, node: ast.AST) -> bool:
        """Whether a definition mentions a loss, or something of this file that does."""
        names = self.mentions.get(id(node))
        return names is None or not self.loss_names.isdisjoint(names)


_MUTATORS = frozenset(
    [
        "append",
        "extend",
        "insert",
        "add_module",
        "register_module",
        "register_buffer",
        "register_parameter",
        "update",
        "pop",
        "setdefault",
        "add",
        "remove",
        "clear",
        "sort",
        "backward",
    ]
)


def _is_write(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()) | ast.Global() | ast.Nonlocal():
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _MUTATORS
        case ast.Call(func=ast.Name(id="setattr")):
            return True
        case _:
            return False


def _all_names(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
            names.add(node.name.rpartition(".")[2])
    return names


def _identifiers(node: ast.AST, found: dict[int, frozenset[str]]) -> set[str]:
    names: set[str] = set()
    pending = list(ast.iter_child_nodes(node))
    while pending:
        child = pending.pop()
        if isinstance(child, Definition):
            names |= _identifiers(child, found)
            names.add(child.name)
            continue
        if isinstance(child, ast.Name):
            names.add(child.id)
        elif isinstance(child, ast.Attribute):
            names.add(child.attr)
        elif isinstance(child, ast.arg):
            names.add(child.arg)
        pending.extend(ast.iter_child_nodes(child))
    found[id(node)] = frozenset(names)
    return names


def _outer_assignments(tree: ast.Module) -> list[tuple[set[str], frozenset[str]]]:
    """Module-level assignments and assignments to attributes anywhere: the names set, the names read."""
    result: list[tuple[set[str], frozenset[str]]] = []
    outer = set(map(id, tree.body))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names: set[str] = set()
        for target in targets:
            if isinstance(target, ast.Attribute):
                names.add(target.attr)
            elif isinstance(target, ast.Name) and id(node) in outer:
                names.add(target.id)
        if names:
            result.append((names, frozenset(_all_names(node.value))))
    return result


def decode(data: bytes) -> str:
    """The text of a Python file by its BOM or coding comment, without the BOM."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)


def parse(path: str, data: bytes) -> SourceModule:
    """The parsed file; raises Unparsable with a message and a place."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data, filename=path)
        decode(data)  # ast replaces nothing, but what it accepts and we cannot place is of no use
    except SyntaxError as error:
        raise Unparsable(f"SyntaxError: {error.msg}", error.lineno or 1, error.offset or 1) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unparsable(f"cannot be decoded: {error.reason}", line) from None
    except (ValueError, LookupError) as error:
        raise Unparsable(f"cannot be parsed: {error}") from None
    except (RecursionError, MemoryError):
        raise Unparsable("cannot be parsed: too deeply nested for this Python") from None
    return SourceModule(path, data, tree)
