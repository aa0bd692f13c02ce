"""Samples, packings and plans that the tests share, and a limit on the time of each test."""

import faulthandler
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import omnibal
from inputs import tiled

SECONDS = 600
"""Of one test: what hangs is a failure, with a trace of every thread."""


@pytest.fixture(autouse=True)
def limit():
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


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
