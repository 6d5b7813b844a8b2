"""The configuration of a run: what its flags say over what files say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from loss_lint.config import ConfigError, Configuration, Settings
from loss_lint.config.documents import inline, read
from loss_lint.selection import Layer, UnknownSelector, known_codes, matching_codes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loss_lint.config.patterns import FilePattern, PerFileIgnore


def configuration_of(options: argparse.Namespace) -> Configuration:
    """The configuration that a command's flags ask for; raises ConfigError."""
    files, pairs = _given(options.config or ())
    if files and options.isolated:
        raise ConfigError(f"`--config {files[0]}` cannot be used with `--isolated`, which ignores all files")
    if len(files) > 1:
        raise ConfigError(f"more than one `--config` file: {files[0]} and {files[1]}")
    here = os.getcwd()
    everywhere = _everywhere(files[0], here) if files else None
    command_line = Settings()
    for pair in pairs:
        from loss_lint.config.keys import inline_settings

        command_line = inline_settings(inline(pair, here), known_codes).over(command_line)
    return Configuration(known_codes, _flags(options, here).over(command_line), options.isolated, everywhere)


def _given(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The files and the `KEY=VALUE` pairs among the arguments of `--config`."""
    files = [one for one in arguments if os.path.isfile(one)]
    pairs = [one for one in arguments if not os.path.isfile(one)]
    for pair in pairs:
        if "=" not in pair:
            what = "no such file" if pair.endswith(".toml") else "neither a file nor `KEY=VALUE`"
            raise ConfigError(f"--config {pair}: {what}")
    return files, pairs


def _everywhere(file: str, here: str) -> Settings:
    """What the file of `--config` says: for all files, and relative to the working directory."""
    from loss_lint.config.keys import settings_of

    document = read(file, here)
    return Settings(folder=here) if document is None else settings_of(document, known_codes)


def _flags(options: argparse.Namespace, here: str) -> Settings:
    select = None if options.select is None else tuple(options.select)
    layer = Layer(select, tuple(options.ignore or ()), tuple(options.extend_select or ()))
    cache_dir = options.cache_dir
    return Settings(
        layers=(layer,) if layer != Layer() else (),
        per_file_ignores=_per_file_ignores("--per-file-ignores", options.per_file_ignores, here),
        extend_per_file_ignores=_per_file_ignores(
            "--extend-per-file-ignores", options.extend_per_file_ignores, here
        )
        or (),
        exclude=_patterns("--exclude", options.exclude, here),
        extend_exclude=_patterns("--extend-exclude", options.extend_exclude, here) or (),
        respect_gitignore=options.respect_gitignore,
        force_exclude=options.force_exclude,
        cache_dir=None if cache_dir is None else os.path.abspath(cache_dir),
        output_format=options.output_format,
    )


def _patterns(flag: str, texts: Sequence[str] | None, here: str) -> tuple[FilePattern, ...] | None:
    if texts is None:
        return None
    from loss_lint.config.patterns import BadPattern, FilePattern

    try:
        return tuple(FilePattern.of(text, here) for text in texts)
    except BadPattern as error:
        raise ConfigError(f"{flag}: {error}") from None


def _per_file_ignores(flag: str, pairs: Sequence[str] | None, here: str) -> tuple[PerFileIgnore, ...] | None:
    if pairs is None:
        return None
    from loss_lint.config.patterns import BadPattern, PerFileIgnore

    found: list[PerFileIgnore] = []
    for pair in pairs:
        pattern, colon, selector = pair.rpartition(":")
        if not (colon and pattern and selector):
            raise ConfigError(f"{flag}: `{pair}` is not of the form PATTERN:CODE")
        try:
            matching_codes(selector, known_codes(), turning_on=False)
            found.append(PerFileIgnore.of(pattern, here, [selector]))
        except (UnknownSelector, BadPattern) as error:
            raise ConfigError(f"{flag}: {error}") from None
    return tuple(found)
