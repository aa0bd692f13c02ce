"""What every trainer must show, and the data set that they all read."""

import json

import numpy as np
import omnibal
import pytest
from inputs import tiled

pytest.importorskip("torch")


SAMPLES = 600
"""Few, because every step of two processes takes its time."""


@pytest.fixture(scope="session")
def lengths():
    return tiled(SAMPLES)


@pytest.fixture(scope="session")
def packing(lengths):
    return omnibal.pack(lengths, max_vit=9, max_tokens=4096, method="balanced")


@pytest.fixture(scope="session")
def folder(packing, tmp_path_factory):
    """Two epochs for two ranks."""
    path = tmp_path_factory.mktemp("plans") / "plan"
    omnibal.write_plan(path, packing, ranks=2, epochs=2)
    return path


class Samples:
    """A data set of which sample i is i."""

    def __init__(self, count=SAMPLES):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return int(index)


def flat(batches):
    return [sample for batch in batches for sample in batch]


def repeats(folder, packing, epoch):
    """How many samples the tail rule hands out a second time."""
    order = np.load(folder / f"epoch-{epoch}" / "plan.npy")
    groups, counts = np.unique(order[order >= 0], return_counts=True)
    return sum((count - 1) * len(packing[group]) for group, count in zip(groups, counts))


@pytest.fixture(scope="session")
def check_full(folder, packing):
    """All samples once in each epoch, equal steps, another order in the second epoch, and an exact resume.

    results: of each rank, "epochs", lists of its batches, and "resumed": what came of epoch 1 after `cut` steps.
    """

    def check(results, cut):
        for epoch in range(2):
            own = [result["epochs"][epoch] for result in results]
            steps = json.loads((folder / f"epoch-{epoch}" / "plan.json").read_text())["stats"]["steps"]
            assert [len(batches) for batches in own] == [steps] * len(results)
            samples = flat(flat(own))
            assert set(samples) == set(range(SAMPLES))
            assert len(samples) - SAMPLES == repeats(folder, packing, epoch)
        for result in results:
            assert result["epochs"][0] != result["epochs"][1]
            assert result["resumed"] == result["epochs"][1][cut:]

    return check
