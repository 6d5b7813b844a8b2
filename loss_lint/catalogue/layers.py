"""Parametrised layers. Weights that a function takes are parameters of the operation, so that the
operands are those of the module's `forward`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.catalogue.define import define

if TYPE_CHECKING:
    from loss_lint.catalogue.operation import Operation

LAYERS: tuple[Operation, ...] = (
    define(
        "linear",
        "layer",
        "input",
        "torch.nn.functional.linear (input, weight, bias=None)",
        "torch.nn.Linear (in_features, out_features, bias=True, device=None, dtype=None)",
        "torch.nn.LazyLinear (out_features, bias=True, device=None, dtype=None)",
    ),
    define(
        "bilinear",
        "layer",
        "input1, input2",
        "torch.bilinear torch.nn.functional.bilinear (input1, input2, weight, bias=None)",
        "torch.nn.Bilinear (in1_features, in2_features, out_features, bias=True, device=None, dtype=None)",
    ),
    define(
        "conv1d",
        "layer",
        "input",
        "torch.conv1d torch.nn.functional.conv1d (input, weight, bias=None, stride=1, padding=0, "
        "dilation=1, groups=1)",
        "torch.nn.Conv1d (in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, "
        "groups=1, bias=True, padding_mode='zeros', device=None, dtype=None)",
        "torch.nn.LazyConv1d (out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, "
        "bias=True, padding_mode='zeros', device=None, dtype=None)",
    ),
    define(
        "conv2d",
        "layer",
        "input",
        "torch.conv2d torch.nn.functional.conv2d (input, weight, bias=None, stride=1, padding=0, "
        "dilation=1, groups=1)",
        "torch.nn.Conv2d (in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, "
        "groups=1, bias=True, padding_mode='zeros', device=None, dtype=None)",
        "torch.nn.LazyConv2d (out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, "
        "bias=True, padding_mode='zeros', device=None, dtype=None)",
    ),
    define(
        "conv3d",
        "layer",
        "input",
        "torch.conv3d torch.nn.functional.conv3d (input, weight, bias=None, stride=1, padding=0, "
        "dilation=1, groups=1)",
        "torch.nn.Conv3d (in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, "
        "groups=1, bias=True, padding_mode='zeros', device=None, dtype=None)",
        "torch.nn.LazyConv3d (out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, "
        "bias=True, padding_mode='zeros', device=None, dtype=None)",
    ),
    define(
        "conv_transpose1d",
        "layer",
        "input",
        "torch.conv_transpose1d torch.nn.functional.conv_transpose1d (input, weight, bias=None, "
        "stride=1, padding=0, output_padding=0, groups=1, dilation=1)",
        "torch.nn.ConvTranspose1d (in_channels, out_channels, kernel_size, stride=1, padding=0, "
        "output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, "
        "dtype=None)",
        "torch.nn.LazyConvTranspose1d (out_channels, kernel_size, stride=1, padding=0, output_padding=0, "
        "groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None)",
    ),
    define(
        "conv_transpose2d",
        "layer",
        "input",
        "torch.conv_transpose2d torch.nn.functional.conv_transpose2d (input, weight, bias=None, "
        "stride=1, padding=0, output_padding=0, groups=1, dilation=1)",
        "torch.nn.ConvTranspose2d (in_channels, out_channels, kernel_size, stride=1, padding=0, "
        "output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, "
        "dtype=None)",
        "torch.nn.LazyConvTranspose2d (out_channels, kernel_size, stride=1, padding=0, output_padding=0, "
        "groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None)",
    ),
    define(
        "conv_transpose3d",
        "layer",
        "input",
        "torch.conv_transpose3d torch.nn.functional.conv_transpose3d (input, weight, bias=None, "
        "stride=1, padding=0, output_padding=0, groups=1, dilation=1)",
        "torch.nn.ConvTranspose3d (in_channels, out_channels, kernel_size, stride=1, padding=0, "
        "output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, "
        "dtype=None)",
        "torch.nn.LazyConvTranspose3d (out_channels, kernel_size, stride=1, padding=0, output_padding=0, "
        "groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None)",
    ),
    define(
        "batch_norm",
        "layer",
        "input",
        "torch.nn.functional.batch_norm (input, running_mean, running_var, weight=None, bias=None, "
        "training=False, momentum=0.1, eps=1e-05)",
        "torch.nn.BatchNorm1d torch.nn.BatchNorm2d torch.nn.BatchNorm3d (num_features, eps=1e-05, "
        "momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, *, bias=True)",
        "torch.nn.SyncBatchNorm (num_features, eps=1e-05, momentum=0.1, affine=True, "
        "track_running_stats=True, process_group=None, device=None, dtype=None, *, bias=True)",
        "torch.nn.LazyBatchNorm1d torch.nn.LazyBatchNorm2d torch.nn.LazyBatchNorm3d (eps=1e-05, "
        "momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, *, bias=True)",
    ),
    define(
        "layer_norm",
        "layer",
        "input",
        "torch.layer_norm (input, normalized_shape, weight=None, bias=None, eps=1e-05, cudnn_enable=True)",
        "torch.nn.functional.layer_norm (input, normalized_shape, weight=None, bias=None, eps=1e-05)",
        "torch.nn.LayerNorm (normalized_shape, eps=1e-05, elementwise_affine=True, bias=True, "
        "device=None, dtype=None)",
    ),
    define(
        "rms_norm",
        "layer",
        "input",
        "torch.rms_norm torch.nn.functional.rms_norm (input, normalized_shape, weight=None, eps=None)",
        "torch.nn.RMSNorm (normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None)",
    ),
    define(
        "group_norm",
        "layer",
        "input",
        "torch.group_norm (input, num_groups, weight=None, bias=None, eps=1e-05, cudnn_enabled=True)",
        "torch.nn.functional.group_norm (input, num_groups, weight=None, bias=None, eps=1e-05)",
        "torch.nn.GroupNorm (num_groups, num_channels, eps=1e-05, affine=True, device=None, dtype=None, "
        "*, bias=True)",
    ),
    define(
        "instance_norm",
        "layer",
        "input",
        "torch.nn.functional.instance_norm (input, running_mean=None, running_var=None, weight=None, "
        "bias=None, use_input_stats=True, momentum=0.1, eps=1e-05)",
        "torch.nn.InstanceNorm1d torch.nn.InstanceNorm2d torch.nn.InstanceNorm3d (num_features, "
        "eps=1e-05, momentum=0.1, affine=False, track_running_stats=False, device=None, dtype=None, *, "
        "bias=True)",
    ),
    define(
        "local_response_norm",
        "layer",
        "input",
        "torch.nn.functional.local_response_norm (input, size, alpha=0.0001, beta=0.75, k=1.0)",
        "torch.nn.LocalResponseNorm (size, alpha=0.0001, beta=0.75, k=1.0)",
    ),
    define(
        "embedding",
        "layer",
        "input",
        "torch.nn.functional.embedding (input, weight, padding_idx=None, max_norm=None, norm_type=2.0, "
        "scale_grad_by_freq=False, sparse=False)",
        "torch.nn.Embedding (num_embeddings, embedding_dim, padding_idx=None, max_norm=None, "
        "norm_type=2.0, scale_grad_by_freq=False, sparse=False, _weight=None, _freeze=False, "
        "device=None, dtype=None)",
    ),
    define(
        "embedding_bag",
        "layer",
        "input",
        "torch.nn.functional.embedding_bag (input, weight, offsets=None, max_norm=None, norm_type=2, "
        "scale_grad_by_freq=False, mode='mean', sparse=False, per_sample_weights=None, "
        "include_last_offset=False, padding_idx=None)",
        "torch.nn.EmbeddingBag (num_embeddings, embedding_dim, max_norm=None, norm_type=2.0, "
        "scale_grad_by_freq=False, mode='mean', sparse=False, _weight=None, include_last_offset=False, "
        "padding_idx=None, device=None, dtype=None)",
    ),
    define(
        "rnn",
        "layer",
        "input, hx",
        "torch.nn.RNN (input_size, hidden_size, num_layers=1, nonlinearity='tanh', bias=True, "
        "batch_first=False, dropout=0.0, bidirectional=False, device=None, dtype=None)",
    ),
    define(
        "lstm",
        "layer",
        "input, hx",
        "torch.nn.LSTM (input_size, hidden_size, num_layers=1, bias=True, batch_first=False, "
        "dropout=0.0, bidirectional=False, proj_size=0, device=None, dtype=None)",
    ),
    define(
        "gru",
        "layer",
        "input, hx",
        "torch.nn.GRU (input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, "
        "bidirectional=False, device=None, dtype=None)",
    ),
    define(
        "rnn_cell",
        "layer",
        "input, hx",
        "torch.nn.RNNCell (input_size, hidden_size, bias=True, nonlinearity='tanh', device=None, dtype=None)",
    ),
    define(
        "lstm_cell",
        "layer",
        "input, hx",
        "torch.nn.LSTMCell (input_size, hidden_size, bias=True, device=None, dtype=None)",
    ),
    define(
        "gru_cell",
        "layer",
        "input, hx",
        "torch.nn.GRUCell (input_size, hidden_size, bias=True, device=None, dtype=None)",
    ),
    define(
        "scaled_dot_product_attention",
        "layer",
        "query, key, value",
        "torch.nn.functional.scaled_dot_product_attention (query, key, value, attn_mask=None, "
        "dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False)",
    ),
    define(
        "multi_head_attention",
        "layer",
        "query, key, value",
        "torch.nn.MultiheadAttention (embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, "
        "add_zero_attn=False, kdim=None, vdim=None, batch_first=False, device=None, dtype=None)",
    ),
    define(
        "transformer",
        "layer",
        "src, tgt",
        "torch.nn.Transformer (d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, "
        "dim_feedforward=2048, dropout=0.1, activation=None, custom_encoder=None, custom_decoder=None, "
        "layer_norm_eps=1e-05, batch_first=False, norm_first=False, bias=True, device=None, dtype=None)",
    ),
    define(
        "transformer_encoder",
        "layer",
        "src",
        "torch.nn.TransformerEncoder (encoder_layer, num_layers, norm=None, enable_nested_tensor=True, "
        "mask_check=True)",
    ),
    define(
        "transformer_decoder",
        "layer",
        "tgt, memory",
        "torch.nn.TransformerDecoder (decoder_layer, num_layers, norm=None)",
    ),
    define(
        "transformer_encoder_layer",
        "layer",
        "src",
        "torch.nn.TransformerEncoderLayer (d_model, nhead, dim_feedforward=2048, dropout=0.1, "
        "activation=None, layer_norm_eps=1e-05, batch_first=False, norm_first=False, bias=True, "
        "device=None, dtype=None)",
    ),
    define(
        "transformer_decoder_layer",
        "layer",
        "tgt, memory",
        "torch.nn.TransformerDecoderLayer (d_model, nhead, dim_feedforward=2048, dropout=0.1, "
        "activation=None, layer_norm_eps=1e-05, batch_first=False, norm_first=False, bias=True, "
        "device=None, dtype=None)",
    ),
)
