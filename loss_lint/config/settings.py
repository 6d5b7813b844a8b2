"""What one source of settings says, and how one lies over another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loss_lint.conventions import USUAL, Conventions

if TYPE_CHECKING:
    from loss_lint.config.patterns import FilePattern, PerFileIgnore
    from loss_lint.selection import Layer


@dataclass(frozen=True, slots=True)
class Settings:
    """What a configuration file or the command line says; None or nothing where it is silent.

    `folder` is where relative paths started from, and the highest one that `--force-exclude` looks at.
    """

    path: str = ""
    folder: str = ""
    layers: tuple[Layer, ...] = ()
    per_file_ignores: tuple[PerFileIgnore, ...] | None = None
    extend_per_file_ignores: tuple[PerFileIgnore, ...] = ()
    exclude: tuple[FilePattern, ...] | None = None
    extend_exclude: tuple[FilePattern, ...] = ()
    respect_gitignore: bool | None = None
    force_exclude: bool | None = None
    cache_dir: str | None = None
    unsafe_fixes: bool | None = None
    output_format: str | None = None
    conventions: Conventions = USUAL

    def over(self, below: Settings) -> Settings:
        """What holds where these settings lie over others: what extends adds up, what these say replaces the rest."""
        own, other = self.conventions, below.conventions
        return Settings(
            below.path or self.path,
            below.folder or self.folder,
            (*below.layers, *self.layers),
            below.per_file_ignores if self.per_file_ignores is None else self.per_file_ignores,
            (*below.extend_per_file_ignores, *self.extend_per_file_ignores),
            below.exclude if self.exclude is None else self.exclude,
            (*below.extend_exclude, *self.extend_exclude),
            below.respect_gitignore if self.respect_gitignore is None else self.respect_gitignore,
            below.force_exclude if self.force_exclude is None else self.force_exclude,
            below.cache_dir if self.cache_dir is None else self.cache_dir,
            below.unsafe_fixes if self.unsafe_fixes is None else self.unsafe_fixes,
            below.output_format if self.output_format is None else self.output_format,
            Conventions(
                tuple(sorted({**dict(other.losses), **dict(own.losses)}.items())),
                tuple(sorted({**dict(other.softmaxes), **dict(own.softmaxes)}.items())),
                own.sample_counts or other.sample_counts,
                own.step_counts or other.step_counts,
                own.import_roots or other.import_roots,
            ),
        )
