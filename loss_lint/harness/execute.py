"""Runs an expression in torch: its loss, and the gradient of its logits."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from loss_lint import catalogue
from loss_lint.harness.expression import BATCHES, Apply, Input, Items, Literal, Named, Node, walk
from loss_lint.harness.lowering import Unrunnable
from loss_lint.harness.operators import apply
from loss_lint.harness.values import Values
from loss_lint.symbolic.root import BACKWARD

# torch's warning that a loss broadcasts its operands against each other: it runs, but not as meant.
_BROADCASTS = "target size"


class Raised(Exception):
    """torch raised `cause` when `node` was computed."""

    def __init__(self, node: Apply, cause: Exception) -> None:
        super().__init__(str(cause))
        self.node = node
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave: `loss` and `gradients` (None for logits that none arrives at), or torch's `error`.

    `is_stray` says that the error came neither from a loss, nor from the root, nor from the way back: from
    something on the way to the loss, so that the shapes are more likely at fault than the program.
    """

    loss: float | None = None
    gradients: tuple[torch.Tensor | None, ...] = ()
    error: str | None = None
    has_graph: bool = False
    is_stray: bool = False


@contextmanager
def settled() -> Iterator[None]:
    """The same numbers wherever this runs: one thread, float32, no mode of the caller's, his state kept."""
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    with (
        warnings.catch_warnings(),
        torch.random.fork_rng(devices=[]),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.device("cpu"),
        torch.autocast("cpu", enabled=False),
    ):
        warnings.simplefilter("ignore")
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_default_dtype(dtype)


# How an operation is called: with its operands and its parameters by name.
Caller = Callable[[Apply, list[Any], dict[str, Any]], Any]


def _call(node: Apply, given: list[Any], named: dict[str, Any]) -> Any:
    return apply(node.name, given, named)


def evaluate(root: Node, values: Values | Mapping[Input, Any], call: Caller = _call) -> Any:
    """What an expression computes on `values`; raises Raised or Unrunnable."""
    look_up = values.value if isinstance(values, Values) else values.__getitem__
    done: dict[int, Any] = {}
    for node in walk(root):
        match node:
            case Literal(value=value):
                result: Any = value
            case Named(name=name):
                result = _named(name)
            case Items(items=items):
                result = tuple(done[id(item)] for item in items)
            case Input():
                result = look_up(node)
            case Apply(name="accumulated", operands=(init, *terms)):
                result = _accumulated(done[id(init)], terms, values, call)
            case Apply(name=name, operands=operands, parameters=parameters):
                given = [done[id(operand)] for operand in operands]
                named = {key: done[id(value)] for key, value in parameters}
                try:
                    result = call(node, given, named)
                except Unrunnable:
                    raise
                except Exception as error:
                    if _is_own(error):
                        raise Unrunnable(f"{name} cannot be called with {_types(given, named)}") from error
                    raise Raised(node, error) from error
        done[id(node)] = result
    return done[id(root)]


def _accumulated(total: Any, terms: list[Node], values: Values | Mapping[Input, Any], call: Caller) -> Any:
    """A loop's sum: its terms once for each batch, the first of which has the inputs of the whole."""
    if not isinstance(values, Values) or values.batch is None:
        raise Unrunnable("a loop runs over unknown batches")
    for number in range(BATCHES):
        batch = values if number == 0 else values.batch(number)
        for term in terms:
            total = total + evaluate(term, batch, call)
    return total


def _is_own(error: Exception) -> bool:
    """Whether a call did not fit, so that the harness and not the program is at fault."""
    if not isinstance(error, TypeError | AttributeError | KeyError):
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith("loss_lint.")


def _types(operands: list[Any], parameters: dict[str, Any]) -> str:
    given = [type(operand).__name__ for operand in operands]
    return ", ".join([*given, *(f"{key}={type(value).__name__}" for key, value in parameters.items())])


def _named(name: str) -> Any:
    found = getattr(torch, name.removeprefix("torch."), None) if name.startswith("torch.") else None
    if not isinstance(found, torch.dtype):
        raise Unrunnable(f"{name} is not followed")
    return found


def run(root: Node, values: Values) -> Run:
    """One run forward and backward; what torch raises is its result, Unrunnable passes."""
    torch.manual_seed(0)
    called = without_backward(root)
    try:
        result = evaluate(called, values)
    except Raised as raised:
        is_loss = catalogue.loss(raised.node.name) is not None
        return Run(error=first_line(raised.cause), is_stray=not is_loss and raised.node is not called)
    return differentiated(result, values.logits, is_reduced=_is_reduced(root), holds_loss=holds_loss(root))


def run_in_parts(root: Node, parts: list[Values], whole: Values) -> Run:
    """The mean of an expression over parts of a batch, with gradients of the whole batch's logits."""
    torch.manual_seed(0)
    try:
        results = [evaluate(root, part) for part in parts]
    except Raised as raised:
        return Run(error=first_line(raised.cause))
    mean = torch.stack([result.mean() for result in results]).mean()
    return differentiated(mean, whole.logits)


def broadcasts(root: Node, values: Values) -> bool:
    """Whether a loss in the expression warns that its operands' shapes differ."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        evaluate(without_backward(root), values)
    return any(_BROADCASTS in str(warning.message) for warning in caught)


def without_backward(root: Node) -> Node:
    """What `backward()` is called on."""
    while isinstance(root, Apply) and root.name in BACKWARD:
        root = root.operands[0]
    return root


def _is_reduced(root: Node) -> bool:
    """Whether the program itself asks for the gradient, so that nothing may be reduced on its behalf."""
    return root is not without_backward(root)


def differentiated(
    result: Any, logits: Sequence[torch.Tensor], *, is_reduced: bool = False, holds_loss: bool = True
) -> Run:
    """What an expression gave, and its gradient with respect to `logits`; reduced to a number where it is none."""
    if not isinstance(result, torch.Tensor):
        number = float(result) if isinstance(result, int | float) else None
        return Run(loss=number) if number is not None else Run(error="the expression is no number")
    loss = result if is_reduced or result.dim() == 0 else _completed(result, holds_loss=holds_loss)
    number = loss.detach().double().mean().item() if loss.numel() else float("nan")
    if not logits:
        return Run(loss=number)
    try:
        gradients = torch.autograd.grad(loss, list(logits), allow_unused=True)
    except RuntimeError as error:
        return Run(loss=number, error=first_line(error))
    return Run(number, tuple(gradients), None, has_graph=True)


def _completed(result: torch.Tensor, *, holds_loss: bool) -> torch.Tensor:
    """A scalar of what is none: a loss by element is averaged.

    Other tensors weigh each element in its own way, as a softmax's elements sum to a constant.
    """
    if holds_loss:
        return result.mean()
    weights = torch.linspace(0.5, 1.5, result.numel()).view(result.shape)
    return (result * weights).mean()


def first_line(error: BaseException) -> str:
    """What an exception says, in one line."""
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__


def holds_loss(root: Node) -> bool:
    """Whether a loss of torch's is among an expression's operations."""
    return any(isinstance(node, Apply) and catalogue.loss(node.name) is not None for node in walk(root))
