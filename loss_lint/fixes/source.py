"""Graph edits as text edits: what is written inside the sink's own expression, and what nothing but that uses.

A culprit that stands elsewhere (in a model, in an earlier statement whose result is used again) is left
to its author: the finding then has no fix.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from loss_lint import catalogue
from loss_lint.findings import Applicability, Edit, Finding, Fix
from loss_lint.fixes.rewrite import call_with, instance_call, is_atomic, is_within, renamed_call
from loss_lint.fixes.users import Users
from loss_lint.symbolic.edits import (
    Bypass,
    Call,
    GraphEdit,
    Instantiate,
    Rename,
    ReplaceOperand,
    SetParameter,
    Swap,
    Witness,
    Wrap,
)
from loss_lint.symbolic.graph import Op, Site, Value
from loss_lint.symbolic.guards import literal_of
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.places import Places
from loss_lint.symbolic.reductions import LEGACY
from loss_lint.syntax.module import SourceModule

_ATTRIBUTE = re.compile(r"([\w.]+\.)\w+")


def repaired(finding: Finding, machine: Machine) -> Finding:
    """The finding with its fix, if it has one that can be written and parses."""
    witness = finding.witness
    if witness is None or not witness.edits or not witness.repair:
        return finding
    act = machine.modules.known(witness.root.site.path)
    if act is None:
        return finding
    text = _Text(act.module, Users(act.module, machine.project))
    written = [_written(edit, witness, text) for edit in _inner_first(witness.edits)]
    if not written or any(not done for done in written):
        return finding
    outermost = text.outermost()
    if not outermost or not text.parses(outermost):
        return finding
    places = Places(machine)
    edits = tuple(Edit(places.place(site), content) for site, content in sorted(outermost.items()))
    applicability: Applicability = "safe" if witness.safe else "unsafe"
    return replace(finding, fix=Fix(applicability, witness.repair, edits))


def _inner_first(edits: Sequence[GraphEdit]) -> list[GraphEdit]:
    """Edits of inner expressions first, so that outer ones see their text."""
    return sorted(edits, key=lambda edit: (-edit.op.site.line, -edit.op.site.column, edit.op.site.end_line))


def _written(edit: GraphEdit, witness: Witness, text: _Text) -> bool:
    """Write one edit down; False where it cannot be."""
    sink, op = witness.root, edit.op
    if isinstance(edit, Call):
        return text.has(op.site) and text.name_attribute(op.site, edit.name)
    if op.frame is not sink.frame:
        return False
    if not is_within(op.site, sink.site):
        is_set = isinstance(edit, SetParameter) and text.users.flows_only_into(op.site, sink.site)
        return is_set and isinstance(edit, SetParameter) and _set_one(edit, sink, text)
    match edit:
        case Wrap(operand=slot, name=name, parameters=parameters, argument=argument, is_written=True):
            target = op.slots[slot] if argument is None else argument
            given = [_literal(value) for _, value in parameters]
            if target is None or target.path != sink.site.path or None in given:
                return False
            return text.call_method(target, _method_of(name), ", ".join(filter(None, given)))
        case Swap():
            one, other = op.slots[:2]
            if one is None or other is None or not edit.is_written:
                return False
            first, second = text.of(one), text.of(other)
            return text.put(one, second) and text.put(other, first)
        case Bypass(operand=slot):
            kept = op.slots[slot] if slot < len(op.slots) else None
            if kept is None or kept == op.site or not is_within(kept, op.site):
                return False
            return text.replace_expression(op.site, kept)
        case Instantiate():
            called = instance_call(text.of(op.site), op.name)
            return called is not None and text.put(op.site, called)
        case Rename(name=name, parameters=parameters, drop=drop):
            return (name == op.name or _rename(op, name, text)) and _set(op, parameters, drop, sink, text)
        case SetParameter():
            return _set_one(edit, sink, text)
        case ReplaceOperand(operand=slot, text=str(written)):
            target = op.slots[slot]
            return target is not None and text.put(target, written)
        case ReplaceOperand(operand=slot, value=value):
            target, source = op.slots[slot], _slot_of(value, witness.spine)
            if target is None or source is None or not is_within(source, target):
                return False
            return text.put(target, text.of(source))
        case _:
            return False


def _rename(op: Op, name: str, text: _Text) -> bool:
    renamed = renamed_call(text.of(op.site), op.name, name)
    return renamed is not None and text.put(op.site, renamed)


def _set_one(edit: SetParameter, sink: Op, text: _Text) -> bool:
    return _set(edit.op, ((edit.name, edit.value),), (), sink, text)


def _set(op: Op, parameters: Sequence[tuple[str, Value]], drop: Sequence[str], sink: Op, text: _Text) -> bool:
    """Write literal parameters into the call that they are given in: the operation's, or its module's constructor."""
    if not parameters and not drop:
        return True
    given = {name: _literal(value) for name, value in parameters}
    call = op.site if op.made is None else op.made
    if any(content is None for content in given.values()):
        return False
    if op.made is not None and not is_within(call, sink.site) and not text.users.is_made_for(call, op.site):
        return False
    if "reduction" in given:
        drop = (*drop, *LEGACY)  # they outdo it where they are given
    written = {name: content for name, content in given.items() if content is not None}
    changed = call_with(text.of(call), op.name, written, drop)
    return changed is not None and text.put(call, changed)


def _literal(value: Value) -> str | None:
    """A literal's text, strings in double quotes; None for everything else."""
    plain = literal_of(value)
    if plain is None:
        return None
    return f'"{plain.value}"' if isinstance(plain.value, str) else repr(plain.value)


def _method_of(name: str) -> str:
    """The tensor method that an operation is called by: `float` for `to_float`."""
    methods = [method for method, _ in catalogue.operation(name).methods]
    return name if name in methods or not methods else methods[0]


def _slot_of(value: Value, spine: tuple[Op, ...]) -> Site | None:
    """Where a value is written as an operand of an operation on the spine."""
    for op in spine:
        for operand, slot in zip(op.operands, op.slots, strict=False):
            if operand is value:
                return slot
    return None


class _Text:
    """A file's bytes with replacements by site."""

    def __init__(self, module: SourceModule, users: Users) -> None:
        self._module = module
        self.users = users
        self._data = module.encoded
        self._starts = module.line_starts
        self._written: dict[Site, str] = {}

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
        self._written[site] = content
        return True

    def replace_expression(self, site: Site, kept: Site) -> bool:
        """Write the expression at `kept` in place of the one at `site`, or drop a statement that it empties."""
        content = self.of(kept)
        statement = self._statement(site)
        if statement is not None and _assigns_itself(statement, site, content):
            return self._drop(statement)
        if not is_atomic(content) and not self._is_delimited(site):
            content = f"({content})"
        return self.put(site, content)

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
        return (before in b"(,[=\n" or before == b"") and after in b"),]\r\n#"

    def _drop(self, statement: ast.stmt) -> bool:
        """Take a statement out with its line; False where it shares one or is alone in its block."""
        line, last = statement.lineno, statement.end_lineno or statement.lineno
        alone = not any(
            statement in block and len(block) > 1
            for node in (self._module.tree, *self._module.statements)
            for block in (
                getattr(node, "body", []),
                getattr(node, "orelse", []),
                getattr(node, "finalbody", []),
            )
        )
        whole = self._data[self._starts[line - 1] : self._starts[last]].decode()
        own = self._data[
            self._starts[line - 1] + statement.col_offset : self._starts[last - 1]
            + (statement.end_col_offset or 0)
        ].decode()
        if alone or whole.strip() != own.strip() or last >= len(self._starts):
            return False
        return self.put(Site(self._module.path, line, 0, last + 1, 0), "")

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
