"""Models of other libraries: which part is applied last, so that what a project puts in its place is known.

Read from the `forward` of each class in torchvision 0.29, timm 1.0 and segmentation_models_pytorch 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

_SPACE = "torch.nn."


@dataclass(frozen=True, slots=True)
class Model:
    """A factory's model: its attribute `head` is applied last.

    `layers` are the head's modules as torch's classes, each with its name ("" for none) in a Sequential; one alone
    without a Sequential if `single`; none at all where only a replaced head is known. `activation` is the factory's
    parameter that names what comes behind them, by `activations`. The model returns something else than the head's
    output unless the parameter `plain[0]` is given as `plain[1]`.
    """

    head: str
    layers: tuple[tuple[str, str], ...] = ()
    single: bool = False
    activation: str = ""
    plain: tuple[str, object] | None = None


def _sequential(head: str, layers: str) -> Model:
    """`Dropout Linear`, or with names `head:Linear`."""
    pairs = (layer.rpartition(":") for layer in layers.split())
    return Model(head, tuple((name, _SPACE + cls) for name, _, cls in pairs))


_LINEAR = (("", _SPACE + "Linear"),)
_FC = Model("fc", _LINEAR, single=True)
_VGG = _sequential("classifier", "Linear ReLU Dropout Linear ReLU Dropout Linear")

_TORCHVISION: dict[str, Model] = {
    "resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x8d resnext101_64x4d "
    "wide_resnet50_2 wide_resnet101_2": _FC,
    "shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0": _FC,
    "regnet_y_400mf regnet_y_800mf regnet_y_1_6gf regnet_y_3_2gf regnet_y_8gf regnet_y_16gf regnet_y_32gf "
    "regnet_y_128gf regnet_x_400mf regnet_x_800mf regnet_x_1_6gf regnet_x_3_2gf regnet_x_8gf regnet_x_16gf "
    "regnet_x_32gf": _FC,
    # With auxiliary classifiers, training returns a tuple and evaluation a tensor.
    "googlenet inception_v3": Model("fc", _LINEAR, single=True, plain=("aux_logits", False)),
    "alexnet": _sequential("classifier", "Dropout Linear ReLU Dropout Linear ReLU Linear"),
    "vgg11 vgg13 vgg16 vgg19 vgg11_bn vgg13_bn vgg16_bn vgg19_bn": _VGG,
    "mobilenet_v2": _sequential("classifier", "Dropout Linear"),
    "mobilenet_v3_large mobilenet_v3_small": _sequential("classifier", "Linear Hardswish Dropout Linear"),
    "densenet121 densenet161 densenet169 densenet201": Model("classifier", _LINEAR, single=True),
    "efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5 "
    "efficientnet_b6 efficientnet_b7 efficientnet_v2_s efficientnet_v2_m efficientnet_v2_l": _sequential(
        "classifier", "Dropout Linear"
    ),
    "convnext_tiny convnext_small convnext_base convnext_large": _sequential(
        "classifier", "LayerNorm Flatten Linear"
    ),
    "mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3": _sequential("classifier", "Dropout Linear"),
    # What follows is only a flatten.
    "squeezenet1_0 squeezenet1_1": _sequential("classifier", "Dropout Conv2d ReLU AdaptiveAvgPool2d"),
    "maxvit_t": _sequential("classifier", "AdaptiveAvgPool2d Flatten LayerNorm Linear Tanh Linear"),
    "vit_b_16 vit_b_32 vit_l_16 vit_l_32 vit_h_14": _sequential("heads", "head:Linear"),
    "swin_t swin_s swin_b swin_v2_t swin_v2_s swin_v2_b": Model("head", _LINEAR, single=True),
}

_SEGMENTATION = "Unet UnetPlusPlus MAnet Linknet FPN PSPNet PAN DeepLabV3 DeepLabV3Plus UPerNet Segformer DPT"
_MASKS = Model(
    "segmentation_head",
    (("", _SPACE + "Conv2d"), ("", _SPACE + "Upsample")),
    activation="activation",
    plain=("aux_params", None),
)

by_factory: dict[str, Model] = {
    f"torchvision.models.{name}": model for names, model in _TORCHVISION.items() for name in names.split()
} | {f"segmentation_models_pytorch.{name}": _MASKS for name in _SEGMENTATION.split()}

# What an activation's name in such a factory stands for, with its arguments.
ACTIVATIONS: dict[str | None, tuple[str, dict[str, object]] | None] = {
    None: None,
    "identity": None,
    "sigmoid": (_SPACE + "Sigmoid", {}),
    "softmax": (_SPACE + "Softmax", {"dim": 1}),
    "softmax2d": (_SPACE + "Softmax", {"dim": 1}),
    "logsoftmax": (_SPACE + "LogSoftmax", {"dim": 1}),
    "tanh": (_SPACE + "Tanh", {}),
}

# Functions that make a model by its name: the prefix of the factory that they stand for, the name's position, and
# what the first argument starts with where that decides.
BY_NAME: dict[str, tuple[str, int, str]] = {
    "torchvision.models.get_model": ("torchvision.models", 0, ""),
    "torch.hub.load": ("torchvision.models", 1, "pytorch/vision"),
    "timm.create_model": ("timm", 0, ""),
}

# timm's names by how they start, the longest first; only a head that a project replaces is known.
_TIMM: dict[str, str] = {
    "resnetv2": "",
    "resnet": "fc",
    "resnext": "fc",
    "wide_resnet": "fc",
    "seresnet": "fc",
    "efficientnet": "classifier",
    "tf_efficientnet": "classifier",
    "mobilenetv2": "classifier",
    "mobilenetv3": "classifier",
    "densenet": "classifier",
    "vit_": "head",
}


def factory(name: str) -> Model | None:
    """The model that the factory `name` makes, if it is known."""
    known = by_factory.get(name)
    if known is None and name.startswith("timm."):
        model = name.removeprefix("timm.")
        starts = [start for start in _TIMM if model.startswith(start)]
        head = _TIMM[max(starts, key=len)] if starts else ""
        return Model(head) if head else None
    return known
