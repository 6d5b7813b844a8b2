"""Runs a script or module as `python` does: its `__main__`, arguments, path, exit status and traceback."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

from loss_lint.syntax.sources import read_given

INTERRUPTED = 130
_SUCCESS, _FAILURE = 0, 1


class NoProgram(Exception):
    """There is nothing to run; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Program:
    """What `python SCRIPT` or `python -m MODULE` would run: its code, and what it finds around itself."""

    code: CodeType
    file: str
    folder: str
    name: str = "__main__"
    package: str | None = None
    spec: Any = None
    loader: Any = None


def script(path: str) -> Program:
    """The program in a file, or in a folder that has a `__main__.py`; raises NoProgram."""
    if os.path.isdir(path):
        inner = os.path.join(path, "__main__.py")
        if not os.path.exists(inner):
            raise NoProgram(f"can't find '__main__' module in {path!r}")
        return _from_file(inner, os.path.abspath(path))
    return _from_file(path, os.path.dirname(os.path.realpath(path)))


def _from_file(path: str, folder: str) -> Program:
    try:
        data = read_given(os.path.abspath(path), io.open_code)
    except OSError as error:
        raise NoProgram(f"can't open file {path!r}: {error.strerror}") from None
    file_name = os.path.abspath(path)
    return Program(compile(data, file_name, "exec", dont_inherit=True), file_name, folder)


def module(name: str) -> Program:
    """The program in a module, or in a package's `__main__`; raises NoProgram. The packages above it are imported."""
    spec = _spec(name)
    if spec.submodule_search_locations is not None:
        spec = _spec(f"{name}.__main__")
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(spec.name) if get_code is not None else None
    if code is None or spec.origin is None:
        raise NoProgram(f"no code object available for {spec.name}")
    return Program(code, spec.origin, os.getcwd(), "__main__", spec.parent, spec, spec.loader)


def _spec(name: str) -> Any:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError) as error:
        raise NoProgram(f"No module named {name} ({error})") from None
    if spec is None:
        raise NoProgram(f"No module named {name}")
    return spec


@contextmanager
def first_on_path(folder: str) -> Iterator[None]:
    """A program's folder in the place where `python` would have put it."""
    before = list(sys.path)
    if not sys.flags.safe_path:
        sys.path[:1] = [folder]
    try:
        yield
    finally:
        if not sys.flags.safe_path and sys.path[:1] == [folder]:
            sys.path[:1] = before[:1]


@contextmanager
def as_main(program: Program, arguments: Sequence[str]) -> Iterator[ModuleType]:
    """The program's module as `__main__`, where pickles and other processes look for it."""
    main = ModuleType(program.name)
    main.__dict__.update(
        __file__=program.file,
        __builtins__=__builtins__,
        __package__=program.package,
        __spec__=program.spec,
        __loader__=program.loader,
        __cached__=None,
    )
    modules_main, argv = sys.modules.get("__main__"), sys.argv
    sys.modules["__main__"] = main
    sys.argv = [program.file if program.spec is not None else arguments[0], *arguments[1:]]
    try:
        yield main
    finally:
        sys.argv = argv
        if modules_main is not None:
            sys.modules["__main__"] = modules_main


def run(program: Program, arguments: Sequence[str], around: Callable[[], AbstractContextManager[Any]]) -> int:
    """Run a program inside `around`; gives its exit status. What it raises is shown as `python` shows it."""
    with as_main(program, arguments) as main:
        try:
            with around():
                exec(program.code, main.__dict__)  # noqa: S102 - it is what was asked for
        except SystemExit as leaving:
            return _status(leaving)
        except KeyboardInterrupt as error:
            _show(error, program)
            return INTERRUPTED
        except BaseException as error:  # noqa: BLE001 - the outermost edge of the program
            _show(error, program)
            return _FAILURE
        finally:
            for stream in (sys.stdout, sys.stderr):
                _flush(stream)
    return _SUCCESS


def _status(leaving: SystemExit) -> int:
    """The exit status that `python` gives for `sys.exit(code)`."""
    code = leaving.code
    if code is None:
        return _SUCCESS
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return _FAILURE


def _show(error: BaseException, program: Program) -> None:
    """The traceback from the program on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not program.code:
        trace = trace.tb_next
    shown = error.with_traceback(trace or error.__traceback__)
    sys.excepthook(type(shown), shown, shown.__traceback__)


def _flush(stream: Any) -> None:
    try:
        stream.flush()
    except (AttributeError, OSError, ValueError):
        return
