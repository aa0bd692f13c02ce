"""Hugging Face accelerate: a loader that `prepare` leaves as it is.

`Accelerator.prepare` shards batches over the processes. A plan's are one process's already: sharded again, half of the
data or more would be lost without an error. So do not `prepare` a loader of your own; take the one from here:

    from omnibal.accelerate import prepare

    loader = prepare(accelerator, dataset, PlanBatchSampler("plan", rank, world_size), collate_fn=..., num_workers=4)
    model, optimizer = accelerator.prepare(model, optimizer)
    for epoch in range(loader.epoch, epochs):
        loader.set_epoch(epoch)
        for batch in loader: ...

`accelerator.save_state` and `load_state` have its place: what was handed out, on any number of ranks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from accelerate import Accelerator
from accelerate.data_loader import DataLoaderShard

from ._errors import OptionError
from ._loader import Taken
from ._sampler import PlanBatchSampler


class PlanShard(DataLoaderShard):  # type: ignore[misc]  # accelerate is not looked into
    """accelerate's loader of one process, which counts what it hands out."""

    def __init__(self, dataset: Any, sampler: PlanBatchSampler, **options: Any) -> None:
        super().__init__(dataset, batch_sampler=sampler, rng_types=None, **options)
        self.taken = Taken(sampler)

    @property
    def epoch(self) -> int:
        """The epoch of the next batch."""
        return self.taken.sampler.epoch

    def __iter__(self) -> Iterator[Any]:
        # accelerate's own count of epochs begins at 0, also after load_state.
        self.iteration = self.epoch
        return self.taken.count(_Batches(self))

    def set_epoch(self, epoch: int) -> None:
        """Before each epoch."""
        self.iteration = epoch
        self.taken.set_epoch(epoch)


class _Batches:
    """The batches of a shard as accelerate iterates it."""

    def __init__(self, shard: PlanShard) -> None:
        self._shard = shard

    def __iter__(self) -> Iterator[Any]:
        found: Iterator[Any] = DataLoaderShard.__iter__(self._shard)
        return found


class _Place:
    """What `save_state` and `load_state` keep of a loader."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken

    def state_dict(self) -> dict[str, Any]:
        return self._taken.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._taken.load_state_dict(state)


def shard(accelerator: Accelerator, dataset: Any, sampler: PlanBatchSampler, **options: Any) -> PlanShard:
    """The loader, on the accelerator's device and registered with it as prepared."""
    processes = accelerator.num_processes
    if processes % sampler.world_size != 0:
        raise OptionError(
            "INVALID_OPTION",
            f"the sampler is for {sampler.world_size} ranks, accelerate has {processes} processes: expected as many, or "
            "the data-parallel ranks among them",
        )
    loader = PlanShard(dataset, sampler, device=accelerator.device, **options)
    loader._is_accelerate_prepared = True
    prepared: PlanShard = accelerator.prepare_data_loader(loader)
    return prepared


def prepare(accelerator: Accelerator, dataset: Any, sampler: PlanBatchSampler, **options: Any) -> PlanShard:
    """A loader of the sampler's batches, on the accelerator's device. options: those of `DataLoader`.

    Its place is saved and restored with the accelerator's state. Call `set_epoch` before each epoch.
    """
    loader = shard(accelerator, dataset, sampler, **options)
    accelerator.register_for_checkpointing(_Place(loader.taken))
    return loader
