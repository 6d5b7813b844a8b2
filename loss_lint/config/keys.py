"""The keys of a configuration: what each means, and what is said where its value is another one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from loss_lint.config.patterns import BadPattern, FilePattern, PerFileIgnore
from loss_lint.config.settings import Settings
from loss_lint.conventions import Conventions
from loss_lint.report import formats
from loss_lint.selection import Layer, UnknownSelector, matching_codes, nearest_word

if TYPE_CHECKING:
    from loss_lint.config.documents import Document
    from loss_lint.rules.rule import Rule

    Rules = Callable[[], Sequence[Rule]]

KEYS = (
    "cache-dir",
    "exclude",
    "extend-exclude",
    "extend-per-file-ignores",
    "extend-select",
    "force-exclude",
    "ignore",
    "losses",
    "output-format",
    "per-file-ignores",
    "respect-gitignore",
    "sample-count-names",
    "select",
    "softmaxes",
    "src",
    "step-count-names",
    "unsafe-fixes",
)
_EFFECTS = {"losses": ("loss",), "softmaxes": ("softmax", "log_softmax")}
T = TypeVar("T")


def settings_of(document: Document, rules: Rules) -> Settings:
    """What a document says; raises ConfigError where it says what means nothing."""
    for key in document.table:
        if key not in KEYS:
            nearest = nearest_word(key, KEYS)
            hint = f"did you mean `{nearest}`?" if nearest else f"known are {', '.join(KEYS)}"
            raise document.error(f"unknown key `{key}`; {hint}", key)
    read = _Reader(document, rules)
    layer = Layer(
        read.selectors("select"), read.selectors("ignore") or (), read.selectors("extend-select") or ()
    )
    conventions = Conventions(
        losses=tuple(read.meanings("losses")),
        softmaxes=tuple(read.meanings("softmaxes")),
        sample_counts=frozenset(one.lower() for one in read.strings("sample-count-names") or ()),
        step_counts=frozenset(one.lower() for one in read.strings("step-count-names") or ()),
        import_roots=tuple(map(read.absolute, read.strings("src") or ())),
    )
    cache_dir = read.text("cache-dir")
    return Settings(
        path=document.name,
        folder=document.folder,
        layers=(layer,) if layer != Layer() else (),
        per_file_ignores=read.per_file_ignores("per-file-ignores"),
        extend_per_file_ignores=read.per_file_ignores("extend-per-file-ignores") or (),
        exclude=read.patterns("exclude"),
        extend_exclude=read.patterns("extend-exclude") or (),
        respect_gitignore=read.boolean("respect-gitignore"),
        force_exclude=read.boolean("force-exclude"),
        cache_dir=None if cache_dir is None else read.absolute(cache_dir),
        unsafe_fixes=read.boolean("unsafe-fixes"),
        output_format=read.output_format(),
        conventions=conventions,
    )


def inline_settings(document: Document, rules: Rules) -> Settings:
    """What `--config KEY=VALUE` says: no file of its own."""
    return replace(settings_of(document, rules), path="", folder="")


class _Reader:
    """Reads one document's values by their keys; raises ConfigError for what is none."""

    def __init__(self, document: Document, rules: Rules) -> None:
        self._document = document
        self._rules = rules

    def absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._document.folder, os.path.expanduser(path)))

    def strings(self, key: str) -> tuple[str, ...] | None:
        value = self._document.table.get(key)
        return None if value is None else self._strings(value, f"`{key}`", key)

    def _strings(self, value: object, what: str, *words: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._document.error(f"{what} must be a list of strings", *words)
        return tuple(value)

    def boolean(self, key: str) -> bool | None:
        value = self._document.table.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self._document.error(f"`{key}` must be true or false", key)

    def text(self, key: str) -> str | None:
        value = self._document.table.get(key)
        if value is None or isinstance(value, str):
            return value
        raise self._document.error(f"`{key}` must be a string", key)

    def output_format(self) -> str | None:
        value = self.text("output-format")
        if value is None or value in formats.NAMES:
            return value
        nearest = nearest_word(value, formats.NAMES)
        hint = f"did you mean `{nearest}`?" if nearest else f"known are {', '.join(formats.NAMES)}"
        raise self._document.error(f"unknown `output-format` `{value}`; {hint}", "output-format")

    def selectors(self, key: str) -> tuple[str, ...] | None:
        value = self.strings(key)
        return None if value is None else self._known(value, key)

    def _known(self, selectors: tuple[str, ...], *words: str) -> tuple[str, ...]:
        for selector in selectors:
            try:
                matching_codes(selector, self._rules(), turning_on=False)
            except UnknownSelector as error:
                raise self._document.error(str(error), *words, selector) from None
        return selectors

    def patterns(self, key: str) -> tuple[FilePattern, ...] | None:
        value = self.strings(key)
        if value is None:
            return None
        folder = self._document.folder
        return tuple(
            self._usable(lambda text=text: FilePattern.of(text, folder), key)  # type: ignore[misc]
            for text in value
        )

    def per_file_ignores(self, key: str) -> tuple[PerFileIgnore, ...] | None:
        value = self._document.table.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._document.error(f"`{key}` must be a table of patterns, each with a list of codes", key)
        return tuple(self._per_file_ignore(key, text, codes) for text, codes in value.items())

    def _per_file_ignore(self, key: str, text: str, codes: object) -> PerFileIgnore:
        selectors = self._known(self._strings(codes, f"`{key}` of `{text}`", key, text), key, text)
        return self._usable(lambda: PerFileIgnore.of(text, self._document.folder, selectors), key, text)

    def _usable(self, make: Callable[[], T], *words: str) -> T:
        try:
            return make()
        except BadPattern as error:
            raise self._document.error(f"`{words[0]}`: {error}", *words) from None

    def meanings(self, key: str) -> Iterator[tuple[str, str]]:
        """The project's names, each with torch's; `my.losses.CE = "..."` is a table of tables in TOML."""
        value = self._document.table.get(key)
        if value is None:
            return
        if not isinstance(value, dict):
            raise self._document.error(f"`{key}` must be a table of names, each with torch's name", key)
        yield from self._flattened(key, "", value)

    def _flattened(self, key: str, prefix: str, table: dict[str, object]) -> Iterator[tuple[str, str]]:
        for name, target in table.items():
            qualified = f"{prefix}.{name}" if prefix else name
            last = name.rpartition(".")[2]
            if isinstance(target, dict):
                yield from self._flattened(key, qualified, target)
            elif not isinstance(target, str):
                raise self._document.error(f"`{key}` of `{qualified}` must be a string", key, last)
            elif not all(part.isidentifier() for part in qualified.split(".")):
                raise self._document.error(f"`{key}`: `{qualified}` is no dotted name", key, last)
            else:
                yield qualified, self._target(key, last, target)

    def _target(self, key: str, last: str, target: str) -> str:
        """The canonical name of what is meant."""
        from loss_lint import catalogue

        name = catalogue.canonical(target)
        entry = catalogue.by_module.get(name) or catalogue.by_function.get(name)
        if entry is not None and entry.operation.effect in _EFFECTS[key]:
            return name
        known = [
            one
            for table in (catalogue.by_module, catalogue.by_function)
            for one, entry in table.items()
            if entry.operation.effect in _EFFECTS[key]
        ]
        nearest = nearest_word(target, known)
        kind = "a loss" if key == "losses" else "a softmax"
        hint = f"; did you mean `{nearest}`?" if nearest else ""
        raise self._document.error(f"`{key}`: `{target}` is not {kind} of torch's{hint}", key, last)
