"""The catalogue against the installed torch: names, order and defaults of parameters, and completeness."""

from __future__ import annotations

import inspect

import installed
import numpy as np
import pytest
import torch
from installed import Given

from loss_lint.catalogue import OPERATIONS, Entry, Operation, by_function, by_method, by_module, loss
from loss_lint.catalogue.aliases import NAMES, PREFIXES
from loss_lint.catalogue.wrappers import WRAPPERS, Wrapper

# Methods of NumPy's arrays that tensors have not.
ARRAY_METHODS = {"astype"}
# Parameters that say where a result is written or how it is laid out. A call that gives them is rare, and
# leaving them out means that it is not understood, which is safe.
UNCATALOGUED = {"out", "names", "layout", "memory_format", "name", "implicit"}
# Overloads that mean another operation: `torch.max(a, b)` is `maximum`.
OTHER_MEANING = {("max", "other"), ("min", "other"), ("isin", "element"), ("isin", "test_element")}
# Overloads that leave a first parameter out: `torch.arange(end)`, `torch.randint(high, size)`.
WITHOUT_FIRST = {"arange", "randint", "randint_like", "repeat_interleave", "isin"}

FUNCTIONS = sorted(name for name in by_function if not name.startswith("torch.Tensor."))
TORCH_FUNCTIONS = [name for name in FUNCTIONS if name.startswith("torch.")]
TORCH_METHODS = sorted(set(by_method) - ARRAY_METHODS)
INSPECTED_FUNCTIONS = [name for name in TORCH_FUNCTIONS if installed.inspected(installed.resolve(name))]
STUBBED_FUNCTIONS = [
    name for name in TORCH_FUNCTIONS if name not in INSPECTED_FUNCTIONS and installed.stubbed(name)
]
STUBBED_METHODS = [name for name in TORCH_METHODS if installed.stubbed("torch.Tensor." + name)]
INSPECTED_MODULES = [
    name
    for name in sorted(by_module)
    if installed.inspected(installed.resolve(name).__init__, skip_self=True) is not None  # type: ignore[misc]
]


def _differences(entry: Entry, given: tuple[Given, ...]) -> list[str]:
    ours = entry.signature.parameters
    found = [
        f"parameter {position}: catalogue {mine}, torch {theirs}"
        for position, (mine, theirs) in enumerate(zip(ours, given, strict=False))
        if not (
            installed.same_name(mine.name, theirs.name)
            and mine.kind == theirs.kind
            and (mine.kind == "variadic" or installed.same_default(mine, theirs))
        )
    ]
    if len(ours) != len(given):
        found.append(f"{len(ours)} parameters in the catalogue, {len(given)} in torch")
    return found


@pytest.mark.parametrize("name", INSPECTED_FUNCTIONS)
def test_function_signatures_are_torchs(name: str) -> None:
    _check_inspected(name, by_function[name], installed.inspected(installed.resolve(name)))


@pytest.mark.parametrize("name", sorted(set(TORCH_METHODS) - set(STUBBED_METHODS)))
def test_method_signatures_are_torchs(name: str) -> None:
    method = installed.resolve("torch.Tensor." + name)
    _check_inspected(name, by_method[name], installed.inspected(method, skip_self=True))


@pytest.mark.parametrize("name", INSPECTED_MODULES)
def test_module_signatures_are_torchs(name: str) -> None:
    constructor = installed.resolve(name).__init__  # type: ignore[misc]
    _check_inspected(name, by_module[name], installed.inspected(constructor, skip_self=True))


def _check_inspected(name: str, entry: Entry, given: tuple[Given, ...] | None) -> None:
    assert given is not None, f"torch {torch.__version__} does not tell the parameters of {name}"
    assert not _differences(entry, given), (
        f"{name} drifted: torch {torch.__version__} has {given}, the catalogue {entry.signature}"
    )


def test_few_spellings_are_compared_with_nothing() -> None:
    functions = set(TORCH_FUNCTIONS) - set(INSPECTED_FUNCTIONS) - set(STUBBED_FUNCTIONS)
    assert {name for name in functions if not name.startswith(("torch.special.", "torch.sparse."))} == {
        *(name for name in TORCH_FUNCTIONS if name.endswith("Tensor")),
        "torch.einsum",
        "torch.linalg.matmul",
        "torch.linalg.vector_norm",
        "torch.nn.functional.logsigmoid",
        "torch.unique",
    }
    modules = set(by_module) - set(INSPECTED_MODULES)
    assert {name for name in modules if by_module[name].signature.text} == {"torch.nn.Identity"}


def _check_against_stubs(name: str, entry: Entry) -> None:
    """Overloads are merged in the catalogue, so: all ours are torch's, in an order that some overload has."""
    overloads = installed.stubbed(name)
    ours = [parameter for parameter in entry.signature.parameters if parameter.name != "args"]
    theirs = [parameter for overload in overloads for parameter in overload]
    text = f"{name}: catalogue {entry.signature}, torch {torch.__version__} has {overloads}"
    for mine in ours:
        named = [given for given in theirs if installed.same_name(mine.name, given.name)]
        assert named, f"{mine.name} is no parameter of torch's. {text}"
        in_all = all(any(installed.same_name(mine.name, given.name) for given in o) for o in overloads)
        if not in_all and entry.operation.name in WITHOUT_FIRST:
            continue
        if not in_all:
            assert mine.default is not None or mine.kind == "variadic", f"{mine.name} is not required. {text}"
        elif mine.kind != "variadic" and mine.default != "None":
            assert any(given.kind == "variadic" or installed.same_default(mine, given) for given in named), (
                f"{mine.name} has another default. {text}"
            )
    for given in theirs:
        known = any(installed.same_name(mine.name, given.name) for mine in entry.signature.parameters)
        assert (
            known
            or given.name in UNCATALOGUED
            or (entry.operation.name, given.name) in OTHER_MEANING
            or any(mine.kind == "variadic" for mine in ours)
        ), f"{given.name} is missing in the catalogue. {text}"
    places = {mine.name: place for place, mine in enumerate(ours) if mine.kind == "positional"}
    assert any(_ordered(overload, places) for overload in overloads), f"another order. {text}"


def _ordered(overload: tuple[Given, ...], places: dict[str, int]) -> bool:
    positions = [
        place
        for given in overload
        if given.kind == "positional"
        for name, place in places.items()
        if installed.same_name(name, given.name)
    ]
    return positions == sorted(positions)


@pytest.mark.parametrize("name", STUBBED_FUNCTIONS)
def test_builtin_functions_agree_with_torchs_stubs(name: str) -> None:
    _check_against_stubs(name, by_function[name])


@pytest.mark.parametrize("name", STUBBED_METHODS)
def test_methods_agree_with_torchs_stubs(name: str) -> None:
    _check_against_stubs("torch.Tensor." + name, by_method[name])


@pytest.mark.parametrize("name", TORCH_METHODS)
def test_every_method_exists(name: str) -> None:
    assert hasattr(torch.Tensor, name), f"torch.Tensor.{name} does not exist in torch {torch.__version__}"


def test_array_methods_exist() -> None:
    assert all(hasattr(np.ndarray, name) for name in ARRAY_METHODS)


@pytest.mark.parametrize("name", [*FUNCTIONS, *sorted(by_module)])
def test_every_name_resolves(name: str) -> None:
    assert callable(installed.resolve(name))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in FUNCTIONS
        if name.startswith("numpy.") and not isinstance(installed.resolve(name), np.ufunc)
    ],
)
def test_numpy_parameters_are_numpys_first_ones(name: str) -> None:
    given = installed.inspected(installed.resolve(name))
    if given is None:
        pytest.skip("no signature to inspect")
    assert not any(
        mine.kind == "positional"
        and theirs.kind == "positional"
        and not installed.same_name(mine.name, theirs.name)
        for mine, theirs in zip(by_function[name].signature.parameters, given, strict=False)
    ), f"{name}: numpy {np.__version__} has {given}, the catalogue {by_function[name].signature}"


def test_every_loss_class_is_catalogued() -> None:
    classes = {
        "torch.nn." + name
        for name, value in vars(torch.nn).items()
        if inspect.isclass(value) and (name.endswith("Loss") or name == "NLLLoss2d")
    }
    assert len(classes) > 20
    assert classes == {name for name, entry in by_module.items() if entry.operation.effect == "loss"}


def test_every_loss_function_is_catalogued() -> None:
    functions = set()
    for name, value in vars(torch.nn.functional).items():
        given = installed.inspected(value) if callable(value) and not name.startswith("_") else None
        if name.endswith("_loss") or (given and any(parameter.name == "reduction" for parameter in given)):
            functions.add("torch.nn.functional." + name)
    assert len(functions) > 20
    assert functions == {
        name
        for name, entry in by_function.items()
        if entry.operation.effect == "loss" and not name.startswith("torch.Tensor.")
    }


def test_losses_under_torch_itself_take_a_number_as_reduction() -> None:
    """They are left out of the catalogue for that, which holds as long as this does."""
    for operation in OPERATIONS:
        if operation.effect == "loss":
            for overload in installed.stubbed("torch." + operation.name):
                reduction = next(given for given in overload if given.name == "reduction")
                assert reduction.default in (None, installed.NOT_LITERAL, "1"), operation.name


@pytest.mark.parametrize(
    "operation", [operation for operation in OPERATIONS if operation.effect == "loss"], ids=lambda o: o.name
)
def test_loss_operands_are_what_forward_takes(operation: Operation) -> None:
    renamed = {
        "PoissonNLLLoss": {"log_input": "input"},
        "AdaptiveLogSoftmaxWithLoss": {"input_": "input", "target_": "target"},
    }
    for name, _ in operation.modules:
        cls = installed.resolve(name)
        given = installed.inspected(cls.forward, skip_self=True)  # type: ignore[attr-defined]
        assert given is not None
        names = tuple(renamed.get(cls.__name__, {}).get(p.name, p.name) for p in given)  # type: ignore[attr-defined]
        assert names == operation.operands
    described = loss(operation.name)
    assert described is not None
    assert described.operands == operation.operands


# Names of libraries that need not be there are checked by nobody.
_INSTALLED = [
    (old, new)
    for old, new in sorted({**NAMES, **PREFIXES}.items())
    if new.startswith(("torch.", "numpy")) or new == "torch"
]


@pytest.mark.parametrize(("old", "new"), _INSTALLED)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_aliases_lead_to_something(old: str, new: str) -> None:
    assert installed.resolve(new) is not None
    try:
        value = installed.resolve(old)
    except (AttributeError, ImportError):
        return  # a name of an earlier torch or numpy
    if old in NAMES:
        assert value is installed.resolve(new)


@pytest.mark.parametrize(
    "wrapper", [w for w in WRAPPERS if w.name.startswith(("torch.", "copy."))], ids=lambda w: w.name
)
def test_wrappers_exist(wrapper: Wrapper) -> None:
    value = installed.resolve(wrapper.name)
    given = installed.inspected(value)
    if given and given[0].kind == "positional":
        assert wrapper.parameter == given[0].name
