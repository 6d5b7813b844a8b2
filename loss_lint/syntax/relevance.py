"""Which files and names lead to a loss, across files: read from bytes, block by block.

A block is a definition or an assignment at the top of a file. A name leads to a loss if its block names one
of torch's, or names what does, be it imported. Short strings count, so that the answer may be yes too often.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from loss_lint.conventions import USUAL, Conventions
from loss_lint.syntax.project import Project, is_package, is_test
from loss_lint.syntax.prose import without_unused
from loss_lint.syntax.screen import is_python_of_torch, is_relevant, without_prose
from loss_lint.syntax.sources import is_notebook

# Over how many imports a name is seen to lead to a loss.
MAX_IMPORTS = 3
# A name that more files import than this is what a project stands on: it says nothing about a loss in any of them.
MAX_IMPORTERS = 64
# How many importers of importers are looked through, and how many files then judge one as its callers.
MAX_HANDED_ON = 4
MAX_CALLERS = 16

# Every name of torch's that computes a loss ends or begins with one of these.
_PARTS = (b"Loss", b"_loss", b"cross_entropy", b"kl_div")
_NAMES = frozenset(
    f"{name}Loss".encode()
    for name in [
        "CrossEntropy",
        "NLL",
        "PoissonNLL",
        "GaussianNLL",
        "KLDiv",
        "BCE",
        "BCEWithLogits",
        "MSE",
        "L1",
        "SmoothL1",
        "Huber",
        "CTC",
        "SoftMargin",
        "MultiMargin",
        "MultiLabelMargin",
        "MultiLabelSoftMargin",
        "MarginRanking",
        "TripletMargin",
        "TripletMarginWithDistance",
        "CosineEmbedding",
        "HingeEmbedding",
        "AdaptiveLogSoftmaxWith",
        "LinearCrossEntropy",
    ]
) | frozenset(
    b"NLLLoss2d CrossEntropyLoss2d cross_entropy linear_cross_entropy nll_loss nll_loss2d poisson_nll_loss "
    b"gaussian_nll_loss kl_div binary_cross_entropy binary_cross_entropy_with_logits mse_loss l1_loss "
    b"smooth_l1_loss huber_loss ctc_loss soft_margin_loss multi_margin_loss multilabel_margin_loss "
    b"multilabel_soft_margin_loss margin_ranking_loss triplet_margin_loss triplet_margin_with_distance_loss "
    b"cosine_embedding_loss hinge_embedding_loss".split()
)
_START = re.compile(
    rb"^(?:(?:async[ \t]+)?(?:def|class)[ \t]+(?P<defined>\w+)|(?P<assigned>\w+)[^\n=(]*=[^=]"
    rb"|(?:@|import\b|from\b|if\b|try\b|for\b|while\b|with\b))",
    re.MULTILINE,
)
_INNER = re.compile(rb"^[ \t]+(?:(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|(\w+)[^\n=(]*=[^=])", re.MULTILINE)
_WORD = re.compile(rb"[^\W\d]\w*")
_CHAIN = re.compile(rb"\w+(?:\.\w+)+")


@dataclass(frozen=True)
class _Outline:
    """A file's blocks by the names that they bind."""

    data: bytes
    own: frozenset[str] = frozenset()

    @cached_property
    def blocks(self) -> dict[str, list[tuple[int, int]]]:
        found: dict[str, list[tuple[int, int]]] = {}
        starts = list(_START.finditer(self.data))
        begin: int | None = None  # of decorators, which belong to what they stand above
        for number, start in enumerate(starts):
            end = starts[number + 1].start() if number + 1 < len(starts) else len(self.data)
            if self.data[start.start() : start.start() + 1] == b"@":
                begin = start.start() if begin is None else begin
                continue
            span = (start.start() if begin is None else begin, end)
            begin = None
            name = start["defined"] or start["assigned"]
            names = [name] if name else _bound_inside(self.data[span[0] : span[1]])
            for bound in names:
                found.setdefault(bound.decode("utf-8", "replace"), []).append(span)
        return found

    def leading(self, imported: frozenset[str]) -> frozenset[str]:
        """The names of blocks that name a loss, one of `imported`, or such a block."""
        found = set(self._naming_a_loss)
        if not found and not imported:
            return frozenset()
        mentioned = {name: words for name, words in self._words.items() if name not in found}
        words = {name.encode() for name in (*found, *imported)}
        size = -1
        while size != len(found):
            size = len(found)
            more = [name for name, known in mentioned.items() if not known.isdisjoint(words)]
            found.update(more)
            words.update(name.encode() for name in more)
        return frozenset(found)

    @cached_property
    def _words(self) -> dict[str, frozenset[bytes]]:
        """The names that the blocks of each name mention."""
        return {
            name: frozenset(word for span in spans for word in _WORD.findall(self.data, *span))
            for name, spans in self.blocks.items()
        }

    def attributes(self, bound: str) -> set[str]:
        """What the file reads of the module that it calls `bound`, which may be dotted."""
        first, *rest = bound.split(".")
        return {
            parts[at + len(rest) + 1]
            for parts, at in self._chains.get(first, ())
            if len(parts) > at + len(rest) + 1 and parts[at + 1 : at + len(rest) + 1] == rest
        }

    @cached_property
    def _chains(self) -> dict[str, list[tuple[list[str], int]]]:
        """The dotted names of the file by each of their parts, with its place in them."""
        found: dict[str, list[tuple[list[str], int]]] = {}
        for chain in set(_CHAIN.findall(self.data)):
            parts = chain.decode("utf-8", "replace").split(".")
            for at, part in enumerate(parts[:-1]):
                found.setdefault(part, []).append((parts, at))
        return found

    @cached_property
    def _naming_a_loss(self) -> frozenset[str]:
        """The names of blocks that name one of torch's losses."""
        places = _loss_places(self.data, self.own)
        return frozenset(
            name
            for name, spans in self.blocks.items()
            if any(bisect_left(places, begin) < bisect_left(places, end) for begin, end in spans)
        )


def _loss_places(data: bytes, own: frozenset[str] = frozenset()) -> list[int]:
    """Where the text names one of torch's losses, or of the project's `own`."""
    found: list[int] = []
    for name in own:
        written = name.encode()
        if written in data:
            found.extend(one.start() for one in re.finditer(rb"\b%b\b" % re.escape(written), data))
    for part in _PARTS:
        start = data.find(part)
        while start != -1:
            begin = start
            while begin and (data[begin - 1 : begin].isalnum() or data[begin - 1] == ord("_")):
                begin -= 1
            word = _WORD.match(data, begin)
            if word is not None and word[0] in _NAMES:
                found.append(begin)
            start = data.find(part, start + len(part))
    return sorted(found)


def _bound_inside(block: bytes) -> list[bytes]:
    return [defined or assigned for defined, assigned in _INNER.findall(block)]


class Relevance:
    """Which files of a project, and which names in them, lead to a loss."""

    def __init__(self, project: Project, conventions: Conventions = USUAL) -> None:
        self._project = project
        self._own = conventions.loss_words
        self._common: dict[str, frozenset[str]] = {}
        self._leading: dict[str, dict[str, frozenset[str]]] = {}
        self._imported: dict[str, frozenset[str]] = {}
        # The last part of each name that a file imports, be it a module or in one.
        self._named: dict[str, set[str]] = {}
        self._outlines: dict[str, _Outline] = {}
        self._callers: dict[str, tuple[str, ...]] = {}
        self._of_torch: dict[str, bool] = {}
        self._together: dict[str, bool] = {}
        self._names_a_loss: dict[str, bool] = {}

    def forget(self, path: str) -> None:
        """Look at a file again, whose text has changed; what leads to a loss in others stays as it is remembered."""
        for known in (self._names_a_loss, self._named, self._together, self._outlines):
            known.pop(path, None)
        leading = self._leading.get(self._project.root(path))
        if leading is None:
            self._imported.pop(path, None)
            return
        with self._project.unfollowed():
            imported = self._imported[path] = self._imported_names(path, leading)
            leading[path] = self._outline(path).leading(imported) | imported
        self._outlines.clear()

    def is_out_of_sight(self, path: str) -> bool:
        """Whether no loss can be in a notebook, nor in what it imports; raises OSError where it cannot be read."""
        project = self._project
        return not project.sources.names_torch(path) and not self._uses_torch(project.root(path))

    def is_relevant(self, path: str, data: bytes) -> bool:
        """Whether linting a file can find something: it names a loss, or imports what leads to one."""
        known = self._names_a_loss.get(path)
        if known is None:
            known = self._names_a_loss[path] = is_relevant(data, self._own)
        return known or bool(self.imported_loss_names(path))

    def imported_loss_names(self, path: str) -> frozenset[str]:
        """Those names that a file imports, as it binds them, that lead to a loss in another file of the project."""
        with self._project.unfollowed():
            if path not in self._imported and self._project.imported_files(path):
                leading = self._leading_names(self._project.root(path))
                if is_notebook(path):  # which no module imports, so that it is none of the project's own
                    self._imported[path] = self._imported_names(path, leading)
                    self._outlines.pop(path, None)
        return self._imported.get(path, frozenset())

    def _leading_names(self, root: str) -> dict[str, frozenset[str]]:
        """The names that lead to a loss, by file: from files that name one to those that import from them."""
        known = self._leading.get(root)
        if known is not None:
            return known
        leading: dict[str, frozenset[str]] = {}
        self._leading[root] = leading
        changed: list[str] = []
        for path in self._project.files(root):
            if _loss_places(self._data(path), self._own) and (
                names := self._outline(path).leading(frozenset())
            ):
                leading[path] = names
                changed.append(path)
        for _ in range(MAX_IMPORTS):
            importers = self._importers(changed)
            changed = self._spread(importers, leading)
            handed_on = changed
            for _ in range(MAX_HANDED_ON):  # that a package hands a name on is no step
                handed_on = self._spread(filter(is_package, self._importers(handed_on)), leading)
                changed += [path for path in handed_on if path not in changed]
        for path in [*self._outlines]:
            del self._outlines[path]
        return leading

    def _spread(self, importers: Iterable[str], leading: dict[str, frozenset[str]]) -> list[str]:
        """Those of `importers` that are seen to import more that leads to a loss than before."""
        changed: list[str] = []
        for path in sorted(importers):
            imported = self._imported_names(path, leading)
            if imported == self._imported.get(path, frozenset()):
                continue
            self._imported[path] = imported
            names = self._outline(path).leading(imported) | imported
            if names != leading.get(path):
                leading[path] = names
                changed.append(path)
        return changed

    def _importers(self, paths: list[str]) -> set[str]:
        """The files that import one of `paths`, or as a module a package that has one as an attribute."""
        found: set[str] = set()
        packages: list[str] = []
        for path in paths:
            importers = self._project.importers(path)
            packages.extend(one for one in importers if is_package(one) and one not in found)
            found.update(importers)
        for package in packages:
            found.update(one for one in self._project.importers(package) if self._as_a_module(package, one))
        return found

    def _as_a_module(self, package: str, importer: str) -> bool:
        named = self._named.get(importer)
        if named is None:
            lines = self._project.imports(importer)
            named = {line.module.rpartition(".")[2] if line.name is None else line.name for line in lines}
            self._named[importer] = named
        return os.path.basename(os.path.dirname(package)) in named

    def _imported_names(self, path: str, leading: dict[str, frozenset[str]]) -> frozenset[str]:
        names: set[str] = set()
        for line in self._project.imports(path):
            module, level, name, bound = line
            source = self._project.resolve(path, module, level)
            known = leading.get(source, frozenset()) if source is not None and source != path else frozenset()
            if name == "*":
                names |= known
            elif name is None:
                top = module.partition(".")[0]
                spellings = {bound} if bound != top else {module, top}
                if source is not None and any(self._uses(path, one, source, leading) for one in spellings):
                    names.add(bound)
            elif name in known:
                if source is not None and name not in self._common_names(source):
                    names.add(bound)
            elif source is None or is_package(source):
                below = self._project.resolve(path, f"{module}.{name}" if module else name, level)
                if below is not None and below != path and self._uses(path, bound, below, leading):
                    names.add(bound)
        return frozenset(names)

    def _common_names(self, source: str) -> frozenset[str]:
        """The names that very many files import from one."""
        known = self._common.get(source)
        if known is None:
            importers = self._project.importers(source)
            counts: Counter[str | None] = Counter()
            if len(importers) > MAX_IMPORTERS:
                for importer in importers:
                    counts.update({line.name for line in self._project.imports(importer)})
            known = frozenset(name for name, count in counts.items() if name and count > MAX_IMPORTERS)
            self._common[source] = known
        return known

    def _uses(
        self, path: str, spelled: str, module: str, leading: dict[str, frozenset[str]], depth: int = 4
    ) -> bool:
        """Whether a file reads a name that leads to a loss of the module that it calls `spelled`, or of one below."""
        known = leading.get(module, frozenset())
        goes_on = depth and is_package(module)
        if not known and not goes_on:
            return False
        attributes = self._outline(path).attributes(spelled)
        if not known.isdisjoint(attributes):
            return True
        if not goes_on:
            return False
        below = ((f"{spelled}.{one}", self._project.resolve(module, one, 1)) for one in sorted(attributes))
        return any(
            inner is not None and self._uses(path, dotted, inner, leading, depth - 1)
            for dotted, inner in below
        )

    def _data(self, path: str) -> bytes:
        try:
            return self._project.sources.read(path)
        except (OSError, ValueError):
            return b""

    def _outline(self, path: str) -> _Outline:
        known = self._outlines.get(path)
        if known is None:
            known = self._outlines[path] = _Outline(
                without_unused(without_prose(self._data(path))), self._own
            )
        return known

    def callers(self, path: str) -> tuple[str, ...]:
        """Files that import the one at `path`, directly or through files that hand its names on, nearest first.

        Only files that lead to a loss count, and no tests: what a test calls does not judge the code.
        """
        known = self._callers.get(path)
        if known is None:
            with self._project.unfollowed():
                known = self._callers[path] = self._find_callers(path)
        return known

    def _find_callers(self, path: str) -> tuple[str, ...]:
        root = self._project.root(path)
        if not self._uses_torch(root):
            return ()
        found: list[str] = []
        seen = {path}
        level = [path]
        for _ in range(MAX_HANDED_ON + 1):
            importers = sorted({one for current in level for one in self._project.importers(current)} - seen)
            level = [one for one in importers if is_test(path, root) or not is_test(one, root)]
            seen.update(importers)
            found.extend(one for one in level if self._brings_together(one))
            if not level or len(found) >= MAX_CALLERS:
                break
        return tuple(found[:MAX_CALLERS])

    def _uses_torch(self, root: str) -> bool:
        known = self._of_torch.get(root)
        if known is None:
            files = self._project.files(root)
            known = self._of_torch[root] = any(is_python_of_torch(self._data(path)) for path in files)
        return known

    def _brings_together(self, path: str) -> bool:
        """Whether a file that imports others can do more with their names than hand them on."""
        known = self._together.get(path)
        if known is None:
            data = self._data(path)
            hands_on = is_package(path) and b"def " not in data
            known = self._together[path] = not hands_on and self.is_relevant(path, data)
        return known
