"""Source texts with replacements by place, in as many files as a fix needs."""

from __future__ import annotations

import ast
import re

from loss_lint.fixes.program import Program, Tree
from loss_lint.fixes.rewrite import is_atomic, is_within, renamed_bare_call, renamed_call
from loss_lint.fixes.spelled import is_beside, is_importable, is_the_projects
from loss_lint.symbolic.graph import Site
from loss_lint.symbolic.machine import Machine

_CALLED = re.compile(rb"[\w)\]}\"'][ \t]*$")
_KEYWORD = re.compile(rb"\b(?:and|assert|await|elif|else|if|in|is|not|or|return|while|yield)[ \t]*$")
_ATTRIBUTE = re.compile(r"([\w.]+\.)\w+")


class Texts:
    """The files that a fix writes into."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._texts: dict[str, Text] = {}

    def at(self, path: str) -> Text | None:
        """The text of one file; None where it cannot be read."""
        if path not in self._texts:
            tree = self._program.tree(path)
            if tree is None:
                return None
            self._texts[path] = Text(tree, self._program.machine)
        return self._texts[path]

    def written(self) -> dict[Site, str]:
        """The outermost replacements of all files."""
        return {site: content for text in self._texts.values() for site, content in text.outermost().items()}

    def parse(self) -> bool:
        """Whether every file is Python afterwards."""
        return all(text.parses(text.outermost()) for text in self._texts.values() if text.outermost())

    def files(self) -> list[Text]:
        return [text for _, text in sorted(self._texts.items())]


class Text:
    """A file's bytes with replacements by site."""

    def __init__(self, tree: Tree, machine: Machine) -> None:
        self.tree = tree
        self._machine = machine
        self._module = module = tree.module
        self._data = module.encoded
        self._starts = module.line_starts
        self._written: dict[Site, str] = {}
        # Names that new text calls, with the import that brings the one that it called before.
        self._wanted: dict[str, ast.alias] = {}

    def _range(self, site: Site) -> tuple[int, int]:
        return self._starts[site.line - 1] + site.column, self._starts[site.end_line - 1] + site.end_column

    def of(self, site: Site) -> str:
        """The text of a site, with what has been written inside it."""
        start, end = self._range(site)
        parts: list[bytes] = []
        for inner, content in sorted(self.outermost(site).items()):
            first, last = self._range(inner)
            parts += [self._data[start:first], content.encode()]
            start = last
        return b"".join([*parts, self._data[start:end]]).decode()

    def outermost(self, inside: Site | None = None) -> dict[Site, str]:
        """The replacements that lie in no other one (and inside `inside`)."""
        return {
            site: content
            for site, content in self._written.items()
            if (inside is None or is_within(site, inside))
            and not any(other != site and is_within(site, other) for other in self._written)
        }

    def put(self, site: Site, content: str) -> bool:
        """Write at a place; False inside what has been written anew already."""
        if any(other != site and is_within(site, other) for other in self._written):
            return False
        self._written[site] = content
        return True

    def replace_expression(self, site: Site, kept: Site) -> bool:
        """Write the expression at `kept` in place of the one at `site`, or drop a statement that it empties."""
        content = self.of(kept)
        statement = self._statement(site)
        if statement is not None and _assigns_itself(statement, site, content):
            return self.drop(statement)
        site = self._without_parentheses(site, content)
        if not is_atomic(content) and not self._is_delimited(site):
            content = f"({content})"
        return self.put(site, content)

    def _without_parentheses(self, site: Site, content: str) -> Site:
        """The place of an expression with the parentheses around it, where what is written there needs none."""
        start, end = self._range(site)
        if (
            site.line != site.end_line
            or self._data[start - 1 : start] != b"("
            or self._data[end : end + 1] != b")"
        ):
            return site
        before = self._data[max(start - 20, 0) : start - 1]
        if _CALLED.search(before) and not _KEYWORD.search(before):
            return site  # the parentheses are a call's
        wider = site._replace(column=site.column - 1, end_column=site.end_column + 1)
        return wider if is_atomic(content) or self._is_delimited(wider) else site

    def renamed(self, site: Site, before: str, after: str) -> str | None:
        """The call of an operation as one of another operation; `finish_imports` brings its name."""
        if self.is_own_call(site):
            return None
        found = renamed_call(self.of(site), before, after)
        if found is not None:
            content, name = found
            return content if is_beside(name, site, self.tree, self._machine) else None
        call = self.tree.at(site)
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            return None
        for statement in self.tree.imports:
            alias = next(
                (one for one in statement.names if one.name == call.func.id and not one.asname), None
            )
            if alias is None or not isinstance(statement, ast.ImportFrom) or not statement.module:
                continue
            if self.tree.function(statement) is not None:
                continue
            found = renamed_bare_call(self.of(site), statement.module, before, after)
            if found is None:
                return None
            content, name = found
            if not is_importable(name, statement, self.tree, self._machine):
                return None
            bound = self.tree.bindings(self.tree.module.tree, name)
            if not bound:
                self._wanted[name] = alias
            return content if all(isinstance(one, ast.alias) for one in bound) else None
        return None

    def is_own_call(self, site: Site) -> bool:
        """Whether what is called at a place is the project's own, and not the operation that it is named after."""
        return is_the_projects(site, self.tree, self._machine)

    def finish_imports(self) -> bool:
        """Import the names that new text calls, in place of those that nothing calls any more."""
        for name, alias in self._wanted.items():
            written = self.outermost()
            if not any(re.search(rf"\b{name}\b", content) for content in written.values()):
                continue
            is_used = any(re.search(rf"\b{alias.name}\b", content) for content in written.values()) or any(
                not any(is_within(self.tree.site(read), one) for one in written)
                for read in self.tree.names.get(alias.name, ())
            )
            if not self.put(self._place(alias), f"{alias.name}, {name}" if is_used else name):
                return False
        return True

    def is_exchanged(self, alias: ast.alias) -> bool:
        """Whether another name is imported in place of one, or beside it."""
        return self._place(alias) in self._written

    def _place(self, alias: ast.alias) -> Site:
        return Site(self.tree.path, alias.lineno, alias.col_offset, *_end(alias))

    def call_method(self, site: Site, name: str, arguments: str = "") -> bool:
        """Call a method of the expression at `site`."""
        content = self.of(site)
        receiver = content if is_atomic(content) else f"({content})"
        return self.put(site, f"{receiver}.{name}({arguments})")

    def has(self, site: Site) -> bool:
        """Whether a place is in this file."""
        return site.path == self._module.path

    def name_attribute(self, site: Site, name: str) -> bool:
        """Write `object.name` for the attribute that is read at `site`."""
        written = self.of(site)
        read = _ATTRIBUTE.fullmatch(written)
        return read is not None and self.put(site, f"{read[1]}{name}")

    def _statement(self, site: Site) -> ast.stmt | None:
        """The innermost statement around a site."""
        return self._module.innermost_statement(site)

    def _is_delimited(self, site: Site) -> bool:
        """Whether a comma, bracket, `=` or line's end on each side keeps an expression apart."""
        start, end = self._range(site)
        before = self._data[:start].rstrip(b" \t")[-1:]
        after = self._data[end:].lstrip(b" \t")[:1]
        is_returned = bool(re.search(rb"\breturn[ \t]+$", self._data[max(start - 20, 0) : start]))
        return (before in b"(,[=\n" or before == b"" or is_returned) and after in b"),]\r\n#"

    def drop(self, statement: ast.stmt) -> bool:
        """Take a statement out with its line; False where it shares one or is alone in its block."""
        line, last = statement.lineno, statement.end_lineno or statement.lineno
        block = [one for one in self.tree.block(statement) if not self.is_dropped(one)]
        site = self.tree.site(statement)
        before = self._data[self._starts[line - 1] : self._range(site)[0]]
        after = self._data[self._range(site)[1] : self._starts[last]].strip()
        is_whole = not before.strip() and (not after or after.startswith(b"#"))
        if block == [statement] or not is_whole or last >= len(self._starts):
            return False
        if self._is_blank(line - 1) and self._is_blank(last + 1):
            last += 1
        return self.put(Site(site.path, line, 0, last + 1, 0), "")

    def is_dropped(self, node: ast.stmt | ast.expr) -> bool:
        """Whether what is written has nothing of a node any more."""
        site = self.tree.site(node)
        return any(not content and is_within(site, other) for other, content in self._written.items())

    def _is_blank(self, line: int) -> bool:
        """Whether a line is there and empty."""
        if not 1 <= line < len(self._starts):
            return False
        return not self._data[self._starts[line - 1] : self._starts[line]].strip()

    def remove_element(self, element: ast.expr, others: list[ast.expr]) -> bool:
        """Take the last one of several elements out, with its comma."""
        if not others:
            return False
        (start, end), (_, last) = (
            self._range(self.tree.site(element)),
            self._range(self.tree.site(others[-1])),
        )
        first_line, last_line = element.lineno, element.end_lineno or element.lineno
        before = self._data[self._starts[first_line - 1] : start]
        after = self._data[end : self._starts[last_line]].strip()
        if not before.strip() and last_line < len(self._starts) and re.fullmatch(rb",?\s*(?:#.*)?", after):
            gap = self._data[last:start]
            if not after.startswith(b",") and gap.startswith(b","):
                place = Site(self.tree.path, *_end(others[-1]), *_end(others[-1]))
                self.put(place._replace(end_column=place.column + 1), "")
            return self.put(Site(self.tree.path, first_line, 0, last_line + 1, 0), "")
        if b"#" in self._data[last:start]:
            return False
        return self.put(Site(self.tree.path, *_end(others[-1]), *_end(element)), "")

    def remove_alias(self, statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> bool:
        """Take one of several names out of an import, with its comma; False where comments stand among them."""
        place = statement.names.index(alias)
        path = self.tree.path
        if place:
            before = statement.names[place - 1]
            site = Site(path, *_end(before), *_end(alias))
        else:
            after = statement.names[1]
            site = Site(path, alias.lineno, alias.col_offset, after.lineno, after.col_offset)
        start, end = self._range(site)
        if b"#" in self._data[start:end] or any(is_within(site, one) for one in self._written):
            return False
        return self.put(site, "")

    def parses(self, edits: dict[Site, str]) -> bool:
        """Whether the file is Python afterwards; where one simple statement is edited, that alone is looked at."""
        around = {self._statement(site) for site in edits}
        if len(around) == 1 and (statement := around.pop()) is not None and not hasattr(statement, "body"):
            alone = _parsed(self._edited(edits, self._module.site(statement)))
            if alone is not None and [type(one) for one in alone.body] == [type(statement)]:
                return True
        return _parsed(self._edited(edits, Site("", 1, 0, len(self._starts), 0))) is not None

    def _edited(self, edits: dict[Site, str], within: Site) -> bytes:
        """The bytes of a part of the file after the edits, which lie in it."""
        first, last = self._range(within)
        parts: list[bytes] = []
        for site, content in sorted(edits.items()):
            start, end = self._range(site)
            parts += [self._data[first:start], content.encode()]
            first = end
        return b"".join([*parts, self._data[first:last]])


def _end(node: ast.expr | ast.alias) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def _parsed(data: bytes) -> ast.Module | None:
    try:
        return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _assigns_itself(statement: ast.stmt, site: Site, content: str) -> bool:
    """Whether a statement would become `x = x`."""
    if isinstance(statement, ast.AugAssign):
        return site.line == statement.lineno and site.column == statement.col_offset
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return False
    value = statement.value
    is_whole = (value.lineno, value.col_offset) == (site.line, site.column) and (
        value.end_lineno,
        value.end_col_offset,
    ) == (site.end_line, site.end_column)
    return is_whole and ast.unparse(statement.targets[0]) == content.strip()
