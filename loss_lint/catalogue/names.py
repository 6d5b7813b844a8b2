"""Words of training code: what an identifier counts or switches. Matched on the lower-cased identifier."""

from __future__ import annotations

# A number of samples in a batch or a data set: a mean loss has been divided by it already.
SAMPLE_COUNT_NAMES: frozenset[str] = frozenset(
    {
        "batch_size",
        "batchsize",
        "batch_sz",
        "batch_len",
        "bsize",
        "bsz",
        "bs",
        "b_size",
        "n_batch_samples",
        "cur_batch_size",
        "current_batch_size",
        "curr_batch_size",
        "this_batch_size",
        "local_batch_size",
        "micro_batch_size",
        "mini_batch_size",
        "minibatch_size",
        "train_batch_size",
        "per_device_train_batch_size",
        "n_samples",
        "nsamples",
        "num_samples",
        "num_sample",
        "sample_count",
        "sample_num",
        "sample_size",
        "total_samples",
        "n_examples",
        "num_examples",
        "nb_samples",
        "nb_examples",
        "num_items",
        "num_items_in_batch",
        "num_instances",
        "num_tokens",
        "n_tokens",
        "ntokens",
        "num_words",
        "n_words",
        "num_pixels",
        "n_pixels",
    }
)

# A number of micro-batches whose gradients are summed before a step: dividing a mean loss by it is right.
STEP_COUNT_NAMES: frozenset[str] = frozenset(
    {
        "accumulation_steps",
        "accumulation_step",
        "accumulate_steps",
        "accumulate_step",
        "accumulate_grad_batches",
        "accumulate_gradients",
        "accumulate_grad",
        "accumulation",
        "accumulate",
        "accum_steps",
        "accum_step",
        "accum_iter",
        "accum_iters",
        "accum_iterations",
        "accum_freq",
        "accum",
        "acc_steps",
        "acc_step",
        "acc_grad",
        "acum_steps",
        "batch_accumulation",
        "batch_multiplier",
        "batch_split",
        "grad_acc",
        "grad_acc_step",
        "grad_acc_steps",
        "grad_accum",
        "grad_accum_step",
        "grad_accum_steps",
        "grad_accumulate",
        "grad_accumulation",
        "grad_accumulation_step",
        "grad_accumulation_steps",
        "gradient_acc_steps",
        "gradient_accumulate_steps",
        "gradient_accumulation",
        "gradient_accumulation_step",
        "gradient_accumulation_steps",
        "gradient_accumulations",
        "iter_size",
        "itersize",
        "iters_to_accumulate",
        "n_accumulate",
        "num_accumulation_steps",
        "num_accum",
        "num_micro_batches",
        "num_microbatches",
        "micro_batches",
        "subdivisions",
        "update_freq",
        "update_frequency",
        "virtual_batch_multiplier",
    }
)

# A number of passes over the data: it counts no samples.
EPOCH_COUNT_NAMES: frozenset[str] = frozenset(
    {
        "epochs",
        "num_epochs",
        "num_epoch",
        "n_epochs",
        "n_epoch",
        "nepochs",
        "nb_epochs",
        "max_epochs",
        "total_epochs",
        "train_epochs",
        "num_train_epochs",
        "local_epochs",
        "local_epoch",
        "num_local_epochs",
        "local_ep",
    }
)

# The extent of the dimension that a loss normalizes over.
CLASS_COUNT_NAMES: frozenset[str] = frozenset(
    {
        "num_classes",
        "n_classes",
        "nclasses",
        "nb_classes",
        "num_class",
        "n_class",
        "nclass",
        "numclasses",
        "class_num",
        "classes",
        "num_labels",
        "n_labels",
        "num_actions",
        "n_actions",
        "num_bins",
        "n_bins",
        "out_features",
        "output_dim",
        "vocab_size",
        "n_vocab",
        "c",
        "k",
    }
)

# Conditions that say whether the program trains, whose branches are meant to differ.
TRAINING_NAMES: frozenset[str] = frozenset(
    {
        "training",
        "train",
        "is_training",
        "is_train",
        "istrain",
        "train_mode",
        "training_mode",
        "phase",
        "split",
        "stage",
        "mode",
        "eval",
        "evaluate",
        "evaluating",
        "is_eval",
        "eval_mode",
        "inference",
        "is_inference",
        "inference_mode",
        "test",
        "testing",
        "is_test",
        "test_mode",
        "predict",
        "validation",
        "is_val",
        "val",
    }
)


def counts_samples(identifier: str) -> bool:
    """Whether `identifier` is a usual name for a number of samples or tokens."""
    return identifier.lower() in SAMPLE_COUNT_NAMES


def counts_steps(identifier: str) -> bool:
    """Whether `identifier` is a usual name for the number of accumulation steps."""
    return identifier.lower() in STEP_COUNT_NAMES


def counts_epochs(identifier: str) -> bool:
    """Whether `identifier` is a usual name for a number of passes over the data."""
    return identifier.lower() in EPOCH_COUNT_NAMES


def counts_classes(identifier: str) -> bool:
    """Whether `identifier` is a usual name for a number of classes."""
    return identifier.lower() in CLASS_COUNT_NAMES


def means_training(identifier: str) -> bool:
    """Whether `identifier` usually says if the program trains."""
    return identifier.lower() in TRAINING_NAMES
