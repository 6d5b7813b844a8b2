"""Every loss of torch: its spellings, and what it wants and does.

Left out on purpose: `torch.ctc_loss`, `torch.kl_div` and the other losses directly under `torch`, whose
`reduction` is a number and which are no public spelling of the functions here.
"""

from __future__ import annotations

from loss_lint.catalogue.define import define
from loss_lint.catalogue.operation import Loss, Operation
from loss_lint.catalogue.signature import Signature

LOSS_OPERATIONS: tuple[Operation, ...] = (
    define(
        "cross_entropy",
        "loss",
        "input, target",
        "torch.nn.functional.cross_entropy (input, target, weight=None, size_average=None, "
        "ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0)",
        "torch.nn.CrossEntropyLoss (weight=None, size_average=None, ignore_index=-100, reduce=None, "
        "reduction='mean', label_smoothing=0.0)",
    ),
    define(
        "nll_loss",
        "loss",
        "input, target",
        "torch.nn.functional.nll_loss (input, target, weight=None, size_average=None, ignore_index=-100, "
        "reduce=None, reduction='mean')",
        "torch.nn.NLLLoss torch.nn.NLLLoss2d (weight=None, size_average=None, ignore_index=-100, "
        "reduce=None, reduction='mean')",
    ),
    define(
        "binary_cross_entropy",
        "loss",
        "input, target",
        "torch.nn.functional.binary_cross_entropy (input, target, weight=None, size_average=None, "
        "reduce=None, reduction='mean')",
        "torch.nn.BCELoss (weight=None, size_average=None, reduce=None, reduction='mean')",
    ),
    define(
        "binary_cross_entropy_with_logits",
        "loss",
        "input, target",
        "torch.nn.functional.binary_cross_entropy_with_logits (input, target, weight=None, "
        "size_average=None, reduce=None, reduction='mean', pos_weight=None)",
        "torch.nn.BCEWithLogitsLoss (weight=None, size_average=None, reduce=None, reduction='mean', "
        "pos_weight=None)",
    ),
    define(
        "kl_div",
        "loss",
        "input, target",
        "torch.nn.functional.kl_div (input, target, size_average=None, reduce=None, reduction='mean', "
        "log_target=False)",
        "torch.nn.KLDivLoss (size_average=None, reduce=None, reduction='mean', log_target=False)",
    ),
    define(
        "mse_loss",
        "loss",
        "input, target",
        "torch.nn.functional.mse_loss (input, target, size_average=None, reduce=None, reduction='mean', "
        "weight=None)",
        "torch.nn.MSELoss (size_average=None, reduce=None, reduction='mean')",
    ),
    define(
        "l1_loss",
        "loss",
        "input, target",
        "torch.nn.functional.l1_loss (input, target, size_average=None, reduce=None, reduction='mean', "
        "weight=None)",
        "torch.nn.L1Loss (size_average=None, reduce=None, reduction='mean')",
    ),
    define(
        "smooth_l1_loss",
        "loss",
        "input, target",
        "torch.nn.functional.smooth_l1_loss (input, target, size_average=None, reduce=None, "
        "reduction='mean', beta=1.0)",
        "torch.nn.SmoothL1Loss (size_average=None, reduce=None, reduction='mean', beta=1.0)",
    ),
    define(
        "huber_loss",
        "loss",
        "input, target",
        "torch.nn.functional.huber_loss (input, target, reduction='mean', delta=1.0, weight=None)",
        "torch.nn.HuberLoss (reduction='mean', delta=1.0)",
    ),
    define(
        "poisson_nll_loss",
        "loss",
        "input, target",
        "torch.nn.functional.poisson_nll_loss (input, target, log_input=True, full=False, "
        "size_average=None, eps=1e-08, reduce=None, reduction='mean')",
        "torch.nn.PoissonNLLLoss (log_input=True, full=False, size_average=None, eps=1e-08, reduce=None, "
        "reduction='mean')",
    ),
    define(
        "gaussian_nll_loss",
        "loss",
        "input, target, var",
        "torch.nn.functional.gaussian_nll_loss (input, target, var, full=False, eps=1e-06, reduction='mean')",
        "torch.nn.GaussianNLLLoss (*, full=False, eps=1e-06, reduction='mean')",
    ),
    define(
        "multi_margin_loss",
        "loss",
        "input, target",
        "torch.nn.functional.multi_margin_loss (input, target, p=1, margin=1.0, weight=None, "
        "size_average=None, reduce=None, reduction='mean')",
        "torch.nn.MultiMarginLoss (p=1, margin=1.0, weight=None, size_average=None, reduce=None, "
        "reduction='mean')",
    ),
    define(
        "multilabel_margin_loss",
        "loss",
        "input, target",
        "torch.nn.functional.multilabel_margin_loss (input, target, size_average=None, reduce=None, "
        "reduction='mean')",
        "torch.nn.MultiLabelMarginLoss (size_average=None, reduce=None, reduction='mean')",
    ),
    define(
        "multilabel_soft_margin_loss",
        "loss",
        "input, target",
        "torch.nn.functional.multilabel_soft_margin_loss (input, target, weight=None, size_average=None, "
        "reduce=None, reduction='mean')",
        "torch.nn.MultiLabelSoftMarginLoss (weight=None, size_average=None, reduce=None, reduction='mean')",
    ),
    define(
        "soft_margin_loss",
        "loss",
        "input, target",
        "torch.nn.functional.soft_margin_loss (input, target, size_average=None, reduce=None, "
        "reduction='mean')",
        "torch.nn.SoftMarginLoss (size_average=None, reduce=None, reduction='mean')",
    ),
    define(
        "hinge_embedding_loss",
        "loss",
        "input, target",
        "torch.nn.functional.hinge_embedding_loss (input, target, margin=1.0, size_average=None, "
        "reduce=None, reduction='mean')",
        "torch.nn.HingeEmbeddingLoss (margin=1.0, size_average=None, reduce=None, reduction='mean')",
    ),
    define(
        "margin_ranking_loss",
        "loss",
        "input1, input2, target",
        "torch.nn.functional.margin_ranking_loss (input1, input2, target, margin=0, size_average=None, "
        "reduce=None, reduction='mean')",
        "torch.nn.MarginRankingLoss (margin=0.0, size_average=None, reduce=None, reduction='mean')",
    ),
    define(
        "cosine_embedding_loss",
        "loss",
        "input1, input2, target",
        "torch.nn.functional.cosine_embedding_loss (input1, input2, target, margin=0, size_average=None, "
        "reduce=None, reduction='mean')",
        "torch.nn.CosineEmbeddingLoss (margin=0.0, size_average=None, reduce=None, reduction='mean')",
    ),
    define(
        "triplet_margin_loss",
        "loss",
        "anchor, positive, negative",
        "torch.nn.functional.triplet_margin_loss (anchor, positive, negative, margin=1.0, p=2, "
        "eps=1e-06, swap=False, size_average=None, reduce=None, reduction='mean')",
        "torch.nn.TripletMarginLoss (margin=1.0, p=2.0, eps=1e-06, swap=False, size_average=None, "
        "reduce=None, reduction='mean')",
    ),
    define(
        "triplet_margin_with_distance_loss",
        "loss",
        "anchor, positive, negative",
        "torch.nn.functional.triplet_margin_with_distance_loss (anchor, positive, negative, *, "
        "distance_function=None, margin=1.0, swap=False, reduction='mean')",
        "torch.nn.TripletMarginWithDistanceLoss (*, distance_function=None, margin=1.0, swap=False, "
        "reduction='mean')",
    ),
    define(
        "ctc_loss",
        "loss",
        "log_probs, targets, input_lengths, target_lengths",
        "torch.nn.functional.ctc_loss (log_probs, targets, input_lengths, target_lengths, blank=0, "
        "reduction='mean', zero_infinity=False)",
        "torch.nn.CTCLoss (blank=0, reduction='mean', zero_infinity=False)",
    ),
    define(
        "linear_cross_entropy",
        "loss",
        "input, target",
        "torch.nn.functional.linear_cross_entropy (input, linear_weight, target, *, linear_bias=None, "
        "weight=None, reduction='mean', ignore_index=None, label_smoothing=0.0, options=None)",
        "torch.nn.LinearCrossEntropyLoss (in_features, num_classes, *, out_features=(), bias=False, "
        "device=None, dtype=None, reduction='mean', weight=None, ignore_index=None, label_smoothing=0.0, "
        "options=None)",
    ),
    define(
        "adaptive_log_softmax_loss",
        "loss",
        "input, target",
        "torch.nn.AdaptiveLogSoftmaxWithLoss (in_features, n_classes, cutoffs, div_value=4.0, "
        "head_bias=False, device=None, dtype=None)",
    ),
)

# What torch's losses derive from, and a project's own may: their constructors' parameters.
BASE_CLASSES: dict[str, Signature] = {
    "torch.nn.modules.loss._Loss": Signature("size_average=None, reduce=None, reduction='mean'"),
    "torch.nn.modules.loss._WeightedLoss": Signature(
        "weight=None, size_average=None, reduce=None, reduction='mean'"
    ),
}

# What follows holds with reduction 'mean', every one's default; `symmetric` says that the first two operands
# can be exchanged without changing a number.
LOSSES: tuple[Loss, ...] = (
    Loss("cross_entropy", ("input", "target"), "logits", "class_indices"),
    Loss("nll_loss", ("input", "target"), "log_probabilities", "class_indices"),
    Loss("binary_cross_entropy", ("input", "target"), "probabilities", "probabilities"),
    Loss("binary_cross_entropy_with_logits", ("input", "target"), "logits", "probabilities"),
    Loss("kl_div", ("input", "target"), "log_probabilities", "log_or_probabilities"),
    Loss("mse_loss", ("input", "target"), "any", "same_as_input", symmetric=True),
    Loss("l1_loss", ("input", "target"), "any", "same_as_input", symmetric=True),
    Loss("smooth_l1_loss", ("input", "target"), "any", "same_as_input", symmetric=True),
    Loss("huber_loss", ("input", "target"), "any", "same_as_input", symmetric=True),
    Loss("poisson_nll_loss", ("input", "target"), "any", "same_as_input"),
    Loss("gaussian_nll_loss", ("input", "target", "var"), "any", "same_as_input", symmetric=True),
    Loss("multi_margin_loss", ("input", "target"), "any", "class_indices"),
    Loss("multilabel_margin_loss", ("input", "target"), "any", "class_indices"),
    Loss("multilabel_soft_margin_loss", ("input", "target"), "logits", "probabilities"),
    Loss("soft_margin_loss", ("input", "target"), "logits", "signs", symmetric=True),
    Loss("hinge_embedding_loss", ("input", "target"), "any", "signs"),
    Loss("margin_ranking_loss", ("input1", "input2", "target"), "any", "same_as_input"),
    Loss("cosine_embedding_loss", ("input1", "input2", "target"), "any", "same_as_input", symmetric=True),
    Loss("triplet_margin_loss", ("anchor", "positive", "negative"), "any", "same_as_input"),
    Loss("triplet_margin_with_distance_loss", ("anchor", "positive", "negative"), "any", "same_as_input"),
    Loss(
        "ctc_loss",
        ("log_probs", "targets", "input_lengths", "target_lengths"),
        "log_probabilities",
        "class_indices",
    ),
    Loss("linear_cross_entropy", ("input", "target"), "any", "class_indices"),
    Loss("adaptive_log_softmax_loss", ("input", "target"), "any", "class_indices"),
)
