"""Colours of the terminal, as plain escape sequences."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """What each part of a report looks like; without `enabled`, like nothing."""

    enabled: bool = False

    def code(self, text: str) -> str:
        return self._paint("1;91", text)

    def strong(self, text: str) -> str:
        return self._paint("1", text)

    def underlined(self, text: str) -> str:
        return self._paint("4", text)

    def frame(self, text: str) -> str:
        return self._paint("1;94", text)

    def hint(self, text: str) -> str:
        return self._paint("1;96", text)

    def removed(self, text: str) -> str:
        return self._paint("31", text)

    def added(self, text: str) -> str:
        return self._paint("32", text)

    def separator(self, text: str) -> str:
        return self._paint("36", text)

    def doubt(self, text: str) -> str:
        return self._paint("33", text)

    def faint(self, text: str) -> str:
        return self._paint("2", text)

    def _paint(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.enabled and text else text
