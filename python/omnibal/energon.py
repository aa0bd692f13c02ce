"""Megatron-Energon: packs the samples of its buffer.

    from omnibal.energon import PackMixin

    class TaskEncoder(PackMixin, DefaultTaskEncoder):
        pack_max = {"vit": 9, "tokens": 4096}

        def loads_of(self, sample):
            return {"vit": sample.tiles, "tokens": len(sample.tokens)}

        def pack_selected_samples(self, samples): ...

    dataset = get_train_dataset(path, task_encoder=TaskEncoder(), packing_buffer_size=1000, ...)

Energon decides the order of samples: it packs online, and cannot follow a plan. Ranks have unequal numbers of packs, so
train with `repeat=True` and a limit on steps.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._pack import SEED, Method, pack


class PackMixin:
    """Before the task encoder in the bases of your class."""

    pack_max: Mapping[str, int]
    """The most of each load in a pack."""
    pack_method: Method = "balanced"
    pack_seed: int = SEED

    def loads_of(self, sample: Any) -> Mapping[str, int]:
        """The loads of an encoded sample: one whole number for each name of `pack_max`."""
        raise NotImplementedError("loads_of(sample) -> {'vit': ..., 'tokens': ...}")

    def left_out(self, samples: Sequence[Any]) -> None:
        """Called with samples that exceed a bound: no pack has them. Warns; override it to do more."""
        keys = ", ".join(str(getattr(sample, "__key__", "a sample")) for sample in samples[:3])
        more = ", ..." if len(samples) > 3 else ""
        warnings.warn(f"{len(samples)} samples exceed {dict(self.pack_max)} and are in no pack: {keys}{more}", stacklevel=3)

    def select_samples_to_pack(self, samples: list[Any]) -> list[list[Any]]:
        """What Energon asks for when its buffer is full: the samples in packs."""
        loads = [self.loads_of(sample) for sample in samples]
        lengths = {name: np.array([own[name] for own in loads]) for name in self.pack_max}
        packing = pack(lengths, max=self.pack_max, method=self.pack_method, seed=self.pack_seed)
        if len(packing.oversize) > 0:
            self.left_out([samples[i] for i in packing.oversize])
        return [[samples[i] for i in group] for group in packing]
