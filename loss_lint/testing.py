"""For a project's own test suite: a test that fails where the project computes another loss than it says.

from loss_lint.testing import assert_no_loss_misuse

def test_losses():
    assert_no_loss_misuse("src")
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def assert_no_loss_misuse(
    *paths: str | os.PathLike[str], select: Sequence[str] | None = None, ignore: Sequence[str] = ()
) -> None:
    r"""Raise AssertionError with all that `loss-lint check PATHS` reports, a line each.

    Configuration files, `# noqa` and exclusions hold as on the command line; `select` and `ignore` are its flags.
    Paths are relative to the working directory. Raises FileNotFoundError for one that cannot be looked at, ConfigError
    for a configuration or a selector that cannot be followed.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> path = folder / "train.py"
    >>> _ = path.write_text("from torch.nn import functional as F\nloss = F.cross_entropy(x.softmax(1), y)\n")
    >>> assert_no_loss_misuse(path, ignore=["LOS201"])
    >>> assert_no_loss_misuse(path)
    Traceback (most recent call last):
    AssertionError: loss-lint found 1 error:
    ...train.py:2:8: LOS201 cross_entropy gets probabilities: ...
    """
    __tracebackhide__ = True  # pytest shows the caller's line

    from loss_lint.cells import in_cells
    from loss_lint.config import Configuration, Settings
    from loss_lint.discover import discover, import_roots
    from loss_lint.report.concise import line
    from loss_lint.report.palette import Palette
    from loss_lint.runner import lint_files
    from loss_lint.selection import Layer, known_codes
    from loss_lint.showing import Showing
    from loss_lint.syntax.noqa import Suppressions
    from loss_lint.syntax.sources import Folder, snapshot

    layer = Layer(None if select is None else tuple(select), tuple(ignore))
    configuration = Configuration(known_codes, Settings(layers=(layer,)))
    given = [os.fspath(path) for path in paths] or ["."]
    found = discover(given, configuration)
    if found.problems:
        raise FileNotFoundError("; ".join(found.problems))
    configuration.validate(sorted({os.path.dirname(path) for path in found.files}))
    sources = snapshot(Folder())
    run = lint_files(found.files, sources, roots=import_roots(given), conventions=configuration.conventions)
    showing = Showing(configuration, Suppressions(sources))
    shown = in_cells([finding for finding in run.findings if showing.shows(finding)], sources)
    if shown:
        lines = [line(finding, os.getcwd(), Palette()) for finding in shown]
        raise AssertionError(
            "\n".join([f"loss-lint found {len(lines)} error{'s'[: len(lines) > 1]}:", *lines])
        )
