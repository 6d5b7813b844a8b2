"""What a project's own names mean, and where its imports begin, as its configuration says it: plain data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Conventions:
    """A project's own names and import roots.

    `losses` and `softmaxes` are qualified names of the project's, each with the qualified name of torch's that it
    behaves like; `sample_counts` and `step_counts` are identifiers, in lower case, of numbers of samples
    and of accumulation steps; `import_roots` are absolute folders in which imports are looked for as well.
    """

    losses: tuple[tuple[str, str], ...] = ()
    softmaxes: tuple[tuple[str, str], ...] = ()
    sample_counts: frozenset[str] = frozenset()
    step_counts: frozenset[str] = frozenset()
    import_roots: tuple[str, ...] = ()

    @cached_property
    def loss_words(self) -> frozenset[str]:
        """The identifiers by which the project's losses are written."""
        return frozenset(name.rpartition(".")[2] for name, _ in self.losses)

    def counts_samples(self, identifier: str) -> bool:
        """Whether the project says that `identifier` is a number of samples or tokens."""
        return identifier.lower() in self.sample_counts

    def counts_steps(self, identifier: str) -> bool:
        """Whether the project says that `identifier` is the number of accumulation steps."""
        return identifier.lower() in self.step_counts

    @property
    def key(self) -> str:
        """The same text for the same conventions, another one for others; "" where there are none."""
        if self == USUAL:
            return ""
        counts = (sorted(self.sample_counts), sorted(self.step_counts))
        return repr((self.losses, self.softmaxes, *counts, self.import_roots))


USUAL = Conventions()
