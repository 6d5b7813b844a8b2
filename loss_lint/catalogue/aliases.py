"""Qualified names that mean the same thing, as data, and the one that the catalogue uses."""

from __future__ import annotations

import re

# The longest prefix wins, and what it leads to is looked up again.
PREFIXES: dict[str, str] = {
    "torch.functional": "torch",
    "torch._tensor": "torch",
    "torch._C._nn": "torch.nn.functional",
    "torch._C._VariableFunctions": "torch",
    "torch._C.TensorBase": "torch.Tensor",
    "torch.TensorBase": "torch.Tensor",
    "torch.nn.parallel.data_parallel": "torch.nn",
    "torch.nn.parallel.distributed": "torch.nn.parallel",
    "torch.autograd.variable": "torch.autograd",
    "torch.nn.parameter": "torch.nn",
    "accelerate.accelerator": "accelerate",
    "lightning_fabric": "lightning.fabric",
    "lightning.fabric.fabric": "lightning.fabric",
    "pytorch_lightning": "lightning.pytorch",
    "lightning.pytorch.core": "lightning.pytorch",
    "lightning.pytorch.core.lightning": "lightning.pytorch",
    "lightning.pytorch.core.module": "lightning.pytorch",
    "lightning.pytorch.trainer": "lightning.pytorch",
    "lightning.pytorch.trainer.trainer": "lightning.pytorch",
    **{
        f"torchvision.models.{module}": "torchvision.models"
        for module in (
            "alexnet",
            "convnext",
            "densenet",
            "efficientnet",
            "googlenet",
            "inception",
            "maxvit",
            "mnasnet",
            "mobilenet",
            "mobilenetv2",
            "mobilenetv3",
            "regnet",
            "resnet",
            "shufflenetv2",
            "squeezenet",
            "swin_transformer",
            "vgg",
            "vision_transformer",
        )
    },
    "torch.cuda.amp": "torch.amp",
    "torch.amp.grad_scaler": "torch.amp",
    "torch.nn.utils.stateless": "torch.func",
    "numpy.core.numeric": "numpy",
    "numpy.core.fromnumeric": "numpy",
}

NAMES: dict[str, str] = {
    "torch.nn.parallel.DataParallel": "torch.nn.DataParallel",
    "torch.nn.DistributedDataParallel": "torch.nn.parallel.DistributedDataParallel",
    "torch.nn.functional.nll_loss2d": "torch.nn.functional.nll_loss",
    "lightning.LightningModule": "lightning.pytorch.LightningModule",
    "lightning.Trainer": "lightning.pytorch.Trainer",
    "lightning.Fabric": "lightning.fabric.Fabric",
    "torch.nn.functional.Tensor": "torch.Tensor",
    "torch.autograd.Tensor": "torch.Tensor",
}

# `torch.nn.modules.activation.Softmax`, `torch.nn.modules.Softmax`
_MODULE = re.compile(r"torch\.nn\.modules\.(?:[a-z_]+\.)?([A-Z]\w*)")
# `transformers.modeling_outputs.ModelOutput`, `transformers.models.bert.modeling_bert.BertPreTrainedModel`
_TRANSFORMERS = re.compile(r"transformers\.(?:[a-z_0-9]+\.)+([A-Z]\w*)")


def canonical(qualified: str) -> str:
    """The catalogue's spelling of a qualified name; a name that it does not know comes back as it is."""
    for _ in range(4):
        renamed = _rename(qualified)
        if renamed == qualified:
            return renamed
        qualified = renamed
    return qualified


def _rename(qualified: str) -> str:
    known = NAMES.get(qualified)
    if known is not None:
        return known
    module = _MODULE.fullmatch(qualified)
    if module:
        return "torch.nn." + module[1]
    exported = _TRANSFORMERS.fullmatch(qualified)
    if exported:
        return "transformers." + exported[1]
    head, dot, tail = qualified.rpartition(".")
    rest = ""
    while dot:
        rest = tail + rest
        if head in PREFIXES:
            return f"{PREFIXES[head]}.{rest}"
        rest = "." + rest
        head, dot, tail = head.rpartition(".")
    return qualified
