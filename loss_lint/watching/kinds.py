"""What a run can show, by code: what has to be seen for it. What is not here, the run leaves to the static check."""

from __future__ import annotations

SEEN: dict[str, str] = {
    "LOS101": "a mean loss reaches `backward()` divided by its own batch's size, or by the number of its targets: "
    "written so, or following the size from batch to batch",
    "LOS106": "`backward()` on a loss by element",
    "LOS109": "`backward()` runs several times before the optimizer's step, on means of unequal counts weighted alike",
    "LOS201": "all rows of the input sum to one: because a softmax made them, or in so many rows that it is no chance",
    "LOS202": "a log-softmax made the input, and exp of each row sums to one",
    "LOS203": "as LOS201, for a loss that is trained on alone and not negated",
    "LOS204": "a linear layer or a convolution made the input, and some of it is above zero",
    "LOS206": "a sigmoid or softmax made the input",
    "LOS207": "torch raises, as the input leaves [0, 1]",
    "LOS209": "all rows of the input sum to one; or the target's, or their exp, against what `log_target` says",
    "LOS213": "torch raises at `backward()`, as the loss has no graph because its input has none",
    "LOS214": "class indices for one logit, trained on; or torch raises for one that is not 0",
    "LOS301": "torch raises for integer rows that hold one 1 each; or reads them as indices, as the shapes fit",
    "LOS302": "whenever it was looked at, all rows of a float target held one 1 and zeros",
    "LOS303": "torch raises for whole numbers in floats",
    "LOS304": "torch raises for a target of shape (N, 1)",
    "LOS305": "input and target differ in a dimension of size one, and broadcast over all pairs of samples",
    "LOS306": "torch raises for an integer target",
    "LOS401": "the input is zeros and ones without a gradient, the target requires one and leaves [0, 1]",
    "LOS501": "`backward()` on a copy of a loss that has left its graph behind",
    "LOS603": "torch raises for the last label; the least one is 1, and 0 never occurred",
    "LOSW01": "torch raises for a class index that no logit belongs to",
    "LOSW02": "a loss that is trained on alone was exactly zero whenever it was looked at",
    "LOSW03": "the first loss of an untrained last layer is several times -log(1/K)",
    "LOSW04": "a classification loss that is a sum over the batch, divided by nothing, and trained on",
}
