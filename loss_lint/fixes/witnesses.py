"""What evaluation knows of the uses of what a fix would change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loss_lint.fixes.asked import Asked
from loss_lint.fixes.names import Found
from loss_lint.fixes.program import Program
from loss_lint.fixes.seen import Seen, look
from loss_lint.fixes.text import Texts
from loss_lint.symbolic.edits import Bypass, Rename, Witness
from loss_lint.symbolic.graph import Site
from loss_lint.symbolic.machine import Machine
from loss_lint.syntax.project import Trail

# How many files are evaluated to see what losses get, for all fixes of the file that is linted.
_MAX_FILES = 8


class Witnesses:
    """Remembers what the roots of files show, and what that followed from."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._seen: dict[str, tuple[Seen, Trail]] = {}
        # By the file that is linted, so that it does not matter which ones were before.
        self._asked_of: dict[str, set[str]] = {}

    def asked(self, code: str, witness: Witness, path: str, program: Program, texts: Texts) -> Asked:
        """Who wants the repair of a finding that was seen from the file at `path`."""
        sink = witness.root.site

        def wants(site: Site, culprit: Site, files: frozenset[str]) -> bool:
            for seen in self._around(path, site, files):
                if (code, site, culprit) in seen.matched:
                    return len(seen.losses.get(site, ())) == 1
            return False

        def entered(site: Site, files: frozenset[str]) -> list[Found]:
            for seen in self._around(path, site, files):
                if site in seen.entered:
                    return _functions(program, seen.entered[site].values())
            return []

        changed = [edit for edit in witness.edits if edit.op is witness.root]
        elsewhere = [edit for edit in witness.edits if edit.op is not witness.root]
        alone = bool(changed and elsewhere) or not all(
            isinstance(edit, Bypass | Rename) for edit in elsewhere
        )
        return Asked(program, texts, sink, alone, wants, entered)

    def forget(self, files: frozenset[str]) -> None:
        """Forget what followed from changed files."""
        self._asked_of = {}
        self._seen = {
            path: (seen, trail)
            for path, (seen, trail) in self._seen.items()
            if files.isdisjoint((path, *trail.files))
        }

    def _around(self, path: str, site: Site, files: frozenset[str]) -> Iterator[Seen]:
        """What the file that is linted shows, and then the others, as far as they are asked for."""
        asked = self._asked_of.setdefault(path, set())
        for one in dict.fromkeys((path, site.path, *sorted(files))):
            if one in asked or len(asked) < _MAX_FILES:
                asked.add(one)
                yield self._of(one)

    def _of(self, path: str) -> Seen:
        if path not in self._seen:
            with self._machine.project.following() as trail:
                self._seen[path] = (look(self._machine, path), trail)
        seen, trail = self._seen[path]
        self._machine.project.follow(trail)
        return seen


def _functions(program: Program, sites: Iterable[Site]) -> list[Found]:
    """The functions that places are in; none where one of them is not known."""
    found: list[Found] = []
    for site in sites:
        tree = program.tree(site.path)
        node = tree.at(site) if tree is not None else None
        function = tree.function(node) if tree is not None and node is not None else None
        if tree is None or function is None:
            return []
        found.append(Found(tree, function))
    return found
