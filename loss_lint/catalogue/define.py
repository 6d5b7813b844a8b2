"""How the catalogue's entries are written: one line for all spellings that share their parameters."""

from __future__ import annotations

from loss_lint.catalogue.operation import Effect, Operation


def receiver(operands: tuple[str, ...]) -> str:
    """The operand that a tensor method is called on: `input` where there is one, else the first."""
    return "input" if "input" in operands or not operands else operands[0]


def define(name: str, effect: Effect, operands: str, *spellings: str) -> Operation:
    """An operation from its spellings, each of them names and the parameters they share.

    `"torch.softmax .softmax (input, dim)"`: a name that starts with a dot is a tensor method, whose receiver
    stands in the parameters like a function's; a capitalised name under `torch.nn` is a module class; all
    others are functions.
    """
    functions: list[tuple[str, str]] = []
    methods: list[tuple[str, str]] = []
    modules: list[tuple[str, str]] = []
    tensors = tuple(operands.split(", ")) if operands else ()
    first = receiver(tensors)
    for spelling in spellings:
        names, _, rest = spelling.partition(" (")
        parameters = rest[:-1]
        for spelled in names.split():
            if spelled[0] == ".":
                methods.append((spelled[1:], parameters.removeprefix(first).removeprefix(", ")))
            elif spelled.startswith("torch.nn.") and spelled.rpartition(".")[2][0].isupper():
                modules.append((spelled, parameters))
            else:
                functions.append((spelled, parameters))
    return Operation(name, effect, tensors, tuple(functions), tuple(methods), tuple(modules))
