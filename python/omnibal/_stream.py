"""Packing samples as they arrive."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import InputError, show
from ._instance import Instance
from ._lengths import LengthsInput, columns, invalid_length
from ._options import MAX_INT32, MAX_UINT32, integer

SEED = 1024
BUFFER = 10_000
MOST_BUFFER = 1_000_000
PIECE = 4096
"""Samples per call into the core: what its input holds."""

MAGIC = 0x7473626F
FORMAT = 1
FOREIGN_STATE, DAMAGED_STATE = 15, 16


@dataclass(frozen=True, eq=False)
class StreamedGroups:
    """Groups that left a packer at a call, in the order in which they became full, in CSR form."""

    offsets: NDArray[np.int32]
    """int32[groups + 1]: group g holds the samples `indices[offsets[g]:offsets[g + 1]]`."""
    indices: NDArray[np.int32]
    """Samples: positions in the stream, from 0."""
    vit: NDArray[np.int32]
    """Tiles of each group."""
    tokens: NDArray[np.int32]
    """Tokens of each group."""
    oversize: NDArray[np.int32]
    """Samples of this push that are beyond a bound, ascending: no group will have them."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        for start, end in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist()):
            yield self.indices[start:end]


class Packer:
    """Packs a stream. Up to `buffer` samples wait; when it is full, a group of the best mates found leaves it, which begins
    with the sample that waits longest.

    Every sample comes back once, in a group or in `oversize`. The groups depend on the samples in their order, the bounds,
    `buffer` and `seed`, not on how pushes are cut. For one thread at a time.

    max_vit, max_tokens: the most of a group, 1 .. 2^31 - 1. buffer: 1 .. 1,000,000, many times what a group holds.
    """

    def __init__(self, *, max_vit: int, max_tokens: int, buffer: int = BUFFER, seed: int = SEED) -> None:
        self._options = {
            "max_vit": integer("max_vit", max_vit, 1, MAX_INT32),
            "max_tokens": integer("max_tokens", max_tokens, 1, MAX_INT32),
            "buffer": integer("buffer", buffer, 1, MOST_BUFFER),
            "seed": integer("seed", seed, 0, MAX_UINT32),
        }
        self._own = Instance()
        self._own.check(self._own.call("streamBegin", *self._options.values()), self.buffer)

    @property
    def max_vit(self) -> int:
        """Most tiles in a group."""
        return self._options["max_vit"]

    @property
    def max_tokens(self) -> int:
        """Most tokens in a group."""
        return self._options["max_tokens"]

    @property
    def buffer(self) -> int:
        """Samples kept back to choose from."""
        return self._options["buffer"]

    @property
    def seed(self) -> int:
        """What draws are seeded with."""
        return self._options["seed"]

    @property
    def pending(self) -> int:
        """Samples that wait for a group, 0 .. buffer - 1."""
        return int(self._own.call("streamPending"))

    @property
    def taken(self) -> int:
        """Samples pushed so far: the next one has this index."""
        return int(self._own.call("streamTaken"))

    def push(self, lengths: LengthsInput) -> StreamedGroups:
        """Takes the next samples, as `pack` takes them, and returns the groups that became full. O(1) each.

        Raises InputError as `pack` does; its index counts from the start of this push, of which none was taken then.
        """
        given = columns(lengths, ["vit", "tokens"])
        vit, tokens = given["vit"], given["tokens"]
        for name, values in given.items():
            if values.dtype != np.int32:
                bad = int(np.argmax(values > MAX_INT32))
                raise invalid_length(name, bad, values[bad], MAX_INT32)
            if values.size and values.min() < 0:
                bad = int(np.argmax(values < 0))
                raise invalid_length(name, bad, values[bad])
        if len(vit) > MAX_INT32 - self.taken:
            text = f"{len(vit)} samples after {self.taken}, expected at most {MAX_INT32} in all"
            raise InputError("INVALID_INPUT", text)
        own = self._own
        found: list[StreamedGroups] = []
        for start in range(0, len(vit), PIECE):
            size = min(PIECE, len(vit) - start)
            room = own.view(own.address("streamInput"), 2 * PIECE, np.int32)
            room[:size] = vit[start : start + size]
            room[PIECE : PIECE + size] = tokens[start : start + size]
            own.check(own.call("streamPush", size), size)
            found.append(self._take(True))
        return _joined(found)

    def flush(self) -> StreamedGroups:
        """All samples that wait, in groups. More can be pushed after it: their indices go on."""
        self._own.call("streamFlush")
        return self._take(False)

    def _take(self, oversize: bool) -> StreamedGroups:
        own = self._own
        groups = own.call("packingGroups")
        offsets = own.take(own.address("packingOffsets"), groups + 1, np.int32)
        beyond = own.call("packingOversizeCount") if oversize else 0
        return StreamedGroups(
            offsets=offsets,
            indices=own.take(own.address("packingOrder"), int(offsets[-1]), np.int32),
            vit=own.take(own.address("packingVit"), groups, np.int32),
            tokens=own.take(own.address("packingTokens"), groups, np.int32),
            oversize=own.take(own.address("packingOversize"), beyond, np.int32),
        )

    def save(self) -> bytes:
        """The state, for `Packer.load`: the packer that it makes goes on just as this one does, on any host."""
        own = self._own
        top = own.address("mark")
        size = own.call("streamStateBytes")
        at = own.alloc(size, self.pending)
        own.call("streamSave", at)
        state = own.take(at, size, np.uint8).tobytes()
        own.call("release", top)
        return state

    @staticmethod
    def load(state: bytes) -> Packer:
        """The packer that was saved. Raises InputError INVALID_STATE for what is none, or is damaged."""
        if not isinstance(state, (bytes, bytearray, memoryview)):
            raise InputError("INVALID_INPUT", f"the state is {show(state)}, expected bytes")
        data = bytes(state)
        own = Instance()
        at = own.put(np.frombuffer(data, np.uint8), np.uint8)
        status = own.call("streamLoad", at, len(data))
        if status == FOREIGN_STATE:
            if len(data) >= 8 and struct.unpack_from("<I", data)[0] == MAGIC:
                raise InputError(
                    "INVALID_STATE",
                    f"a packer's state of format {struct.unpack_from('<I', data, 4)[0]}, expected {FORMAT}: go on with "
                    "the version of omnibal that saved it, or start a new packer",
                )
            raise InputError("INVALID_STATE", f"{len(data)} bytes that are not the state of a packer")
        if status == DAMAGED_STATE:
            text = f"{len(data)} bytes of a packer's state that are cut short or altered"
            raise InputError("INVALID_STATE", text)
        own.check(status, len(data))
        if struct.unpack_from("<I", data, 4)[0] != FORMAT:
            text = "a packer's state with further loads than vit and tokens, which a Packer in Python does not take"
            raise InputError("INVALID_STATE", text)
        packer = Packer.__new__(Packer)
        packer._own = own
        packer._options = dict(zip(("max_vit", "max_tokens", "buffer", "seed"), struct.unpack_from("<iiiI", data, 8)))
        return packer

    def __reduce__(self) -> tuple[Any, ...]:
        return Packer.load, (self.save(),)


def _joined(parts: list[StreamedGroups]) -> StreamedGroups:
    """The groups of all pieces of a push."""
    empty = np.zeros(0, np.int32)
    names = ("indices", "vit", "tokens", "oversize")
    joined: Mapping[str, NDArray[np.int32]] = {
        name: np.concatenate([empty, *(getattr(part, name) for part in parts)]) for name in names
    }
    sizes = np.concatenate([empty, *(np.diff(part.offsets) for part in parts)])
    return StreamedGroups(offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32), **joined)
