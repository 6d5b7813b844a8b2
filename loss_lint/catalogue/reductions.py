"""Operations that make fewer numbers, class indices or one-hot rows of a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.catalogue.define import define

if TYPE_CHECKING:
    from loss_lint.catalogue.operation import Operation

REDUCTIONS: tuple[Operation, ...] = (
    define(
        "sum",
        "reduce",
        "input",
        "torch.sum .sum (input, dim=None, keepdim=False, *, dtype=None)",
        "numpy.sum (input, dim=None, dtype=None, out=None, keepdim=None)",
    ),
    define(
        "mean",
        "reduce",
        "input",
        "torch.mean .mean (input, dim=None, keepdim=False, *, dtype=None)",
        "numpy.mean (input, dim=None, dtype=None, out=None, keepdim=None)",
    ),
    define(
        "max",
        "reduce",
        "input",
        "torch.max .max (input, dim=None, keepdim=False)",
        "numpy.max (input, dim=None, out=None, keepdim=None)",
    ),
    define(
        "min",
        "reduce",
        "input",
        "torch.min .min (input, dim=None, keepdim=False)",
        "numpy.min (input, dim=None, out=None, keepdim=None)",
    ),
    define(
        "amax",
        "reduce",
        "input",
        "torch.amax .amax (input, dim=(), keepdim=False)",
        "numpy.amax (input, dim=None, out=None, keepdim=None)",
    ),
    define(
        "amin",
        "reduce",
        "input",
        "torch.amin .amin (input, dim=(), keepdim=False)",
        "numpy.amin (input, dim=None, out=None, keepdim=None)",
    ),
    define(
        "norm",
        "reduce",
        "input",
        "torch.norm (input, p='fro', dim=None, keepdim=False, out=None, dtype=None)",
        "torch.linalg.vector_norm (input, ord=2, dim=None, keepdim=False, *, dtype=None)",
        ".norm (input, p='fro', dim=None, keepdim=False, dtype=None)",
    ),
    define(
        "prod",
        "reduce",
        "input",
        "torch.prod .prod (input, dim=None, keepdim=False, *, dtype=None)",
        "numpy.prod (input, dim=None, dtype=None, out=None, keepdim=None)",
    ),
    define(
        "logsumexp",
        "reduce",
        "input",
        "torch.logsumexp torch.special.logsumexp .logsumexp (input, dim, keepdim=False)",
    ),
    define(
        "std",
        "reduce",
        "input",
        "torch.std .std (input, dim=None, unbiased=True, keepdim=False, *, correction=None)",
        "numpy.std (input, dim=None, dtype=None, out=None, ddof=0, keepdim=None)",
    ),
    define(
        "var",
        "reduce",
        "input",
        "torch.var .var (input, dim=None, unbiased=True, keepdim=False, *, correction=None)",
        "numpy.var (input, dim=None, dtype=None, out=None, ddof=0, keepdim=None)",
    ),
    define(
        "median",
        "reduce",
        "input",
        "torch.median .median (input, dim=None, keepdim=False)",
        "numpy.median (input, dim=None, out=None, overwrite_input=False, keepdim=False)",
    ),
    define("mode", "reduce", "input", "torch.mode .mode (input, dim=-1, keepdim=False)"),
    define(
        "quantile",
        "reduce",
        "input",
        "torch.quantile .quantile (input, q, dim=None, keepdim=False, *, interpolation='linear')",
        "numpy.quantile (input, q, dim=None, out=None, overwrite_input=False, method='linear', "
        "keepdim=False)",
    ),
    define(
        "nanmean",
        "reduce",
        "input",
        "torch.nanmean .nanmean (input, dim=None, keepdim=False, *, dtype=None)",
        "numpy.nanmean (input, dim=None, dtype=None, out=None, keepdim=None)",
    ),
    define(
        "nansum",
        "reduce",
        "input",
        "torch.nansum .nansum (input, dim=None, keepdim=False, *, dtype=None)",
        "numpy.nansum (input, dim=None, dtype=None, out=None, keepdim=None)",
    ),
    define(
        "all",
        "reduce",
        "input",
        "torch.all .all (input, dim=None, keepdim=False)",
        "numpy.all (input, dim=None, out=None, keepdim=None)",
    ),
    define(
        "any",
        "reduce",
        "input",
        "torch.any .any (input, dim=None, keepdim=False)",
        "numpy.any (input, dim=None, out=None, keepdim=None)",
    ),
    define(
        "count_nonzero",
        "reduce",
        "input",
        "torch.count_nonzero (input, dim=None)",
        "numpy.count_nonzero (input, dim=None, *, keepdim=False)",
        ".count_nonzero (input, *dim)",
    ),
    define("trace", "reduce", "input", "torch.trace numpy.trace .trace (input)"),
    define(
        "unique",
        "other",
        "input",
        "torch.unique .unique (input, sorted=True, return_inverse=False, return_counts=False, dim=None)",
        "numpy.unique (input, return_index=False, return_inverse=False, return_counts=False, dim=None)",
    ),
    define(
        "bincount",
        "other",
        "input",
        "torch.bincount numpy.bincount .bincount (input, weights=None, minlength=0)",
    ),
    define(
        "argmax",
        "argmax",
        "input",
        "torch.argmax .argmax (input, dim=None, keepdim=False)",
        "numpy.argmax (input, dim=None, out=None, *, keepdim=None)",
    ),
    define(
        "argmin",
        "argmax",
        "input",
        "torch.argmin .argmin (input, dim=None, keepdim=False)",
        "numpy.argmin (input, dim=None, out=None, *, keepdim=None)",
    ),
    define("topk", "argmax", "input", "torch.topk .topk (input, k, dim=-1, largest=True, sorted=True)"),
    define("sort", "other", "input", "torch.sort .sort (input, dim=-1, descending=False, *, stable=None)"),
    define(
        "argsort",
        "argmax",
        "input",
        "torch.argsort .argsort (input, dim=-1, descending=False, *, stable=None)",
        "numpy.argsort (input, dim=-1)",
    ),
    define(
        "multinomial",
        "argmax",
        "input",
        "torch.multinomial .multinomial (input, num_samples, replacement=False, *, generator=None)",
    ),
    define("nonzero", "argmax", "input", "torch.nonzero .nonzero (input, *, as_tuple=False)"),
    define("one_hot", "one_hot", "input", "torch.nn.functional.one_hot (input, num_classes=-1)"),
    define(
        "eye",
        "one_hot",
        "",
        "torch.eye (n, m=None, *, dtype=None, device=None, pin_memory=False, requires_grad=False)",
        "numpy.eye (n, m=None, k=0, dtype=None)",
        "numpy.identity (n, dtype=None)",
    ),
    define(
        "scatter",
        "one_hot",
        "input, index, src",
        "torch.scatter .scatter .scatter_ (input, dim, index, src, *, reduce=None)",
    ),
    define(
        "scatter_add",
        "arithmetic",
        "input, index, src",
        "torch.scatter_add .scatter_add .scatter_add_ (input, dim, index, src)",
    ),
    define(
        "index_fill",
        "arithmetic",
        "input, index, value",
        "torch.index_fill .index_fill .index_fill_ (input, dim, index, value)",
    ),
    define(
        "index_add",
        "arithmetic",
        "input, index, source",
        "torch.index_add .index_add .index_add_ (input, dim, index, source, *, alpha=1)",
    ),
)
