"""Parameters of a callable, parsed from text when first needed, and how a call's arguments meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")
Kind = Literal["positional", "keyword", "variadic"]

# torch's own argument parser takes NumPy's keywords beside its names. Where spellings of one operation name
# a parameter differently (`F.one_hot(tensor)`, all of NumPy), the catalogue writes one and takes the others.
KEYWORD_ALIASES: dict[str, tuple[str, ...]] = {
    "axis": ("dim", "dims"),
    "axes": ("dims",),
    "keepdims": ("keepdim",),
    "x": ("input",),
    "a": ("input", "data"),
    "x1": ("input",),
    "arr": ("input",),
    "x2": ("other",),
    "self": ("input",),
    "m": ("input",),
    "ar": ("input",),
    "A": ("input",),
    "tensor": ("input", "other"),
    "prototype": ("input",),
    "y": ("other",),
    "b": ("other",),
    "value": ("src",),
    "ndarray": ("data",),
    "array": ("input",),
    "shape": ("size",),
    "stop": ("end",),
    "start_or_stop": ("start",),
    "N": ("n",),
    "M": ("m",),
    "a_min": ("min",),
    "a_max": ("max",),
    "subscripts": ("equation",),
    "arrays": ("tensors",),
    "tup": ("tensors",),
    "object": ("data",),
    "obj": ("data",),
}


class Parameter(NamedTuple):
    """One parameter; `default` is Python literal text, None for a required (or variadic) one."""

    name: str
    kind: Kind
    default: str | None


class Signature:
    """Ordered parameters of one spelling, written as in `Operation`: `"input, dim=None, *, dtype=None"`."""

    __slots__ = ("_parameters", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parameters: tuple[Parameter, ...] | None = None

    def __repr__(self) -> str:
        return f"Signature({self.text!r})"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parsed on first use: a run meets few of the catalogue's many spellings."""
        if self._parameters is None:
            self._parameters = _parse(self.text)
        return self._parameters

    def default(self, name: str) -> str | None:
        """The default of parameter `name` as literal text; None if it is required or there is no such one."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter.default
        return None

    def bind(self, args: Sequence[T], keywords: Mapping[str, T]) -> dict[str, T | tuple[T, ...]] | None:
        """The arguments by parameter name, without defaults; None if the call does not fit.

        What a variadic parameter collects is a tuple. torch also takes such a parameter by keyword
        (`x.view(size=shape)`), which then is that tuple's only element.
        """
        bound: dict[str, T | tuple[T, ...]] = {}
        taken = 0
        for parameter in self.parameters:
            name = parameter.name
            if parameter.kind == "variadic":
                rest = tuple(args[taken:])
                taken = len(args)
                if rest:
                    bound[name] = rest
            elif parameter.kind == "positional" and taken < len(args):
                bound[name] = args[taken]
                taken += 1
        if taken < len(args):
            return None
        by_name = {parameter.name: parameter for parameter in self.parameters}
        for keyword, value in keywords.items():
            known = by_name.get(keyword)
            if known is None:
                names = KEYWORD_ALIASES.get(keyword, ())
                known = next((by_name[name] for name in names if name in by_name), None)
            if known is None or known.name in bound:
                return None
            bound[known.name] = (value,) if known.kind == "variadic" else value
        for parameter in self.parameters:
            if parameter.default is None and parameter.name not in bound:
                if parameter.kind != "variadic":
                    return None
                bound[parameter.name] = cast("tuple[T, ...]", ())
        return bound


def _parse(text: str) -> tuple[Parameter, ...]:
    parameters: list[Parameter] = []
    kind: Kind = "positional"
    for part in _split(text):
        if part.startswith("*"):
            kind = "keyword"
            if len(part) > 1:
                parameters.append(Parameter(part[1:], "variadic", None))
            continue
        name, equals, default = part.partition("=")
        parameters.append(Parameter(name, kind, default if equals else None))
    return tuple(parameters)


def _split(text: str) -> list[str]:
    """The comma-separated parts of `text`; a default may be a tuple, whose commas do not separate."""
    parts: list[str] = []
    depth = start = 0
    for position, character in enumerate(text):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts
