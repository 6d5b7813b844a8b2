"""Training frameworks: which methods of a project's subclass they call, and what they do with the results."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Framework:
    """A base class `name` whose subclasses a framework drives.

    It runs `backward()` on what `trained` methods return (the first of a tuple, the entry `loss` of a dict), unless
    the attribute `unless` is False. Its own method `starts`, or any callee of that name that an instance is handed to,
    calls the `driven` methods; their parameters named in `given` get the instance's attribute of that name.
    `batch` is the parameter of a driven method that gets what the attribute `data_collator` makes of the attribute
    `train_dataset`'s samples, `count` the one that gets how many targets all micro-batches of a step have, which
    its configuration, the attribute `args`, says by `steps`; an attribute `uncounted` says that this is not so.
    `arguments` are the constructor's first parameters, which it keeps as attributes. `restores` are class
    methods that make an instance, of keyword arguments or, if `configured`, of a configuration before them.
    If `averages`, the framework itself takes the mean of what `trained` methods return (some only of what several
    devices give); methods of the subclass named in `between` get it before `backward()` runs.
    """

    name: str
    trained: tuple[str, ...]
    driven: tuple[str, ...]
    starts: str
    given: tuple[str, ...] = ()
    batch: str = ""
    count: str = ""
    steps: str = ""
    uncounted: str = ""
    arguments: tuple[str, ...] = ()
    unless: str = ""
    restores: tuple[str, ...] = ()
    configured: bool = False
    averages: bool = False
    between: tuple[str, ...] = ()


_TRAINER = (
    "model",
    "args",
    "data_collator",
    "train_dataset",
    "eval_dataset",
    "processing_class",
    "model_init",
    "compute_loss_func",
)

FRAMEWORKS: tuple[Framework, ...] = (
    Framework(
        "lightning.pytorch.LightningModule",
        trained=("training_step",),
        driven=("training_step", "validation_step"),
        starts="fit",
        unless="automatic_optimization",
        restores=("load_from_checkpoint",),
        between=("training_step_end", "backward"),
    ),
    Framework(
        "transformers.Trainer",
        trained=("compute_loss",),
        driven=("compute_loss",),
        starts="train",
        given=("model",),
        batch="inputs",
        count="num_items_in_batch",
        steps="gradient_accumulation_steps",
        uncounted="model_accepts_loss_kwargs",
        arguments=_TRAINER,
        averages=True,
    ),
    Framework(
        "transformers.Seq2SeqTrainer",
        trained=("compute_loss",),
        driven=("compute_loss",),
        starts="train",
        given=("model",),
        batch="inputs",
        count="num_items_in_batch",
        steps="gradient_accumulation_steps",
        uncounted="model_accepts_loss_kwargs",
        arguments=_TRAINER,
        averages=True,
    ),
    Framework(
        "transformers.PreTrainedModel",
        trained=(),
        driven=(),
        starts="",
        arguments=("config",),
        restores=("from_pretrained", "from_config"),
        configured=True,
    ),
    Framework("composer.models.ComposerModel", trained=("loss",), driven=(), starts="", averages=True),
)

by_base: dict[str, Framework] = {framework.name: framework for framework in FRAMEWORKS}

# `BertPreTrainedModel`, `BertModel`, `BertForTokenClassification`
_PRETRAINED = re.compile(r"transformers\.[A-Z]\w*(?:PreTrainedModel|Model|For[A-Z]\w*)")


def of_base(base: str) -> Framework | None:
    """The framework of a base class by its qualified name."""
    known = by_base.get(base)
    return by_base["transformers.PreTrainedModel"] if known is None and _PRETRAINED.fullmatch(base) else known


TRAINED: frozenset[str] = frozenset(name for framework in FRAMEWORKS for name in framework.trained)
STARTS: frozenset[str] = frozenset(framework.starts for framework in FRAMEWORKS if framework.starts)
RESTORES: frozenset[str] = frozenset(name for framework in FRAMEWORKS for name in framework.restores)

# Methods of these classes that the evaluator knows by name.
METHODS: frozenset[str] = frozenset({"save_hyperparameters"})
