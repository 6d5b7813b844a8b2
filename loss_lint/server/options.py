"""What an editor can set: `initializationOptions`, and the section `loss-lint` of its configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loss_lint.selection import Layer, nearest_word

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION = "loss-lint"
_FLAGS = ("enable", "hover", "unsafe-fixes")
_LISTS = ("select", "ignore", "extend-select")


@dataclass(frozen=True, slots=True)
class Options:
    """The editor's settings. `layer` goes over the nearest configuration file, as the command line's flags do."""

    enable: bool = True
    hover: bool = True
    unsafe_fixes: bool = False
    layer: Layer = field(default_factory=Layer)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Options, and what in their source could not be understood."""

    options: Options
    problems: tuple[str, ...] = ()


def read_options(given: Any) -> ReadOptions:
    """Options as an editor sends them: the settings themselves, or under `settings` or `loss-lint`."""
    for name in (SECTION, "settings", SECTION):
        if isinstance(given, dict) and isinstance(given.get(name), dict):
            given = given[name]
    if given is None:
        return ReadOptions(Options())
    if not isinstance(given, dict):
        return ReadOptions(Options(), ("the settings must be an object",))
    values: dict[str, Any] = {}
    problems = [*_understood(given, values)]
    select = values.get("select")
    layer = Layer(
        None if select is None else tuple(select),
        tuple(values.get("ignore", ())),
        tuple(values.get("extend-select", ())),
    )
    defaults = Options()
    options = Options(
        values.get("enable", defaults.enable),
        values.get("hover", defaults.hover),
        values.get("unsafe-fixes", defaults.unsafe_fixes),
        layer,
    )
    return ReadOptions(options, tuple(problems))


def _understood(given: dict[str, Any], values: dict[str, Any]) -> Iterator[str]:
    """Put into `values` what is right; the problems of the rest."""
    for key, value in given.items():
        name = _kebab(key)
        if value is None:
            continue
        if name in _FLAGS:
            if isinstance(value, bool):
                values[name] = value
            else:
                yield f"`{key}` must be true or false"
        elif name in _LISTS:
            if isinstance(value, list) and all(isinstance(one, str) for one in value):
                values[name] = value
            else:
                yield f"`{key}` must be a list of strings"
        else:
            nearest = nearest_word(name, (*_FLAGS, *_LISTS))
            yield f"unknown setting `{key}`" + (f"; did you mean `{nearest}`?" if nearest else "")


def _kebab(key: str) -> str:
    """`extendSelect` as `extend-select`."""
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in key).replace("_", "-")
