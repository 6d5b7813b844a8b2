"""Configuration: `[tool.loss-lint]` in the nearest `pyproject.toml`, or a `loss-lint.toml`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loss_lint.selection import Layer, UnknownSelector, nearest_word, selected_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loss_lint.rules.rule import Rule

_OWN_FILE = "loss-lint.toml"
_SHARED_FILE = "pyproject.toml"
_KEYS = ("extend-select", "ignore", "select")
_TOML_PLACE = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$", re.DOTALL)
_TOML_END = " (at end of document)"


class ConfigError(Exception):
    """A configuration that cannot be followed; the message names the file and what is wrong in it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one configuration file says."""

    path: str
    layer: Layer


@dataclass
class Configuration:
    """The settings of a run: those of the command line over those nearest to each file.

    `rules` is called when codes are first needed; it imports every rule.
    """

    rules: Callable[[], Sequence[Rule]]
    command_line: Layer = field(default_factory=Layer)
    isolated: bool = False
    _settings: dict[str, Settings | None] = field(default_factory=dict)
    _codes: dict[Layer | None, frozenset[str]] = field(default_factory=dict)

    def validate(self, folders: Sequence[str]) -> None:
        """Read all that the files in `folders` are subject to; raises ConfigError."""
        layers = {settings.layer for folder in folders if (settings := self.settings(folder))}
        if self.command_line != Layer():
            layers.add(Layer())
        for layer in layers:
            self._codes_of(layer)

    def codes(self, path: str) -> frozenset[str]:
        """The codes to report in a file; raises ConfigError."""
        settings = self.settings(os.path.dirname(path))
        return self._codes_of(settings.layer if settings else Layer())

    def settings(self, folder: str) -> Settings | None:
        """The nearest settings from `folder` upwards; raises ConfigError."""
        if self.isolated:
            return None
        visited: list[str] = []
        found: Settings | None = None
        while folder not in self._settings:
            visited.append(folder)
            found = self._read_folder(folder)
            parent = os.path.dirname(folder)
            if found is not None or parent == folder:
                break
            folder = parent
        else:
            found = self._settings[folder]
        self._settings.update(dict.fromkeys(visited, found))
        return found

    def _read_folder(self, folder: str) -> Settings | None:
        for name in (_OWN_FILE, _SHARED_FILE):
            path = os.path.join(folder, name)
            table = _read_table(path)
            if table is not None:
                layer = _layer(path, table)
                # Here and not later, so that the message can name the file.
                self._validated(path, layer)
                return Settings(path, layer)
        return None

    def _validated(self, path: str, layer: Layer) -> None:
        if layer == Layer():
            return
        try:
            selected_codes([layer], self.rules())
        except UnknownSelector as error:
            raise ConfigError(f"{path}: {error}") from None

    def _codes_of(self, layer: Layer) -> frozenset[str]:
        if layer not in self._codes:
            try:
                self._codes[layer] = selected_codes([layer, self.command_line], self.rules())
            except UnknownSelector as error:
                raise ConfigError(str(error)) from None
        return self._codes[layer]


def _read_table(path: str) -> dict[str, object] | None:
    """Our table of a TOML file; None where there is no such file, or it does not speak of us."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    own = os.path.basename(path) == _OWN_FILE
    if not own and b"loss-lint" not in data:
        return None
    document = _parse(path, data)
    if own:
        return document
    tool = document.get("tool")
    table = tool.get("loss-lint") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: `tool.loss-lint` must be a table")
    return table


def _parse(path: str, data: bytes) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8, as TOML must be") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}:{_with_place(str(error), data)}") from None
    except RecursionError:
        raise ConfigError(f"{path}: too deeply nested") from None


def _with_place(message: str, data: bytes) -> str:
    """`line:column: message` of what tomllib says."""
    if match := _TOML_PLACE.match(message):
        return "{1}:{2}: {0}".format(*match.groups())
    last = max(len(data.splitlines()), 1)
    return f"{last}: {message.removesuffix(_TOML_END)}"


def _layer(path: str, table: dict[str, object]) -> Layer:
    for key in table:
        if key not in _KEYS:
            nearest = nearest_word(key, _KEYS)
            hint = f"did you mean `{nearest}`?" if nearest else f"known are {', '.join(_KEYS)}"
            raise ConfigError(f"{path}: unknown key `{key}`; {hint}")
    select = _strings(path, table, "select")
    return Layer(select, _strings(path, table, "ignore") or (), _strings(path, table, "extend-select") or ())


def _strings(path: str, table: dict[str, object], key: str) -> tuple[str, ...] | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{path}: `{key}` must be a list of strings")
    return tuple(value)
