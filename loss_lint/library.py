"""Linting from Python."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from loss_lint.findings import Finding
    from loss_lint.syntax.sources import Sources


def lint_source(
    text: str | bytes,
    path: str = "source.py",
    *,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
) -> tuple[Finding, ...]:
    r"""The findings in a source text, sorted; configuration files are left out of account.

    `path` is where the text belongs: findings name it, and imports of the same project resolve from it.
    `select` and `ignore` take codes, prefixes and names; raises UnknownSelector (a ValueError) for others.

    >>> (finding,) = lint_source("from torch.nn import functional as F\nloss = F.cross_entropy(x.softmax(1), y)\n")
    >>> finding.code, finding.place.line, finding.fix.applicability
    ('LOS201', 2, 'unsafe')
    """
    from loss_lint.syntax.sources import Folder, Overlay

    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _lint([path], Overlay(Folder(), {path: data}), select, ignore, jobs=1)


def lint_paths(
    paths: Iterable[str | os.PathLike[str]],
    *,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    jobs: int = 1,
) -> tuple[Finding, ...]:
    r"""The findings in files and folders, sorted; configuration files are left out of account.

    Raises FileNotFoundError for a path that cannot be looked at, UnknownSelector (a ValueError) for a
    selector that no rule answers to. With several `jobs` (processes), findings carry no witness.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> text = "from torch.nn import functional as F\nF.mse_loss(x, y).mean().backward()\n"
    >>> _ = (folder / "train.py").write_text(text)
    >>> [(finding.code, finding.name) for finding in lint_paths([folder])]
    [('LOS102', 'scalar-loss-reduced-again')]
    """
    from loss_lint.discover import discover, import_roots
    from loss_lint.syntax.sources import Folder

    given = [os.fspath(path) for path in paths]
    found = discover(given)
    if found.problems:
        raise FileNotFoundError("; ".join(found.problems))
    return _lint(found.files, Folder(), select, ignore, jobs, import_roots(given))


def lint_project(
    files: Mapping[str, str | bytes],
    *,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    begins: Callable[[str], None] | None = None,
) -> tuple[Finding, ...]:
    r"""The findings in a project that is held in memory, sorted; nothing is read from disk.

    `files` are texts by path, with `/` between its parts; the project begins where the paths do. Python files and
    notebooks are linted; the names of the others (`pyproject.toml`) may say where a project inside it begins.
    `begins` hears the path of each file that is about to be looked at, so that whoever ends a run that takes too
    long knows where it was. Raises UnknownSelector (a ValueError) for a selector that no rule answers to.

    >>> files = {
    ...     "net.py": "import torch.nn as nn\nmodel = nn.Sequential(nn.Linear(8, 3), nn.Softmax(dim=1))\n",
    ...     "train.py": "from torch.nn import functional as F\nfrom net import model\nF.cross_entropy(model(x), y)\n",
    ... }
    >>> (finding,) = lint_project(files)
    >>> finding.place.path, [step.place.path for step in finding.trace][0]
    ('train.py', 'net.py')
    """
    from loss_lint.syntax.sources import Memory, is_linted

    return _lint(filter(is_linted, files), Memory(files), select, ignore, 1, ("",), begins)


def _lint(
    files: Iterable[str],
    sources: Sources,
    select: Sequence[str] | None,
    ignore: Sequence[str],
    jobs: int,
    roots: Sequence[str] = (),
    begins: Callable[[str], None] | None = None,
) -> tuple[Finding, ...]:
    from loss_lint.cells import in_cells
    from loss_lint.runner import lint_files
    from loss_lint.selection import INTERNAL_ERROR, Layer, known_rules, selected_codes
    from loss_lint.syntax.noqa import Suppressions
    from loss_lint.syntax.sources import snapshot

    layer = Layer(None if select is None else tuple(select), tuple(ignore))
    codes = selected_codes([layer], known_rules()) | {INTERNAL_ERROR}
    files_once = snapshot(sources)
    suppressions = Suppressions(files_once)
    found = [
        finding
        for finding in lint_files(files, files_once, roots=roots, jobs=jobs, begins=begins).findings
        if finding.code in codes and not suppressions.silences(finding)
    ]
    return tuple(in_cells(found, files_once))
