"""Graph edits as text edits: of the loss's own expression, and of what stands elsewhere if all its uses want that.

What cannot be written with certainty is left to the author: the finding then has no fix.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from loss_lint import catalogue
from loss_lint.findings import Applicability, Edit, Finding, Fix
from loss_lint.fixes.asked import Asked, calls_want, kept_slot
from loss_lint.fixes.far import write_earlier, write_far
from loss_lint.fixes.holding import is_never_bound
from loss_lint.fixes.modules import write_renamed_module
from loss_lint.fixes.names import Found, mentions
from loss_lint.fixes.orphans import drop_orphans
from loss_lint.fixes.program import Program, Uncertain
from loss_lint.fixes.rewrite import call_with, instance_call, is_within
from loss_lint.fixes.sorting import sort_set
from loss_lint.fixes.text import Text, Texts
from loss_lint.fixes.users import Users
from loss_lint.fixes.witnesses import Witnesses
from loss_lint.rules import all_rules
from loss_lint.symbolic.edits import (
    Bypass,
    Call,
    GraphEdit,
    Instantiate,
    Rename,
    ReplaceOperand,
    SetParameter,
    Sort,
    Swap,
    Witness,
    Wrap,
)
from loss_lint.symbolic.graph import Leaf, Op, Pass, Site, Value
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.places import Places
from loss_lint.symbolic.reductions import LEGACY

# What takes tensors of class indices alone.
_OF_TENSORS = frozenset({"scatter", "eq"})
# Activations that leave no logits.
_SQUASHES = frozenset({"hardsigmoid", "hardtanh", "relu", "relu6", "sigmoid", "softsign", "tanh"})
# Of a chain of more operations than this, the last one does not go alone.
_FEW = 2


class Repairs:
    """Writes fixes for the findings of one project."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._path = ""
        self._program = Program(machine)
        self._witnesses = Witnesses(machine)

    def forget(self, files: frozenset[str]) -> None:
        """Forget what followed from changed files."""
        self._path = ""
        self._witnesses.forget(files)

    def repaired(self, finding: Finding, path: str) -> Finding:
        """The finding of the file at `path` with its fix, if it has one that can be written and parses."""
        witness = finding.witness
        if witness is None or not witness.edits or not witness.repair or finding.code in _left_to_authors():
            return finding
        if path != self._path:
            self._path, self._program = path, Program(self._machine)  # no trees are kept for the next file
        texts = Texts(self._program)
        text = texts.at(witness.root.site.path)
        if text is None:
            return finding
        asked = self._witnesses.asked(finding.code, witness, path, self._program, texts)
        places = Places(self._machine)
        users = Users(text.tree, self._machine.project)
        is_passed_in = finding.place != places.place(witness.root.site) and bool(finding.trace)
        writer = _Writer(witness, text, texts, users, asked, is_passed_in)
        if not writer.write_all() or not all(one.finish_imports() for one in texts.files()):
            return finding
        drop_orphans(self._program, texts)
        written = texts.written()
        if not written or not texts.parse():
            return finding
        edits = tuple(Edit(places.place(site), content) for site, content in sorted(written.items()))
        applicability: Applicability = "safe" if witness.safe else "unsafe"
        return replace(finding, fix=Fix(applicability, witness.repair, edits))


@cache
def _left_to_authors() -> frozenset[str]:
    """The codes whose edits of the graph are for measuring alone."""
    return frozenset(rule.code for rule in all_rules() if rule.fix == "none")


def _inner_first(edits: Sequence[GraphEdit]) -> list[GraphEdit]:
    """Edits of inner expressions first, so that outer ones see their text; each once, however often it is evaluated."""
    ordered = sorted(
        edits, key=lambda edit: (-edit.op.site.line, -edit.op.site.column, edit.op.site.end_line)
    )
    seen: dict[object, GraphEdit] = {}
    for edit in ordered:
        slots = (edit.operand,) if isinstance(edit, Bypass | ReplaceOperand | Wrap) else ()
        seen.setdefault((type(edit), edit.op.site, edit.op.made, *slots), edit)
    return [*seen.values()]


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the edits of one witness; `text` is the file of its root."""

    witness: Witness
    text: Text
    texts: Texts
    users: Users
    asked: Asked
    is_passed_in: bool

    def write_all(self) -> bool:
        """Write all edits down; False where one of them cannot be."""
        ordered = _inner_first(self.witness.edits)
        return all(self._write(edit) for edit in sorted(ordered, key=self._is_here))

    def _is_here(self, edit: GraphEdit) -> bool:
        """Whether an edit is of the root's own expression, which takes in what is written elsewhere before."""
        op, sink = edit.op, self.witness.root
        return op.frame is sink.frame and is_within(op.site, sink.site) and not _is_entry(op)

    def _write(self, edit: GraphEdit) -> bool:
        sink, op, text = self.witness.root, edit.op, self.text
        if isinstance(edit, Call):
            return text.has(op.site) and text.name_attribute(op.site, edit.name)
        if isinstance(edit, Bypass) and _is_of_squashed(op):
            return False
        if isinstance(edit, Sort):
            return sort_set(edit.made, self.asked.program, self.texts)
        if not self._is_here(edit):
            return self._write_elsewhere(edit)
        if self.is_passed_in and op is sink and not self._is_for_all_callers(edit):
            return False
        return self._write_here(edit)

    def _write_here(self, edit: GraphEdit) -> bool:
        """Write an edit of the root's own expression."""
        op, text = edit.op, self.text
        match edit:
            case Wrap(operand=slot, name=name, parameters=parameters, argument=argument, is_written=True):
                target = op.slots[slot] if argument is None else argument
                given = [_literal(value) for _, value in parameters]
                if target is None or not text.has(target) or None in given:
                    return False
                return text.call_method(target, _method_of(name), ", ".join(filter(None, given)))
            case Swap():
                one, other = op.slots[:2]
                if one is None or other is None or not edit.is_written:
                    return False
                first, second = text.of(one), text.of(other)
                return text.put(one, second) and text.put(other, first)
            case Bypass(operand=slot):
                kept = kept_slot(op, slot, self.witness.guards)
                if kept is None or kept == op.site or not is_within(kept, op.site):
                    return False
                return text.replace_expression(op.site, kept)
            case Instantiate():
                if text.is_own_call(op.site):
                    return False
                called = instance_call(text.of(op.site), op.name)
                return called is not None and text.put(op.site, called)
            case Rename(name=name, parameters=parameters, drop=drop):
                return (name == op.name or self._rename(edit)) and self._set(op, parameters, drop)
            case SetParameter():
                return self._set_one(edit)
            case ReplaceOperand(operand=slot, text=str(written)):
                target = op.slots[slot]
                return target is not None and text.put(target, written)
            case ReplaceOperand(operand=slot, value=value):
                target = op.slots[slot]
                return target is not None and self._replace(target, value)
            case _:
                return False

    def _replace(self, target: Site, value: Value) -> bool:
        """Write what a value of the same witness is called, in place of an operand."""
        text, spine = self.text, self.witness.spine
        moved = _moves(spine, text)
        if moved is None:
            return False
        source = _slot_of(value, spine)
        if source is None:
            name = _parameter_of(value, self.witness)
            return (
                name is not None
                and is_never_bound(text.tree, target, name)
                and text.put(target, name + moved)
            )
        if is_within(source, target):
            return text.put(target, text.of(source) + moved)
        if write_earlier(source, target, text, moved):
            return True
        last = spine[-1]
        if moved or not last.operands or last.operands[0] is not value or len(spine) > _FEW:
            return False
        return write_far(Bypass(last), self.asked, self.witness.guards)

    def _is_for_all_callers(self, edit: GraphEdit) -> bool:
        """Whether a change of the root, which gets an argument of one caller's, is right for every caller."""
        if isinstance(edit, ReplaceOperand) or (isinstance(edit, Wrap) and edit.argument is not None):
            return True
        return not isinstance(edit, Bypass) and self._has_one_caller()

    def _has_one_caller(self) -> bool:
        """Whether the function that the root is in is called at one place, with what the finding says of it."""
        tree = self.text.tree
        node = tree.at(self.witness.root.site)
        function = tree.function(node) if node is not None else None
        if function is None or isinstance(function, ast.Lambda):
            return False
        try:
            if tree.owner(function) is None:
                return len(list(mentions(self.asked.program, Found(tree, function)))) == 1
        except Uncertain:
            return False
        return False

    def _write_elsewhere(self, edit: GraphEdit) -> bool:
        """Write an edit of what is not part of the root's own expression."""
        match edit:
            case SetParameter(op=op) if op.frame is self.witness.root.frame and not _is_entry(op):
                return self.users.flows_only_into(op.site, self.witness.root.site) and self._set_one(edit)
            case Bypass() | Rename():
                return write_far(edit, self.asked, self.witness.guards)
            case _:
                return False

    def _rename(self, edit: Rename) -> bool:
        """Write another operation, for an object by another class where it is made."""
        op = edit.op
        if op.made is not None and not is_within(op.made, op.site):
            plain = Rename(op, edit.name)
            flows = self.asked.flows(op.made, op.name, ends_at_calls=True)
            return write_renamed_module(plain, op.made, self.asked, flows)
        site = op.site if op.made is None else op.made
        renamed = self.text.renamed(site, op.name, edit.name)
        return renamed is not None and self.text.put(site, renamed)

    def _set_one(self, edit: SetParameter) -> bool:
        return self._set(edit.op, ((edit.name, edit.value),), ())

    def _set(self, op: Op, parameters: Sequence[tuple[str, Value]], drop: Sequence[str]) -> bool:
        """Write literal parameters into the call that they are given in: the operation's, or its constructor."""
        if not parameters and not drop:
            return True
        given = {name: _literal(value) for name, value in parameters}
        call = op.site if op.made is None else op.made
        text = self.texts.at(call.path)
        if text is None or any(content is None for content in given.values()) or text.is_own_call(call):
            return False
        if op.made is not None and not is_within(call, self.witness.root.site) and not self._is_made_for(op):
            return False
        if "reduction" in given:
            drop = (*drop, *LEGACY)  # they outdo it where they are given
        written = {name: content for name, content in given.items() if content is not None}
        changed = call_with(text.of(call), op.name, written, drop)
        return changed is not None and text.put(call, changed)

    def _is_made_for(self, op: Op) -> bool:
        """Whether all calls of an operation's object want the same change."""
        assert op.made is not None
        if self.text.has(op.made) and self.users.is_made_for(op.made, op.site):
            return True
        return calls_want(op.made, self.asked.flows(op.made, op.name, ends_at_calls=True), self.asked)


def _is_of_squashed(op: Op) -> bool:
    """Whether a softmax is all that stands between a loss and an activation that should not come last either."""
    if op.name not in ("softmax", "log_softmax"):
        return False
    inner = strip(op.operands[0])
    return isinstance(inner, Op) and inner.name in _SQUASHES


def _is_entry(op: Op) -> bool:
    """Whether an operation is a module's among others, with no expression of its own for what goes in."""
    return op.made is not None and bool(op.slots) and op.slots[0] in (None, op.site)


def _parameter_of(value: Value, witness: Witness) -> str | None:
    """The root's parameter that a value is, if what is done with it says that it is a tensor."""
    is_tensor = any(op.name in _OF_TENSORS for op in witness.spine)
    if not is_tensor or not isinstance(value, Leaf) or value.role != "parameter":
        return None
    return value.name if witness.root.frame.call is None and value.name.isidentifier() else None


def _moves(spine: Sequence[Op], text: Text) -> str | None:
    """The calls along a chain that bring a tensor to another device, as text; None where they cannot be written."""
    written = ""
    for op in reversed(spine):
        if op.name not in ("to", "cuda", "cpu") or not op.slots:
            continue
        slot = op.slots[0]
        if slot is None or not text.has(op.site) or not is_within(slot, op.site):
            return None
        call = text.of(op.site).removeprefix(text.of(slot))
        if not re.fullmatch(r"\.(?:to|cuda|cpu)\([\w., =]*\)", call):
            return None
        written += call
    return written


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
    """Where a value is written: as an operand of an operation on the spine, or as an argument."""
    if isinstance(value, Pass):
        return value.site
    for op in spine:
        for operand, slot in zip(op.operands, op.slots, strict=False):
            if operand is value:
                return slot
    return None
