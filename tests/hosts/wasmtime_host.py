"""Answers a question (answer.ts) by wasmtime as a library. Arguments: folder of omnibal.py, the module, question."""

import hashlib
import json
import sys
import time
from functools import cache
from importlib.metadata import version

sys.path.insert(0, sys.argv[1])

import numpy as np
import omnibal


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


def time_core(module, vit, tokens, job, runs):
    """The core alone, from lengths in its memory to groups in its memory."""
    bottom = module.call("mark")
    at = module.put(vit), module.put(tokens)
    keys = "maxVit", "maxTokens", "minVit", "minTokens", "seed"
    ms = []
    for run in range(runs + min(runs, 3)):
        top = module.call("mark")
        start = time.perf_counter()
        module.call("isfBegin", len(vit), *(job[key] for key in keys))
        module.call("isfPush", *at, len(vit))
        for left in range(job["rounds"] - 1, -1, -1):
            if module.call("isfRound", left == 0) == 0:
                break
        module.call("isfFinish")
        ms.append((time.perf_counter() - start) * 1000)
        module.call("release", top)
    module.call("release", bottom)
    return ms[min(runs, 3) :]


def main(wasm, question):
    module = omnibal.Omnibal(wasm)
    groups, ms = [], []
    for job in question["jobs"]:
        vit, tokens = generate(job["input"])
        bounds = job["maxVit"], job["maxTokens"], job["minVit"], job["minTokens"]
        offsets, indices, _ = module.pack(vit, tokens, *bounds, rounds=job["rounds"], seed=job["seed"])
        texts = indices.astype(str).tolist()
        ends = offsets.tolist()
        text = "\n".join(",".join(texts[a:b]) for a, b in zip(ends, ends[1:]))
        groups.append(hashlib.sha256(text.encode()).hexdigest())
        ms.append(time_core(module, vit, tokens, job, question["timed"]))
    with open(wasm, "rb") as file:
        sha256 = hashlib.sha256(file.read()).hexdigest()
    engine = f"wasmtime {version('wasmtime')}"
    print(json.dumps({"engine": engine, "module": sha256, "compiled": "bytes", "groups": groups, "ms": ms}))


main(sys.argv[2], json.loads(sys.argv[3]))
