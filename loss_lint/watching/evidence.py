"""What a cause does to the numbers: the loss as written and corrected, on the very tensors of the call.

Where the program has normalized what the loss normalizes again, the logits are not at hand; the logarithm of the
probabilities has the same softmax and the same gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from loss_lint import catalogue
from loss_lint.harness.expression import Apply, Input, Literal, Node
from loss_lint.harness.replay import replay

if TYPE_CHECKING:
    from loss_lint.findings import Evidence
    from loss_lint.watching.causes import Cause

# All pairs of so many samples are a matrix that any machine has room for.
_MAX_PAIRED = 256

Z = Input(1, "input", name="input")
Y = Input(2, "target", name="target")


def evidence_for(cause: Cause) -> Evidence | None:
    """The evidence, None where nothing was kept to measure on, or the cause is not one of numbers."""
    kept = cause.look.kept if cause.look is not None else None
    if kept is not None and cause.code == "LOS305":
        kept = replace(kept, input=kept.input[:_MAX_PAIRED], target=kept.target[:_MAX_PAIRED])
    build = _BUILDERS.get(cause.code)
    if kept is None or build is None:
        return None
    parameters = tuple((name, value) for name, value in kept.parameters)
    nodes = {name: Input(10 + at, name=name) for at, (name, _) in enumerate(parameters)}
    named: tuple[tuple[str, Node], ...] = tuple(nodes.items())
    built = build(cause, named)
    if built is None:
        return None
    invert, flagged, fixed = built
    logits = invert(widened(kept.input)).detach().clone().requires_grad_()
    tensors: dict[Input, Any] = {Z: logits, Y: widened(kept.target)}
    tensors |= {nodes[name]: widened(value) for name, value in parameters}
    assert cause.look is not None
    shapes = ((_word(cause.look.loss, is_given=invert is _as_is), tuple(kept.input.shape)),)
    return replay(flagged, fixed, tensors, [logits], shapes)


def _word(name: str, *, is_given: bool) -> str:
    """What a loss's input is called."""
    loss = catalogue.loss(name)
    wants = loss.input_wants if loss is not None and is_given else "logits"
    return {"log_probabilities": "log-probabilities", "any": "input"}.get(wants, wants)


def widened(value: Any) -> Any:
    """A tensor of at least float32, so that what differs is not rounding."""
    if isinstance(value, torch.Tensor) and value.dtype in (torch.float16, torch.bfloat16):
        return value.float()
    return value


Inverse = Callable[[torch.Tensor], torch.Tensor]
Parameters = tuple[tuple[str, Node], ...]
_Built = tuple[Inverse, Node, Node] | None


def _as_is(given: torch.Tensor) -> torch.Tensor:
    return given


def of_softmax(given: torch.Tensor) -> torch.Tensor:
    """Logits of which `given` is the softmax, and the log-softmax of itself."""
    return given.clamp_min(torch.finfo(given.dtype).tiny).log()


def of_sigmoid(given: torch.Tensor) -> torch.Tensor:
    """Logits of which `given` is the sigmoid."""
    return given.logit(eps=1e-7)


def _axis(cause: Cause) -> Node:
    assert cause.look is not None
    return Literal(1 if len(cause.look.input_shape) > 1 else 0)


def _loss(cause: Cause, given: Node, target: Node, parameters: Parameters, name: str = "") -> Apply:
    assert cause.look is not None
    return Apply(name or cause.look.loss, (given, target), parameters)


def _softmax(cause: Cause, parameters: Parameters) -> _Built:
    given = Apply("softmax", (Z,), (("dim", _axis(cause)),))
    return of_softmax, _loss(cause, given, Y, parameters), _loss(cause, Z, Y, parameters)


def _log_softmax(cause: Cause, parameters: Parameters) -> _Built:
    given = Apply("log_softmax", (Z,), (("dim", _axis(cause)),))
    return _as_is, _loss(cause, given, Y, parameters), _loss(cause, Z, Y, parameters)


def _nll_of_softmax(cause: Cause, parameters: Parameters) -> _Built:
    wrong = Apply("softmax", (Z,), (("dim", _axis(cause)),))
    right = Apply("log_softmax", (Z,), (("dim", _axis(cause)),))
    return of_softmax, _loss(cause, wrong, Y, parameters), _loss(cause, right, Y, parameters)


def _nll_of_logits(cause: Cause, parameters: Parameters) -> _Built:
    return _as_is, _loss(cause, Z, Y, parameters), _loss(cause, Z, Y, parameters, "cross_entropy")


def _sigmoid(cause: Cause, parameters: Parameters) -> _Built:
    given = Apply("sigmoid", (Z,))
    return of_sigmoid, _loss(cause, given, Y, parameters), _loss(cause, Z, Y, parameters)


def _divergence(cause: Cause, parameters: Parameters) -> _Built:
    wrong = Apply("softmax", (Z,), (("dim", Literal(-1)),))
    right = Apply("log_softmax", (Z,), (("dim", Literal(-1)),))
    return of_softmax, _loss(cause, wrong, Y, parameters), _loss(cause, right, Y, parameters)


def _broadcast(cause: Cause, parameters: Parameters) -> _Built:
    assert cause.look is not None
    look = cause.look
    wide, narrow = look.input_shape, look.target_shape
    is_input = len(wide) > len(narrow)
    if not is_input:
        wide, narrow = narrow, wide
    at = next(at for at in range(1, len(wide)) if wide[at] == 1 and (*wide[:at], *wide[at + 1 :]) == narrow)
    squeezed = Apply("squeeze", (Z if is_input else Y,), (("dim", Literal(at)),))
    right = _loss(cause, squeezed, Y, parameters) if is_input else _loss(cause, Z, squeezed, parameters)
    return _as_is, _loss(cause, Z, Y, parameters), right


def _division(cause: Cause, parameters: Parameters) -> _Built:
    loss = _loss(cause, Z, Y, parameters)
    return _as_is, Apply("div", (loss, Literal(cause.by or 1.0))), loss


def _one_hot(cause: Cause, parameters: Parameters) -> _Built:
    indices = Apply("argmax", (Y,), (("dim", _axis(cause)),))
    return _as_is, _loss(cause, Z, Y, parameters), _loss(cause, Z, indices, parameters)


def _mean(cause: Cause, parameters: Parameters) -> _Built:
    mean = tuple((name, node if name != "reduction" else Literal("mean")) for name, node in parameters)
    return _as_is, _loss(cause, Z, Y, parameters), _loss(cause, Z, Y, mean)


_BUILDERS: dict[str, Callable[[Cause, Parameters], _Built]] = {
    "LOS101": _division,
    "LOS201": _softmax,
    "LOS202": _log_softmax,
    "LOS203": _nll_of_softmax,
    "LOS204": _nll_of_logits,
    "LOS206": _sigmoid,
    "LOS209": _divergence,
    "LOS302": _one_hot,
    "LOS305": _broadcast,
    "LOSW04": _mean,
}
