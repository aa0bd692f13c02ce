"""Generated samples."""

import numpy as np


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
