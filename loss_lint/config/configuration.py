"""Which settings hold for a path: those of the command line over those of the nearest file."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loss_lint.config.documents import OWN_FILE, SHARED_FILE, ConfigError, nearest_in
from loss_lint.config.patterns import PathSet
from loss_lint.config.settings import Settings
from loss_lint.discover import EXCLUDED
from loss_lint.selection import Layer, UnknownSelector, matching_codes, selected_codes

if TYPE_CHECKING:
    from loss_lint.conventions import Conventions
    from loss_lint.rules.rule import Rule


@dataclass
class Configuration:
    """The settings of a run.

    `command_line` lies over every file. `everywhere` are the settings of `--config FILE`, which stands for all files.
    `rules` is called when codes are first needed; it imports every rule.
    """

    rules: Callable[[], Sequence[Rule]]
    command_line: Settings = field(default_factory=Settings)
    isolated: bool = False
    everywhere: Settings | None = None
    _nearest: dict[str, Settings | None] = field(default_factory=dict)
    _resolved: dict[str, Settings] = field(default_factory=dict)
    _codes: dict[tuple[Layer, ...], frozenset[str]] = field(default_factory=dict)
    _excluding: dict[tuple[object, ...], PathSet] = field(default_factory=dict)

    def validate(self, folders: Sequence[str]) -> None:
        """Read all that the files in `folders` are subject to; raises ConfigError."""
        layers = {self.settings(folder).layers for folder in folders} | {self.command_line.layers}
        for one in layers:
            if one:
                self._codes_of(one)

    # What holds for a folder

    def settings(self, folder: str) -> Settings:
        """What holds in a folder, given as an absolute path; raises ConfigError."""
        known = self._resolved.get(folder)
        if known is None:
            nearest = self._nearest_to(folder)
            known = self.command_line.over(Settings(folder=os.getcwd()) if nearest is None else nearest)
            self._resolved[folder] = known
        return known

    def base(self) -> Settings:
        """What holds in the working directory: from there come the settings of a run as a whole."""
        return self.settings(os.getcwd())

    def _nearest_to(self, folder: str) -> Settings | None:
        if self.isolated or self.everywhere is not None:
            return self.everywhere
        visited: list[str] = []
        found: Settings | None = None
        while folder not in self._nearest:
            visited.append(folder)
            found = self._read(folder)
            parent = os.path.dirname(folder)
            if found is not None or parent == folder:
                break
            folder = parent
        else:
            found = self._nearest[folder]
        self._nearest.update(dict.fromkeys(visited, found))
        return found

    def _read(self, folder: str) -> Settings | None:
        from loss_lint.config.keys import settings_of

        document = nearest_in(folder)
        return None if document is None else settings_of(document, self.rules)

    # What holds for a file

    def codes(self, path: str) -> frozenset[str]:
        """The codes to report in a file; raises ConfigError."""
        settings = self.settings(os.path.dirname(path))
        codes = self._codes_of(settings.layers)
        for ignore in (*(settings.per_file_ignores or ()), *settings.extend_per_file_ignores):
            if ignore.holds(path):
                for selector in ignore.selectors:
                    codes -= matching_codes(selector, self.rules(), turning_on=False)
        return codes

    def conventions(self, path: str) -> Conventions:
        """What the project's own names in a file mean."""
        return self.settings(os.path.dirname(os.path.abspath(path))).conventions

    def _codes_of(self, layers: tuple[Layer, ...]) -> frozenset[str]:
        if layers not in self._codes:
            try:
                self._codes[layers] = selected_codes(layers, self.rules())
            except UnknownSelector as error:
                raise ConfigError(str(error)) from None
        return self._codes[layers]

    # Which files are covered

    @property
    def respects_gitignore(self) -> bool:
        return self.base().respect_gitignore is not False

    @property
    def forces_exclusion(self) -> bool:
        return self.base().force_exclude is True

    def excluded_in(self, folder: str, names: Container[str]) -> PathSet:
        """What is excluded of what a folder holds, `names`; raises ConfigError.

        Folders are asked for after the ones that they lie in.
        """
        if folder not in self._nearest and OWN_FILE not in names and SHARED_FILE not in names:
            parent = os.path.dirname(folder)
            if parent in self._nearest:
                self._nearest[folder] = self._nearest[parent]
        return self._excluded_by(self.settings(folder))

    def excludes(self, path: str) -> bool:
        """Whether a path, or a folder that it lies in, is excluded; raises ConfigError."""
        while True:
            folder, name = os.path.split(path)
            settings = self.settings(folder)
            if self._excluded_by(settings).matches(path, name):
                return True
            if folder in (path, settings.folder):
                return False
            path = folder

    def _excluded_by(self, settings: Settings) -> PathSet:
        key = (settings.exclude, settings.extend_exclude)
        known = self._excluding.get(key)
        if known is None:
            names = EXCLUDED if settings.exclude is None else ()
            patterns = (*(settings.exclude or ()), *settings.extend_exclude)
            known = self._excluding[key] = PathSet(patterns, names)
        return known
