"""Scans a corpus on a cluster of three nodes on this machine, one of which is killed when a quarter is done.

`python tests/corpus/lose_a_node.py IN OUT`; what is found has to be what `loss-lint scan IN OUT` finds.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from ray.cluster_utils import Cluster

from loss_lint.corpus import plan, scan
from loss_lint.corpus.progress import Progress
from loss_lint.corpus.settings import Settings

STORE_BYTES = 80 * 2**20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--bucket-bytes", type=int, default=plan.BUCKET_BYTES)
    options = parser.parse_args()
    plan.BUCKET_BYTES = options.bucket_bytes
    buckets = plan.plan(options.input, options.output, Settings()).buckets

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": STORE_BYTES}
    )
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    cluster.wait_for_nodes()

    def lose() -> None:
        while (done := len([*Path(options.output).glob("*.parquet")])) < buckets // 4:
            time.sleep(0.02)
        cluster.remove_node(nodes[0], allow_graceful=False)
        sys.stdout.write(f"lost after {done}\n")

    losing = threading.Thread(target=lose, daemon=True)
    losing.start()
    summary = scan(options.input, options.output, progress=Progress(sys.stderr))
    losing.join(60)
    sys.stdout.write(f"buckets {buckets}\nalive {_alive()}\n{summary}\n")
    ray.shutdown()
    cluster.shutdown()


def _alive() -> int:
    """How many nodes are left; the cluster notices a lost one after a while."""
    for _ in range(120):
        alive = sum(node["Alive"] for node in ray.nodes())
        if alive < 3:
            break
        time.sleep(0.5)
    return int(alive)


if __name__ == "__main__":
    main()
