"""New tensors, sizes, Python numbers, and `backward`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.catalogue.define import define

if TYPE_CHECKING:
    from loss_lint.catalogue.operation import Operation

CREATION: tuple[Operation, ...] = (
    define(
        "zeros",
        "create",
        "",
        "torch.zeros (*size, dtype=None, device=None, pin_memory=False, requires_grad=False)",
        "numpy.zeros (size, dtype=None)",
    ),
    define(
        "ones",
        "create",
        "",
        "torch.ones (*size, dtype=None, device=None, pin_memory=False, requires_grad=False)",
        "numpy.ones (size, dtype=None)",
    ),
    define(
        "full",
        "create",
        "",
        "torch.full (size, fill_value, *, dtype=None, device=None, requires_grad=False, pin_memory=False)",
        "numpy.full (size, fill_value, dtype=None)",
    ),
    define(
        "empty",
        "create",
        "",
        "torch.empty (*size, dtype=None, device=None, pin_memory=False, requires_grad=False)",
        "numpy.empty (size, dtype=None)",
    ),
    define(
        "rand",
        "create",
        "",
        "torch.rand (*size, generator=None, dtype=None, device=None, pin_memory=False, requires_grad=False)",
    ),
    define(
        "randn",
        "create",
        "",
        "torch.randn (*size, generator=None, dtype=None, device=None, pin_memory=False, requires_grad=False)",
    ),
    define(
        "randint",
        "create",
        "",
        "torch.randint (low, high=None, size=None, *, generator=None, dtype=None, device=None, "
        "pin_memory=False, requires_grad=False)",
    ),
    define(
        "randperm",
        "create",
        "",
        "torch.randperm (n, *, generator=None, dtype=None, device=None, pin_memory=False, "
        "requires_grad=False)",
    ),
    define(
        "normal",
        "create",
        "",
        "torch.normal (mean, std, size=None, *, generator=None, dtype=None, device=None, "
        "pin_memory=False, requires_grad=False)",
    ),
    define(
        "arange",
        "create",
        "",
        "torch.arange (start, end=None, step=1, *, dtype=None, device=None, pin_memory=False, "
        "requires_grad=False)",
        "numpy.arange (start, end=None, step=1, *, dtype=None)",
    ),
    define(
        "linspace",
        "create",
        "",
        "torch.linspace (start, end, steps, *, dtype=None, device=None, pin_memory=False, "
        "requires_grad=False)",
        "numpy.linspace (start, end, num=50, endpoint=True, retstep=False, dtype=None, dim=0)",
    ),
    define(
        "zeros_like",
        "create",
        "input",
        "torch.zeros_like (input, *, dtype=None, device=None, pin_memory=False, requires_grad=False)",
        "numpy.zeros_like (input, dtype=None, order='K', subok=True, size=None)",
    ),
    define(
        "ones_like",
        "create",
        "input",
        "torch.ones_like (input, *, dtype=None, device=None, pin_memory=False, requires_grad=False)",
        "numpy.ones_like (input, dtype=None, order='K', subok=True, size=None)",
    ),
    define(
        "full_like",
        "create",
        "input",
        "torch.full_like (input, fill_value, *, dtype=None, device=None, pin_memory=False, "
        "requires_grad=False)",
        "numpy.full_like (input, fill_value, dtype=None, order='K', subok=True, size=None)",
    ),
    define(
        "empty_like",
        "create",
        "input",
        "torch.empty_like (input, *, dtype=None, device=None, pin_memory=False, requires_grad=False)",
        "numpy.empty_like (input, dtype=None, order='K', subok=True, size=None)",
    ),
    define(
        "rand_like",
        "create",
        "input",
        "torch.rand_like (input, *, generator=None, dtype=None, device=None, pin_memory=False, "
        "requires_grad=False)",
    ),
    define(
        "randn_like",
        "create",
        "input",
        "torch.randn_like (input, *, generator=None, dtype=None, device=None, pin_memory=False, "
        "requires_grad=False)",
    ),
    define(
        "randint_like",
        "create",
        "input",
        "torch.randint_like (input, low, high=None, *, generator=None, dtype=None, device=None, "
        "pin_memory=False, requires_grad=False)",
    ),
    define(
        "bernoulli",
        "create",
        "input",
        "torch.bernoulli .bernoulli (input, p=None, *, generator=None)",
        ".bernoulli_ (input, p=0.5, *, generator=None)",
    ),
    define("normal_", "create", "input", ".normal_ (input, mean=0, std=1, *, generator=None)"),
    define("uniform_", "create", "input", ".uniform_ (input, from_=0, to=1, *, generator=None)"),
    define("exponential_", "create", "input", ".exponential_ (input, lambd=1, *, generator=None)"),
    define(
        "new_zeros",
        "create",
        "input",
        ".new_zeros (input, *size, dtype=None, device=None, pin_memory=False, requires_grad=False)",
    ),
    define(
        "new_ones",
        "create",
        "input",
        ".new_ones (input, *size, dtype=None, device=None, pin_memory=False, requires_grad=False)",
    ),
    define(
        "new_full",
        "create",
        "input",
        ".new_full (input, size, fill_value, *, dtype=None, device=None, pin_memory=False, "
        "requires_grad=False)",
    ),
    define(
        "new_empty",
        "create",
        "input",
        ".new_empty (input, *size, dtype=None, device=None, pin_memory=False, requires_grad=False)",
    ),
    define(
        "new_tensor",
        "create",
        "input, data",
        ".new_tensor (input, data, dtype=None, device=None, requires_grad=False, pin_memory=False)",
    ),
    define("zero_", "create", "input", ".zero_ (input)"),
    define("fill_", "create", "input", ".fill_ (input, value)"),
    define("copy_", "keep", "input, other", ".copy_ (input, other, non_blocking=False)"),
    define(
        "tensor",
        "create",
        "data",
        "torch.tensor (data, *, dtype=None, device=None, requires_grad=False, pin_memory=False)",
    ),
    define(
        "as_tensor",
        "create",
        "data",
        "torch.as_tensor (data, dtype=None, device=None)",
        "torch.asarray (data, *, dtype=None, device=None, copy=None, requires_grad=None)",
    ),
    define("from_numpy", "create", "data", "torch.from_numpy (data)"),
    define(
        "array",
        "create",
        "data",
        "numpy.array (data, dtype=None, *, copy=True, ndmin=0)",
        "numpy.asarray (data, dtype=None)",
    ),
    define(
        "float_tensor",
        "create",
        "data",
        "torch.FloatTensor torch.Tensor torch.cuda.FloatTensor (*data, device=None)",
    ),
    define(
        "double_tensor", "create", "data", "torch.DoubleTensor torch.cuda.DoubleTensor (*data, device=None)"
    ),
    define("half_tensor", "create", "data", "torch.HalfTensor torch.cuda.HalfTensor (*data, device=None)"),
    define("long_tensor", "create", "data", "torch.LongTensor torch.cuda.LongTensor (*data, device=None)"),
    define("int_tensor", "create", "data", "torch.IntTensor torch.cuda.IntTensor (*data, device=None)"),
    define("byte_tensor", "create", "data", "torch.ByteTensor torch.cuda.ByteTensor (*data, device=None)"),
    define("bool_tensor", "create", "data", "torch.BoolTensor torch.cuda.BoolTensor (*data, device=None)"),
    define("size", "size", "input", ".size (input, dim=None)"),
    define("numel", "size", "input", "torch.numel .numel .nelement (input)"),
    define("dim", "size", "input", ".dim .ndimension (input)"),
    define("element_size", "size", "input", ".element_size (input)"),
    define(
        "backward",
        "backward",
        "input",
        ".backward (input, gradient=None, retain_graph=None, create_graph=False, inputs=None)",
    ),
    define(
        "autograd_backward",
        "backward",
        "tensors",
        "torch.autograd.backward (tensors, grad_tensors=None, retain_graph=None, create_graph=False, "
        "grad_variables=None, inputs=None)",
    ),
    define(
        "autograd_grad",
        "other",
        "outputs, inputs",
        "torch.autograd.grad (outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, "
        "only_inputs=True, allow_unused=None, is_grads_batched=False, materialize_grads=False)",
    ),
    define("item", "other", "input", ".item (input)"),
    define("numpy", "other", "input", ".numpy (input, *, force=False)"),
    define("tolist", "other", "input", ".tolist (input)"),
)
