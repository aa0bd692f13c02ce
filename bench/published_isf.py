"""The published code's compiled ISF, one run for each line on standard input; published.ts builds it and starts this.

Arguments: the folder of the built module, then files of int32: all vit values, then all token values. A line is
FILE-NUMBER MAX-VIT MAX-TOKENS MIN-TOKENS ROUNDS SEED. The answer is JSON: CPU seconds, number of groups, SHA-256 of the
groups as indices joined by commas and groups joined by LF.
"""

import contextlib
import hashlib
import io
import json
import sys
import time

sys.path.insert(0, sys.argv[1])

import numpy as np
from fast_random_group import fast_process_random_groups


def samples(path):
    """The published form: [index, vit, tokens] for each sample."""
    vit, tokens = np.fromfile(path, np.int32).reshape(2, -1).tolist()
    return [[i, v, t] for i, (v, t) in enumerate(zip(vit, tokens))]


inputs = [samples(path) for path in sys.argv[2:]]
for line in sys.stdin:
    number, max_vit, max_tokens, min_tokens, rounds, seed = map(int, line.split())
    # It prints a line per round.
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.process_time()
        groups = fast_process_random_groups(
            inputs[number], seed, max_vit, max_vit, min_tokens, max_tokens, iter_time=rounds
        )
        seconds = time.process_time() - start
    text = "\n".join(",".join(str(sample[0]) for sample in group) for group in groups)
    digest = hashlib.sha256(text.encode()).hexdigest()
    print(json.dumps({"seconds": seconds, "groups": len(groups), "sha256": digest}), flush=True)
