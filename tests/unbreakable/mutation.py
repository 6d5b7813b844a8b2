"""How many of the bugs that are put into right programs are found, by rule.

    python tests/unbreakable/mutation.py                    the fixtures
    python tests/unbreakable/mutation.py FOLDER [COUNT]     projects, one a folder: COUNT bugs a rule, 20 by default

Bugs go to places drawn at random, the same in every run, where nothing was found before. With `-v` what is missed
is listed as well.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from insertion import NUMBERINGS, OPERATORS, Numbered, Site, inserted, read, sites

from loss_lint.runner import lint_files
from loss_lint.syntax.sources import Folder, Overlay, Snapshot

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "rules"
SEED = 20
# Larger files say little more of a rule and take long.
MAX_BYTES = 60_000

# What says the same of a bug, more exactly or as the first of two reasons.
AS_GOOD = {
    "LOS102": {"LOS106"},
    "LOS210": {"LOS205", "LOS202"},
    "LOS302": {"LOS301"},
}


@dataclass(slots=True)
class Row:
    """What became of one rule's bugs; `missed` are their places."""

    inserted: int = 0
    found: int = 0
    instead: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    def count(self, code: str, new: Counter[tuple[str, str, int]], place: str) -> None:
        """One more bug, of which `new` is what was found of it."""
        self.inserted += 1
        seen = {one for one, _, _ in new}
        if seen & {code, *AS_GOOD.get(code, ())}:
            self.found += 1
        else:
            self.missed.append(place)
            self.instead.update(seen)


@dataclass(frozen=True, slots=True)
class Place:
    """A loss of a file of a project."""

    root: str
    path: Path
    site: Site


def places(root: Path, names: str) -> Iterator[Place]:
    """The losses below a folder."""
    for path in sorted(root.rglob(names)):
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            continue
        source = read(path.read_bytes())
        if source is not None and b"torch" in source.data:
            yield from (Place(str(root), path, site) for site in sites(source))


@dataclass(frozen=True, slots=True)
class Numbering:
    """A place of a project, which trains on some loss, where classes are numbered; `files` are all of the project."""

    root: str
    path: Path
    files: tuple[str, ...]
    at: Numbered


def numberings(root: Path, names: str, code: str) -> Iterator[Numbering]:
    """Where the projects below a folder number classes."""
    if next(places(root, names), None) is None:
        return
    files = tuple(str(path) for path in sorted(root.rglob(names)) if path.is_file())
    for name in files:
        source = read(Path(name).read_bytes())
        if source is not None and len(source.data) <= MAX_BYTES:
            yield from (Numbering(str(root), Path(name), files, at) for at in NUMBERINGS[code](source))


Known = Counter[tuple[str, str, int]]


def found_in(root: str, path: Path, data: bytes, files: Iterable[str] = ()) -> Known:
    """What is found in a file (or all `files`) if it holds `data`: codes, with the path and line."""
    sources = Snapshot(Overlay(Folder(), {str(path): data}))
    findings = lint_files([*files] or [str(path)], sources, roots=(root,), jobs=1).findings
    return Counter((one.code, one.place.path, one.place.line) for one in findings)


def measured(candidates: list[Place], count: int, codes: Iterable[str] = tuple(OPERATORS)) -> dict[str, Row]:
    """Each rule's bug at up to `count` of the places."""
    rows: dict[str, Row] = {}
    before: dict[Path, Counter[tuple[str, str, int]]] = {}
    for code in codes:
        row = rows[code] = Row()
        chance = random.Random(f"{SEED} {code}")
        for place in chance.sample(candidates, len(candidates)):
            if row.inserted >= count:
                break
            data = inserted(place.site, code)
            if data is None:
                continue
            if place.path not in before:
                before[place.path] = found_in(place.root, place.path, place.site.source.data)
            known = before[place.path]
            line = place.site.call.lineno
            if any(where == str(place.path) and abs(at - line) < 2 for _, where, at in known):
                continue  # it was wrong already
            new = found_in(place.root, place.path, data) - known
            row.count(code, new, f"{place.path}:{line}")
    return rows


def renumbered(
    projects: list[Path], count: int, names: str = "*.py", codes: Iterable[str] = NUMBERINGS
) -> dict[str, Row]:
    """Each rule's bug at up to `count` places that number classes."""
    rows: dict[str, Row] = {}
    for code in codes:
        row = rows[code] = Row()
        candidates = [place for project in projects for place in numberings(project, names, code)]
        for place in random.Random(f"{SEED} {code}").sample(candidates, len(candidates)):
            data = place.at.inserted()
            if row.inserted >= count or data is None:
                continue
            known = found_in(place.root, place.path, place.at.source.data, place.files)
            if any(one == code for one, _, _ in known):
                continue
            new = found_in(place.root, place.path, data, place.files) - known
            row.count(code, new, f"{place.path}:{place.at.line}")
    return rows


def table(rows: dict[str, Row]) -> Iterator[str]:
    yield "| rule | inserted | found | found instead |"
    yield "| --- | ---: | ---: | --- |"
    for code, row in sorted(rows.items()):
        instead = ", ".join(f"{other} {count}" for other, count in sorted(row.instead.items()))
        yield f"| {code} | {row.inserted} | {row.found} | {instead} |"
    yield f"| all | {sum(row.inserted for row in rows.values())} | {sum(row.found for row in rows.values())} | |"


def candidates_of_fixtures() -> list[Place]:
    """The losses in the fixtures that are right."""
    return [
        place
        for folder in sorted(FIXTURES.iterdir())
        if folder.is_dir()
        for name in ("good.py", "fixed.py")
        for place in places(folder, name)
    ]


def main(arguments: list[str]) -> None:
    verbose = "-v" in arguments
    given = [one for one in arguments if one != "-v"]
    count = int(given[1]) if len(given) > 1 else 20
    if given:
        projects = [project for project in sorted(Path(given[0]).resolve().iterdir()) if project.is_dir()]
        candidates = [place for project in projects for place in places(project, "*.py")]
        rows = measured(candidates, count) | renumbered(projects, count)
    else:
        folders = [folder for folder in sorted(FIXTURES.iterdir()) if folder.is_dir()]
        rows = measured(candidates_of_fixtures(), count) | renumbered(folders, count, "good.py")
    for line in table(rows):
        print(line)
    if verbose:
        for code, row in sorted(rows.items()):
            for missed in row.missed:
                print(code, missed)


if __name__ == "__main__":
    main(sys.argv[1:])
