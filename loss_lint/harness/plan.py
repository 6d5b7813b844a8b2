"""What is run for a finding: its expression as flagged and as fixed, completed to a loss where it is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loss_lint import catalogue
from loss_lint.harness.expression import Apply, Input, Items, Literal, Node, signature, walk
from loss_lint.harness.lowering import EXTENTS, Extent, Unrunnable, lower
from loss_lint.harness.reach import Reach
from loss_lint.harness.roles import Roles
from loss_lint.symbolic.edits import Witness, Wrap

# What `Witness.completion` may say beside the name of a loss.
MASKED_MEAN = "masked_mean"  # the sum over the mask's sum
STRINGS = "strings"  # names in a literal, corrected by their class indices
PERMUTED = "permuted_classes"  # another process numbers the classes in another order
REFITTED = "refitted_classes"  # a split that lacks a class numbers the others anew
ONE_BASED = "one_based_classes"  # the first class is 1, for both programs
CONSTRUCTED = "constructor"  # the loss's operands, given to its class instead
MICRO_BATCHES = "micro_batches"  # the mean of the means of micro-batches, corrected by the mean of all
PARTLY_IGNORED = "partly_ignored"  # some targets are ignored
TOTAL = "running_total"  # what was added before is a number
REPORTED = "reported"  # a number that is only logged, whether or not it could be trained on
RELABELLED = frozenset({PERMUTED, REFITTED})  # the flagged program alone

_TARGET = Input(-10, "target", name="target")


@dataclass(frozen=True, slots=True)
class Plan:
    """Two expressions over the same inputs.

    `how` says in what else they differ than in their operations: how the flagged program numbers the classes, or
    that it takes micro-batches.
    """

    flagged: Node
    fixed: Node
    roles: Roles
    how: str = ""

    @property
    def key(self) -> str:
        """Equal for plans that measure the same."""
        return f"{signature(self.fixed, self.flagged)}\n{self.how}"


def plans(witness: Witness) -> Iterator[Plan]:
    """Ways to run a witness, the one closest to its reason first; Unrunnable where there is none."""
    reach = Reach(witness)
    seen: set[str] = set()
    reason: Unrunnable | None = None
    for extent in EXTENTS:
        try:
            found = list(_plans(witness, extent, reach))
        except (Unrunnable, RecursionError) as error:
            reason = error if isinstance(error, Unrunnable) else Unrunnable("the expression nests too deeply")
            continue
        for plan in found:
            if plan.key not in seen:
                seen.add(plan.key)
                yield plan
    if not seen:
        raise reason or Unrunnable("nothing to run")


def _plans(witness: Witness, extent: Extent, reach: Reach) -> Iterator[Plan]:
    flagged, fixed = lower(witness, (), extent, reach), lower(witness, witness.edits, extent, reach)
    completion = witness.completion
    if completion is not None and catalogue.loss(completion) is not None:
        yield _plan(_as_loss(flagged, completion), _as_loss(fixed, completion))
    if completion == MASKED_MEAN:
        flagged, fixed = _masked_mean(flagged), _masked_mean(fixed)
    if completion == STRINGS:
        names = _names(flagged)
        flagged, fixed = _with_data(flagged, names), _with_data(fixed, _by_index(names))
    if completion == CONSTRUCTED:
        flagged = _constructed(flagged)
    if completion == MICRO_BATCHES:
        flagged = fixed = _loss_of(flagged)
    if completion == TOTAL:
        flagged, fixed = _first_of_total(flagged, witness), _first_of_total(fixed, witness)
    if completion == REPORTED:
        flagged, fixed = Apply("item", (flagged,)), Apply("item", (fixed,))
    yield _plan(
        flagged,
        fixed,
        completion if completion in RELABELLED | {ONE_BASED, MICRO_BATCHES, PARTLY_IGNORED} else "",
    )


def _plan(flagged: Node, fixed: Node, how: str | None = "") -> Plan:
    return Plan(flagged, fixed, Roles(fixed, flagged), how or "")


def _first_of_total(root: Node, witness: Witness) -> Node:
    """The addition to a running total that is still zero: what else was added to it is not this finding's."""
    added = {edit.operand for edit in witness.edits if isinstance(edit, Wrap)}
    if not isinstance(root, Apply) or len(root.operands) < 2:
        return root
    operands = tuple(node if slot in added else Literal(0) for slot, node in enumerate(root.operands))
    return Apply(root.name, operands, root.parameters, root.site)


def _constructed(root: Node) -> Node:
    """A loss as the call of its class with the same operands."""
    if isinstance(root, Apply) and catalogue.loss(root.name) is not None:
        return Apply("construct", root.operands, (("loss", Literal(root.name)),))
    return root


def _loss_of(root: Node) -> Node:
    """The loss that is divided by the number of steps; an index that is not known to be ignored is torch's own."""
    for node in walk(root):
        if isinstance(node, Apply) and catalogue.loss(node.name) is not None:
            known = isinstance(node.parameter("ignore_index"), Literal | None)
            kept = tuple(entry for entry in node.parameters if known or entry[0] != "ignore_index")
            return Apply(node.name, node.operands, kept, node.site)
    return root


def _as_loss(root: Node, name: str) -> Node:
    return Apply(name, (root, _TARGET))


def _masked_mean(root: Node) -> Node:
    """The sum over the sum of the mask, which is the operand that is an input."""
    if isinstance(root, Apply) and root.name == "mul":
        for operand in root.operands:
            if isinstance(operand, Input):
                return Apply("div", (Apply("sum", (root,)), Apply("sum", (operand,))))
    return root


def _with_data(root: Node, data: Node) -> Node:
    """A tensor of other data, arrays on the way kept."""
    if not isinstance(root, Apply) or not root.operands:
        return root
    first, *others = root.operands
    is_array = isinstance(first, Apply) and first.name == "array"
    return Apply(
        root.name, (_with_data(first, data) if is_array else data, *others), root.parameters, root.site
    )


def _names(root: Node) -> Items:
    """The data of a tensor of strings: as written down; else the strings that occur in it, or any two."""
    data = root.operands[0] if isinstance(root, Apply) and root.operands else root
    while isinstance(data, Apply) and data.name == "array" and data.operands:
        data = data.operands[0]
    if isinstance(data, Items) and data.items and _are_names(data):
        return data
    parts = [item for node in walk(data) if isinstance(node, Items) for item in node.items]
    found = tuple(part for part in parts if isinstance(part, Literal) and isinstance(part.value, str))
    return Items(found or (Literal("a"), Literal("b")))


def _are_names(node: Node) -> bool:
    """Whether a node is a string, or a sequence of what is one."""
    match node:
        case Literal(value=value):
            return isinstance(value, str)
        case Items(items=items):
            return all(_are_names(item) for item in items)
        case _:
            return False


def _by_index(names: Node) -> Node:
    """The same with every string in it replaced by its index in the sorted set of all."""
    order = sorted({str(node.value) for node in walk(names) if isinstance(node, Literal)})

    def indexed(node: Node) -> Node:
        match node:
            case Items(items=items):
                return Items(tuple(indexed(item) for item in items))
            case Literal(value=value):
                return Literal(order.index(str(value)))
            case _:
                return node

    return indexed(names)
