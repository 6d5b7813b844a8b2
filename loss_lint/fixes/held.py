"""What a node of a program holds of a value that is followed."""

from __future__ import annotations

from dataclasses import dataclass

from loss_lint.fixes.program import Uncertain

Key = int | str


@dataclass(frozen=True, slots=True)
class Held:
    """What a node holds: the value behind the keys (of tuples, dicts) of each level, with a call between two levels.

    A tensor has one level, a module or function that returns it two, a class of such modules three. `layers` become
    a module in a Sequential, of which they are the last.
    """

    levels: tuple[tuple[Key, ...], ...] = ((),)
    is_layers: bool = False

    @property
    def keys(self) -> tuple[Key, ...]:
        return self.levels[0]

    @property
    def is_tensor(self) -> bool:
        return self.levels == ((),)

    @property
    def is_module(self) -> bool:
        return len(self.levels) == 2 and not self.keys

    def inside(self, key: Key) -> Held:
        return Held(((key, *self.keys), *self.levels[1:]))

    def outside(self) -> Held:
        return Held((self.keys[1:], *self.levels[1:]))

    def made(self) -> Held:
        """What a function is that returns this, or a class whose instances are this."""
        return Held(((), *self.levels))

    def called(self) -> Held:
        if self.keys or len(self.levels) == 1 or self.is_layers:
            raise Uncertain("it is called")
        return Held(self.levels[1:])


TENSOR = Held()
MODULE = Held(((), ()))

# The key of every item of a list.
ANY = "*"
