"""Answers a question (answer.ts) by the Python package. Arguments: its folder, question."""

import hashlib
import json
import sys
import time
from functools import cache
from importlib.metadata import version

sys.path.insert(0, sys.argv[1])

import numpy as np
import omnibal
from omnibal._evaluate import batches
from omnibal._instance import WASM, Instance


@cache
def generate(name):
    """bench/inputs.ts in Python."""
    kind, n = name.split(":")
    x = {"uniform": 2463534242, "tiled": 88675123}[kind]

    def draw():
        nonlocal x
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        return x

    vit, tokens = np.zeros(int(n), np.int32), np.zeros(int(n), np.int32)
    for i in range(int(n)):
        if kind == "uniform":
            vit[i] = draw() % 10
            tokens[i] = 20 + draw() % 4481
        else:
            c, a, b = draw() % 100, draw() % 300, draw() % 16
            v = 1 if c < 55 else 3 if c < 83 else 4 if c < 86 else 5
            vit[i] = v
            tokens[i] = 256 * v + 30 + a * (5 if b == 0 else 1)
    return vit, tokens


def time_core(vit, tokens, job, runs):
    """The core alone, from lengths in its memory to groups in its memory."""
    own = Instance()
    columns = own.put([own.put(vit, np.int32), own.put(tokens, np.int32)], np.uint32)
    bounds = own.put([job["maxVit"], job["maxTokens"]], np.float64)
    minima = own.put([job["minVit"], job["minTokens"]], np.float64)
    ms = []
    for run in range(runs + min(runs, 3)):
        top = own.call("mark")
        start = time.perf_counter()
        samples = own.call("loadsBegin", len(vit), 2, bounds)
        own.call("loadsPush", samples, columns, 0, len(vit))
        groups = own.call("roundsBegin", samples, minima, job["seed"])
        for left in range(job["rounds"] - 1, -1, -1):
            if own.call("roundsNext", groups, left == 0) == 0:
                break
        own.call("roundsOffsets", groups)
        ms.append((time.perf_counter() - start) * 1000)
        own.call("release", top)
    return ms[min(runs, 3) :]


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def joined(numbers):
    return ",".join(map(str, numbers.ravel().tolist()))


def beyond_isf():
    """What answer.ts hashes under this name."""
    vit, tokens = generate("tiled:20000")
    lengths, bounds = {"vit": vit, "tokens": tokens}, {"max_vit": 9, "max_tokens": 4096}
    packing = omnibal.pack(lengths, **bounds, method="balanced", seed=3)
    plan = omnibal.plan(packing, ranks=16, micro_batch=2, epoch=5, seed=3, balance={"vit": 1, "attention": 2})
    sampled = batches(packing, "length-group", ranks=16, rank=7, epoch=5, seed=3)
    packer = omnibal.Packer(**bounds, buffer=500, seed=3)
    streamed = [*packer.push(lengths), *packer.flush()]
    return sha256("\n".join(map(joined, [packing.offsets, packing.indices, plan.order, *sampled, *streamed])))


def main(question):
    groups, ms = [], []
    for job in question["jobs"]:
        vit, tokens = generate(job["input"])
        packing = omnibal.pack(
            {"vit": vit, "tokens": tokens},
            max={"vit": job["maxVit"], "tokens": job["maxTokens"]},
            min={"vit": job["minVit"], "tokens": job["minTokens"]},
            rounds=job["rounds"],
            seed=job["seed"],
        )
        groups.append(sha256("\n".join(map(joined, packing))))
        ms.append(time_core(vit, tokens, job, question["timed"]))
    report = {
        "engine": f"wasmtime {version('wasmtime')}",
        "module": hashlib.sha256(WASM.read_bytes()).hexdigest(),
        "compiled": "bytes",
        "groups": groups,
        "beyondIsf": beyond_isf(),
        "ms": ms,
    }
    print(json.dumps(report))


main(json.loads(sys.argv[2]))
