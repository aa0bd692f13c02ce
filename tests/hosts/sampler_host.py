"""Runs examples/python/omnibal.py for python.test.ts: a list of runs comes by stdin, what they gave goes to stdout.

Each run makes one sampler and calls it: ["take", count or null], or the name of a method and its arguments. "warnings"
gives what making it warned of. "module" calls a method of the module's class in place of the sampler's.
"""

import json
import sys
import warnings
from itertools import islice

sys.path.insert(0, sys.argv[1])

import numpy as np
import omnibal


def run(wasm, vit, tokens, dtype, options, calls):
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sampler = omnibal.GroupBatchSampler(wasm, np.array(vit, dtype), np.array(tokens, dtype), **options)
        given = []
        for name, *args in calls:
            if name == "take":
                given.append(list(islice(sampler, args[0])))
            elif name == "len":
                given.append(len(sampler))
            elif name == "warnings":
                given.append([f"{warning.category.__name__}: {warning.message}" for warning in caught])
            elif name == "oversize":
                given.append(sampler.oversize.tolist())
            elif name == "module":
                result = getattr(omnibal.Omnibal(wasm), args[0])(*args[1:])
                given.append([array.tolist() for array in result] if isinstance(result, tuple) else result.tolist())
            else:
                given.append(getattr(sampler, name)(*args))
        return given
    except Exception as error:
        return f"{type(error).__name__}: {error}"


answers = [run(sys.argv[2], **one) for one in json.load(sys.stdin)]
assert "torch" not in sys.modules
print(json.dumps(answers))
