"""The project's own losses and softmaxes that its configuration says behave like torch's: by which names they are met.

To the evaluator such a name is torch's, with the project's as its `alias`, whatever its definition does and
whether or not that can be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.symbolic.definitions import Definition, definitions
from loss_lint.symbolic.graph import Class, External, Function, Value, external

if TYPE_CHECKING:
    from loss_lint.conventions import Conventions
    from loss_lint.symbolic.machine import Machine
    from loss_lint.syntax.project import Project, Trail

# Over how many modules a name is seen to be handed on.
MAX_HANDED_ON = 8

# A file, and a name in it.
_Place = tuple[str, str]


class OwnNames:
    """What a project's own names mean. False where there are none."""

    def __init__(self, conventions: Conventions, project: Project) -> None:
        self._meanings = dict((*conventions.losses, *conventions.softmaxes))
        self._project = project
        self._places: dict[str, tuple[dict[_Place, str], Trail]] = {}

    def look_again(self, project: Project) -> None:
        """Forget where names were bound: files have changed."""
        self._project = project
        self._places.clear()

    def __bool__(self) -> bool:
        return bool(self._meanings)

    def at(self, path: str, name: str, importer: str) -> External | None:
        """What is meant by `name` in the module at `path`, seen from `importer`; None where it is no such name."""
        known = self._places_for(importer)
        alias = known[0].get((path, name))
        if alias is None:
            return None
        self._project.follow(known[1])
        return self._meant(alias)

    def behind(self, value: Value) -> Value:
        """What a definition of the project means; any other value means itself."""
        match value:
            case Class(closure=closure, name=name) | Function(closure=closure, name=name):
                path = value.module.path
                return (self.at(path, name, path) if closure.enclosing is None else None) or value
            case _:
                return value

    def qualified(self, name: str, importer: str) -> External | None:
        """What a qualified name, which may begin with the dots of a relative import, means in `importer`."""
        if name in self._meanings:
            return self._meant(name)
        if not name.startswith("."):
            return None
        rest = name.lstrip(".")
        folders = importer.replace("\\", "/").split("/")[: -(len(name) - len(rest))]
        absolute = ".".join([*folders, rest])
        return next((self._meant(own) for own in self._meanings if absolute.endswith(f".{own}")), None)

    def definition(self, alias: str, importer: str, machine: Machine) -> Definition | None:
        """The definition of an own name, where its source can be read."""
        for (path, name), own in self._places_for(importer)[0].items():
            parsed = machine.modules.parsed(path) if own == alias else None
            for node in definitions(parsed.tree.body) if parsed is not None else ():
                if node.name == name:
                    return node
        return None

    def _meant(self, alias: str) -> External:
        return external(self._meanings[alias], alias)

    def _places_for(self, importer: str) -> tuple[dict[_Place, str], Trail]:
        """Where own names are bound, as files like `importer` import them, and what that followed from."""
        folder = importer.rpartition("/")[0]
        known = self._places.get(folder)
        if known is None:
            places: dict[_Place, str] = {}
            with self._project.following() as trail:
                for own in self._meanings:
                    module, _, name = own.rpartition(".")
                    path = self._project.resolve(importer, module, 0) if module else None
                    if path is not None:
                        self._follow(path, name, own, places)
            known = self._places[folder] = (places, trail)
        return known

    def _follow(self, path: str, name: str, own: str, places: dict[_Place, str], depth: int = 0) -> None:
        """Note a name in a module, and the modules from which that has it."""
        if (path, name) in places or depth > MAX_HANDED_ON:
            return
        places[path, name] = own
        for line in self._project.imports(path):
            if line.name == "*":
                source = self._project.resolve(path, line.module, line.level)
                if source is not None and self._project.may_bring(source, name):
                    self._follow(source, name, own, places, depth + 1)
            elif line.name is not None and line.bound == name:
                source = self._project.resolve(path, line.module, line.level)
                if source is not None and source != path:
                    self._follow(source, line.name, own, places, depth + 1)
