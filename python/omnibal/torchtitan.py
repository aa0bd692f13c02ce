"""torchtitan: its loader of one data-parallel rank over a plan.

    from omnibal.torchtitan import dataloader

    loader = dataloader(dataset, PlanBatchSampler("plan", dp_rank, dp_world_size), collate_fn=...)

Its state is exact with workers too. torchtitan refuses a state of another data-parallel degree: keep
`loader.batch_sampler.state_dict(step)` beside it where that may change.
"""

from __future__ import annotations

from typing import Any

from torchtitan.components.dataloader import ParallelAwareDataloader

from ._sampler import PlanBatchSampler


def dataloader(dataset: Any, sampler: PlanBatchSampler, **options: Any) -> ParallelAwareDataloader:
    """`ParallelAwareDataloader` of the sampler's batches. options: those of `StatefulDataLoader`."""
    return ParallelAwareDataloader(
        dataset, dp_rank=sampler.rank, dp_world_size=sampler.world_size, batch_sampler=sampler, **options
    )
