"""Train a classifier of animals by their measurements: a small program with five silent or fatal loss bugs."""

import torch
from torch import nn

SAMPLES = [
    ("cat", [0.25, 4.0, 4.0]),
    ("dog", [0.60, 30.0, 4.0]),
    ("bird", [0.15, 0.3, 2.0]),
    ("cat", [0.24, 4.4, 4.0]),
    ("dog", [0.55, 26.0, 4.0]),
    ("bird", [0.12, 0.2, 2.0]),
]


class Classifier(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(3, 16),
            nn.ReLU(),
            nn.Linear(16, n_classes),
            nn.Softmax(dim=1),
        )

    def forward(self, x):
        return self.layers(x)


def load():
    names = [name for name, _ in SAMPLES]
    index = {name: i for i, name in enumerate(set(names))}
    inputs = torch.tensor([measurements for _, measurements in SAMPLES])
    labels = torch.tensor([index[name] for name in names])
    return inputs, labels


def train(model, criterion, inputs, labels, epochs=100):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss = loss / inputs.size(0)
        loss.backward()
        optimizer.step()


def evaluate(model, inputs, labels):
    one_hot = nn.functional.one_hot(labels, 3)
    with torch.no_grad():
        return nn.functional.cross_entropy(model(inputs), one_hot)


def main():
    torch.manual_seed(0)
    inputs, labels = load()
    model = Classifier(n_classes=3)
    train(model, nn.CrossEntropyLoss(), inputs, labels)
    print(f"loss after training: {evaluate(model, inputs, labels):.3f}")


if __name__ == "__main__":
    main()
