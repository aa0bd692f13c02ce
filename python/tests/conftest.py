"""Samples, packings and plans that the tests share, and a limit on the time of each test."""

import faulthandler
import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import omnibal

SECONDS = 240
"""Of one test: what hangs is a failure, with a trace of every thread."""


@pytest.fixture(autouse=True)
def limit():
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def tiled(n):
    """The samples of bench/inputs.ts of that name."""
    x = 88675123
    vit, tokens = np.zeros(n, np.int32), np.zeros(n, np.int32)

    def draw():
        nonlocal x
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        return x

    for i in range(n):
        c, a, b = draw() % 100, draw() % 300, draw() % 16
        vit[i] = v = 1 if c < 55 else 3 if c < 83 else 4 if c < 86 else 5
        tokens[i] = 256 * v + 30 + a * (5 if b == 0 else 1)
    return {"vit": vit, "tokens": tokens}


@pytest.fixture(scope="session")
def lengths():
    return tiled(2000)


@pytest.fixture(scope="session")
def packing(lengths):
    return omnibal.pack(lengths, max_vit=9, max_tokens=4096, method="balanced")


@pytest.fixture(scope="session")
def folder(packing, tmp_path_factory):
    """Three epochs for two ranks."""
    path = tmp_path_factory.mktemp("plans") / "plan"
    omnibal.write_plan(path, packing, ranks=2, epochs=3)
    return path
