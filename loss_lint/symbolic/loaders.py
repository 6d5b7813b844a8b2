"""Data loaders: what a loop over one gets, as far as the call that made it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loss_lint.symbolic.graph import Const, Leaf, Site, Value, fresh_content
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.naming import name_of

if TYPE_CHECKING:
    from loss_lint.symbolic.machine import Machine

# The parameters of every loader in the order of torch's; its batches are single samples unless it is told otherwise.
_PARAMETERS = ("dataset", "batch_size", "shuffle", "sampler", "batch_sampler", "num_workers", "collate_fn")
LOADERS = frozenset(
    {
        "torch.utils.data.DataLoader",
        "torch.utils.data.dataloader.DataLoader",
        "torch_geometric.loader.DataLoader",
        "torch_geometric.data.DataLoader",
    }
)
TENSOR_DATASETS = frozenset({"torch.utils.data.TensorDataset", "torch.utils.data.dataset.TensorDataset"})


_LOADER_INDEX = "a loader's index"
_ONE_AT_A_TIME = "a loader's index, one at a time"


def loader_index(dataset: Value, site: Site, *, by_sample: bool = False) -> Leaf:
    """The index that a loader reads a data set with: any number, and all the indices of a batch together.

    A loader `by_sample` makes batches of one.
    """
    reason = _ONE_AT_A_TIME if by_sample else _LOADER_INDEX
    return Leaf("index", "", (dataset,), site, fresh_content(), reason)


def is_loader_index(index: Leaf) -> bool:
    return index.reason in (_LOADER_INDEX, _ONE_AT_A_TIME)


def stands_for_a_batch(index: Value) -> bool:
    """Whether a value is the index that a loader reads the samples of a batch with, of which there are several."""
    plain = strip(index)
    return isinstance(plain, Leaf) and plain.role == "index" and plain.reason == _LOADER_INDEX


@dataclass(frozen=True, slots=True)
class Loader:
    """A call of `DataLoader`; `open` means that it may have been given more than is known."""

    dataset: Value
    batch_size: Value | None
    sampler: Value | None
    batch_sampler: Value | None
    collate: Value | None
    open: bool
    site: Site | None

    def is_by_sample(self, machine: Machine) -> bool:
        """Whether a batch is one sample (or whatever one item of the data set is), unless told otherwise."""
        if self.batch_size is None:
            return self.batch_sampler is None and not self.open
        known = literal_of(self.batch_size)
        if isinstance(known, Const):
            return known.value in (1, None)
        option = name_of(self.batch_size)
        return self.site is not None and machine.option_default(option, self.site.path) == 1


def loader_of(value: Value) -> Loader | None:
    """The loader that a value is; None where it is not known to be one."""
    plain = strip(value)
    if not (isinstance(plain, Leaf) and plain.role == "call" and plain.name in LOADERS):
        return None
    given: dict[str, Value] = {}
    is_open = False
    positional = iter(_PARAMETERS)
    for keyword, argument in zip(plain.keywords, plain.operands[1:], strict=False):
        if keyword in ("*", "**"):
            is_open = True
            continue
        name = keyword if keyword is not None else next(positional, None)
        if name is not None:
            given[name] = argument
    dataset = given.get("dataset")
    if dataset is None:
        return None
    return Loader(
        dataset,
        given.get("batch_size"),
        given.get("sampler"),
        given.get("batch_sampler"),
        given.get("collate_fn"),
        is_open,
        plain.site,
    )
