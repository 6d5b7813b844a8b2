"""Elementwise arithmetic, products of matrices, and comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.catalogue.define import define

if TYPE_CHECKING:
    from loss_lint.catalogue.operation import Operation

ARITHMETIC: tuple[Operation, ...] = (
    define(
        "add",
        "arithmetic",
        "input, other",
        "torch.add .add .add_ (input, other, *, alpha=1)",
        "numpy.add (input, other)",
    ),
    define(
        "sub",
        "arithmetic",
        "input, other",
        "torch.sub torch.subtract .sub .sub_ .subtract .subtract_ (input, other, *, alpha=1)",
        "numpy.subtract (input, other)",
    ),
    define("rsub", "arithmetic", "input, other", "torch.rsub (input, other, *, alpha=1)"),
    define(
        "mul",
        "arithmetic",
        "input, other",
        "torch.mul torch.multiply numpy.multiply .mul .mul_ .multiply .multiply_ (input, other)",
    ),
    define(
        "div",
        "arithmetic",
        "input, other",
        "torch.div torch.divide .div .div_ .divide .divide_ (input, other, *, rounding_mode=None)",
        "torch.true_divide numpy.divide numpy.true_divide .true_divide .true_divide_ (input, other)",
    ),
    define(
        "floor_divide",
        "arithmetic",
        "input, other",
        "torch.floor_divide numpy.floor_divide .floor_divide .floor_divide_ (input, other)",
    ),
    define(
        "remainder",
        "arithmetic",
        "input, other",
        "torch.remainder numpy.remainder torch.fmod .remainder .remainder_ .fmod .fmod_ (input, other)",
    ),
    define(
        "pow",
        "arithmetic",
        "input, exponent",
        "torch.pow numpy.power torch.float_power .pow .pow_ .float_power .float_power_ (input, exponent)",
    ),
    define(
        "neg",
        "arithmetic",
        "input",
        "torch.neg torch.negative numpy.negative .neg .neg_ .negative .negative_ (input)",
    ),
    define(
        "reciprocal",
        "arithmetic",
        "input",
        "torch.reciprocal numpy.reciprocal .reciprocal .reciprocal_ (input)",
    ),
    define(
        "matmul",
        "arithmetic",
        "input, other",
        "torch.matmul numpy.matmul torch.linalg.matmul .matmul (input, other)",
    ),
    define("mm", "arithmetic", "input, mat2", "torch.mm (input, mat2, out_dtype=None)", ".mm (input, mat2)"),
    define(
        "bmm", "arithmetic", "input, mat2", "torch.bmm (input, mat2, out_dtype=None)", ".bmm (input, mat2)"
    ),
    define("mv", "arithmetic", "input, vec", "torch.mv .mv (input, vec)"),
    define("dot", "arithmetic", "input, other", "torch.dot numpy.dot torch.inner .dot .inner (input, other)"),
    define("outer", "arithmetic", "input, vec2", "torch.outer .outer (input, vec2)"),
    define(
        "addmm",
        "arithmetic",
        "input, mat1, mat2",
        "torch.addmm (input, mat1, mat2, out_dtype=None, *, beta=1, alpha=1)",
        ".addmm .addmm_ (input, mat1, mat2, *, beta=1, alpha=1)",
    ),
    define(
        "baddbmm",
        "arithmetic",
        "input, batch1, batch2",
        "torch.baddbmm (input, batch1, batch2, out_dtype=None, *, beta=1, alpha=1)",
        ".baddbmm .baddbmm_ (input, batch1, batch2, *, beta=1, alpha=1)",
    ),
    define(
        "addcmul",
        "arithmetic",
        "input, tensor1, tensor2",
        "torch.addcmul .addcmul .addcmul_ (input, tensor1, tensor2, *, value=1)",
    ),
    define(
        "addcdiv",
        "arithmetic",
        "input, tensor1, tensor2",
        "torch.addcdiv .addcdiv .addcdiv_ (input, tensor1, tensor2, *, value=1)",
    ),
    define(
        "einsum",
        "arithmetic",
        "operands",
        "torch.einsum (equation, *operands)",
        "numpy.einsum (equation, *operands, optimize=False)",
    ),
    define("tensordot", "arithmetic", "a, b", "torch.tensordot (a, b, dims=2, out=None)"),
    define("lerp", "arithmetic", "input, end, weight", "torch.lerp .lerp .lerp_ (input, end, weight)"),
    define(
        "cumsum",
        "arithmetic",
        "input",
        "torch.cumsum .cumsum .cumsum_ (input, dim, *, dtype=None)",
        "numpy.cumsum (input, dim=None, dtype=None)",
    ),
    define(
        "cumprod",
        "arithmetic",
        "input",
        "torch.cumprod .cumprod .cumprod_ (input, dim, *, dtype=None)",
        "numpy.cumprod (input, dim=None, dtype=None)",
    ),
    define("logaddexp", "arithmetic", "input, other", "torch.logaddexp .logaddexp (input, other)"),
    define(
        "maximum",
        "arithmetic",
        "input, other",
        "torch.maximum numpy.maximum torch.fmax .maximum .fmax (input, other)",
    ),
    define(
        "minimum",
        "arithmetic",
        "input, other",
        "torch.minimum numpy.minimum torch.fmin .minimum .fmin (input, other)",
    ),
    define(
        "xlogy", "arithmetic", "input, other", "torch.xlogy torch.special.xlogy .xlogy .xlogy_ (input, other)"
    ),
    define(
        "cosine_similarity",
        "arithmetic",
        "x1, x2",
        "torch.cosine_similarity torch.nn.functional.cosine_similarity (x1, x2, dim=1, eps=1e-08)",
        "torch.nn.CosineSimilarity (dim=1, eps=1e-08)",
    ),
    define(
        "pairwise_distance",
        "arithmetic",
        "x1, x2",
        "torch.pairwise_distance torch.nn.functional.pairwise_distance (x1, x2, p=2.0, eps=1e-06, "
        "keepdim=False)",
        "torch.nn.PairwiseDistance (p=2.0, eps=1e-06, keepdim=False)",
    ),
    define(
        "cdist",
        "arithmetic",
        "x1, x2",
        "torch.cdist (x1, x2, p=2.0, compute_mode='use_mm_for_euclid_dist_if_necessary')",
    ),
    define("exp", "unary", "input", "torch.exp numpy.exp .exp .exp_ (input)"),
    define("expm1", "unary", "input", "torch.expm1 numpy.expm1 torch.special.expm1 .expm1 .expm1_ (input)"),
    define("exp2", "unary", "input", "torch.exp2 torch.special.exp2 .exp2 .exp2_ (input)"),
    define("log", "unary", "input", "torch.log numpy.log .log .log_ (input)"),
    define("log1p", "unary", "input", "torch.log1p numpy.log1p torch.special.log1p .log1p .log1p_ (input)"),
    define("log2", "unary", "input", "torch.log2 numpy.log2 .log2 .log2_ (input)"),
    define("log10", "unary", "input", "torch.log10 numpy.log10 .log10 .log10_ (input)"),
    define("sqrt", "unary", "input", "torch.sqrt numpy.sqrt .sqrt .sqrt_ (input)"),
    define("rsqrt", "unary", "input", "torch.rsqrt .rsqrt .rsqrt_ (input)"),
    define("square", "unary", "input", "torch.square numpy.square .square .square_ (input)"),
    define(
        "abs", "unary", "input", "torch.abs numpy.abs torch.absolute .abs .abs_ .absolute .absolute_ (input)"
    ),
    define(
        "clamp",
        "unary",
        "input",
        "torch.clamp torch.clip numpy.clip .clamp .clamp_ .clip .clip_ (input, min=None, max=None)",
    ),
    define("clamp_min", "unary", "input", "torch.clamp_min .clamp_min .clamp_min_ (input, min)"),
    define("clamp_max", "unary", "input", "torch.clamp_max .clamp_max .clamp_max_ (input, max)"),
    define(
        "round",
        "unary",
        "input",
        "torch.round torch.special.round .round .round_ (input, *, decimals=0)",
        "numpy.round (input, decimals=0)",
    ),
    define("floor", "unary", "input", "torch.floor numpy.floor .floor .floor_ (input)"),
    define("ceil", "unary", "input", "torch.ceil numpy.ceil .ceil .ceil_ (input)"),
    define("trunc", "unary", "input", "torch.trunc numpy.trunc torch.fix .trunc .trunc_ .fix .fix_ (input)"),
    define("sign", "unary", "input", "torch.sign numpy.sign .sign .sign_ (input)"),
    define(
        "nan_to_num",
        "unary",
        "input",
        "torch.nan_to_num .nan_to_num .nan_to_num_ (input, nan=None, posinf=None, neginf=None)",
        "numpy.nan_to_num (input, copy=True, nan=0.0, posinf=None, neginf=None)",
    ),
    define("sin", "unary", "input", "torch.sin numpy.sin .sin .sin_ (input)"),
    define("cos", "unary", "input", "torch.cos numpy.cos .cos .cos_ (input)"),
    define("erf", "unary", "input", "torch.erf torch.special.erf .erf .erf_ (input)"),
    define("logit", "unary", "input", "torch.logit torch.special.logit .logit .logit_ (input, eps=None)"),
    define("entr", "unary", "input", "torch.special.entr (input)"),
    define("eq", "compare", "input, other", "torch.eq numpy.equal .eq .eq_ (input, other)"),
    define(
        "ne",
        "compare",
        "input, other",
        "torch.ne torch.not_equal numpy.not_equal .ne .ne_ .not_equal .not_equal_ (input, other)",
    ),
    define(
        "lt", "compare", "input, other", "torch.lt torch.less numpy.less .lt .lt_ .less .less_ (input, other)"
    ),
    define(
        "le",
        "compare",
        "input, other",
        "torch.le torch.less_equal numpy.less_equal .le .le_ .less_equal .less_equal_ (input, other)",
    ),
    define(
        "gt",
        "compare",
        "input, other",
        "torch.gt torch.greater numpy.greater .gt .gt_ .greater .greater_ (input, other)",
    ),
    define(
        "ge",
        "compare",
        "input, other",
        "torch.ge torch.greater_equal numpy.greater_equal .ge .ge_ .greater_equal .greater_equal_ (input, other)",
    ),
    define(
        "logical_and",
        "compare",
        "input, other",
        "torch.logical_and numpy.logical_and torch.bitwise_and .logical_and .logical_and_ "
        ".bitwise_and .bitwise_and_ (input, other)",
    ),
    define(
        "logical_or",
        "compare",
        "input, other",
        "torch.logical_or numpy.logical_or torch.bitwise_or .logical_or .logical_or_ "
        ".bitwise_or .bitwise_or_ (input, other)",
    ),
    define(
        "logical_xor",
        "compare",
        "input, other",
        "torch.logical_xor numpy.logical_xor torch.bitwise_xor .logical_xor .logical_xor_ "
        ".bitwise_xor .bitwise_xor_ (input, other)",
    ),
    define(
        "logical_not",
        "compare",
        "input",
        "torch.logical_not numpy.logical_not torch.bitwise_not .logical_not .logical_not_ "
        ".bitwise_not .bitwise_not_ (input)",
    ),
    define("isnan", "compare", "input", "torch.isnan numpy.isnan .isnan (input)"),
    define("isinf", "compare", "input", "torch.isinf numpy.isinf .isinf (input)"),
    define("isfinite", "compare", "input", "torch.isfinite numpy.isfinite .isfinite (input)"),
    define(
        "isin",
        "compare",
        "elements, test_elements",
        "torch.isin (elements, test_elements, *, assume_unique=False, invert=False)",
    ),
    define(
        "where",
        "compare",
        "condition, input, other",
        "torch.where numpy.where (condition, input=None, other=None)",
        ".where (input, condition, other)",
    ),
)
