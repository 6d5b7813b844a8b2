"""A generated training project: a script of a thousand lines that imports its models, losses, data and engine."""

from __future__ import annotations

from pathlib import Path

_MODELS = """
import torch
from torch import nn
import torch.nn.functional as F


class Block{n}(nn.Module):
    def __init__(self, inputs, outputs, dropout=0.1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm2d(outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        return self.dropout(F.relu(self.norm(self.conv(x))))


class Net{n}(nn.Module):
    def __init__(self, width=64, classes=10, depth=3):
        super().__init__()
        self.stem = Block{n}(3, width)
        self.blocks = nn.ModuleList([Block{n}(width, width) for _ in range(depth)])
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        x = x.mean(dim=(2, 3))
        return {returned}
"""

_LOSSES = """
import torch
from torch import nn
import torch.nn.functional as F


class Smoothed{n}(nn.Module):
    def __init__(self, classes, smoothing=0.1, reduction="mean"):
        super().__init__()
        self.classes, self.smoothing, self.reduction = classes, smoothing, reduction

    def forward(self, logits, target):
        log_probs = F.log_softmax(logits, dim=-1)
        nll = F.nll_loss(log_probs, target, reduction=self.reduction)
        smooth = -log_probs.mean(dim=-1).mean()
        return (1 - self.smoothing) * nll + self.smoothing * smooth


def distillation{n}(student, teacher, temperature=4.0):
    return F.kl_div(
        F.log_softmax(student / temperature, dim=1),
        F.softmax(teacher / temperature, dim=1),
        reduction="batchmean",
    ) * temperature**2


def build_loss{n}(kind, classes):
    if kind == "smoothed":
        return Smoothed{n}(classes)
    if kind == "weighted":
        return nn.CrossEntropyLoss(weight=torch.ones(classes))
    return nn.CrossEntropyLoss()
"""

_SCRIPT_HEAD = '''"""Trains several networks and compares them."""

import argparse
import json
import logging
import os
import time

import torch
from torch import nn, optim
import torch.nn.functional as F

from data import loaders
from engine import Trainer
{imports}

logger = logging.getLogger(__name__)
'''

_SCRIPT_PART = '''

class Experiment{n}:
    """Experiment number {n}: what it trains on, and how."""

    def __init__(self, args, device):
        self.args = args
        self.device = device
        self.model = Net{n}(width=args.width, classes=args.classes).to(device)
        self.teacher = Net{n}(width=args.width * 2, classes=args.classes).to(device)
        self.criterion = build_loss{n}(args.loss, args.classes)
        self.optimizer = optim.AdamW(self.model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
        self.scheduler = optim.lr_scheduler.CosineAnnealingLR(self.optimizer, args.epochs)
        self.best = 0.0
        self.history = []

    def train_epoch(self, loader, epoch):
        self.model.train()
        total, correct, seen = 0.0, 0, 0
        started = time.time()
        for step, (images, labels) in enumerate(loader):
            images = images.to(self.device, non_blocking=True)
            labels = labels.to(self.device, non_blocking=True)
            self.optimizer.zero_grad()
            logits = self.model(images)
            loss = self.criterion(logits, labels)
            if self.args.distill:
                with torch.no_grad():
                    taught = self.teacher(images)
                loss = loss + self.args.alpha * distillation{n}(logits, taught)
            loss.backward()
            if self.args.clip:
                nn.utils.clip_grad_norm_(self.model.parameters(), self.args.clip)
            self.optimizer.step()
            total += loss.item() * images.size(0)
            correct += (logits.argmax(1) == labels).sum().item()
            seen += images.size(0)
            if step % self.args.log_every == 0:
                logger.info("epoch %d step %d loss %.4f", epoch, step, loss.item())
        self.history.append(dict(loss=total / seen, accuracy=correct / seen, time=time.time() - started))
        return total / seen, correct / seen

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        total, correct, seen = 0.0, 0, 0
        for images, labels in loader:
            images, labels = images.to(self.device), labels.to(self.device)
            logits = self.model(images)
            total += F.cross_entropy(logits, labels, reduction="sum").item()
            correct += (logits.argmax(1) == labels).sum().item()
            seen += labels.size(0)
        return total / seen, correct / seen

    def save(self, epoch, accuracy):
        state = dict(epoch=epoch, model=self.model.state_dict(), optimizer=self.optimizer.state_dict())
        path = os.path.join(self.args.output, f"experiment{n}-{{epoch:03d}}.pt")
        torch.save(state, path)
        if accuracy > self.best:
            self.best = accuracy
            torch.save(state, os.path.join(self.args.output, "experiment{n}-best.pt"))

    def run(self, train_loader, test_loader):
        for epoch in range(self.args.epochs):
            loss, accuracy = self.train_epoch(train_loader, epoch)
            test_loss, test_accuracy = self.evaluate(test_loader)
            self.scheduler.step()
            logger.info(
                "experiment {n} epoch %d: %.4f %.3f, test %.4f %.3f",
                epoch, loss, accuracy, test_loss, test_accuracy,
            )
            self.save(epoch, test_accuracy)
        with open(os.path.join(self.args.output, "experiment{n}.json"), "w") as file:
            json.dump(self.history, file)
'''

_TOOL = '''

def summarize{n}(folder, names, width=72, keep=None):
    """What the runs in a folder came to, as lines of text."""
    lines = []
    best = {{}}
    for name in sorted(names):
        path = os.path.join(folder, name, "history.json")
        if not os.path.exists(path):
            logger.warning("no history in %s", path)
            continue
        with open(path) as file:
            history = json.load(file)
        if not history:
            continue
        accuracies = [epoch["accuracy"] for epoch in history]
        times = [epoch["time"] for epoch in history]
        best[name] = max(accuracies)
        started = time.strftime("%H:%M", time.localtime(times[0]))
        lines.append(f"{{name:<30}} {{max(accuracies):.3f}} in {{sum(times):.0f}} s since {{started}}")
    if keep is not None:
        chosen = sorted(best, key=best.get, reverse=True)[:keep]
        lines = [line for line in lines if line.split()[0] in chosen]
    ruler = "-" * width
    for line in (ruler, *lines, ruler):
        logger.info("%s", line[:width])
    return lines
'''

_SCRIPT_TAIL = """

def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--weight-decay", type=float, default=1e-2)
    parser.add_argument("--loss", default="plain")
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--clip", type=float, default=0.0)
    parser.add_argument("--distill", action="store_true")
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--output", default="runs")
    return parser.parse_args()


def main():
    args = arguments()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_loader, test_loader = loaders(args)
{runs}

if __name__ == "__main__":
    main()
"""

_DATA = """
import torch
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    def __init__(self, root, train=True):
        self.items = torch.load(f"{root}/{'train' if train else 'test'}.pt")

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


def loaders(args):
    train = DataLoader(Images("data", True), batch_size=128, shuffle=True)
    return train, DataLoader(Images("data", False), batch_size=256)
"""

_ENGINE = """
import torch
from torch import nn


class Trainer:
    def __init__(self, model, loss_fn, optimizer):
        self.model, self.loss_fn, self.optimizer = model, loss_fn, optimizer

    def step(self, images, labels):
        self.optimizer.zero_grad()
        loss = self.loss_fn(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()
"""

_OTHER = """
import os
import torch
from torch import nn
from models{m} import Net{m}


def count{n}(model):
    return sum(parameter.numel() for parameter in model.parameters())


class Probe{n}(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Net{m}()

    def forward(self, x):
        return self.net(x) * 2
"""


def write_project(folder: Path, *, experiments: int = 3, tools: int = 25, others: int = 60) -> Path:
    """The project below `folder`; gives its script, of about 1,000 lines."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text("[project]\nname = 'experiments'\n")
    (folder / "data.py").write_text(_DATA)
    (folder / "engine.py").write_text(_ENGINE)
    imports, parts, runs = [], [], []
    for n in range(experiments):
        returned = "F.softmax(self.head(x), dim=1)" if n == 0 else "self.head(x)"
        (folder / f"models{n}.py").write_text(_MODELS.format(n=n, returned=returned))
        (folder / f"losses{n}.py").write_text(_LOSSES.format(n=n))
        imports += [f"from losses{n} import build_loss{n}, distillation{n}", f"from models{n} import Net{n}"]
        parts.append(_SCRIPT_PART.format(n=n))
        runs.append(f"    Experiment{n}(args, device).run(train_loader, test_loader)\n")
    for n in range(others):
        (folder / f"other{n}.py").write_text(_OTHER.format(n=n, m=n % experiments))
    script = folder / "train.py"
    script.write_text(
        _SCRIPT_HEAD.format(imports="\n".join(imports))
        + "".join(parts)
        + "".join(_TOOL.format(n=n) for n in range(tools))
        + _SCRIPT_TAIL.format(runs="".join(runs))
    )
    return script
