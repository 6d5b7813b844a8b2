"""Patterns of paths, with ruff's meaning: those of its glob library, in which `*` and `?` match a `/` too.

A pattern is compared with a whole absolute path, its own start being the folder of the configuration file or the
working directory; one without a `/` is also compared with the last part of the path alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

# `**/` where a pattern begins.
_FROM_ANYWHERE = "(?:/?|.*/)"
_MAGIC = re.compile(r"[*?\[\]{}\\]")


class BadPattern(ValueError):
    """A pattern that means nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class FilePattern:
    """A pattern as it is written, and what it says of absolute paths."""

    text: str
    absolute: str

    @classmethod
    def of(cls, text: str, folder: str) -> FilePattern:
        """The pattern in a configuration whose paths start from `folder`; raises BadPattern."""
        absolute = os.path.normpath(os.path.join(_MAGIC.sub(r"[\g<0>]", _plain(folder)), text))
        for pattern in (text, absolute):
            _expression(pattern)
        return cls(text, absolute)


def _plain(folder: str) -> str:
    return folder.replace("\\", "/") if os.sep == "\\" else folder


class PathSet:
    """What any of several patterns matches."""

    def __init__(self, patterns: Iterable[FilePattern] = (), names: Iterable[str] = ()) -> None:
        """`names` are last parts of paths."""
        basenames, absolutes = [], []
        self._names = set(names)
        for pattern in patterns:
            absolutes.append(pattern.absolute)
            if "/" not in pattern.text:
                if _MAGIC.search(pattern.text):
                    basenames.append(pattern.text)
                else:
                    self._names.add(pattern.text)
        self._basenames = _any_of(basenames)
        self._absolutes = _any_of(absolutes)

    def matches(self, path: str, name: str) -> bool:
        """Whether an absolute path, whose last part is `name`, is matched."""
        if name in self._names:
            return True
        if self._basenames is not None and self._basenames.fullmatch(name):
            return True
        return self._absolutes is not None and self._absolutes.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class PerFileIgnore:
    """Selectors that are off in the files that a pattern matches, or, with `negated`, in all others."""

    pattern: FilePattern
    negated: bool
    selectors: tuple[str, ...]

    @classmethod
    def of(cls, text: str, folder: str, selectors: Sequence[str]) -> PerFileIgnore:
        """`!` before a pattern negates it; raises BadPattern."""
        negated = text.startswith("!")
        return cls(FilePattern.of(text[negated:], folder), negated, tuple(selectors))

    def holds(self, path: str) -> bool:
        """Whether the selectors are off in the file at an absolute path."""
        matched = _expression(self.pattern.text).fullmatch(os.path.basename(path)) or _expression(
            self.pattern.absolute
        ).fullmatch(path)
        return (matched is None) if self.negated else (matched is not None)


def _any_of(patterns: Sequence[str]) -> re.Pattern[str] | None:
    if not patterns:
        return None
    return re.compile("|".join(f"(?:{_expression(pattern).pattern})" for pattern in patterns), re.DOTALL)


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression; raises BadPattern."""
    try:
        return re.compile("".join(_translated(pattern)), re.DOTALL)
    except re.error as error:
        raise BadPattern(f"bad pattern `{pattern}`: {error}") from None


def _translated(pattern: str) -> list[str]:
    parts: list[str] = []
    groups = place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        if character == "*":
            if pattern[place : place + 1] == "*":
                place = _many(pattern, place + 1, parts, groups)
            else:
                parts.append(".*")
        elif character == "?":
            parts.append(".")
        elif character == "[":
            place = _class(pattern, place, parts)
        elif character == "{":
            groups += 1
            parts.append("(?:")
        elif character == "}":
            if not groups:
                raise BadPattern(f"bad pattern `{pattern}`: a `}}` without its `{{`")
            groups -= 1
            parts.append(")")
        elif character == "," and groups:
            parts.append("|")
        elif character == "\\":
            if place == len(pattern):
                raise BadPattern(f"bad pattern `{pattern}`: nothing follows the `\\`")
            parts.append(re.escape(pattern[place]))
            place += 1
        else:
            parts.append(re.escape(character))
    if groups:
        raise BadPattern(f"bad pattern `{pattern}`: a `{{` without its `}}`")
    return parts


def _many(pattern: str, place: int, parts: list[str], groups: int) -> int:
    """What `**` means: any number of folders if it stands alone between slashes, else the same as `*`."""
    before, after = pattern[place - 3 : place - 2] if place > 2 else "", pattern[place : place + 1]
    starts = before in ("", "/") or (groups > 0 and before in "{,")
    ends = after in ("", "/") or (groups > 0 and after in ",}")
    if not (starts and ends):
        parts.append(".*")
        return place
    if before != "/" or parts[-1] == _FROM_ANYWHERE:
        parts[:] = [*parts[: -1 if before == "/" else None], _FROM_ANYWHERE]
    else:
        parts[-1] = "(?:/|/.*/)" if after == "/" else "/.*"
    return place + 1 if after == "/" else place


def _class(pattern: str, place: int, parts: list[str]) -> int:
    """A class of characters: `[abc]`, `[a-z]`, `[!abc]`; its `]` may come first."""
    start = place
    negated = pattern[place : place + 1] in ("!", "^") and place < len(pattern)
    place += negated
    end = pattern.find("]", place + 1)
    if end == -1:
        raise BadPattern(f"bad pattern `{pattern}`: a `[` without its `]`")
    inside = pattern[start + negated : end]
    escaped = re.sub(r"[\\\[\]^&~|]", r"\\\g<0>", inside)
    parts.append(f"[{'^' if negated else ''}{escaped}]")
    return end + 1
