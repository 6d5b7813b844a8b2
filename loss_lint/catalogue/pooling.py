"""Dropout, pooling, resizing and padding: layers without weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.catalogue.define import define

if TYPE_CHECKING:
    from loss_lint.catalogue.operation import Operation

POOLING: tuple[Operation, ...] = (
    define(
        "dropout",
        "layer",
        "input",
        "torch.dropout torch.dropout_ (input, p, train)",
        "torch.nn.functional.dropout (input, p=0.5, training=True, inplace=False)",
        "torch.nn.Dropout (p=0.5, inplace=False)",
    ),
    define(
        "dropout1d",
        "layer",
        "input",
        "torch.nn.functional.dropout1d (input, p=0.5, training=True, inplace=False)",
        "torch.nn.Dropout1d (p=0.5, inplace=False)",
    ),
    define(
        "dropout2d",
        "layer",
        "input",
        "torch.nn.functional.dropout2d (input, p=0.5, training=True, inplace=False)",
        "torch.nn.Dropout2d (p=0.5, inplace=False)",
    ),
    define(
        "dropout3d",
        "layer",
        "input",
        "torch.nn.functional.dropout3d (input, p=0.5, training=True, inplace=False)",
        "torch.nn.Dropout3d (p=0.5, inplace=False)",
    ),
    define(
        "alpha_dropout",
        "layer",
        "input",
        "torch.nn.functional.alpha_dropout (input, p=0.5, training=False, inplace=False)",
        "torch.nn.AlphaDropout (p=0.5, inplace=False)",
    ),
    define(
        "feature_alpha_dropout",
        "layer",
        "input",
        "torch.nn.functional.feature_alpha_dropout (input, p=0.5, training=False, inplace=False)",
        "torch.nn.FeatureAlphaDropout (p=0.5, inplace=False)",
    ),
    define(
        "max_pool1d",
        "layer",
        "input",
        "torch.nn.functional.max_pool1d (input, kernel_size, stride=None, padding=0, dilation=1, "
        "ceil_mode=False, return_indices=False)",
        "torch.nn.MaxPool1d (kernel_size, stride=None, padding=0, dilation=1, return_indices=False, "
        "ceil_mode=False)",
    ),
    define(
        "max_pool2d",
        "layer",
        "input",
        "torch.nn.functional.max_pool2d (input, kernel_size, stride=None, padding=0, dilation=1, "
        "ceil_mode=False, return_indices=False)",
        "torch.nn.MaxPool2d (kernel_size, stride=None, padding=0, dilation=1, return_indices=False, "
        "ceil_mode=False)",
    ),
    define(
        "max_pool3d",
        "layer",
        "input",
        "torch.nn.functional.max_pool3d (input, kernel_size, stride=None, padding=0, dilation=1, "
        "ceil_mode=False, return_indices=False)",
        "torch.nn.MaxPool3d (kernel_size, stride=None, padding=0, dilation=1, return_indices=False, "
        "ceil_mode=False)",
    ),
    define(
        "avg_pool1d",
        "layer",
        "input",
        "torch.nn.functional.avg_pool1d (input, kernel_size, stride=None, padding=0, ceil_mode=False, "
        "count_include_pad=True)",
        "torch.nn.AvgPool1d (kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True)",
    ),
    define(
        "avg_pool2d",
        "layer",
        "input",
        "torch.nn.functional.avg_pool2d (input, kernel_size, stride=None, padding=0, ceil_mode=False, "
        "count_include_pad=True, divisor_override=None)",
        "torch.nn.AvgPool2d (kernel_size, stride=None, padding=0, ceil_mode=False, "
        "count_include_pad=True, divisor_override=None)",
    ),
    define(
        "avg_pool3d",
        "layer",
        "input",
        "torch.nn.functional.avg_pool3d (input, kernel_size, stride=None, padding=0, ceil_mode=False, "
        "count_include_pad=True, divisor_override=None)",
        "torch.nn.AvgPool3d (kernel_size, stride=None, padding=0, ceil_mode=False, "
        "count_include_pad=True, divisor_override=None)",
    ),
    define(
        "lp_pool1d",
        "layer",
        "input",
        "torch.nn.functional.lp_pool1d (input, norm_type, kernel_size, stride=None, ceil_mode=False)",
        "torch.nn.LPPool1d (norm_type, kernel_size, stride=None, ceil_mode=False)",
    ),
    define(
        "lp_pool2d",
        "layer",
        "input",
        "torch.nn.functional.lp_pool2d (input, norm_type, kernel_size, stride=None, ceil_mode=False)",
        "torch.nn.LPPool2d (norm_type, kernel_size, stride=None, ceil_mode=False)",
    ),
    define(
        "adaptive_avg_pool1d",
        "layer",
        "input",
        "torch.nn.functional.adaptive_avg_pool1d (input, output_size)",
        "torch.nn.AdaptiveAvgPool1d (output_size)",
    ),
    define(
        "adaptive_avg_pool2d",
        "layer",
        "input",
        "torch.nn.functional.adaptive_avg_pool2d (input, output_size)",
        "torch.nn.AdaptiveAvgPool2d (output_size)",
    ),
    define(
        "adaptive_avg_pool3d",
        "layer",
        "input",
        "torch.nn.functional.adaptive_avg_pool3d (input, output_size)",
        "torch.nn.AdaptiveAvgPool3d (output_size)",
    ),
    define(
        "adaptive_max_pool1d",
        "layer",
        "input",
        "torch.nn.functional.adaptive_max_pool1d (input, output_size, return_indices=False)",
        "torch.nn.AdaptiveMaxPool1d (output_size, return_indices=False)",
    ),
    define(
        "adaptive_max_pool2d",
        "layer",
        "input",
        "torch.nn.functional.adaptive_max_pool2d (input, output_size, return_indices=False)",
        "torch.nn.AdaptiveMaxPool2d (output_size, return_indices=False)",
    ),
    define(
        "adaptive_max_pool3d",
        "layer",
        "input",
        "torch.nn.functional.adaptive_max_pool3d (input, output_size, return_indices=False)",
        "torch.nn.AdaptiveMaxPool3d (output_size, return_indices=False)",
    ),
    define(
        "interpolate",
        "layer",
        "input",
        "torch.nn.functional.interpolate (input, size=None, scale_factor=None, mode='nearest', "
        "align_corners=None, recompute_scale_factor=None, antialias=False)",
        "torch.nn.functional.upsample (input, size=None, scale_factor=None, mode='nearest', "
        "align_corners=None)",
        "torch.nn.Upsample (size=None, scale_factor=None, mode='nearest', align_corners=None, "
        "recompute_scale_factor=None)",
    ),
    define(
        "upsample_bilinear",
        "layer",
        "input",
        "torch.nn.functional.upsample_bilinear (input, size=None, scale_factor=None)",
        "torch.nn.UpsamplingBilinear2d (size=None, scale_factor=None)",
    ),
    define(
        "upsample_nearest",
        "layer",
        "input",
        "torch.nn.functional.upsample_nearest (input, size=None, scale_factor=None)",
        "torch.nn.UpsamplingNearest2d (size=None, scale_factor=None)",
    ),
    define(
        "grid_sample",
        "layer",
        "input, grid",
        "torch.nn.functional.grid_sample (input, grid, mode='bilinear', padding_mode='zeros', "
        "align_corners=None)",
    ),
    define(
        "pixel_shuffle",
        "layer",
        "input",
        "torch.pixel_shuffle torch.nn.functional.pixel_shuffle (input, upscale_factor)",
        "torch.nn.PixelShuffle (upscale_factor)",
    ),
    define(
        "pixel_unshuffle",
        "layer",
        "input",
        "torch.pixel_unshuffle torch.nn.functional.pixel_unshuffle (input, downscale_factor)",
        "torch.nn.PixelUnshuffle (downscale_factor)",
    ),
    define("pad", "layer", "input", "torch.nn.functional.pad (input, pad, mode='constant', value=None)"),
    define(
        "constant_pad",
        "layer",
        "input",
        "torch.nn.ConstantPad1d torch.nn.ConstantPad2d torch.nn.ConstantPad3d (padding, value)",
    ),
    define(
        "zero_pad", "layer", "input", "torch.nn.ZeroPad1d torch.nn.ZeroPad2d torch.nn.ZeroPad3d (padding)"
    ),
    define(
        "reflection_pad",
        "layer",
        "input",
        "torch.nn.ReflectionPad1d torch.nn.ReflectionPad2d torch.nn.ReflectionPad3d (padding)",
    ),
    define(
        "replication_pad",
        "layer",
        "input",
        "torch.nn.ReplicationPad1d torch.nn.ReplicationPad2d torch.nn.ReplicationPad3d (padding)",
    ),
    define(
        "im2col",
        "layer",
        "input",
        "torch.nn.functional.unfold (input, kernel_size, dilation=1, padding=0, stride=1)",
        "torch.nn.Unfold (kernel_size, dilation=1, padding=0, stride=1)",
    ),
    define(
        "col2im",
        "layer",
        "input",
        "torch.nn.functional.fold (input, output_size, kernel_size, dilation=1, padding=0, stride=1)",
        "torch.nn.Fold (output_size, kernel_size, dilation=1, padding=0, stride=1)",
    ),
    define(
        "normalize",
        "layer",
        "input",
        "torch.nn.functional.normalize (input, p=2.0, dim=1, eps=1e-12, out=None)",
    ),
)
