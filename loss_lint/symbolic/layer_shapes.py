"""Shapes of what layers return, from how they were configured."""

from __future__ import annotations

from loss_lint.symbolic.extents import UNKNOWN, Shape, Size
from loss_lint.symbolic.graph import FALSE, TRUE, Guards, Op, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.numbers import integer, sizes_of

# Layers whose result has as many dimensions of space as their name says, behind one of channels.
_SPACE = {"1d": 1, "2d": 2, "3d": 3}
_SAME = frozenset(
    {"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "batch_norm",
     "layer_norm", "rms_norm", "group_norm", "instance_norm", "local_response_norm", "normalize",
     "transformer_encoder_layer", "transformer_decoder_layer", "transformer_encoder", "transformer_decoder"}
)  # fmt: skip
_POOLS = ("max_pool", "avg_pool", "lp_pool", "adaptive_avg_pool", "adaptive_max_pool")


def layer(op: Op, given: Shape, guards: Guards) -> Shape:
    """The shape of a layer's result, for a first operand of shape `given`."""
    if op.name in _SAME:
        return given
    if op.name in ("linear", "bilinear"):
        return _linear(given, _number(op, "out_features", guards))
    if op.name == "embedding":
        return given.followed_by(_number(op, "embedding_dim", guards))
    if op.name == "embedding_bag":
        return Shape((None, _number(op, "embedding_dim", guards)))
    if op.name.startswith("conv"):
        return _spatial(given, _SPACE[op.name[-2:]], _number(op, "out_channels", guards))
    if op.name.startswith(_POOLS) and op.name[-2:] in _SPACE:
        return _pooled(op, given, _SPACE[op.name[-2:]], guards)
    if op.name in ("interpolate", "upsample_bilinear", "upsample_nearest") and given.rank is not None:
        return Shape(given.sizes[:2] + (None,) * (len(given.sizes) - 2))
    if op.name == "rnn_cell" or op.name == "gru_cell":
        return _linear(given, _number(op, "hidden_size", guards))
    return UNKNOWN


def _linear(given: Shape, features: Size) -> Shape:
    if given.is_open and not given.sizes:
        return Shape((features,), is_open=True)
    return given.resized(-1, features)


def _spatial(given: Shape, space: int, channels: Size) -> Shape:
    """(N, C, ...), as convolutions are given batches; (C, ...) where the input is known to be one sample."""
    batch: tuple[Size, ...] = (given.size(0) if given.rank == space + 2 else None,)
    if given.rank == space + 1:
        batch = ()
    return Shape((*batch, channels, *(None,) * space))


def _pooled(op: Op, given: Shape, space: int, guards: Guards) -> Shape:
    last: tuple[Size, ...] = (None,) * space
    if op.name.startswith("adaptive"):
        last = _output_size(op.parameter("output_size"), space, guards)
    if len(given.sizes) < space:
        return Shape(last, is_open=True)
    return Shape((*given.sizes[: len(given.sizes) - space], *last), given.is_open)


def _output_size(given: Value | None, space: int, guards: Guards) -> tuple[Size, ...]:
    sizes = sizes_of(given, guards) if given is not None else None
    if sizes is None:
        return (None,) * space
    return tuple(sizes * space) if len(sizes) == 1 else tuple(sizes[:space])


def recurrent(op: Op, given: Shape, item: int | None, guards: Guards) -> Shape:
    """An item of what a recurrent layer returns: its outputs, or a state; what is batch first has a batch."""
    batched = op.parameter("batch_first")
    is_batched = given.rank == 3 or (batched is not None and strip(batched).content == TRUE.content)
    if item not in (0, 1):
        return UNKNOWN
    both = op.parameter("bidirectional")
    is_plain = item == 0 and op.name != "lstm" and both is not None and strip(both).content == FALSE.content
    last = _number(op, "hidden_size", guards) if is_plain else None
    if given.rank == 2:
        return Shape((None, last))
    return Shape((None, None, last)) if is_batched else Shape((None, last), is_open=True)


def _number(op: Op, name: str, guards: Guards) -> Size:
    given = op.parameter(name)
    return integer(given, guards) if given is not None else None
