"""What a packer hands over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import InputError
from ._fingerprint import load_fingerprint, packing_fingerprint
from ._lengths import Column, group_sums


@dataclass(frozen=True, eq=False)
class PackingStats:
    """Figures of a packing. Ratios are for reading; no group depends on them."""

    groups: int
    """Groups there are."""
    samples: int
    """Samples in groups."""
    oversize: int
    """Samples that no group can hold."""
    bound: int
    """No packing of these samples has fewer groups."""
    fill: Mapping[str, float | None]
    """For each load: its sum over groups x bound, 0 .. 1; None without a bound."""
    samples_per_group: float
    """Mean number of samples in a group; 0 without groups."""
    rounds: int
    """Rounds of ISF that were run, 0 for other methods."""
    mix: float | None
    """See `Packing.mix`."""


@dataclass(frozen=True, eq=False)
class Packing:
    """Groups in CSR form: group g holds the samples `indices[offsets[g]:offsets[g + 1]]`.

    Every sample of the input is in exactly one group or in `oversize`. `len(packing)` is the number of groups,
    `packing[g]` is a view of a group's samples.
    """

    offsets: NDArray[np.int32]
    """int32[groups + 1], ascending from 0; no group is empty."""
    indices: NDArray[np.int32]
    """int32[samples in groups]: sample indices, group after group."""
    oversize: NDArray[np.int32]
    """Samples beyond a bound, by ascending index."""
    loads: Mapping[str, Column]
    """Each group's sum of each load, by name, int32 or float64[groups]: bounded ones first, then those carried."""
    max: Mapping[str, int]
    """The most of each load in a group."""
    bound: int
    """No packing of these samples has fewer groups: the tight or the linear bound, see `lower_bound` of `pack`."""
    samples: int
    """Samples there were to pack."""
    method: str
    """What made the groups."""
    settings: Mapping[str, Any]
    """What decided about the groups beside the samples, with the keys that files have."""
    rounds: int = 0
    """Rounds of ISF that were run; 0 for other methods."""
    mix: float | None = None
    """How random the groups are composed in tokens (else in the first load): the variance inside groups over that of a
    random deal. 1 is random, below it a group's samples are alike, above it unlike; None where it means nothing."""
    lengths: Mapping[str, Column] = field(default_factory=dict, repr=False)
    """The samples' loads that were packed, not copied."""
    counted_tokens: Column | None = field(default=None, repr=False)
    """The samples' tokens as they counted: rounded up where `align` says so."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, group: int) -> NDArray[np.int32]:
        if not 0 <= group < len(self):
            raise IndexError(f"group {group} asked for, there are {len(self)}")
        return self.indices[self.offsets[group] : self.offsets[group + 1]]

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        for start, end in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist()):
            yield self.indices[start:end]

    @property
    def vit(self) -> Column:
        """int32[groups]: tiles of each group. Raises InputError MISSING_FIELD where `vit` is none of the loads."""
        return self._load("vit")

    @property
    def tokens(self) -> Column:
        """int32[groups]: tokens of each group. Raises InputError MISSING_FIELD where `tokens` is none of the loads."""
        return self._load("tokens")

    @cached_property
    def attention(self) -> NDArray[np.float64] | None:
        """float64[groups]: sums of tokens^2 over the samples of each group, exact below 2^53; None where the samples'
        tokens are not known. O(samples) at the first look."""
        tokens = self.counted_tokens
        return None if tokens is None else group_sums(np.square(tokens, dtype=np.float64), self.offsets, self.indices)

    def _load(self, name: str) -> Column:
        if name not in self.loads:
            raise InputError("MISSING_FIELD", f"the packing has no load {name}, it has {', '.join(self.loads)}")
        return self.loads[name]

    @property
    def stats(self) -> PackingStats:
        """Counts and fill, computed on each call: O(groups)."""
        groups, samples = len(self), len(self.indices)

        def fill(name: str, sums: Column) -> float | None:
            if name not in self.max:
                return None
            return float(sums.sum(dtype=np.float64)) / (groups * self.max[name]) if groups else 0.0

        return PackingStats(
            groups=groups,
            samples=samples,
            oversize=len(self.oversize),
            bound=self.bound,
            fill={name: fill(name, sums) for name, sums in self.loads.items()},
            samples_per_group=samples / groups if groups else 0.0,
            rounds=self.rounds,
            mix=self.mix,
        )

    @cached_property
    def fingerprint(self) -> str:
        """Which samples are in which group, as 16 hexadecimal digits: docs/formats.md defines it. O(samples)."""
        return packing_fingerprint(self.offsets, self.indices, self.oversize)

    @property
    def made(self) -> dict[str, Any]:
        """What it was made of, as files have it. O(samples x loads)."""
        loads = {name: load_fingerprint(values) for name, values in self.lengths.items()}
        return {
            "version": 1,
            "samples": self.samples,
            **({"loads": loads} if loads else {}),
            **self.settings,
            "packing": self.fingerprint,
        }
