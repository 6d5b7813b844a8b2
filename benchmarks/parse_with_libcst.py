"""Parses with libcst those files of a folder that name one of torch's losses, and does nothing else with them.

    python parse_with_libcst.py FOLDER

This is the least that a linter built on whole-file libcst trees has to do. Prints how many files these are.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import libcst

LOSS = re.compile(
    rb"\b(?:(?:CrossEntropy|NLL|BCE|BCEWithLogits|MSE|L1|SmoothL1|Huber|KLDiv|CTC|PoissonNLL|GaussianNLL|SoftMargin|"
    rb"MultiMargin|MultiLabelMargin|MultiLabelSoftMargin|MarginRanking|TripletMargin|CosineEmbedding|HingeEmbedding)Loss"
    rb"|cross_entropy|nll_loss|binary_cross_entropy(?:_with_logits)?|mse_loss|l1_loss|smooth_l1_loss|huber_loss|kl_div"
    rb"|ctc_loss)\b"
)

sys.setrecursionlimit(10_000)
named = [path.read_bytes() for path in sorted(Path(sys.argv[1]).rglob("*.py"))]
relevant = [data for data in named if b"torch" in data and LOSS.search(data)]
for data in relevant:
    libcst.parse_module(data)
sys.stdout.write(f"{len(relevant)}\n")
