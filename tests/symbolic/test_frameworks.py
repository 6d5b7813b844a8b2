"""What is trained on where a framework runs the backward pass, and steps judged with what another file hands over."""

from __future__ import annotations

import pytest

from loss_lint.findings import Finding
from loss_lint.linter import Linter
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.root import evaluate_roots
from loss_lint.syntax.sources import Memory

HEAD = """
import pytorch_lightning as pl
import torch.nn as nn
import torch.nn.functional as F
from accelerate import Accelerator
from apex import amp
from transformers import Trainer

"""


def trained(program: str) -> set[str]:
    """The losses of a program that something runs backward on, by name."""
    machine = Machine(Memory({"/p/program.py": HEAD + program}))
    return {
        op.name
        for root in evaluate_roots(machine, "/p/program.py")
        for op in list(root.ops)
        if op.name.endswith(("_loss", "entropy")) and root.is_trained_on(op)
    }


LIT = """
class Lit(pl.LightningModule):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def {name}(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self.model(x), y)
        {body}
"""


@pytest.mark.parametrize(
    "body",
    [
        "return loss",
        'return {"loss": loss, "n": len(y)}',
        "return dict(loss=loss)",
        "return loss if self.model else None",
        "return 0.5 * loss + F.mse_loss(x, y).detach()",
        "self.manual_backward(loss)",
    ],
)
def test_what_a_training_step_returns_is_trained_on(body: str) -> None:
    assert trained(LIT.format(name="training_step", body=body)) == {"cross_entropy"}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("validation_step", "return loss"),
        ("helper", "return loss"),
        ("training_step", 'self.log("loss", loss)'),
        ("training_step", 'return {"value": loss}'),
        ("training_step", "return {'loss': loss.detach()}"),
        ("training_step", "self.automatic_optimization = False\n        return None"),
    ],
)
def test_what_is_only_logged_or_measured_is_not(name: str, body: str) -> None:
    assert trained(LIT.format(name=name, body=body)) == set()


def test_manual_optimization_leaves_the_returned_loss_alone() -> None:
    program = LIT.format(name="training_step", body="return loss").replace(
        "self.model = model", "self.model = model\n        self.automatic_optimization = False"
    )
    assert trained(program) == set()


def test_a_step_of_a_class_that_no_framework_drives_is_not_trained_on() -> None:
    program = LIT.format(name="training_step", body="return loss").replace("pl.LightningModule", "nn.Module")
    assert trained(program) == set()


COMPUTE = """
class Weighted(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        outputs = model(**inputs)
        loss = F.cross_entropy(outputs.logits, inputs["labels"])
        F.mse_loss(outputs.logits, inputs["labels"])
        return (loss, outputs) if return_outputs else loss
"""


def test_what_compute_loss_returns_is_trained_on() -> None:
    assert trained(COMPUTE) == {"cross_entropy"}


@pytest.mark.parametrize(
    "body",
    [
        "accelerator.backward(loss)",
        "Accelerator().backward(loss / 4)",
        "engine.backward(loss)",
        "scaler.scale(loss).backward()",
        "with amp.scale_loss(loss, optimizer) as scaled:\n        scaled.backward()",
    ],
)
def test_launchers_run_backward(body: str) -> None:
    program = f"""
def step(accelerator, engine, scaler, optimizer, model, x, y):
    loss = F.cross_entropy(model(x), y)
    {body}
"""
    assert trained(program) == {"cross_entropy"}


NET = """
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 3), nn.Softmax(dim=1))

    def forward(self, x):
        return self.layers(x)
"""
MODULE = """
import pytorch_lightning as pl

class Lit(pl.LightningModule):
    def __init__(self, model, criterion):
        super().__init__()
        self.model, self.criterion = model, criterion

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.criterion(self(x), y)
        self.log("loss", loss)
        return loss
"""
MAIN = """
import pytorch_lightning as pl
import torch.nn as nn
from lit import Lit
from net import Net

def main(data):
    module = Lit(Net(), nn.CrossEntropyLoss())
    pl.Trainer(max_epochs=3).fit(module, datamodule=data)
"""
HF_TRAINER = """
import torch.nn.functional as F
from transformers import Trainer

class Weighted(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
        outputs = model(inputs["x"])
        loss = F.cross_entropy(outputs, inputs["labels"])
        return (loss, outputs) if return_outputs else loss
"""
HF_MAIN = """
from transformers import TrainingArguments
from net import Net
from lit import Weighted

def main(data):
    trainer = Weighted(model=Net(), args=TrainingArguments("out"), train_dataset=data)
    trainer.train()
"""


def lint(path: str, files: dict[str, str]) -> list[Finding]:
    project = {"/p/README.md": "", "/p/net.py": NET, "/p/lit.py": MODULE, "/p/main.py": MAIN}
    project |= {f"/p/{name}.py": text for name, text in files.items()}
    return list(Linter(Memory(project), ["/p"]).lint(path))


@pytest.mark.parametrize("path", ["/p/lit.py", "/p/main.py"])
def test_a_lightning_module_is_judged_with_what_main_hands_to_it(path: str) -> None:
    (found,) = lint(path, {})
    assert (found.code, found.place.path, found.place.line) == ("LOS201", "/p/lit.py", 14)
    assert "/p/main.py" in [step.place.path for step in found.trace]


def test_a_lightning_module_with_a_right_model_is_no_finding() -> None:
    assert lint("/p/lit.py", {"net": NET.replace(", nn.Softmax(dim=1)", "")}) == []


def test_a_trainer_is_judged_with_the_model_that_it_was_made_with() -> None:
    (found,) = lint("/p/lit.py", {"lit": HF_TRAINER, "main": HF_MAIN})
    assert (found.code, found.place.path, found.place.line) == ("LOS201", "/p/lit.py", 8)


def test_a_trainer_with_a_right_model_is_no_finding() -> None:
    files = {"net": NET.replace(", nn.Softmax(dim=1)", ""), "lit": HF_TRAINER, "main": HF_MAIN}
    assert lint("/p/lit.py", files) == []


CLIENT = """
import flwr as fl
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(10, 5)

    def forward(self, x):
        return F.softmax(self.head(x), dim=1)


class Client({base}):
    def __init__(self, net, loader):
        self.net, self.loader = net, loader

    def fit(self, parameters, config):
        for x, y in self.loader:
            F.cross_entropy(self.net(x), y).backward()


def client_fn(number):
    return Client(Net(), loaders[number]).to_client()
"""


def test_methods_that_a_library_calls_know_what_the_constructor_was_given() -> None:
    (found,) = lint("/p/client.py", {"client": CLIENT.format(base="fl.client.NumPyClient")})
    assert (found.code, found.place.line) == ("LOS201", 22)


@pytest.mark.parametrize("base", ["object", "nn.Module"])
def test_methods_that_nobody_calls_do_not_run(base: str) -> None:
    assert lint("/p/client.py", {"client": CLIENT.format(base=base)}) == []


def test_what_a_step_returns_to_its_subclass_is_not_trained_on_by_itself() -> None:
    program = LIT.format(name="training_step", body="return loss")
    program += """

class Other(Lit):
    def training_step(self, batch, batch_idx):
        logged = super().training_step(batch, batch_idx)
        return F.mse_loss(self.model(batch[0]), batch[1])
"""
    machine = Machine(Memory({"/p/program.py": HEAD + program}))
    returned = {
        root.name: [op.operands[0] for op in root.backward()]
        for root in evaluate_roots(machine, "/p/program.py")
    }
    assert len(returned["Lit.training_step"]) == len(returned["Other.training_step"]) == 1
