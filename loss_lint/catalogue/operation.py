"""The shape of the catalogue's entries: what torch's operations and losses mean, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Effect = Literal[
    "softmax",  # probabilities that sum to one over `dim`
    "log_softmax",  # log-probabilities over `dim`
    "sigmoid",  # independent probabilities
    "logsigmoid",
    "squash",  # another activation: relu, tanh, gelu, ...
    "layer",  # a parametrised layer: linear, conv, norm, embedding, recurrent
    "keep",  # the same numbers in another shape, device, layout or graph
    "select",  # some of the same numbers: indexing, gather, index_select, masked_select, narrow, chunk
    "cast",  # the same numbers in another dtype
    "reduce",  # fewer numbers: sum, mean, max, norm
    "argmax",  # class indices: argmax, argmin
    "one_hot",
    "arithmetic",  # elementwise arithmetic
    "unary",  # exp, log, sqrt, abs, clamp, ...
    "compare",
    "combine",  # cat, stack
    "create",  # new tensors: zeros, ones, rand, tensor, from_numpy
    "size",  # a Python number: size, len, numel
    "loss",
    "backward",
    "other",
]
Wants = Literal["logits", "log_probabilities", "probabilities", "any", "lengths"]
Target = Literal["class_indices", "probabilities", "same_as_input", "signs", "log_or_probabilities", "none"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One torch operation under its canonical name, in all its spellings.

    `functions` maps a qualified name (`torch.nn.functional.softmax`) to its parameters in order, as one
    string `"input, dim=None"` (a default is Python literal text; `*` starts keyword-only parameters, `*name` collects);
    `methods` maps a tensor method to its parameters without the receiver; `modules` maps a class
    (`torch.nn.Softmax`) to its constructor's parameters, and the operation's operands are then what its
    `forward` takes. `operands` are the parameters that are tensors of the graph; all others are parameters of the
    operation. In-place methods (`softmax_`, `div_`) are listed as methods of the same operation.
    """

    name: str
    effect: Effect
    operands: tuple[str, ...]
    functions: tuple[tuple[str, str], ...] = ()
    methods: tuple[tuple[str, str], ...] = ()
    modules: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """What one loss wants and does.

    `operands` are in the order of the call. `reductions` are the values that torch accepts.
    `input_wants` speaks of the first operand, `target` of the second.
    """

    name: str
    operands: tuple[str, ...]
    input_wants: Wants
    target: Target
    symmetric: bool = False
