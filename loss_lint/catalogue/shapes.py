"""Operations that move, pick, cast or join numbers and compute none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.catalogue.define import define

if TYPE_CHECKING:
    from loss_lint.catalogue.operation import Operation

SHAPES: tuple[Operation, ...] = (
    define("view", "keep", "input", ".view (input, *size)"),
    define("view_as", "keep", "input, other", ".view_as (input, other)"),
    define(
        "reshape",
        "keep",
        "input",
        "torch.reshape (input, shape)",
        "numpy.reshape (input, size)",
        ".reshape (input, *shape)",
    ),
    define("reshape_as", "keep", "input, other", ".reshape_as (input, other)"),
    define(
        "flatten",
        "keep",
        "input",
        "torch.flatten .flatten (input, start_dim=0, end_dim=-1)",
        "torch.nn.Flatten (start_dim=1, end_dim=-1)",
    ),
    define("ravel", "keep", "input", "torch.ravel numpy.ravel .ravel (input)"),
    define(
        "unflatten",
        "keep",
        "input",
        "torch.unflatten .unflatten (input, dim, sizes)",
        "torch.nn.Unflatten (dim, unflattened_size)",
    ),
    define(
        "squeeze",
        "keep",
        "input",
        "torch.squeeze numpy.squeeze (input, dim=None)",
        ".squeeze .squeeze_ (input, *dim)",
    ),
    define(
        "unsqueeze", "keep", "input", "torch.unsqueeze numpy.expand_dims .unsqueeze .unsqueeze_ (input, dim)"
    ),
    define(
        "transpose",
        "keep",
        "input",
        "torch.transpose torch.swapdims .transpose .transpose_ .swapdims .swapdims_ (input, dim0, dim1)",
        "torch.swapaxes .swapaxes .swapaxes_ (input, axis0, axis1)",
    ),
    define("permute", "keep", "input", "torch.permute (input, dims)", ".permute (input, *dims)"),
    define(
        "movedim",
        "keep",
        "input",
        "torch.movedim torch.moveaxis .movedim .moveaxis (input, source, destination)",
    ),
    define("t", "keep", "input", "torch.t .t .t_ (input)"),
    define("mt", "keep", "input"),
    define("contiguous", "keep", "input", ".contiguous (input, memory_format=None)"),
    define("clone", "keep", "input", "torch.clone .clone (input, *, memory_format=None)"),
    define("copy", "keep", "input", "numpy.copy (input)"),
    define("detach", "keep", "input", "torch.detach torch.detach_ .detach .detach_ (input)"),
    define(
        "to",
        "keep",
        "input",
        ".to (input, *args, device=None, dtype=None, other=None, non_blocking=False, copy=False, "
        "memory_format=None)",
    ),
    define("cpu", "keep", "input", ".cpu (input, memory_format=None)"),
    define("cuda", "keep", "input", ".cuda (input, device=None, non_blocking=False, memory_format=None)"),
    define("pin_memory", "keep", "input", ".pin_memory (input, device=None)"),
    define("expand", "keep", "input", ".expand (input, *size)"),
    define("expand_as", "keep", "input, other", ".expand_as (input, other)"),
    define(
        "broadcast_to",
        "keep",
        "input",
        "torch.broadcast_to numpy.broadcast_to (input, size)",
        ".broadcast_to (input, *size)",
    ),
    define("requires_grad_", "keep", "input", ".requires_grad_ (input, mode=True)"),
    define("retain_grad", "other", "input", ".retain_grad (input)"),
    define(
        "pad_sequence",
        "combine",
        "sequences",
        "torch.nn.utils.rnn.pad_sequence (sequences, batch_first=False, padding_value=0.0, padding_side='right')",
    ),
    define("repeat", "combine", "input", ".repeat (input, *repeats)"),
    define(
        "repeat_interleave",
        "combine",
        "input",
        "torch.repeat_interleave .repeat_interleave (input, repeats, dim=None, *, output_size=None)",
        "numpy.repeat (input, repeats, dim=None)",
    ),
    define(
        "tile",
        "combine",
        "input",
        "torch.tile (input, dims)",
        "numpy.tile (input, reps)",
        ".tile (input, *dims)",
    ),
    define(
        "roll",
        "keep",
        "input",
        "torch.roll .roll (input, shifts, dims=())",
        "numpy.roll (input, shift, dim=None)",
    ),
    define(
        "flip",
        "keep",
        "input",
        "torch.flip (input, dims)",
        "numpy.flip (input, dim=None)",
        ".flip (input, *dims)",
    ),
    define("fliplr", "keep", "input", "torch.fliplr numpy.fliplr .fliplr (input)"),
    define("flipud", "keep", "input", "torch.flipud numpy.flipud .flipud (input)"),
    define("rot90", "keep", "input", "torch.rot90 .rot90 (input, k=1, dims=(0, 1))"),
    define("positive", "keep", "input", "torch.positive numpy.positive .positive (input)"),
    define("identity", "keep", "input", "torch.nn.Identity (*args)"),
    define("type_as", "cast", "input, other", ".type_as (input, other)"),
    define("type", "cast", "input", ".type (input, dtype=None, non_blocking=False)"),
    define("to_float", "cast", "input", ".float (input)"),
    define("to_double", "cast", "input", ".double (input)"),
    define("to_half", "cast", "input", ".half (input)"),
    define("to_bfloat16", "cast", "input", ".bfloat16 (input)"),
    define("to_long", "cast", "input", ".long (input)"),
    define("to_int", "cast", "input", ".int (input)"),
    define("to_short", "cast", "input", ".short (input)"),
    define("to_bool", "cast", "input", ".bool (input)"),
    define("to_byte", "cast", "input", ".byte (input)"),
    define("to_char", "cast", "input", ".char (input)"),
    define("astype", "cast", "input", ".astype (input, dtype)"),
    define("index_select", "select", "input, index", "torch.index_select .index_select (input, dim, index)"),
    define(
        "gather", "select", "input, index", "torch.gather .gather (input, dim, index, *, sparse_grad=False)"
    ),
    define("take", "select", "input, index", "torch.take .take (input, index)"),
    define(
        "take_along_dim",
        "select",
        "input, indices",
        "torch.take_along_dim .take_along_dim (input, indices, dim=None)",
    ),
    define("masked_select", "select", "input, mask", "torch.masked_select .masked_select (input, mask)"),
    define("narrow", "select", "input", "torch.narrow .narrow (input, dim, start, length)"),
    define("select", "select", "input", "torch.select .select (input, dim, index)"),
    define("chunk", "select", "input", "torch.chunk .chunk (input, chunks, dim=0)"),
    define(
        "split",
        "select",
        "input",
        "torch.split (input, split_size_or_sections, dim=0)",
        ".split (input, split_size, dim=0)",
    ),
    define(
        "split_with_sizes",
        "select",
        "input",
        "torch.split_with_sizes .split_with_sizes (input, split_sizes, dim=0)",
    ),
    define("unbind", "select", "input", "torch.unbind .unbind (input, dim=0)"),
    define("diagonal", "select", "input", "torch.diagonal .diagonal (input, offset=0, dim1=0, dim2=1)"),
    define("unfold", "select", "input", ".unfold (input, dimension, size, step)"),
    define(
        "tril", "select", "input", "torch.tril .tril .tril_ (input, diagonal=0)", "numpy.tril (input, k=0)"
    ),
    define(
        "triu", "select", "input", "torch.triu .triu .triu_ (input, diagonal=0)", "numpy.triu (input, k=0)"
    ),
    define(
        "masked_fill",
        "arithmetic",
        "input, mask, value",
        "torch.masked_fill .masked_fill .masked_fill_ (input, mask, value)",
    ),
    define(
        "masked_scatter",
        "arithmetic",
        "input, mask, source",
        "torch.masked_scatter .masked_scatter .masked_scatter_ (input, mask, source)",
    ),
    define(
        "cat",
        "combine",
        "tensors",
        "torch.cat torch.concat torch.concatenate (tensors, dim=0)",
        "numpy.concatenate (tensors, dim=0, out=None, *, dtype=None)",
    ),
    define(
        "stack",
        "combine",
        "tensors",
        "torch.stack (tensors, dim=0)",
        "numpy.stack (tensors, dim=0, out=None, *, dtype=None)",
    ),
    define("hstack", "combine", "tensors", "torch.hstack (tensors)", "numpy.hstack (tensors, *, dtype=None)"),
    define(
        "vstack",
        "combine",
        "tensors",
        "torch.vstack torch.row_stack (tensors)",
        "numpy.vstack (tensors, *, dtype=None)",
    ),
    define("column_stack", "combine", "tensors", "torch.column_stack numpy.column_stack (tensors)"),
    define("dstack", "combine", "tensors", "torch.dstack numpy.dstack (tensors)"),
)
