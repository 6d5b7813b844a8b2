"""One source file: its text, its tree, and the names that its definitions mention."""

from __future__ import annotations

import ast
import io
import re
import symtable
import tokenize
import warnings
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import chain
from typing import cast

from loss_lint.syntax.changes import (
    Changes,
    OwnChanges,
    changes_more_than_its_own,
    changes_of,
    own_changes_of,
)
from loss_lint.syntax.prose import code_of
from loss_lint.syntax.site import Site
from loss_lint.syntax.walk import AnyFunction, blocks_in, walk

# Words that make a definition worth evaluating; what mentions such a definition is worth it too.
_LOSS_WORD = re.compile(r"Loss(?:2d)?$|cross_entropy|nll_loss|kl_div|_loss$|^loss_fn$|^criterion$|^backward$")

# One of these is in each such word.
_LOSS_PARTS = (
    b"Loss",
    b"cross_entropy",
    b"nll_loss",
    b"kl_div",
    b"_loss",
    b"loss_fn",
    b"criterion",
    b"backward",
)

# Cross entropy written by hand is the logarithm of one of these.
_SOFTMAXES = frozenset({"softmax", "Softmax"})

_WORD = re.compile(r"[^\W\d]\w*")
_ASCII_WORD = re.compile(r"[^\W\d]\w*", re.ASCII)

# Methods that are found through their class.
_OF_CLASSES = frozenset({"__init__", "__call__"})

# What these make is used in annotations only.
_OF_TYPES = frozenset({"TypeVar", "ParamSpec", "NewType"})

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
    # Names that lead to a loss in other files of the project, as this file imports them.
    imported_loss_names: frozenset[str] = frozenset()
    # The project's own losses, as its configuration names them.
    own_loss_words: frozenset[str] = frozenset()
    # What is asked about a node again and again, by the node.
    _sites: dict[ast.AST, Site] = field(default_factory=dict, repr=False)
    _bound_names: dict[ast.AST, list[str]] = field(default_factory=dict, repr=False)
    _bound_attributes: dict[ast.AST, tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]] = field(
        default_factory=dict, repr=False
    )
    _changes: dict[ast.AST, Changes] = field(default_factory=dict, repr=False)
    _writers_elsewhere: dict[ast.AST, bool] = field(default_factory=dict, repr=False)
    _own_changes: dict[ast.AST, OwnChanges | None] = field(default_factory=dict, repr=False)
    _own_callers: dict[ast.AST, bool] = field(default_factory=dict, repr=False)
    _walrus_names: dict[ast.AST, list[str]] = field(default_factory=dict, repr=False)
    _generators: dict[ast.AST, bool] = field(default_factory=dict, repr=False)
    _leading: dict[ast.AST, bool] = field(default_factory=dict, repr=False)
    _mentions: dict[tuple[int, int], frozenset[str]] = field(default_factory=dict, repr=False)
    _naming: dict[ast.AST, bool] = field(default_factory=dict, repr=False)

    @cached_property
    def text(self) -> str:
        return decode(self.data)

    @cached_property
    def lines(self) -> list[str]:
        """Physical lines without their ends; form feeds and the like do not end a line for Python."""
        return _lines(self.text)

    @cached_property
    def encoded(self) -> bytes:
        """The text as UTF-8, in which columns count."""
        return self.text.encode()

    @cached_property
    def line_starts(self) -> list[int]:
        """Where each line starts in `encoded`, and where the last one ends."""
        starts = [0]
        for line in self.encoded.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return starts

    def site(self, node: ast.expr | ast.stmt) -> Site:
        """Where a node of the file stands; made once, however often the node is evaluated."""
        known = self._sites.get(node)
        if known is None:
            known = self._sites[node] = Site(
                self.path,
                node.lineno,
                node.col_offset,
                node.end_lineno or node.lineno,
                node.end_col_offset or node.col_offset,
            )
        return known

    def bound_names(self, node: ast.stmt) -> list[str]:
        """The names that a statement's blocks bind, sorted, without those of nested functions and classes."""
        known = self._bound_names.get(node)
        if known is None:
            known = self._bound_names[node] = sorted(self._bound_in(node))
        return known

    def _bound_in(self, node: ast.stmt) -> set[str]:
        names: set[str] = set()
        pending: list[ast.AST] = list(ast.iter_child_nodes(node))
        while pending:
            child = pending.pop()
            kind = type(child)
            if kind in _LOOPS:
                names.update(self.bound_names(cast("ast.stmt", child)))
            elif kind is ast.Name:
                name = cast("ast.Name", child)
                if type(name.ctx) is ast.Store:
                    names.add(name.id)
            elif kind in _DEFINITIONS:
                names.add(cast("Definition", child).name)
            elif kind not in _BINDING_NOTHING:
                pending.extend(ast.iter_child_nodes(child))
        return names

    def bound_attributes(self, node: ast.stmt) -> frozenset[tuple[str, str]]:
        """The attributes of names that a statement's blocks set: `("self", "last")` for `self.last = x`."""
        return self._attributes_of_names(node)[0]

    def called_methods(self, node: ast.stmt) -> frozenset[tuple[str, str]]:
        """The methods of names that a statement's blocks call: `("self", "step")` for `self.step()`."""
        return self._attributes_of_names(node)[1]

    def _attributes_of_names(
        self, node: ast.stmt
    ) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
        known = self._bound_attributes.get(node)
        if known is None:
            stored, called = set(), set()
            for inner in walk(node):
                match inner:
                    case ast.Attribute(value=ast.Name(id=name), attr=attribute, ctx=ast.Store()):
                        stored.add((name, attribute))
                    case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)):
                        called.add((name, attribute))
            known = self._bound_attributes[node] = frozenset(stored), frozenset(called)
        return known

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """Every statement of the file, those of nested blocks and definitions included."""
        found: list[ast.stmt] = []
        pending: list[ast.stmt] = list(self.tree.body)
        while pending:
            statement = pending.pop()
            found.append(statement)
            if type(statement) in _WITH_BLOCKS:
                for block in blocks_in(statement):
                    pending.extend(block)
        return found

    @cached_property
    def _in_order(self) -> tuple[list[tuple[int, int]], list[ast.stmt]]:
        """The statements by where they start, inner ones behind those around them."""
        ordered = sorted(self.statements, key=_start)
        return [_start(statement) for statement in ordered], ordered

    def innermost_statement(self, site: Site) -> ast.stmt | None:
        """The innermost statement around a site."""
        starts, ordered = self._in_order
        for statement in reversed(ordered[: bisect_right(starts, (site.line, site.column))]):
            if (site.end_line, site.end_column) <= (statement.end_lineno or 0, statement.end_col_offset or 0):
                return statement
        return None

    @cached_property
    def _words(self) -> list[list[str]]:
        """The identifiers on each line but those of definitions, which do not use their names.

        They are found faster than in the tree, and are almost never too few.
        """
        code = code_of(self.text)
        find = (_ASCII_WORD if code.isascii() else _WORD).findall
        words = [*map(find, _lines(code))]
        for node in self.statements:
            if type(node) in _DEFINITIONS:
                name, line = cast("Definition", node).name, node.lineno - 1
                words[line] = [word for word in words[line] if word != name]
        return words

    def mentions(self, node: ast.stmt | ast.Lambda) -> frozenset[str]:
        """The identifiers on the lines of a statement."""
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        known = self._mentions.get((first, last))
        if known is None:
            known = self._mentions[first, last] = frozenset(chain.from_iterable(self._words[first:last]))
        return known

    @cached_property
    def _definitions(self) -> dict[int, tuple[str, frozenset[str]]]:
        """Each definition's name, and the names that it uses.

        That a method names its own class, as in `isinstance(other, Own)`, does not make it one that uses the class.
        """
        classes = _enclosing_classes(self.tree)
        return {
            id(node): (node.name, self.mentions(node) - classes.get(node, frozenset()))
            for node in cast("list[Definition]", self.statements)
            if type(node) in _DEFINITIONS
        }

    @cached_property
    def loss_names(self) -> frozenset[str]:
        """Names in this file that lead to a loss: torch's own, imported ones, and what is made of such."""
        imported = self.imported_loss_names
        words = set(self._loss_words | imported)
        if not words:
            return frozenset()
        words |= {alias for alias, name in self._aliases() if name in self._loss_words}
        pairs = [({name}, names - {name}) for name, names in self._definitions.values()]
        pairs += [(targets, self.mentions(node) - targets) for node, targets in self._outer_assignments()]
        size = -1
        while size != len(words):
            size = len(words)
            rest = []
            for targets, names in pairs:
                if words.isdisjoint(names):
                    rest.append((targets, names))
                else:
                    words.update(targets - _OF_CLASSES)
            pairs = rest
        return frozenset(words - {"forward", "self"})

    @cached_property
    def _loss_words(self) -> frozenset[str]:
        """The identifiers of this file that name a loss or training on one."""
        own = any(word.encode() in self.data for word in self.own_loss_words)
        if not own and not any(part in self.data for part in _LOSS_PARTS):
            return frozenset()
        everything = frozenset(chain.from_iterable(self._words))
        return frozenset(filter(_is_loss_word, everything)) | (everything & self.own_loss_words)

    def _aliases(self) -> list[tuple[str, str]]:
        """Names that `from module import name as alias` gives, with what they stand for."""
        return [
            (alias.asname, alias.name)
            for node in self.statements
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.asname
        ]

    @cached_property
    def option_defaults(self) -> dict[str, object]:
        """The literal defaults of the command line's options: 8 for `add_argument("--batch-size", default=8)`."""
        found: dict[str, object] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                given = {keyword.arg: keyword.value for keyword in node.keywords}
                default = given.get("default")
                if isinstance(default, ast.Constant):
                    for name in _option_names(node, given.get("dest")):
                        found[name] = default.value
        return found

    def _outer_assignments(self) -> list[tuple[ast.stmt, set[str]]]:
        """Module-level assignments and assignments to attributes anywhere, with the names that they set."""
        outer = set(map(id, self.tree.body))
        found: list[tuple[ast.stmt, set[str]]] = []
        for node in self.statements:
            if type(node) not in _ASSIGNMENTS:
                continue
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            if node.value is None:
                continue
            if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") in _OF_TYPES:
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {target.attr for target in targets if isinstance(target, ast.Attribute)}
            if id(node) in outer:
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            if names:
                found.append((node, names))
        return found

    def writes(self, node: AnyFunction) -> bool:
        """Whether a function changes something that its caller may see: attributes, items, globals."""
        return bool(self.changes(node))

    def changes(self, node: AnyFunction) -> Changes:
        """What a function changes, by the names that it reaches it through."""
        known = self._changes.get(node)
        if known is None:
            known = self._changes[node] = changes_of(node)
        return known

    def writes_elsewhere(self, method: AnyFunction) -> bool:
        """Whether a method changes more than its own object and variables: other objects, globals."""
        known = self._writers_elsewhere.get(method)
        if known is None:
            known = self._writers_elsewhere[method] = changes_more_than_its_own(method)
        return known

    def own_changes(self, method: AnyFunction) -> OwnChanges | None:
        """What a method that writes makes of its own object; None if it changes anything else."""
        if method not in self._own_changes:
            self._own_changes[method] = own_changes_of(method)
        return self._own_changes[method]

    def calls_own_object(self, method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """Whether a method calls its own object: `self(x)`."""
        known = self._own_callers.get(method)
        if known is None:
            given = [*method.args.posonlyargs, *method.args.args]
            own = given[0].arg if given else ""
            known = self._own_callers[method] = any(
                isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == own
                for inner in walk(method)
            )
        return known

    def walrus_names(self, node: ast.expr) -> list[str]:
        """The variables that `:=` binds inside an expression."""
        known = self._walrus_names.get(node)
        if known is None:
            bound = [inner.target.id for inner in walk(node) if isinstance(inner, ast.NamedExpr)]
            known = self._walrus_names[node] = bound
        return known

    def yields(self, node: ast.AST) -> bool:
        """Whether a function is a generator."""
        known = self._generators.get(node)
        if known is None:
            known = self._generators[node] = b"yield" in self.data and _yields(node)
        return known

    def names_a_loss(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
        """Whether the code of a definition (not its comments, nor what it calls) names a loss or trains on one."""
        known = self._naming.get(node)
        if known is None:
            known = self._naming[node] = not self._loss_words.isdisjoint(self.mentions(node))
        return known

    def leads_to_loss(self, node: ast.AST) -> bool:
        """Whether a definition mentions a loss, or something of this file that does."""
        known = self._leading.get(node)
        if known is None:
            known = self._leading[node] = self._leads_to_loss(node)
        return known

    def _leads_to_loss(self, node: ast.AST) -> bool:
        if not isinstance(node, Definition):
            return True
        if not self.loss_names and b"oftmax" not in self.data:
            return False
        known = self._definitions.get(id(node))
        if known is None or not self.loss_names.isdisjoint(known[1] - {known[0]}):
            return True
        return "log" in known[1] and not known[1].isdisjoint(_SOFTMAXES)


@cache
def _is_loss_word(name: str) -> bool:
    return _LOSS_WORD.search(name) is not None


def _lines(text: str) -> list[str]:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def _start(node: ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _enclosing_classes(tree: ast.Module) -> dict[ast.stmt, frozenset[str]]:
    """The names of the classes around each definition that stands in one."""
    found: dict[ast.stmt, frozenset[str]] = {}
    pending: list[tuple[ast.stmt, frozenset[str]]] = [(node, frozenset()) for node in tree.body]
    while pending:
        node, classes = pending.pop()
        kind = type(node)
        if kind not in _WITH_BLOCKS:
            continue
        if classes and kind in _DEFINITIONS:
            found[node] = classes
        inside = classes | {node.name} if isinstance(node, ast.ClassDef) else classes
        for block in ("body", "orelse"):
            pending.extend([(inner, inside) for inner in getattr(node, block, ())])
    return found


_LOOPS = frozenset({ast.For, ast.AsyncFor, ast.While})
_ASSIGNMENTS = frozenset({ast.Assign, ast.AnnAssign})
_DEFINITIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
# What other statements stand in.
_WITH_BLOCKS = _LOOPS | _DEFINITIONS | {ast.If, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match}
# A scope of its own, and what has no parts.
_BINDING_NOTHING = frozenset({ast.Lambda, ast.Constant, ast.Load, ast.Store, ast.Import, ast.ImportFrom})


def _yields(function: ast.AST) -> bool:
    """Whether a `yield` stands in a function itself, not in one nested in it."""
    pending: list[ast.AST] = list(ast.iter_child_nodes(function))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Definition | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))
    return False


def _option_names(node: ast.Call, dest: ast.expr | None) -> list[str]:
    """The attributes that an option's value may have: what `dest` says, else what its long spellings make."""
    if isinstance(dest, ast.Constant):
        return [str(dest.value)]
    spelled = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    return [name.lstrip("-").replace("-", "_") for name in map(str, spelled) if not _is_short(name)]


def _is_short(option: str) -> bool:
    return len(option) == 2 and option.startswith("-")


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
        # Where an encoding is the matter, Python's own place lies before the file.
        line, column = max(error.lineno or 1, 1), max(error.offset or 1, 1)
        raise Unparsable(f"SyntaxError: {error.msg}", line, column) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unparsable(f"cannot be decoded: {error.reason}", line) from None
    except (ValueError, LookupError) as error:
        raise Unparsable(f"cannot be parsed: {error}") from None
    except (RecursionError, MemoryError):
        raise Unparsable("cannot be parsed: too deeply nested for this Python") from None
    return SourceModule(path, data, tree)


def is_parsable(path: str, data: bytes) -> bool:
    """Whether the interpreter accepts the file; `parse` says why not.

    A symbol table is built without Python objects for the tree, in half of its time.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            symtable.symtable(decode(data), path, "exec")
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return False
    return True
