"""NeMo Automodel: its lazily packed data set over the packs of a plan.

    from omnibal.automodel import packed_dataset

    dataset = packed_dataset(inner, "plan", pack_size=4096, epochs=3, padding_idx=tokenizer.pad_token_id)

Deal it out with `DistributedSampler(shuffle=False)` and `batch_size` = the plan's micro-batch: rank r then trains on what the
plan gives it. `pack_size` must hold the longest group, or Automodel leaves out samples: the plan's bound on tokens does.
"""

from __future__ import annotations

from typing import Any

from nemo_automodel.components.datasets.vlm.neat_packing_vlm import PackedDatasetWrapper

from ._folder import PathLike
from ._order import plan_order_packs


def packed_dataset(
    inner: Any, folder: PathLike, *, pack_size: int, epochs: int | None = None, **options: Any
) -> PackedDatasetWrapper:
    """`PackedDatasetWrapper` whose bins are the groups of a plan, in plan order. options: those of the wrapper."""
    bins = [pack.tolist() for pack in plan_order_packs(folder, epochs)]
    return PackedDatasetWrapper(inner, bins=bins, pack_size=pack_size, **options)
