"""Trains a classifier whose votes are shares of one: nothing in the source says softmax, and torch does not complain."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Votes(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, classes))

    def forward(self, x):
        votes = F.softplus(self.body(x))
        return votes / votes.sum(dim=1, keepdim=True)


def main(steps=200):
    torch.manual_seed(0)
    model, criterion = Votes(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(steps):
        points = torch.randn(64, 2)
        quadrants = 2 * (points[:, 0] > 0).long() + (points[:, 1] > 0).long()
        optimizer.zero_grad()
        loss = criterion(model(points), quadrants)
        loss.backward()
        optimizer.step()
    print(f"after {steps} steps: loss {loss.item():.2f}")


if __name__ == "__main__":
    main()
