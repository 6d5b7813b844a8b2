"""The project's modules: each evaluated once, with the same result whichever file needs it first.

Two things could make results depend on the order. In an import circle the first module sees the others
unfinished: a circle is always entered at the same one. And a module's body can write into what another module
made, as a registry: such writes are kept apart, and hold for the files that need the module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import ref

from loss_lint.symbolic import limits
from loss_lint.symbolic.activation import Activation, State
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Class,
    Frame,
    Function,
    Home,
    Op,
    Value,
    forget_passing_contents,
    intern_content,
)
from loss_lint.symbolic.heap import Heap, Item, Record
from loss_lint.symbolic.running import MODULE_FRAME
from loss_lint.syntax.entry import without_start
from loss_lint.syntax.module import SourceModule, Unparsable, parse
from loss_lint.syntax.project import Trail

if TYPE_CHECKING:
    from loss_lint.symbolic.machine import Machine


@dataclass(frozen=True, slots=True)
class _Change:
    """What a module's body adds to an object that another one made."""

    attributes: Mapping[str, Value]
    items: tuple[Item, ...]
    open: bool

    def applied(self, record: Record) -> Record:
        attributes = {**record.attributes, **self.attributes}
        return Record(attributes, (*record.items, *self.items), record.open or self.open)


@dataclass(slots=True)
class _Loaded:
    """An evaluated module: what it followed from, and what it and the modules that it needs change elsewhere."""

    activation: Activation | None
    trail: Trail
    needs: tuple[str, ...] = ()
    changes: dict[int, _Change] = field(default_factory=dict)
    # What calls need that were put off.
    more: set[str] = field(default_factory=set)
    # What these followed from.
    later: Trail = field(default_factory=Trail)


class Modules:
    """The evaluated modules of a project."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._parsed: dict[str, SourceModule | None] = {}
        self._loaded: dict[str, _Loaded] = {}
        self._unfinished: dict[str, Activation] = {}  # in the order in which they were begun
        self._circles: dict[str, frozenset[str]] = {}
        self._wrongly_entered: set[str] = set()
        self._owners: dict[int, str] = {}
        # What is no object of a module's own and was written to by its body.
        self._elsewhere: set[tuple[str, int]] = set()
        # The modules whose changes hold at present, and the records that these changed, as they were.
        self._held: dict[str, None] = {}
        self._unchanged: dict[int, Record] = {}
        self._rebound: list[tuple[dict[str, Value], str, Value | None]] = []
        # The modules of which something is evaluated apart, the innermost last.
        self._apart: list[str] = []
        self._begun: dict[str, list[ref[Activation]]] = {}
        # The operations of the modules' own bodies, and the limits met in them.
        self.ops: dict[str, list[Op]] = {}
        self._limits: dict[str, dict[str, int]] = {}
        # Objects that the roots of a file made, in the base heap as calls that were put off made them.
        self._passing: list[int] = []
        # How many of the files that were looked at needed each module.
        self._uses: Counter[str] = Counter()
        # Modules that findings may still be measured with.
        self._witnesses: set[str] = set()
        self.loaded_bytes = 0
        # Whether what was loaded is the same whichever file needed it first.
        self.is_shareable = True

    def parsed(self, path: str) -> SourceModule | None:
        """The file at `path`, with the names in it that lead to a loss elsewhere; None where it cannot be read."""
        self._machine.project.note(path)
        if path not in self._parsed:
            self._parsed[path] = self._parse(path)
        return self._parsed[path]

    def _parse(self, path: str) -> SourceModule | None:
        try:
            data = self._machine.project.read(path)
            notebook = self._machine.project.sources.notebook(path)
            source = parse(path if notebook is None else notebook.named(path), data)
        except (OSError, ValueError, Unparsable):
            return None
        source.own_loss_words = self._machine.conventions.loss_words
        source.imported_loss_names = self._machine.relevance.imported_loss_names(path)
        self.loaded_bytes += len(source.data)
        return source

    def known(self, path: str) -> Activation | None:
        """A module's body if it has been evaluated."""
        loaded = self._loaded.get(path)
        return loaded.activation if loaded is not None else None

    def get(self, path: str) -> Activation | None:
        """The evaluated body of the module at `path`; None where it cannot be read."""
        if path in self._held:
            return self._loaded[path].activation
        if path in self._unfinished:  # an import circle sees what is there so far
            self._close_circle(path)
            return self._unfinished[path]
        entry = min(self._circles.get(path, (path,)))
        if entry not in self._unfinished:
            self._load_whole(entry)
            self._hold(entry)
        self._load_whole(path)
        self._hold(path)
        return self._loaded[path].activation

    def finish_file(self, *, keeps_values: bool) -> None:
        """Give the modules' variables and objects back what their own bodies left in them; drop what roots made.

        With `keeps_values`, findings may still be measured: what these refer to stays as it is.
        """
        self._uses.update(self._held.keys())
        if keeps_values:
            self._witnesses.update(self._held.keys())
            self._machine.forget()
        else:
            self._machine.end()
        self._take_back()
        self._restore_names()
        self._machine.base_heap.drop(self._passing)
        self._passing = []
        forget_passing_contents()

    def drop_unshared(self) -> None:
        """Drop the modules that only one of the files needed."""
        kept: set[str] = set()
        for path, loaded in self._loaded.items():
            if self._uses[path] > 1:
                kept.update((path, *loaded.needs, *loaded.more))
        dropped = self._loaded.keys() - kept
        for path in dropped:
            self._parsed.pop(path, None)
        self._drop(dropped)
        self._uses.clear()

    def forget(self, changed: AbstractSet[str]) -> None:
        """Drop what followed from files that have changed."""
        self._take_back()  # a file that could not be parsed was not finished
        self._restore_names()
        dropped = {
            path
            for path, loaded in self._loaded.items()
            if not changed.isdisjoint((path, *loaded.trail.files, *loaded.later.files))
        }
        size = -1
        while size != len(dropped):
            size = len(dropped)
            dropped.update(
                path
                for path, loaded in self._loaded.items()
                if not dropped.isdisjoint((*loaded.needs, *loaded.more))
            )
        self._circles = {
            path: circle for path, circle in self._circles.items() if circle.isdisjoint((*dropped, *changed))
        }
        for path in changed:
            self._parsed.pop(path, None)
        self._drop(dropped)

    def consulted(self) -> Trail:
        """What all that is kept followed from."""
        found = Trail(set(self._parsed))
        for loaded in self._loaded.values():
            found.add(loaded.trail)
            found.add(loaded.later)
        return found

    def _drop(self, dropped: AbstractSet[str]) -> None:
        for path in dropped:
            loaded = self._loaded.pop(path)
            begun = self._begun.pop(path, ())
            if loaded.activation is not None and path not in self._witnesses:
                loaded.activation.end()
                _end(begun)
            self.ops.pop(path, None)
            self._limits.pop(path, None)
        self._elsewhere = {(path, content) for path, content in self._elsewhere if path not in dropped}
        self._machine.base_heap.drop([one for one, path in self._owners.items() if path in dropped])
        self._owners = {content: path for content, path in self._owners.items() if path not in dropped}
        namespaces = self._machine.namespaces
        for content, body in [*namespaces.items()]:
            if body.module.path in dropped:
                del namespaces[content]
                if body.module.path not in self._witnesses:
                    body.end()
        self._machine.forget_classes()
        bodies = [loaded.activation for loaded in self._loaded.values() if loaded.activation is not None]
        bodies += namespaces.values()
        self._machine.base_heap.forget_all_but([body.state.heap for body in bodies])
        self.loaded_bytes = sum(len(source.data) for source in self._parsed.values() if source is not None)

    def end(self) -> None:
        """Let all modules go of what they know but those that findings may still be measured with."""
        bodies = [*self._machine.namespaces.values()]
        bodies += [loaded.activation for loaded in self._loaded.values() if loaded.activation is not None]
        for body in bodies:
            if body.module.path not in self._witnesses:
                body.end()
        for path, begun in self._begun.items():
            if path not in self._witnesses:
                _end(begun)

    def begin(self, begun: Activation) -> None:
        """Note what the module has run of which something is evaluated apart; most of it is gone afterwards."""
        self._begun.setdefault(self._apart[-1], []).append(ref(begun))

    def adopt(self, heap: Heap, before: Heap, home: Home | None = None) -> None:
        """Let everything see what a call made that was put off."""
        made = heap.made_since(before)
        for content, record in made.items():
            self._machine.base_heap.set(content, record)
        if home is None:
            self._passing += made
        else:
            self._owners.update(dict.fromkeys(made, home.path))
            before.insert(made)  # what comes later in the module's body may change it

    # Import circles

    def _close_circle(self, path: str) -> None:
        """Note the circle that begins at `path`: it should be entered at the first of its files by name."""
        unfinished = list(self._unfinished)
        circle = frozenset(unfinished[unfinished.index(path) :])
        circle = circle.union(*(self._circles.get(one, ()) for one in circle))
        for one in circle:
            self._circles[one] = circle
        entered = next(one for one in unfinished if one in circle)
        if entered != min(circle):
            self._wrongly_entered.add(entered)

    def _load_whole(self, path: str) -> None:
        """Load a module, by way of another one if it turns out to be in a circle that should be entered there."""
        if path in self._loaded:
            return
        before = set(self._loaded)
        self._load(path)
        if path not in self._wrongly_entered:
            return
        self._wrongly_entered.discard(path)
        circle = self._circles[path]
        entry = min(circle)
        if entry == path or entry in self._unfinished:
            self.is_shareable = False
            return
        for one in self._loaded.keys() - before:
            if not circle.isdisjoint(self._loaded[one].trail.files):
                self._forget(one)
        self._load_whole(entry)
        self._load_whole(path)

    def _forget(self, path: str) -> None:
        """Drop a module that has seen others unfinished."""
        del self._loaded[path]
        namespaces = self._machine.namespaces
        for content in [key for key, body in namespaces.items() if body.module.path == path]:
            del namespaces[content]
        self._machine.forget_classes()

    # Evaluation

    def _load(self, path: str) -> None:
        machine = self._machine
        with machine.project.following() as trail:
            source = self.parsed(path)
            if source is None:
                self._loaded[path] = _Loaded(None, trail)
                return
            frame = Frame(MODULE_FRAME, None, None, 0, intern_content(("module", path)), machine.conventions)
            act = Activation(machine, source, frame, State({}, Heap(base=machine.base_heap)))
            loaded = _Loaded(act, trail)
            self.ops[path] = []
            self._unfinished[path] = act
            try:
                with self.apart(path):
                    machine.run(without_start(source), act)
                    act.state.guards = NO_GUARDS
                    self.keep(path, act.state.heap, loaded)
                    loaded.needs = tuple(self._held)
                    self._rebound = [one for one in self._rebound if one[0] is not act.state.names]
                    self._restore_names()
            finally:
                del self._unfinished[path]
            self._loaded[path] = loaded

    def home(self) -> Home | None:
        """Where a call that is put off now belongs, if not to the roots of a file."""
        return Home(self._apart[-1]) if self._apart else None

    @contextmanager
    def at_home(self, home: Home) -> Iterator[None]:
        """Evaluation of a call that was put off where it belongs."""
        with self._machine.project.following() as trail, self.apart(home.path, home.ops, home.limits):
            yield
            home.needs = tuple(self._held)
        home.trail = trail

    def share(self, home: Home) -> None:
        """Let whoever uses a call's result need what it needs, and its module know its operations."""
        if home.trail is None:
            return  # still running
        self._machine.project.follow(home.trail)
        for one in home.needs:
            if one not in self._held and one not in self._unfinished:
                self._hold(one)
        own = self.ops.get(home.path)
        if home.ops and own is self._machine.ops:
            own.extend(home.ops)
            counts = self._limits.setdefault(home.path, {})
            for name, count in home.limits.items():
                counts[name] = counts.get(name, 0) + count
            home.ops, home.limits = [], {}
        if home.path in self._loaded:
            self._loaded[home.path].more.update(home.needs)
            self._loaded[home.path].later.add(home.trail)

    @contextmanager
    def apart(
        self, path: str, ops: list[Op] | None = None, limits_met: dict[str, int] | None = None
    ) -> Iterator[None]:
        """Evaluation of what is a module's own, as if nothing had been evaluated before."""
        held, rebound = self._held, self._rebound
        self._take_back()
        newest = [(names, name, names[name]) for names, name, _ in rebound]
        self._restore_names()
        self._apart.append(path)
        try:
            if ops is None or limits_met is None:
                ops, limits_met = self.ops.setdefault(path, []), self._limits.setdefault(path, {})
            with self._machine.apart(ops, limits_met):
                yield
        finally:
            self._apart.pop()
            self._take_back()
            self._held = held
            for one in held:
                self._apply(self._loaded[one])
            self._rebound = rebound
            for names, name, value in newest:
                names[name] = value

    @property
    def is_apart(self) -> bool:
        """Whether what is evaluated now is a module's own."""
        return bool(self._apart)

    def note_write(self, holder: Value) -> None:
        """Something other than an object gets an attribute: a class, a function, a module, what is unknown.

        If a module's body does it to what is not its own, only its own file sees it.
        """
        if self._apart and not (
            isinstance(holder, Class | Function) and holder.module.path == self._apart[-1]
        ):
            self._elsewhere.add((self._apart[-1], holder.content))

    def limits_met(self, path: str) -> tuple[tuple[str, int], ...]:
        """How often a limit was met in the file at `path`: in its body, and in its roots since `limits.forget`."""
        own, roots = self._limits.get(path, {}), dict(limits.met())
        return tuple((name, own.get(name, 0) + roots.get(name, 0)) for name in sorted({*own, *roots}))

    def keep(self, path: str, heap: Heap, loaded: _Loaded | None = None) -> None:
        """Keep what the body of a module, or of a class in it, made, and what a module's changes elsewhere."""
        base = self._machine.base_heap
        for content, record in heap.records().items():
            if (path, content) in self._elsewhere:
                continue
            known = base.get(content)
            if known is None and self._apart:
                self._owners[content] = path
            elif known is None:
                self._passing.append(content)
            if known is None or self._owners.get(content) == path:
                base.set(content, record)
            elif record is not known and isinstance(record, Record):
                change = _difference(known, record)
                if loaded is not None and change is not None:
                    loaded.changes[content] = change
                else:
                    self.is_shareable = False
                    base.set(content, record)

    # What holds while a file is looked at

    def _hold(self, path: str) -> None:
        if path in self._held:
            return
        loaded = self._loaded[path]
        self._machine.project.follow(loaded.trail)
        for one in (*loaded.needs, path):
            if one not in self._held and one in self._loaded:
                self._held[one] = None
                self._apply(self._loaded[one])

    def _apply(self, loaded: _Loaded) -> None:
        base = self._machine.base_heap
        for content, change in loaded.changes.items():
            record = base.get(content)
            assert record is not None
            self._unchanged.setdefault(content, record)
            base.set(content, change.applied(record))

    def _take_back(self) -> None:
        for content, record in self._unchanged.items():
            self._machine.base_heap.set(content, record)
        self._unchanged, self._held = {}, {}

    def rebind(self, names: dict[str, Value], name: str, value: Value) -> None:
        """Set a variable of a module from inside a function, until the file is finished."""
        self._rebound.append((names, name, names.get(name)))
        names[name] = value

    def _restore_names(self) -> None:
        for names, name, value in reversed(self._rebound):
            if value is None:
                names.pop(name, None)
            else:
                names[name] = value
        self._rebound = []


def _end(begun: Iterable[ref[Activation]]) -> None:
    for one in begun:
        activation = one()
        if activation is not None:
            activation.end()


def _difference(old: Record, new: Record) -> _Change | None:
    """What a record has in addition; None if it is not the old one with more."""
    count = len(old.items)
    if new.items[:count] != old.items or old.attributes.keys() - new.attributes.keys():
        return None
    attributes = {
        name: value for name, value in new.attributes.items() if old.attributes.get(name) is not value
    }
    return _Change(attributes, new.items[count:], new.open)
