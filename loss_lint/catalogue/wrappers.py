"""Callables that give back what they are given, for all that a loss can see of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A callable that returns its argument `parameter` (position 0), behaving as before.

    `gathers` marks those that join the values of several processes or copies of the module, so that a scalar
    comes back as a vector. `learned` marks those whose result training changes. `each` means that every positional
    argument comes back, as a tuple if there are several. `cuts` marks those whose result is the start of a new graph.
    """

    name: str
    parameter: str
    gathers: bool = False
    learned: bool = False
    each: bool = False
    cuts: bool = False


@dataclass(frozen=True, slots=True)
class Preparation:
    """A callable that returns a tuple of its arguments `returned`; the first alone if `alone` and no other is given.

    `parameters` are the callable's, in order.
    """

    name: str
    parameters: tuple[str, ...]
    returned: tuple[str, ...]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Application:
    """A callable that calls its argument `function` (a position) and returns what it returns.

    The other positional arguments from `first` on are handed on; `packed` means that the one there is a tuple
    of them, or a single one.
    """

    name: str
    function: int = 0
    first: int = 1
    packed: bool = False


WRAPPERS: tuple[Wrapper, ...] = (
    Wrapper("torch.compile", "model"),
    Wrapper("torch.jit.script", "obj"),
    Wrapper("torch.jit.script_if_tracing", "fn"),
    Wrapper("torch.jit.trace", "func"),
    Wrapper("torch.jit.trace_module", "mod"),
    Wrapper("torch.nn.DataParallel", "module", gathers=True),
    Wrapper("torch.nn.parallel.DistributedDataParallel", "module"),
    Wrapper("torch.nn.SyncBatchNorm.convert_sync_batchnorm", "module"),
    Wrapper("torch.nn.Parameter", "data", learned=True),
    Wrapper("torch.nn.Buffer", "data"),
    Wrapper("torch.nn.utils.weight_norm", "module"),
    Wrapper("torch.nn.utils.spectral_norm", "module"),
    Wrapper("torch.nn.utils.remove_weight_norm", "module"),
    Wrapper("torch.nn.utils.remove_spectral_norm", "module"),
    Wrapper("torch.nn.utils.parametrizations.weight_norm", "module"),
    Wrapper("torch.nn.utils.parametrizations.spectral_norm", "module"),
    Wrapper("torch.nn.utils.parametrizations.orthogonal", "module"),
    Wrapper("torch.distributed.fsdp.FullyShardedDataParallel", "module"),
    Wrapper("torch.distributed.fsdp.fully_shard", "module"),
    Wrapper("torch.distributed.fsdp.wrap.wrap", "module"),
    Wrapper("torch.autograd.Variable", "data", cuts=True),
    Wrapper("copy.copy", "x"),
    Wrapper("copy.deepcopy", "x"),
    Wrapper("tqdm.tqdm", "iterable"),
    Wrapper("tqdm.auto.tqdm", "iterable"),
    Wrapper("tqdm.autonotebook.tqdm", "iterable"),
    Wrapper("tqdm.notebook.tqdm", "iterable"),
    Wrapper("tqdm.std.tqdm", "iterable"),
    Wrapper("tqdm.rich.tqdm", "iterable"),
    Wrapper("tqdm.tqdm_notebook", "iterable"),
    Wrapper("rich.progress.track", "sequence"),
    Wrapper("progressbar.progressbar", "iterator"),
    Wrapper("fastprogress.progress_bar", "gen"),
    Wrapper("fastprogress.fastprogress.progress_bar", "gen"),
    Wrapper("torch.optim.swa_utils.AveragedModel", "model"),
    Wrapper("torch.nn.utils.parametrize.register_parametrization", "module"),
    Wrapper("torch.fx.symbolic_trace", "root"),
    Wrapper("torch.ao.quantization.prepare_qat", "model"),
    Wrapper("apex.parallel.DistributedDataParallel", "module"),
    Wrapper("apex.amp.scale_loss", "loss"),
    Wrapper("fairscale.nn.data_parallel.FullyShardedDataParallel", "module"),
    Wrapper("fairscale.nn.data_parallel.ShardedDataParallel", "module"),
    Wrapper("apex.parallel.convert_syncbn_model", "module"),
    Wrapper("timm.utils.convert_sync_batchnorm", "module"),
    Wrapper("peft.prepare_model_for_kbit_training", "model"),
)

PREPARATIONS: tuple[Preparation, ...] = (
    Preparation(
        "deepspeed.initialize",
        ("args", "model", "optimizer", "model_parameters", "training_data", "lr_scheduler"),
        ("model", "optimizer", "training_data", "lr_scheduler"),
    ),
    Preparation("apex.amp.initialize", ("models", "optimizers"), ("models", "optimizers"), alone=True),
    Preparation(
        "intel_extension_for_pytorch.optimize",
        ("model", "dtype", "optimizer"),
        ("model", "optimizer"),
        alone=True,
    ),
)

APPLICATIONS: tuple[Application, ...] = (
    Application("torch.utils.checkpoint.checkpoint"),
    Application("torch.utils.checkpoint.checkpoint_sequential", first=2),
    Application("torch.func.functional_call", first=2, packed=True),
)

# Decorators and context managers under which nothing built requires a gradient.
NO_GRADIENT: frozenset[str] = frozenset({"torch.no_grad", "torch.inference_mode"})

# Methods of a launcher's object that give back what they are given, by the class of the object.
METHOD_WRAPPERS: tuple[Wrapper, ...] = (
    Wrapper("accelerate.Accelerator.prepare", "args", each=True),
    Wrapper("accelerate.Accelerator.prepare_model", "model"),
    Wrapper("accelerate.Accelerator.prepare_data_loader", "data_loader"),
    Wrapper("accelerate.Accelerator.unwrap_model", "model"),
    Wrapper("lightning.fabric.Fabric.setup", "module", each=True),
    Wrapper("lightning.fabric.Fabric.setup_module", "module"),
    Wrapper("lightning.fabric.Fabric.setup_dataloaders", "dataloaders", each=True),
    Wrapper("lightning.fabric.Fabric.to_device", "obj"),
    Wrapper("accelerate.Accelerator.gather", "tensor", gathers=True),
    Wrapper("accelerate.Accelerator.gather_for_metrics", "input_data", gathers=True),
    Wrapper("lightning.fabric.Fabric.all_gather", "data", gathers=True),
    Wrapper("torch.amp.GradScaler.scale", "outputs"),
)

# The names that such an object usually has where it came from is not known, by its class.
USUAL_NAMES: dict[str, str] = {
    "accelerator": "accelerate.Accelerator",
    "fabric": "lightning.fabric.Fabric",
    "scaler": "torch.amp.GradScaler",
    "grad_scaler": "torch.amp.GradScaler",
    "loss_scaler": "torch.amp.GradScaler",
    "amp_scaler": "torch.amp.GradScaler",
}

# Methods of `torch.nn.Module` that return the module itself.
MODULE_METHODS: frozenset[str] = frozenset(
    {
        "to",
        "cuda",
        "cpu",
        "xpu",
        "float",
        "double",
        "half",
        "bfloat16",
        "type",
        "train",
        "eval",
        "apply",
        "requires_grad_",
        "share_memory",
        "to_empty",
        "compile",
    }
)

by_wrapper: dict[str, Wrapper] = {wrapper.name: wrapper for wrapper in WRAPPERS}
by_preparation: dict[str, Preparation] = {entry.name: entry for entry in PREPARATIONS}
by_application: dict[str, Application] = {entry.name: entry for entry in APPLICATIONS}
by_method_wrapper: dict[str, Wrapper] = {wrapper.name: wrapper for wrapper in METHOD_WRAPPERS}
LAUNCHERS: frozenset[str] = frozenset(wrapper.name.rpartition(".")[0] for wrapper in METHOD_WRAPPERS)
