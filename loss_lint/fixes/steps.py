"""What is done with a value on its way, by the names of methods and functions."""

from __future__ import annotations

# Numbers stay what they are, for each sample.
KEEPING = frozenset(
    {"clone", "contiguous", "cpu", "cuda", "data", "detach", "detach_", "diagonal", "double", "expand",
     "flatten", "float", "gather", "half", "index_select", "masked_select", "mT", "narrow", "numpy", "permute",
     "requires_grad_", "reshape", "reshape_as", "select", "squeeze", "squeeze_", "T", "t", "to",
     "transpose", "type", "type_as", "unsqueeze", "unsqueeze_", "view", "view_as"}
)  # fmt: skip
# A tensor of the same shape.
LIKE = frozenset(
    {"empty_like", "full_like", "ones_like", "rand_like", "randn_like", "zeros_like"}
)  # fmt: skip
# Something about it, not its numbers.
INERT = frozenset(
    {"device", "dim", "dtype", "is_cuda", "is_leaf", "ndim", "ndimension", "numel", "requires_grad",
     "retain_grad", "shape", "size"}
)  # fmt: skip
# The largest of several has the same place among numbers in the same order.
LARGEST = frozenset(
    {"argmax", "argsort", "max", "sort", "topk"}
)  # fmt: skip
# What torch's functions are read from.
TORCH = frozenset(
    {"F", "functional", "nn", "np", "numpy", "torch"}
)  # fmt: skip
# Of a module: what these give is itself, or its parameters.
OF_MODULES = frozenset(
    {"apply", "bfloat16", "buffers", "children", "cpu", "cuda", "double", "eval", "float", "half",
     "load_state_dict", "modules", "named_buffers", "named_children", "named_modules",
     "named_parameters", "parameters", "register_buffer", "requires_grad_", "share_memory", "state_dict",
     "to", "train", "training", "type", "zero_grad"}
)  # fmt: skip
# Of these, what gives the module itself.
ITSELF = frozenset(
    {"bfloat16", "cpu", "cuda", "double", "eval", "float", "half", "requires_grad_", "share_memory",
     "to", "train", "type"}
)  # fmt: skip
# What gives a module that computes the same.
WRAPPERS = frozenset(
    {"compile", "DataParallel", "DDP", "deepcopy", "DistributedDataParallel"}
)  # fmt: skip
# What only looks at a module.
ONLOOKERS = frozenset(
    {"callable", "hasattr", "id", "isinstance", "len", "print", "summary", "type"}
)  # fmt: skip
# Of a trainer, which calls a module's own steps.
STEPS = frozenset(
    {"fit", "test", "validate"}
)  # fmt: skip
# What command lines and settings are called, which hold no tensors and no modules.
SETTINGS = frozenset(
    {"args", "arguments", "cfg", "conf", "config", "FLAGS", "flags", "hparams", "opt", "options", "opts",
     "params"}
)  # fmt: skip
