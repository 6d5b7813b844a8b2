"""Parameters of operations, and what stands in for those that the graph does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint import catalogue
from loss_lint.catalogue.names import counts_samples
from loss_lint.harness.expression import Apply, Input, Items, Literal, Named, Node

if TYPE_CHECKING:
    from loss_lint.symbolic.graph import Site

# Where a tensor lives and how it is laid out changes no number.
PLACEMENT = frozenset(
    {"device", "non_blocking", "copy", "memory_format", "pin_memory", "layout", "generator", "out", "inplace"}
)
# Parameters that are tensors of one element for each class or for each element.
WEIGHTS = frozenset({"weight", "pos_weight"})
_SIZES = frozenset({"size", "shape", "num_classes", "n", "m"})
_DTYPES = frozenset(
    {"float32", "float64", "float16", "bfloat16", "float", "double", "half", "int64", "int32", "int16",
     "int8", "uint8", "long", "int", "short", "bool"}
)  # fmt: skip

CLASSES = Input(-1, name="number of classes")
SAMPLES = Input(-2, name="number of samples")


def resolved(name: str, parameters: list[tuple[str, Node]]) -> tuple[tuple[str, Node], ...]:
    """The parameters of the operation `name` with nothing unknown left but tensors."""
    found: list[tuple[str, Node]] = []
    for key, node in parameters:
        if key in PLACEMENT:
            continue
        known = _resolved(name, key, node)
        if known is not None:
            found.append((key, known))
    return tuple(found)


def _resolved(name: str, key: str, node: Node) -> Node | None:
    match node:
        case Input() if key in WEIGHTS:
            return Input(node.content, "", node.size, key)
        case Input() if key in ("dim", "dims", "axis"):
            return Literal(-1)
        case Input() if key in _SIZES:
            return stand_in(node, is_last=True)
        case Input() if key == "index":
            return node
        case Input():
            return None if _has_default(name, key) else node
        case Items(items=items) if key in _SIZES:
            last = len(items) - 1
            return Items(
                tuple(
                    stand_in(item, is_last=index == last and last > 0) if isinstance(item, Input) else item
                    for index, item in enumerate(items)
                )
            )
        case Named(name=spelled):
            return dtype(spelled)
        case _:
            return node


def stand_in(node: Input, *, is_last: bool) -> Input:
    """An unknown extent: the number of samples where it is called so or comes first, else that of classes."""
    if counts_samples(node.name):
        return SAMPLES
    return CLASSES if is_last else SAMPLES


def dtype(spelled: str) -> Named | None:
    """Torch's dtype for one of torch's, NumPy's or Python's; None for what is none."""
    last = spelled.rpartition(".")[2]
    if spelled in ("builtins.float", "numpy.float"):
        return Named("torch.float64" if spelled.startswith("numpy") else "torch.float32")
    return Named(f"torch.{'bool' if last == 'bool_' else last}") if last in _DTYPES | {"bool_"} else None


def _has_default(name: str, key: str) -> bool:
    """Whether every spelling of the operation can do without the parameter."""
    try:
        operation = catalogue.operation(name)
    except KeyError:
        return False
    spellings = (*operation.functions, *operation.methods, *operation.modules)
    return not any(part.strip() == key for _, text in spellings for part in text.split(","))


def applied(
    name: str, operands: tuple[Node, ...], parameters: list[tuple[str, Node]], site: Site | None = None
) -> Apply:
    return Apply(name, operands, resolved(name, parameters), site)
