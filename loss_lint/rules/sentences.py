"""What findings say, for the rules and for who sees the same in a running program.

Each takes what differs between the two: a place in the source, or what tensors showed.
"""

from __future__ import annotations


def mean_loss_divided(loss: str, counted: str) -> str:
    """LOS101; `loss` may say where it is computed."""
    return (
        f"{loss} is a mean already and is divided by {counted} again; loss and gradient shrink by that factor. "
        'Drop the division, or use reduction="sum".'
    )


def micro_batch_mean(name: str, count: str, unused: str = "") -> str:
    """LOS109."""
    return (
        f"each micro-batch's {name} is divided by {count}, which differs from one to the next: the mean of such "
        "means is another loss than the whole batch's, and so is its gradient. "
        f'Use reduction="sum" and divide by what all micro-batches of a step count{unused}.'
    )


def softmax_into_cross_entropy(applied: str) -> str:
    """LOS201."""
    return (
        f"cross_entropy gets probabilities: {applied} has been applied already; "
        "loss and gradient change. Pass the logits."
    )


def log_softmax_into_cross_entropy(applied: str, effect: str = "this changes nothing") -> str:
    """LOS202."""
    return f"cross_entropy gets log-probabilities: {applied} has been applied already; {effect}. Pass the logits."


def probabilities_into_nll(maker: str, instead: str) -> str:
    """LOS203."""
    return (
        f"nll_loss wants log-probabilities and gets probabilities: {maker}; "
        f"loss and gradient change. {instead}."
    )


def logits_into_nll(layer: str) -> str:
    """LOS204."""
    return (
        f"nll_loss wants log-probabilities and gets raw logits: {layer} is the last layer, and no log_softmax "
        "follows; loss and gradient change. Use cross_entropy."
    )


def sigmoid_into_bce_with_logits(loss: str, maker: str) -> str:
    """LOS206."""
    return (
        f"{loss} applies the sigmoid itself and gets probabilities: {maker}; "
        "loss and gradient change. Pass the logits."
    )


def kl_div_operand(says: str, instead: str) -> str:
    """LOS209."""
    return f"kl_div {says}; loss and gradient change. {instead}."


def one_hot_target(loss: str, rows: str, effect: str) -> str:
    """LOS301."""
    return f"{loss} wants class indices and gets {rows}; {effect}. Pass the indices."


def one_hot_probabilities(rows: str, effect: str) -> str:
    """LOS302."""
    return f"cross_entropy gets {rows}; {effect}. Pass the class indices."


WEIGHTED_ROWS = (
    "with a weight the mean divides by the number of samples, not the weights' sum: loss and gradient change"
)
UNWEIGHTED_ROWS = "for logits (N, C) this changes no number, and takes C times the memory"


def regression_broadcast(loss: str, which: str, wide: str, other: str, narrow: str) -> str:
    """LOS305."""
    return (
        f"{loss} broadcasts its {which} of shape {wide} against its {other} of shape {narrow}: each prediction is "
        f"compared with the target of every sample; loss and gradient change. Squeeze the {which}."
    )


def unreduced_backward(loss: str, call: str = "backward()") -> str:
    """LOS106."""
    return (
        f'{loss} has reduction "none", and nothing reduces it: {call} raises, as there is one loss for each '
        "element. Take the .mean() or .sum() first."
    )


def loss_cut_from_graph(how: str, loss: str, effect: str) -> str:
    """LOS501."""
    return f"{how} cuts the loss{loss} from its graph: {effect}. Run backward on the loss itself."
