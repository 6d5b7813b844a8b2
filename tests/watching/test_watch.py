"""`loss_lint.watch()`: what it tells, and that it changes nothing."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

import loss_lint
from loss_lint.config import ConfigError
from loss_lint.watching.api import Watch
from loss_lint.watching.observer import active_modes

sys.path.insert(0, str(Path(__file__).parent))
from training import network, same, train


def quiet(**options: Any) -> Watch:
    made: Watch = loss_lint.watch(on_finding="collect", check=False, isolated=True, **options)
    return made


def codes(watch: Watch) -> list[str]:
    return [finding.code for finding in watch.findings]


def softmaxed(steps: int = 3) -> None:
    model = nn.Sequential(nn.Linear(4, 5), nn.Softmax(dim=1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 5, (8,))).backward()
        optimizer.step()


@pytest.fixture(autouse=True)
def no_mode_is_left() -> Iterator[None]:
    before = active_modes()
    yield
    assert active_modes() == before


# It changes nothing


@pytest.mark.parametrize("autocast", [False, True], ids=["float32", "autocast and scaler"])
@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_no_number_changes(
    autocast: bool, optimizer: type[torch.optim.Optimizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "loss_lint.watching.session._ALLOWANCE", float("inf")
    )  # all steps, however slow they are
    watch = quiet()
    plain = train(autocast=autocast, optimizer=optimizer)
    seen = train(lambda: watch, autocast=autocast, optimizer=optimizer)
    assert same(plain, seen)
    assert watch.calls == 15
    assert (watch.findings, watch.notes) == ((), ())


def test_no_number_changes_where_something_is_found() -> None:
    def loss(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits.softmax(1), y) / len(y)

    watch = quiet()
    assert same(train(loss=loss), train(lambda: watch, loss=loss))
    assert codes(watch) == ["LOS201", "LOS101"]
    assert all(finding.evidence is not None for finding in watch.findings)


def test_the_state_of_torch_is_as_before() -> None:
    torch.set_grad_enabled(True)
    with quiet():
        with torch.no_grad():
            functional.cross_entropy(torch.rand(8, 5).softmax(1), torch.randint(0, 5, (8,)))
            assert not torch.is_grad_enabled()
        with torch.inference_mode():
            functional.cross_entropy(torch.rand(8, 5).softmax(1), torch.randint(0, 5, (8,)))
            assert torch.is_inference_mode_enabled()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            softmaxed()
            assert torch.is_autocast_enabled("cpu")
    assert torch.is_grad_enabled()


def test_an_unusual_loss_is_left_alone() -> None:
    class Wrapped(torch.Tensor):
        pass

    x, y = torch.randn(8, 5), torch.randint(0, 5, (8,))
    with quiet() as watch:
        functional.cross_entropy(x.as_subclass(Wrapped), y)
        torch.func.grad(lambda z: functional.cross_entropy(z.softmax(1), y))(x)
        torch.func.vmap(lambda z: functional.cross_entropy(z[None].softmax(1), y[:1]))(x)
        functional.cross_entropy(
            torch.randn(8, 5, device="meta"), torch.zeros(8, dtype=torch.long, device="meta")
        )
        functional.cross_entropy(torch.randn(0, 5), torch.zeros(0, dtype=torch.long))
        functional.mse_loss(torch.randn(()), torch.randn(()))
        functional.cross_entropy(torch.full((8, 5), torch.nan), y)
    assert (watch.findings, watch.notes) == ((), ())


def test_nothing_is_kept_alive() -> None:
    model = network()
    alive: list[weakref.ref[torch.Tensor]] = []
    with quiet():
        for _ in range(3):
            logits = model(torch.randn(8, 1, 8, 8))
            loss = functional.cross_entropy(logits, torch.randint(0, 5, (8,))) * 2
            loss.backward()
            alive += [weakref.ref(logits), weakref.ref(loss)]
            del logits, loss
        gc.collect()
        assert [reference() for reference in alive] == [None] * 6


def test_a_failure_of_the_watcher_is_not_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("loss_lint.watching.recorder.look_closely", broken)
    watch = quiet()
    assert same(train(), train(lambda: watch))
    assert watch.findings == ()
    assert watch.notes[0].startswith("loss-lint failed while watching (ZeroDivisionError: ours)")


# Compiled programs


@pytest.fixture
def fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    yield
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()


class Counting:
    """A backend that counts graphs and their operations."""

    def __init__(self) -> None:
        self.graphs: list[int] = []

    def __call__(self, graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> Callable[..., Any]:
        self.graphs.append(sum(node.op.startswith("call") for node in graph.graph.nodes))
        return graph.forward


@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("fullgraph", [False, True])
def test_a_compiled_model_is_compiled_as_ever(fullgraph: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # However much listening costs: graphs know whether somebody listened.
    monkeypatch.setattr("loss_lint.watching.session._ALLOWANCE", -1.0)
    graphs = []
    results = []
    for around in (nullcontext, quiet):
        torch._dynamo.reset()
        backend = Counting()
        results.append(
            train(around, wrap=lambda model, b=backend: torch.compile(model, backend=b, fullgraph=fullgraph))
        )
        graphs.append(backend.graphs)
    assert same(*results)
    assert graphs[0] == graphs[1]


@pytest.mark.usefixtures("fresh_compiler")
def test_the_loss_of_a_compiled_model_is_seen() -> None:
    def loss(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits.softmax(1), y)

    watch = quiet()
    seen = train(lambda: watch, wrap=lambda model: torch.compile(model, backend="aot_eager"), loss=loss)
    assert codes(watch) == ["LOS201"]
    assert same(seen, train(wrap=lambda model: torch.compile(model, backend="aot_eager"), loss=loss))


@pytest.mark.usefixtures("fresh_compiler")
def test_a_compiled_step_runs_unseen() -> None:
    backend = Counting()

    @torch.compile(backend=backend, fullgraph=True)
    def compute(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(x.softmax(1), y) / y.size(0)

    x, y = torch.randn(8, 5, requires_grad=True), torch.randint(0, 5, (8,))
    plain = compute(x, y)
    with quiet() as watch:
        assert torch.equal(plain, compute(x, y))
        compute(x, y).backward()
    assert torch.equal(plain, compute(x, y))
    assert watch.findings == ()
    assert len(set(backend.graphs)) == 1
    assert len(backend.graphs) == 2  # with a mode and without


# Loops that know nothing of it


class Trainer:
    """What Lightning's loop does: the training step runs in a closure, inside the optimizer's step."""

    def fit(self, module: Any, batches: list[Any]) -> None:
        optimizer = module.configure_optimizers()
        for number, batch in enumerate(batches):

            def closure(batch: Any = batch, number: int = number) -> torch.Tensor:
                loss = module.training_step(batch, number)
                optimizer.zero_grad()
                self._backward(loss)
                return loss

            optimizer.step(closure)

    def _backward(self, loss: torch.Tensor) -> None:
        (loss / 1).backward()


class Module(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Linear(4, 5), nn.Softmax(dim=1))
        self.criterion = nn.CrossEntropyLoss()

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        x, y = batch
        return self.criterion(self.model(x), y)  # the loss of this module

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def line_of(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(row for row, line in enumerate(lines, 1) if line.endswith(text))


def test_a_loop_that_calls_back() -> None:
    batches = [(torch.randn(8, 4), torch.randint(0, 5, (8,))) for _ in range(5)]
    with quiet() as watch:
        Trainer().fit(Module(), batches)
    assert [(found.code, found.place.line) for found in watch.findings] == [
        ("LOS201", line_of("# the loss of this module"))
    ]


class Accelerator:
    """What Accelerate and transformers' Trainer do: the model computes its own loss, the loop accumulates."""

    def __init__(self, model: nn.Module, steps: int) -> None:
        self.model, self.steps = model, steps
        self.optimizer = torch.optim.AdamW(model.parameters())

    def compute_loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return self.model(**batch)["loss"]

    def train(self, batches: list[dict[str, torch.Tensor]]) -> None:
        for number, batch in enumerate(batches, 1):
            loss = self.compute_loss(batch)
            self.backward(loss)
            if number % self.steps == 0:
                self.optimizer.step()
                self.optimizer.zero_grad()

    def backward(self, loss: torch.Tensor) -> None:
        loss = loss / self.steps  # of accumulation
        loss.backward()


class LanguageModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(7, 8), nn.Linear(8, 7)

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = self.head(self.embedding(input_ids))
        return {"loss": functional.cross_entropy(logits.view(-1, 7), labels.view(-1)), "logits": logits}


@pytest.mark.parametrize("masked", [False, True])
def test_a_loop_that_accumulates(masked: bool) -> None:
    batches = []
    for number in range(12):
        labels = torch.randint(0, 7, (2, 9))
        if masked:
            labels[:, 2 + number % 5 :] = -100
        batches.append({"input_ids": torch.randint(0, 7, (2, 9)), "labels": labels})
    with quiet() as watch:
        Accelerator(LanguageModel(), 4).train(batches)
    assert [(found.code, found.place.line) for found in watch.findings] == (
        [("LOS109", line_of("# of accumulation"))] if masked else []
    )


# How it is used


def test_a_report_at_the_end() -> None:
    stream = io.StringIO()
    with loss_lint.watch(file=stream, check=False, isolated=True):
        softmaxed()
        assert stream.getvalue() == ""
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert "LOS201 cross_entropy gets probabilities: softmax at " in lines[0]
    assert "All rows of its input, of shape (8, 5), sum to 1" in lines[0]
    assert "measured with torch" in lines[0]
    assert lines[1] == "Found 1 error in 3 calls of losses."


def test_nothing_to_report_is_silence() -> None:
    stream = io.StringIO()
    with loss_lint.watch(file=stream, check=False, isolated=True):
        train()
    assert stream.getvalue() == ""


def test_standard_error_is_where_a_report_goes(capsys: pytest.CaptureFixture[str]) -> None:
    with loss_lint.watch(check=False, isolated=True):
        softmaxed()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("Found 1 error in 3 calls of losses.\n")


def test_at_once_by_an_exception() -> None:
    steps = 0
    model = nn.Sequential(nn.Linear(4, 5), nn.Softmax(dim=1))

    @loss_lint.watch(on_finding="raise", check=False, isolated=True)
    def run() -> None:
        nonlocal steps
        for _ in range(5):
            steps += 1
            functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 5, (8,)))

    with pytest.raises(loss_lint.LossMisuse, match="LOS201 cross_entropy gets probabilities") as raised:
        run()
    assert steps == 1
    assert raised.value.finding.place.path == __file__


def test_what_only_the_end_shows_is_raised_there() -> None:
    x = torch.randn(8, 4, requires_grad=True)

    @loss_lint.watch(on_finding="raise", check=False)
    def train_on_nothing() -> None:
        for _ in range(8):
            functional.mse_loss(x, x).backward()

    with pytest.raises(loss_lint.LossMisuse, match="LOSW02"):
        train_on_nothing()


def test_at_once_by_a_warning() -> None:
    def run() -> None:
        with loss_lint.watch(on_finding="warn", check=False, isolated=True):
            softmaxed()
            softmaxed()

    with pytest.warns(loss_lint.LossMisuseWarning, match="LOS201") as caught:
        run()
    assert len([one for one in caught if issubclass(one.category, loss_lint.LossMisuseWarning)]) == 1


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match="on_finding must be"):
        loss_lint.watch(on_finding="shout")  # type: ignore[call-overload]


def test_as_a_decorator() -> None:
    watch = quiet()

    @watch
    def run() -> int:
        softmaxed()
        return 3

    assert run() == 3
    assert run.__name__ == "run"
    stream = io.StringIO()
    watched = loss_lint.watch(file=stream, check=False, isolated=True)(softmaxed)
    watched()
    watched()
    assert stream.getvalue().count("LOS201") == 2


def test_as_a_bare_decorator(capsys: pytest.CaptureFixture[str]) -> None:
    @loss_lint.watch
    def run() -> None:
        softmaxed()

    run()
    assert "LOS201" in capsys.readouterr().err


def test_each_cause_once() -> None:
    with quiet() as watch:
        softmaxed(20)
    assert codes(watch) == ["LOS201"]


def test_an_exception_passes_and_the_report_comes() -> None:
    stream = io.StringIO()
    with pytest.raises(KeyError, match="mine"), loss_lint.watch(file=stream, check=False, isolated=True):  # noqa: PT012
        softmaxed()
        raise KeyError("mine")
    assert "LOS201" in stream.getvalue()


def test_what_raised_is_explained() -> None:
    with pytest.raises(IndexError), quiet() as watch:  # noqa: PT012
        for _ in range(3):
            functional.cross_entropy(torch.randn(32, 5), torch.randint(1, 6, (32,)))
    assert codes(watch) == ["LOS603"]
    assert "The targets lie between 1 and 5, the input has shape (32, 5)." in watch.findings[0].message


def test_one_inside_another() -> None:
    stream = io.StringIO()
    with quiet() as outer:
        train()
        with loss_lint.watch(file=stream, check=False, isolated=True) as inner:
            softmaxed()
        assert codes(inner) == ["LOS201"]
        assert inner.calls == 3
        with quiet() as second:
            softmaxed()
        # The same cause at the same place has been told.
        assert codes(second) == []
    assert codes(outer) == ["LOS201"]
    assert outer.calls > 6
    assert stream.getvalue().count("LOS201") == 1


def test_a_watch_runs_once_at_a_time() -> None:
    watch = quiet()
    with watch, pytest.raises(RuntimeError, match="running already"):
        watch.__enter__()
    with watch:
        softmaxed()
    assert codes(watch) == ["LOS201"]


# What is asked for


def test_noqa_silences(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_text(
        "import torch\nimport torch.nn.functional as F\n"
        "x, y = torch.randn(8, 5).softmax(1), torch.randint(0, 5, (8,))\n"
        "F.cross_entropy(x.requires_grad_(), y)  # noqa: LOS201\n"
        "F.cross_entropy(x.requires_grad_(), y)  # noqa: LOS101\n"
    )
    with quiet() as watch:
        exec(compile(path.read_text(), str(path), "exec"), {})
    assert [(found.code, found.place.line) for found in watch.findings] == [("LOS201", 5)]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"select": ["LOS2"]}, ["LOS201"]),
        ({"select": ["LOS1"]}, []),
        ({"ignore": ["softmax-into-cross-entropy"]}, []),
        ({"ignore": ["LOSW"]}, ["LOS201"]),
    ],
)
def test_codes_are_selected(options: dict[str, list[str]], found: list[str]) -> None:
    with quiet(**options) as watch:
        softmaxed()
    assert codes(watch) == found


def test_a_wrong_code_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown rule selector `LOX`"), quiet(select=["LOX"]):
        pass


def test_configuration_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.loss-lint]\nignore = ["LOS201", "LOSW03"]\n')
    path = tmp_path / "run.py"
    path.write_text(
        "import torch\nimport torch.nn.functional as F\n"
        "F.cross_entropy(torch.randn(8, 5, requires_grad=True).softmax(1), torch.randint(0, 5, (8,)))\n"
    )
    for isolated, found in ((False, []), (True, ["LOS201"])):
        watch = loss_lint.watch(on_finding="collect", check=False, isolated=isolated)
        with watch:
            exec(compile(path.read_text(), str(path), "exec"), {})
        assert codes(watch) == found


# Threads, processes and other modes


def test_another_thread_is_not_heard() -> None:
    with quiet() as watch:
        thread = threading.Thread(target=softmaxed)
        thread.start()
        thread.join()
        train()
    assert watch.findings == ()


def test_two_threads_watch_their_own() -> None:
    found: dict[str, list[str]] = {}
    barrier = threading.Barrier(2)

    def run(name: str, work: Callable[[], object]) -> None:
        with quiet() as watch:
            barrier.wait()
            work()
            barrier.wait()
        found[name] = codes(watch)

    threads = [
        threading.Thread(target=run, args=("wrong", softmaxed)),
        threading.Thread(target=run, args=("right", train)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"wrong": ["LOS201"], "right": []}


class Strange(torch.utils.data.Dataset[torch.Tensor]):
    """A data set that computes a loss, of probabilities."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        assert active_modes() == []
        return functional.cross_entropy(torch.rand(32, 5).softmax(1), torch.randint(0, 5, (32,)))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_loader_are_not_watched(method: str, capfd: pytest.CaptureFixture[str]) -> None:
    with loss_lint.watch(check=False, isolated=True) as watch:
        for _ in range(2):
            loader = torch.utils.data.DataLoader(Strange(), num_workers=1, multiprocessing_context=method)
            assert len(list(loader)) == 4
        train()
    assert watch.findings == ()
    assert "LOS" not in capfd.readouterr().err


def test_a_fork_is_not_watched() -> None:
    code = (
        "import os, sys, torch, loss_lint\n"
        "import torch.nn.functional as F\n"
        "with loss_lint.watch(check=False):\n"
        "    child = os.fork()\n"
        "    F.cross_entropy(torch.rand(32, 5).softmax(1), torch.randint(0, 5, (32,)))\n"
        "    if child:\n"
        "        os.waitpid(child, 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("LOS201") <= 1
    assert done.stderr.count("Found") <= 1


def test_devices_may_come_and_go() -> None:
    with quiet() as watch:
        with torch.device("cpu"):
            softmaxed()
        torch.set_default_device("cpu")
        softmaxed()
        torch.set_default_device(None)
        train()
    assert codes(watch) == ["LOS201"]


def test_other_modes_see_only_the_program() -> None:
    class Log(TorchFunctionMode):
        def __init__(self) -> None:
            super().__init__()
            self.names: list[str] = []

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.names.append(func.__name__)
            return func(*args, **(kwargs or {}))

    logs = []
    for around in (nullcontext, quiet):
        torch.manual_seed(0)
        with Log() as log, around():
            softmaxed()
        logs.append(log.names)
    assert logs[0] == logs[1]


@contextmanager
def left_open() -> Iterator[None]:
    with quiet():
        yield


def test_modes_left_open_are_left_alone() -> None:
    class Other(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return func(*args, **(kwargs or {}))

    other = Other()
    with left_open():
        other.__enter__()
        softmaxed(30)
    assert active_modes() == [other]
    other.__exit__(None, None, None)


def test_without_torch_it_says_so() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import loss_lint\n"
        "try:\n"
        "    with loss_lint.watch(): pass\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == 'torch is not installed: pip install "torch-loss-lint[harness]"\n'


def test_a_run_that_costs_too_much_is_heard_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_lint.watching.session._ALLOWANCE", 0.0)
    monkeypatch.setattr("loss_lint.watching.session._BUDGET", 0.0)
    monkeypatch.setattr("loss_lint.watching.session._LATER_BUDGET", 0.0)
    watch = quiet()
    plain = train(steps=40)
    assert same(plain, train(lambda: watch, steps=40))
    assert 5 < watch.calls < 25
    assert os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with quiet() as again:
            softmaxed(40)
    assert codes(again) == ["LOS201"]


def test_a_loss_inside_a_library_stands_where_the_user_called_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "library_of_losses.py").write_text(
        "import torch.nn.functional as F\n\n\ndef compute(x, y):\n    return F.cross_entropy(x.softmax(1), y)\n"
    )
    monkeypatch.syspath_prepend(str(library))
    import library_of_losses  # type: ignore[import-not-found]

    with quiet() as watch:
        library_of_losses.compute(torch.randn(8, 5), torch.randint(0, 5, (8,)))  # the user's call
    (finding,) = watch.findings
    assert (finding.place.path, finding.place.line) == (__file__, line_of("# the user's call"))
    assert [(step.place.line, step.message) for step in finding.trace][-1] == (5, "torch is called here")


def test_a_division_of_a_trainer_is_none_of_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "library_of_loops.py").write_text(
        "def fit(step, optimizer):\n"
        "    for number in range(8):\n"
        "        (step(number) / 4).backward()\n"
        "        if number % 4 == 3:\n"
        "            optimizer.step()\n"
    )
    monkeypatch.syspath_prepend(str(library))
    import library_of_loops  # type: ignore[import-not-found]

    model = torch.nn.Linear(6, 3)

    def step(number: int) -> torch.Tensor:
        y = torch.randint(0, 3, (16,))
        y[: 2 * number] = -100
        return functional.cross_entropy(model(torch.randn(16, 6)), y)  # the user's mean

    with quiet() as watch:
        library_of_loops.fit(step, torch.optim.SGD(model.parameters(), lr=0.1))
    (finding,) = watch.findings
    assert (finding.code, finding.place.line) == ("LOS109", line_of("# the user's mean"))


def test_places_are_exact_beside_other_alphabets() -> None:
    x, y = torch.randn(8, 5), torch.randint(0, 5, (8,))
    with quiet() as watch:
        straße = ("ü", functional.cross_entropy(x.softmax(1), y))
    (finding,) = watch.findings
    line = Path(__file__).read_text(encoding="utf-8").splitlines()[finding.place.line - 1]
    assert line[finding.place.column - 1 : finding.place.end_column - 1] == (
        "functional.cross_entropy(x.softmax(1), y)"
    )
    assert straße


def test_a_failure_of_the_static_check_is_not_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("loss_lint.watching.session.static_findings", broken)
    stream = io.StringIO()
    with loss_lint.watch(file=stream, isolated=True):
        softmaxed()
    assert "LOS201" in stream.getvalue()
    assert "note: loss-lint failed while watching (ZeroDivisionError: ours)" in stream.getvalue()


def test_a_failure_to_measure_is_not_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError("ours")

    monkeypatch.setattr("loss_lint.watching.session.evidence_for", broken)
    with loss_lint.watch(on_finding="raise", check=False, isolated=True) as watch:
        softmaxed()
    assert watch.notes[0].startswith("loss-lint failed while watching (MemoryError: ours)")


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_many_pairs_are_not_measured_again() -> None:
    with quiet() as watch:
        functional.mse_loss(torch.randn(2000, 1, requires_grad=True), torch.randn(2000))
    (finding,) = watch.findings
    assert finding.evidence is not None
    assert finding.evidence.shapes == (("input", (256, 1)),)


def test_what_is_not_over_with_its_call_is_not_decorated() -> None:
    async def coroutine() -> None: ...

    def generator() -> Iterator[None]:
        yield

    for function in (coroutine, generator):
        with pytest.raises(TypeError, match="use `with watch"):
            loss_lint.watch(function)


def test_a_failed_device_is_explained_by_what_was_seen_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr("loss_lint.watching.recorder.passed", failing)
    x, y = torch.randn(8, 5), torch.full((8,), 7)

    def run() -> None:
        with watch:
            functional.cross_entropy(x, y)

    watch = quiet()
    with pytest.raises(RuntimeError, match="device-side"):
        run()
    assert codes(watch) == ["LOSW01"]
    assert "gets the class index 7, and 5 logits" in watch.findings[0].message


def test_a_program_without_an_optimizer_is_looked_at_rarely_too() -> None:
    x, y = torch.randn(4, 5), torch.randint(0, 5, (4,))
    with quiet() as watch:
        assert watch._session is not None
        recorder = watch._session.run.recorder
        for _ in range(400):
            functional.cross_entropy(x, y)
        (site,) = recorder.sites.values()
        assert (site.calls, recorder.cycle.is_deep) == (400, False)
        assert len(site.looks) < 30
    assert watch.findings == ()
