"""What the catalogue says of each loss, measured in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

from loss_lint.catalogue import LOSSES, Loss, by_function, by_module, operation

# `kl_div` warns that its mean is not the definition's.
pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss:UserWarning")

ROWS, CLASSES = 6, 5


def _random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _real(*shape: int) -> torch.Tensor:
    return torch.randn(shape or (ROWS, CLASSES), generator=_random(), dtype=torch.float64)


def _other() -> torch.Tensor:
    return torch.randn((2, ROWS, CLASSES), generator=_random(), dtype=torch.float64)[1]


def _indices() -> torch.Tensor:
    return torch.randint(CLASSES, (ROWS,), generator=_random())


def _signs(*shape: int) -> torch.Tensor:
    return torch.where(_real(*shape) > 0, 1.0, -1.0).double()


# The tensors that each loss takes, in the order of its operands.
OPERANDS: dict[str, Callable[[], tuple[Any, ...]]] = {
    "cross_entropy": lambda: (_real(), _indices()),
    "nll_loss": lambda: (_real().log_softmax(1), _indices()),
    "binary_cross_entropy": lambda: (_real().sigmoid(), _other().sigmoid()),
    "binary_cross_entropy_with_logits": lambda: (_real(), _other().sigmoid()),
    "kl_div": lambda: (_real().log_softmax(1), _other().softmax(1)),
    "mse_loss": lambda: (_real(), _other()),
    "l1_loss": lambda: (_real(), _other()),
    "smooth_l1_loss": lambda: (_real(), _other()),
    "huber_loss": lambda: (_real(), _other()),
    "poisson_nll_loss": lambda: (_real(), _other().abs()),
    "gaussian_nll_loss": lambda: (_real(), _other(), _real().exp()),
    "multi_margin_loss": lambda: (_real(), _indices()),
    "multilabel_margin_loss": lambda: (_real(), torch.tensor([[1, 3, -1, 0, 0]] * ROWS)),
    "multilabel_soft_margin_loss": lambda: (_real(), (_other() > 0).double()),
    "soft_margin_loss": lambda: (_real(), _signs()),
    "hinge_embedding_loss": lambda: (_real(), _signs()),
    "margin_ranking_loss": lambda: (_real(ROWS), _other()[:, 0], _signs(ROWS)),
    "cosine_embedding_loss": lambda: (_real(), _other(), _signs(ROWS)),
    "triplet_margin_loss": lambda: (_real(), _other(), _real() * 0.9),
    "triplet_margin_with_distance_loss": lambda: (_real(), _other(), _real() * 0.9),
    "ctc_loss": lambda: (
        _real(8, 2, CLASSES).log_softmax(2),
        torch.tensor([[1, 2, 3], [2, 3, 4]]),
        torch.tensor([8, 8]),
        torch.tensor([3, 3]),
    ),
    "linear_cross_entropy": lambda: (_real(), _indices()),
    "adaptive_log_softmax_loss": lambda: (_real(), _indices()),
}
# What a function takes beside its operands.
REQUIRED: dict[str, Callable[[], dict[str, Any]]] = {
    "linear_cross_entropy": lambda: {"linear_weight": torch.eye(CLASSES, dtype=torch.float64)},
}
CONSTRUCTED: dict[str, dict[str, Any]] = {
    "linear_cross_entropy": {"in_features": CLASSES, "num_classes": CLASSES, "dtype": torch.float64},
    "adaptive_log_softmax_loss": {
        "in_features": CLASSES,
        "n_classes": CLASSES,
        "cutoffs": [2],
        "dtype": torch.float64,
    },
}


def _functions() -> list[tuple[str, str]]:
    return [(entry.name, name) for entry in LOSSES for name, _ in operation(entry.name).functions]


def _modules() -> list[tuple[str, str]]:
    return [(entry.name, name) for entry in LOSSES for name, _ in operation(entry.name).modules]


def _call(name: str, qualified: str, *operands: Any, **keywords: Any) -> torch.Tensor:
    function = getattr(functional, qualified.rpartition(".")[2])
    parameters = dict(zip(_describe(name).operands, operands, strict=True))
    result: torch.Tensor = function(**parameters, **REQUIRED.get(name, dict)(), **keywords)
    return result


def _describe(name: str) -> Loss:
    return next(entry for entry in LOSSES if entry.name == name)


def test_every_loss_is_measured() -> None:
    assert [entry.name for entry in LOSSES] == list(OPERANDS)


@pytest.mark.parametrize(("name", "qualified"), _functions())
def test_functions_mean_by_default(name: str, qualified: str) -> None:
    operands = OPERANDS[name]()
    default = _call(name, qualified, *operands)
    unreduced = _call(name, qualified, *operands, reduction="none")
    if name == "ctc_loss":  # its mean divides every item by its length first
        unreduced = unreduced / operands[3]
    assert by_function[qualified].signature.default("reduction") == "'mean'"
    assert default.shape == ()
    assert torch.isfinite(default)
    torch.testing.assert_close(default, unreduced.mean())
    total = _call(name, qualified, *operands, reduction="sum")
    torch.testing.assert_close(total, _call(name, qualified, *operands, reduction="none").sum())


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(("name", "qualified"), _modules())
def test_modules_mean_by_default(name: str, qualified: str) -> None:
    torch.manual_seed(0)
    module = getattr(torch.nn, qualified.rpartition(".")[2])(**CONSTRUCTED.get(name, {}))
    result = module(*OPERANDS[name]())
    default = by_module[qualified].signature.default("reduction")
    if name == "adaptive_log_softmax_loss":
        assert default is None
        torch.testing.assert_close(result.loss, -result.output.mean())
        return
    assert default == "'mean'"
    assert module.reduction == "mean"
    if name not in CONSTRUCTED:
        function = operation(name).functions[0][0]
        torch.testing.assert_close(result, _call(name, function, *OPERANDS[name]()))


@pytest.mark.parametrize(("name", "qualified"), _functions())
def test_symmetry(name: str, qualified: str) -> None:
    first, second, *others = OPERANDS[name]()
    if torch.is_floating_point(second) and second.shape == first.shape:
        try:
            exchanged = _call(name, qualified, second, first, *others)
        except RuntimeError:
            exchanged = torch.tensor(torch.nan, dtype=torch.float64)
        same = bool(torch.isclose(exchanged, _call(name, qualified, first, second, *others)))
    else:
        same = False
    assert same == _describe(name).symmetric


@pytest.mark.parametrize("name", [entry.name for entry in LOSSES if entry.input_wants == "logits"])
def test_losses_that_want_logits_normalise_them(name: str) -> None:
    """Any finite number is a logit, and what makes a probability of it has been left to the loss."""
    logits, *others = OPERANDS[name]()
    for scale in (1.0, -30.0, 30.0):
        result = _call(name, operation(name).functions[0][0], logits * scale, *others)
        assert torch.isfinite(result)
        assert result >= 0


def test_losses_that_want_probabilities_or_their_logarithms_normalise_nothing() -> None:
    wants = {entry.name: entry.input_wants for entry in LOSSES}
    assert [name for name, want in wants.items() if want == "probabilities"] == ["binary_cross_entropy"]
    logits, target = OPERANDS["cross_entropy"]()
    torch.testing.assert_close(
        functional.nll_loss(logits + 1, target), functional.nll_loss(logits, target) - 1
    )
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        functional.binary_cross_entropy(logits * 10, torch.ones_like(logits))


@pytest.mark.parametrize(
    "name", [entry.name for entry in LOSSES if entry.target == "class_indices" and entry.name in OPERANDS]
)
def test_targets_that_are_class_indices_are_integers(name: str) -> None:
    assert not torch.is_floating_point(OPERANDS[name]()[1])


@pytest.mark.parametrize("name", [entry.name for entry in LOSSES if entry.target == "same_as_input"])
def test_targets_like_the_input_have_its_shape(name: str) -> None:
    first, second = OPERANDS[name]()[:2]
    assert second.shape == first.shape
