"""Softmaxes, sigmoids and the other activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.catalogue.define import define

if TYPE_CHECKING:
    from loss_lint.catalogue.operation import Operation

ACTIVATIONS: tuple[Operation, ...] = (
    define(
        "softmax",
        "softmax",
        "input",
        "torch.softmax .softmax (input, dim, dtype=None)",
        "torch.special.softmax (input, dim, *, dtype=None)",
        "torch.sparse.softmax (input, dim, *, dtype=None)",
        "torch.nn.functional.softmax (input, dim=None, _stacklevel=3, dtype=None)",
        "torch.nn.Softmax (dim=None)",
    ),
    define("softmax2d", "softmax", "input", "torch.nn.Softmax2d ()"),
    define(
        "softmin",
        "softmax",
        "input",
        "torch.nn.functional.softmin (input, dim=None, _stacklevel=3, dtype=None)",
        "torch.nn.Softmin (dim=None)",
    ),
    define(
        "gumbel_softmax",
        "softmax",
        "logits",
        "torch.nn.functional.gumbel_softmax (logits, tau=1, hard=False, eps=1e-10, dim=-1)",
    ),
    define(
        "log_softmax",
        "log_softmax",
        "input",
        "torch.log_softmax .log_softmax (input, dim, dtype=None)",
        "torch.special.log_softmax (input, dim, *, dtype=None)",
        "torch.sparse.log_softmax (input, dim, *, dtype=None)",
        "torch.nn.functional.log_softmax (input, dim=None, _stacklevel=3, dtype=None)",
        "torch.nn.LogSoftmax (dim=None)",
    ),
    define(
        "sigmoid",
        "sigmoid",
        "input",
        "torch.sigmoid torch.nn.functional.sigmoid torch.special.expit .sigmoid .sigmoid_ (input)",
        "torch.nn.Sigmoid ()",
    ),
    define(
        "logsigmoid",
        "logsigmoid",
        "input",
        "torch.nn.functional.logsigmoid (input)",
        "torch.nn.LogSigmoid ()",
    ),
    define(
        "relu",
        "squash",
        "input",
        "torch.relu torch.relu_ torch.nn.functional.relu_ .relu .relu_ (input)",
        "torch.nn.functional.relu (input, inplace=False)",
        "torch.nn.ReLU (inplace=False)",
    ),
    define(
        "relu6",
        "squash",
        "input",
        "torch.nn.functional.relu6 (input, inplace=False)",
        "torch.nn.ReLU6 (inplace=False)",
    ),
    define(
        "leaky_relu",
        "squash",
        "input",
        "torch.nn.functional.leaky_relu (input, negative_slope=0.01, inplace=False)",
        "torch.nn.functional.leaky_relu_ (input, negative_slope=0.01)",
        "torch.nn.LeakyReLU (negative_slope=0.01, inplace=False)",
    ),
    define(
        "prelu",
        "squash",
        "input, weight",
        "torch.prelu torch.nn.functional.prelu .prelu (input, weight)",
        "torch.nn.PReLU (num_parameters=1, init=0.25, device=None, dtype=None)",
    ),
    define(
        "rrelu",
        "squash",
        "input",
        "torch.nn.functional.rrelu (input, lower=0.125, upper=0.3333333333333333, training=False, "
        "inplace=False)",
        "torch.rrelu (input, lower=0.125, upper=0.3333333333333333, training=False, generator=None)",
        "torch.nn.RReLU (lower=0.125, upper=0.3333333333333333, inplace=False)",
    ),
    define(
        "elu",
        "squash",
        "input",
        "torch.nn.functional.elu (input, alpha=1.0, inplace=False)",
        "torch.nn.functional.elu_ (input, alpha=1.0)",
        "torch.nn.ELU (alpha=1.0, inplace=False)",
    ),
    define(
        "celu",
        "squash",
        "input",
        "torch.nn.functional.celu (input, alpha=1.0, inplace=False)",
        "torch.celu (input, *, alpha=1)",
        "torch.nn.CELU (alpha=1.0, inplace=False)",
    ),
    define(
        "selu",
        "squash",
        "input",
        "torch.nn.functional.selu (input, inplace=False)",
        "torch.selu torch.selu_ (input)",
        "torch.nn.SELU (inplace=False)",
    ),
    define(
        "gelu",
        "squash",
        "input",
        "torch.nn.functional.gelu (input, approximate='none')",
        "torch.nn.GELU (approximate='none')",
    ),
    define(
        "silu",
        "squash",
        "input",
        "torch.nn.functional.silu (input, inplace=False)",
        "torch.nn.SiLU (inplace=False)",
    ),
    define(
        "mish",
        "squash",
        "input",
        "torch.nn.functional.mish (input, inplace=False)",
        "torch.nn.Mish (inplace=False)",
    ),
    define(
        "tanh",
        "squash",
        "input",
        "torch.tanh torch.nn.functional.tanh numpy.tanh .tanh .tanh_ (input)",
        "torch.nn.Tanh ()",
    ),
    define(
        "softplus",
        "squash",
        "input",
        "torch.nn.functional.softplus (input, beta=1, threshold=20)",
        "torch.nn.Softplus (beta=1.0, threshold=20.0)",
    ),
    define("softsign", "squash", "input", "torch.nn.functional.softsign (input)", "torch.nn.Softsign ()"),
    define(
        "softshrink",
        "squash",
        "input",
        "torch.nn.functional.softshrink (input, lambd=0.5)",
        "torch.nn.Softshrink (lambd=0.5)",
    ),
    define(
        "hardshrink",
        "squash",
        "input",
        "torch.hardshrink torch.nn.functional.hardshrink .hardshrink (input, lambd=0.5)",
        "torch.nn.Hardshrink (lambd=0.5)",
    ),
    define(
        "tanhshrink", "squash", "input", "torch.nn.functional.tanhshrink (input)", "torch.nn.Tanhshrink ()"
    ),
    define(
        "threshold",
        "squash",
        "input",
        "torch.threshold (input, threshold, value)",
        "torch.nn.functional.threshold (input, threshold, value, inplace=False)",
        "torch.nn.Threshold (threshold, value, inplace=False)",
    ),
    define(
        "hardtanh",
        "squash",
        "input",
        "torch.nn.functional.hardtanh (input, min_val=-1.0, max_val=1.0, inplace=False)",
        "torch.nn.Hardtanh (min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None)",
    ),
    define(
        "hardsigmoid",
        "squash",
        "input",
        "torch.nn.functional.hardsigmoid (input, inplace=False)",
        "torch.nn.Hardsigmoid (inplace=False)",
    ),
    define(
        "hardswish",
        "squash",
        "input",
        "torch.nn.functional.hardswish (input, inplace=False)",
        "torch.nn.Hardswish (inplace=False)",
    ),
    define("glu", "squash", "input", "torch.nn.functional.glu (input, dim=-1)", "torch.nn.GLU (dim=-1)"),
)
