"""Runs examples/python/omnibal.py for python.test.ts: a list of runs comes by stdin, what they gave goes to stdout.

Each run makes one sampler and calls it: ["take", count or null], or the name of a method and its arguments.
"""

import json
import sys
from itertools import islice

sys.path.insert(0, sys.argv[1])

import numpy as np
import omnibal


def run(wasm, vit, tokens, dtype, options, calls):
    try:
        sampler = omnibal.GroupBatchSampler(wasm, np.array(vit, dtype), np.array(tokens, dtype), **options)
        given = []
        for name, *args in calls:
            if name == "take":
                given.append(list(islice(sampler, args[0])))
            elif name == "len":
                given.append(len(sampler))
            elif name == "permutation":
                given.append(omnibal.Omnibal(wasm).permutation(*args).tolist())
            else:
                given.append(getattr(sampler, name)(*args))
        return given
    except Exception as error:
        return f"{type(error).__name__}: {error}"


answers = [run(sys.argv[2], **one) for one in json.load(sys.stdin)]
assert "torch" not in sys.modules
print(json.dumps(answers))
