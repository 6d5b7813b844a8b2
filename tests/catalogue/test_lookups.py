"""Signatures, names and tables of the catalogue, without torch."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections import Counter

import pytest

from loss_lint import catalogue
from loss_lint.catalogue import OPERATIONS, Signature, by_function, by_method, by_module, canonical
from loss_lint.catalogue.names import (
    SAMPLE_COUNT_NAMES,
    STEP_COUNT_NAMES,
    TRAINING_NAMES,
    counts_samples,
    counts_steps,
    means_training,
)
from loss_lint.catalogue.wrappers import METHOD_WRAPPERS, WRAPPERS, by_method_wrapper, by_wrapper


@pytest.mark.parametrize(
    ("text", "args", "keywords", "expected"),
    [
        ("input, dim=None", ["x"], {}, {"input": "x"}),
        ("input, dim=None", ["x", 1], {}, {"input": "x", "dim": 1}),
        ("input, dim=None", [], {"input": "x", "dim": 1}, {"input": "x", "dim": 1}),
        ("input, dim=None", ["x"], {"axis": 1}, {"input": "x", "dim": 1}),
        ("input, axis, dim", ["x"], {"axis": 1, "dim": 2}, {"input": "x", "axis": 1, "dim": 2}),
        ("input, dim=None", ["x"], {"dim": 1, "axis": 1}, None),
        ("input, dim=None", [], {"dim": 1}, None),
        ("input, dim=None", ["x", 1, 2], {}, None),
        ("input, dim=None", ["x"], {"input": "y"}, None),
        ("input, dim=None", ["x"], {"other": 1}, None),
        ("input, *, dtype=None", ["x", 1], {}, None),
        ("input, *, dtype=None", ["x"], {"dtype": 1}, {"input": "x", "dtype": 1}),
        ("*size, dtype=None", [1, 2], {"dtype": 3}, {"size": (1, 2), "dtype": 3}),
        ("*size", [], {"size": [1, 2]}, {"size": ([1, 2],)}),
        ("*size", [1], {"size": 2}, None),
        ("*size", [], {}, {"size": ()}),
        ("equation, *operands", ["ij->i", "x"], {}, {"equation": "ij->i", "operands": ("x",)}),
        ("", [], {}, {}),
        ("", [1], {}, None),
    ],
)
def test_binding(
    text: str, args: list[object], keywords: dict[str, object], expected: dict[str, object] | None
) -> None:
    assert Signature(text).bind(args, keywords) == expected


def test_defaults_with_commas() -> None:
    signature = Signature("input, dim=(), sizes=(1, 2), mode='none', *, last=None")
    assert [parameter.name for parameter in signature.parameters] == ["input", "dim", "sizes", "mode", "last"]
    assert signature.default("sizes") == "(1, 2)"
    assert signature.default("input") is None
    assert signature.default("nothing") is None


def test_every_default_is_a_literal() -> None:
    for table in (by_function, by_method, by_module):
        for entry in table.values():
            for parameter in entry.signature.parameters:
                if parameter.default is not None:
                    ast.literal_eval(parameter.default)


def test_names_are_given_once() -> None:
    assert not _repeated([operation.name for operation in OPERATIONS])
    for kind in ("functions", "methods", "modules"):
        assert not _repeated([name for operation in OPERATIONS for name, _ in getattr(operation, kind)]), kind


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def test_operands_are_parameters_of_every_function() -> None:
    for operation in OPERATIONS:
        for name, _ in operation.functions:
            names = {parameter.name for parameter in by_function[name].signature.parameters}
            assert set(operation.operands) <= names, name
        for name, _ in operation.methods:
            names = {parameter.name for parameter in by_method[name].signature.parameters}
            receiver = catalogue.receiver(operation)
            assert receiver not in names, name
            assert set(operation.operands) <= names | {receiver}, name


def test_receiver_and_unbound_methods() -> None:
    assert catalogue.receiver(catalogue.operation("where")) == "input"
    assert by_method["where"].signature.bind(["c", "o"], {}) == {"condition": "c", "other": "o"}
    unbound = by_function["torch.Tensor.softmax"]
    assert unbound.operation.name == "softmax"
    assert unbound.signature.bind(["x", 1], {}) == {"input": "x", "dim": 1}


def test_in_place_methods_are_the_same_operation() -> None:
    for name, entry in by_method.items():
        plain = by_method.get(name.removesuffix("_"))
        if plain is not None:
            assert plain.operation is entry.operation


def test_forward_takes_the_operands() -> None:
    loss = catalogue.forward(catalogue.operation("cross_entropy"))
    assert loss.bind(["x", "y"], {}) == {"input": "x", "target": "y"}
    assert loss.bind(["x"], {}) is None
    assert catalogue.forward(catalogue.operation("lstm")).bind(["x"], {}) == {"input": "x"}


def test_losses_and_operations_by_name() -> None:
    cross_entropy = catalogue.loss("cross_entropy")
    assert cross_entropy is not None
    assert cross_entropy.input_wants == "logits"
    assert catalogue.loss("softmax") is None
    assert by_module["torch.nn.NLLLoss2d"].operation is catalogue.operation("nll_loss")
    with pytest.raises(KeyError):
        catalogue.operation("no_such_operation")
    with pytest.raises(AttributeError):
        catalogue.no_such_table  # noqa: B018


def test_properties_are_operations() -> None:
    assert {catalogue.operation(name).name for name in catalogue.PROPERTIES.values()}


@pytest.mark.parametrize(
    ("qualified", "expected"),
    [
        ("torch.nn.modules.loss.CrossEntropyLoss", "torch.nn.CrossEntropyLoss"),
        ("torch.nn.modules.activation.Softmax", "torch.nn.Softmax"),
        ("torch.nn.modules.Softmax", "torch.nn.Softmax"),
        ("torch.nn.modules.loss", "torch.nn.modules.loss"),
        ("torch.functional.einsum", "torch.einsum"),
        ("torch._C._nn.gelu", "torch.nn.functional.gelu"),
        ("torch.nn.parallel.DataParallel", "torch.nn.DataParallel"),
        ("torch.nn.parallel.data_parallel.DataParallel", "torch.nn.DataParallel"),
        ("torch.nn.parallel.data_parallel", "torch.nn.parallel.data_parallel"),
        ("torch.autograd.variable.Variable", "torch.autograd.Variable"),
        ("torch.nn.parameter.Parameter", "torch.nn.Parameter"),
        ("torch._tensor.Tensor.softmax", "torch.Tensor.softmax"),
        ("torch.nn.functional.nll_loss2d", "torch.nn.functional.nll_loss"),
        ("numpy.core.fromnumeric.argmax", "numpy.argmax"),
        ("my.losses.Focal", "my.losses.Focal"),
        ("print", "print"),
        ("", ""),
    ],
)
def test_canonical_names(qualified: str, expected: str) -> None:
    assert canonical(qualified) == expected
    assert canonical(expected) == expected


def test_catalogued_names_are_canonical() -> None:
    names = [*by_function, *by_module, *(wrapper.name for wrapper in WRAPPERS)]
    assert [name for name in names if canonical(name) != name] == []


def test_words_are_lower_case_and_mean_one_thing() -> None:
    words = [*SAMPLE_COUNT_NAMES, *STEP_COUNT_NAMES, *TRAINING_NAMES]
    assert all(word == word.lower() for word in words)
    assert not _repeated(words)
    assert counts_samples("BATCH_SIZE")
    assert counts_steps("grad_accum_steps")
    assert means_training("training")
    assert not counts_samples("grad_accum_steps")


def test_wrappers_by_name() -> None:
    assert by_wrapper["torch.nn.DataParallel"].gathers
    assert not by_wrapper["torch.nn.parallel.DistributedDataParallel"].gathers
    assert by_method_wrapper["accelerate.Accelerator.prepare"].each
    assert not _repeated([wrapper.name for wrapper in (*WRAPPERS, *METHOD_WRAPPERS)])


def test_the_catalogue_imports_the_standard_library_alone() -> None:
    """Also no `__init__` of another package of ours beside the root's."""
    code = (
        "import sys, loss_lint.catalogue as c; c.by_function; "
        "print([m for m in sys.modules if m.partition('.')[0] in ('torch', 'numpy', 'libcst')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tables_are_built_quickly() -> None:
    best = 1.0
    for _ in range(10):
        catalogue._tables.cache_clear()
        start = time.perf_counter()
        catalogue._tables()
        best = min(best, time.perf_counter() - start)
    assert best < 0.005
