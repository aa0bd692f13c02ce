"""ms-swift: a packing data set whose packs stand in plan order.

    from omnibal.swift import PlanPackingDataset

    train_dataset = PlanPackingDataset(template, dataset, "plan", epochs=3)

Train with `--train_dataloader_shuffle false`, `--num_train_epochs 1` and as many ranks, `per_device_train_batch_size` x
`gradient_accumulation_steps`, as the plan has ranks and micro-batches: each rank then takes every R-th pack, which is the
plan. `dataset` are the encoded rows in the order in which their lengths were packed.
"""

from __future__ import annotations

from typing import Any

from swift.dataset.packing import PackingDataset

from ._folder import PathLike
from ._order import plan_order_packs


class PlanPackingDataset(PackingDataset):  # type: ignore[misc]  # ms-swift is not looked into
    """`PackingDataset` with the packs of a plan in place of those that it would make."""

    def __init__(self, template: Any, dataset: Any, folder: PathLike, *, epochs: int | None = None) -> None:
        # As PackingDataset sets them; its own __init__ would pack.
        template.packing = True
        template.padding_free = True
        self.template = template
        self.dataset = dataset
        packs = plan_order_packs(folder, epochs)
        self.packed_idx = [pack.tolist() for pack in packs]
        lengths = dataset["lengths"]
        totals = [sum(x) if isinstance(x, list) else x for x in lengths]
        self.packed_length = [sum(totals[sample] for sample in pack) for pack in self.packed_idx]
