"""Fingerprints, as docs/formats.md defines them: 64 bits as 16 hexadecimal digits. In numpy, a piece at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PIECE = 1 << 16
"""Values at a time: a piece stays in the cache."""

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def _mix32(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = x ^ (x >> np.uint64(16))
    x = (x * np.uint64(0x21F0AAAD)) & _LOW
    x = x ^ (x >> np.uint64(15))
    x = (x * np.uint64(0x735A2D97)) & _LOW
    return x ^ (x >> np.uint64(15))


def _sum(keys: NDArray[Any], values: NDArray[Any]) -> int:
    """The sum of mix(key, value), mod 2^64."""
    k, v = keys.astype(np.uint64), values.astype(np.uint64)
    k0, k1, v0, v1 = k & _LOW, k >> _32, v & _LOW, v >> _32
    if not k1.any() and not v1.any():  # the usual case, in half the time
        h, mixed = np.uint64(0x144A87A9), np.uint64(0x562FF0A0)
        high, low = _mix32(_mix32(k0 ^ h) ^ v0), _mix32(_mix32(v0 ^ mixed) ^ k0)
    else:
        wide = _mix32(_mix32(k1 ^ np.uint64(0x9E3779B9)) ^ v1)
        high = _mix32(_mix32(k0 ^ wide) ^ v0)
        low = _mix32(_mix32(v0 ^ _mix32(wide)) ^ k0)
    return int(np.sum((high << _32) + low, dtype=np.uint64))


def _text(total: int) -> str:
    return f"{total & 0xFFFFFFFFFFFFFFFF:016x}"


def load_fingerprint(values: NDArray[Any]) -> str:
    """That of a load of all samples. O(samples)."""
    pieces = range(0, len(values), PIECE)
    return _text(sum(_sum(np.arange(a, a + len(values[a : a + PIECE])), values[a : a + PIECE]) for a in pieces))


def packing_fingerprint(
    offsets: NDArray[Any], indices: NDArray[Any], oversize: NDArray[Any], first: int = 0
) -> str:
    """That of a packing whose groups are numbered from `first` on. O(samples)."""
    total = 0
    for a in range(0, len(indices), PIECE):
        piece = indices[a : a + PIECE]
        groups = np.searchsorted(offsets, np.arange(a, a + len(piece)), side="right") + (first - 1)
        total += _sum(groups, piece)
    for a in range(0, len(oversize), PIECE):
        piece = oversize[a : a + PIECE]
        total += _sum(np.full(len(piece), 2**64 - 1, np.uint64), piece)
    return _text(total)
