"""What torch 2.13.0 has and the catalogue leaves out on purpose: it decides no rule, and is unknown to the evaluator.

A name that is neither here nor in the catalogue is new in torch; a test asks for a decision. In-place twins
(`acos_` of `acos`) are meant, too.
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Classes of torch.nn: containers, and layers whose output is unknown.
MODULES = _names(
    """
    ChannelShuffle CircularPad1d CircularPad2d CircularPad3d Container CrossMapLRN2d DataParallel
    FractionalMaxPool2d FractionalMaxPool3d LPPool3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d
    MaxUnpool1d MaxUnpool2d MaxUnpool3d Module ModuleDict ModuleList ParameterDict ParameterList RNNBase
    RNNCellBase Sequential
    """
)

# Functions of torch.nn.functional: layers whose output is unknown, and what is no operation.
FUNCTIONS = _names(
    """
    adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices adaptive_max_pool3d_with_indices
    affine_grid assert_int_or_pair boolean_dispatch channel_shuffle conv_tbc fractional_max_pool2d
    fractional_max_pool2d_with_indices fractional_max_pool3d fractional_max_pool3d_with_indices grouped_mm
    handle_torch_function has_torch_function has_torch_function_unary has_torch_function_variadic lp_pool3d
    max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices max_unpool1d max_unpool2d
    max_unpool3d multi_head_attention_forward native_channel_shuffle pdist scaled_grouped_mm scaled_mm
    """
)

# Methods of tensors: special functions, linear algebra, layouts, devices, and what says something of a tensor.
METHODS = _names(
    """
    acos acosh addbmm addmv addr adjoint allclose angle apply_ arccos arccosh arcsin arcsinh arctan arctan2
    arctanh argwhere as_strided as_strided_scatter as_subclass asin asinh atan atan2 atanh bitwise_left_shift
    bitwise_right_shift cauchy_ ccol_indices cdouble cfloat chalf cholesky cholesky_inverse cholesky_solve
    coalesce col_indices conj conj_physical const_data_ptr copysign corrcoef cosh cov cross crow_indices
    data_ptr deg2rad dense_dim dequantize det diag diag_embed diagflat diagonal_scatter diff digamma dim_order
    dist dsplit eig equal erfc erfinv fill_diagonal_ frac frexp gcd geometric_ geqrf ger get_device hash_tensor
    heaviside histc histogram hsplit hypot i0 igamma igammac index index_reduce indices int_repr inverse ipu
    is_coalesced is_complex is_conj is_contiguous is_distributed is_floating_point is_inference is_neg
    is_nonzero is_pinned is_same_size is_set_to is_shared is_signed isclose isneginf isposinf isreal istft kron
    lcm ldexp lgamma log_normal_ logaddexp2 logcumsumexp logdet lstsq lu lu_solve map2_ map_ matrix_exp
    matrix_power module_load msort mtia mvlgamma nanquantile narrow_copy new new_empty_strided nextafter
    nonzero_static orgqr ormqr pinverse polygamma put q_per_channel_axis q_per_channel_scales
    q_per_channel_zero_points q_scale q_zero_point qr qscheme rad2deg random_ record_stream register_hook
    register_post_accumulate_grad_hook reinforce renorm resize resize_as resize_as_sparse_ resolve_conj
    resolve_neg row_indices select_scatter set_ sgn share_memory_ signbit sinc sinh slice_inverse slice_scatter
    slogdet smm solve sparse_dim sparse_mask sparse_resize_ sparse_resize_and_clear_ sspaddmm stft storage
    storage_offset storage_type stride sum_to_size svd symeig tan tensor_split to_dense to_mkldnn
    to_padded_tensor to_sparse to_sparse_bsc to_sparse_bsr to_sparse_coo to_sparse_csc to_sparse_csr
    triangular_solve unique_consecutive unsafe_chunk unsafe_split unsafe_split_with_sizes untyped_storage values
    vdot vsplit xpu
    """
)
