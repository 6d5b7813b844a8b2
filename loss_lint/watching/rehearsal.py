"""A finding's own expression, run as a small training that a watcher listens to.

The source is neither imported nor run: what runs are the operations of the finding's graph, as flagged or as fixed, on
the harness's tensors. Each is called as if from the place where the program has it, so that the watcher sees the
user's files, lines and divisors as in a run of the program.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from loss_lint.harness import microbatches, relabel
from loss_lint.harness.execute import Raised, evaluate, run, settled, without_backward
from loss_lint.harness.expression import Apply, Node
from loss_lint.harness.layouts import layouts, sizes
from loss_lint.harness.lowering import Unrunnable
from loss_lint.harness.measure import settings
from loss_lint.harness.operators import apply
from loss_lint.harness.plan import MICRO_BATCHES, PARTLY_IGNORED, RELABELLED, Plan, plans
from loss_lint.symbolic.graph import Site as Written
from loss_lint.watching.api import Watch
from loss_lint.watching.session import Session

if TYPE_CHECKING:
    from loss_lint.findings import Finding
    from loss_lint.harness.measure import Setting
    from loss_lint.harness.values import Values
    from loss_lint.watching.sites import Site

# What is known only of many rows is known after so many steps.
STEPS = 16
# What only a number is made of is never run backward.
_WITHOUT_BACKWARD = frozenset({"reported", "memory"})


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a watcher found, the loss calls that it saw, what torch raised, if it did, and where the watcher failed."""

    findings: tuple[Finding, ...]
    sites: tuple[Site, ...]
    error: str | None = None
    failures: tuple[str, ...] = ()


def heard(session: Session, error: BaseException | None) -> Rehearsal:
    """What a session that ends with `error` has heard."""
    found = session.end(error)
    recorder = session.run.recorder
    return Rehearsal(
        found or (),
        tuple(recorder.sites.values()),
        str(error) if error is not None else None,
        tuple(recorder.failures),
    )


def rehearse(finding: Finding, *, as_fixed: bool = False) -> Rehearsal:
    """Train with a finding's expression under a watch; raises Unrunnable where it cannot run."""
    if finding.witness is None:
        raise Unrunnable("the finding comes without an expression to run")
    with settled():
        setting = _setting(finding)
        # Before anybody listens: what is tried is no part of the run.
        shapes = (_larger(setting), setting)
        session = Session(Watch(on_finding="collect", check=False, isolated=True))
        raised: Exception | None = None
        try:
            _train(shapes, finding, as_fixed=as_fixed)
        except Exception as error:  # noqa: BLE001 - the program's, as it is the program that runs
            raised = error.cause if isinstance(error, Raised) else error
        finally:
            seen = heard(session, raised)
    if isinstance(raised, Unrunnable):
        raise raised
    return seen


def _setting(finding: Finding) -> Setting:
    """The shapes that the harness measures the finding on."""
    assert finding.witness is not None
    reason = "the corrected expression runs on none of the shapes tried"
    for plan in plans(finding.witness):
        given = sizes(plan.fixed, plan.flagged)
        wanted = finding.evidence.shapes[:1] if finding.evidence is not None else ()
        found = list(settings(plan, given, layouts(given)))
        for setting in found:
            if not wanted or wanted[0][1] in setting.shapes.values():
                return setting
        if found:
            return found[0]
    raise Unrunnable(reason)


def _train(shapes: tuple[Setting, Setting], finding: Finding, *, as_fixed: bool) -> None:
    plan = shapes[0].plan
    root = plan.fixed if as_fixed else plan.flagged
    place = finding.place
    nowhere = Written(place.path, place.line, place.column - 1, place.end_line, place.end_column - 1)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.0)
    trains = not _WITHOUT_BACKWARD.issuperset(finding.claim)
    for step in range(STEPS):
        for expression, values in _batches(shapes[step % 2], root, step, as_fixed=as_fixed):
            program = _Program(values, nowhere)
            result = evaluate(without_backward(expression), values, program.call)
            if trains and isinstance(result, torch.Tensor):
                is_written = expression is not without_backward(expression)
                program.backward(expression, result if is_written or result.dim() == 0 else result.mean())
        optimizer.step()


def _larger(setting: Setting) -> Setting:
    """Batches of another size, as a run has them, where the corrected expression runs on them."""
    found = microbatches.larger(setting)
    try:
        measured = run(setting.plan.fixed, found.values(0))
    except Unrunnable:
        return setting
    return found if measured.error is None else setting


def _batches(setting: Setting, root: Node, step: int, *, as_fixed: bool) -> Iterator[tuple[Node, Values]]:
    """What runs backward before a step of the optimizer: an expression, and its tensors."""
    plan = setting.plan
    with torch._C.DisableTorchFunction():  # noqa: SLF001 - data comes from elsewhere
        if plan.how == MICRO_BATCHES:
            values = microbatches.whole(
                plan.roles, setting.layout, setting.given, setting.shapes, step, plan.fixed
            )
            parts = [values] if as_fixed else microbatches.parts(values, setting.given)
        else:
            values = setting.values(step)
            if plan.how == PARTLY_IGNORED:
                values = microbatches.partly_ignored(values, plan.fixed)
            if plan.how in RELABELLED and not as_fixed:
                values = relabel.targets(values, plan.how)
            parts = [_from_layers(values, plan)]
    for part in parts:
        yield root, part


def _from_layers(values: Values, plan: Plan) -> Values:
    """Logits come out of a layer, as a model's do: one that leaves them as they are."""
    tensors = {
        one: functional.linear(tensor, torch.eye(tensor.shape[-1]))
        if plan.roles.role(one) == "logits" and isinstance(tensor, torch.Tensor) and _is_leaf(tensor)
        else tensor
        for one, tensor in values.tensors.items()
    }
    batch = values.batch
    return replace(
        values,
        tensors=tensors,
        batch=None if batch is None else lambda number: _from_layers(batch(number), plan),
    )


def _is_leaf(tensor: torch.Tensor) -> bool:
    return tensor.requires_grad and tensor.is_leaf and tensor.dim() > 0


class _Program:
    """Calls operations from where they are written. Names that the program has for inputs are its variables."""

    def __init__(self, values: Values, nowhere: Written) -> None:
        self._names = {one.name: tensor for one, tensor in values.tensors.items() if one.name.isidentifier()}
        self._nowhere = nowhere

    def call(self, node: Apply, given: list[Any], named: dict[str, Any]) -> Any:
        return self._at(node.site, lambda: apply(node.name, given, named))

    def backward(self, root: Node, result: torch.Tensor) -> None:
        site = root.site if isinstance(root, Apply) else None
        self._at(site, result.backward)

    def _at(self, site: Written | None, operation: Callable[[], Any]) -> Any:
        site = site or self._nowhere
        code = _code_at(site)
        return eval(code, {**self._names, _OPERATION: operation})  # noqa: S307 - one call, which is ours


_OPERATION = "operation of the program"


def _code_at(site: Written) -> Any:
    """The call of `_OPERATION`, written where `site` is."""
    place = {
        "lineno": site.line,
        "col_offset": site.column,
        "end_lineno": max(site.end_line, site.line),
        "end_col_offset": site.end_column,
    }
    called = ast.Name(_OPERATION, ast.Load(), **place)
    tree = ast.Expression(ast.Call(called, [], [], **place))
    return compile(tree, site.path, "eval")
