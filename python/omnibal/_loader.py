"""A `DataLoader` over a plan that knows what the trainer was handed, not what its workers have fetched ahead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from torch.utils.data import DataLoader, Dataset

from ._sampler import PlanBatchSampler


class Taken:
    """Counts the batches of the epoch that left a loader: its state is that of the sampler after so many."""

    def __init__(self, sampler: PlanBatchSampler) -> None:
        self.sampler = sampler
        self._count: int | None = None

    def count(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The batches of one iteration, counted before each is handed over."""
        self._count = self.sampler.start
        for batch in batches:
            self._count += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """What the sampler's `load_state_dict` takes."""
        sampler = self.sampler
        return sampler.state_of(sampler.start if self._count is None else self._count)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where the state was taken."""
        self.sampler.load_state_dict(state)
        self._count = None

    def set_epoch(self, epoch: int) -> None:
        """Before each epoch."""
        before = self.sampler.epoch
        self.sampler.set_epoch(epoch)
        if self.sampler.epoch != before:
            self._count = None


class PlanDataLoader(DataLoader):  # type: ignore[misc]  # torch is not looked into
    """A `DataLoader` whose state is exact: what was handed to the trainer, whatever its workers have fetched ahead.

        loader = PlanDataLoader(dataset, sampler, num_workers=4, collate_fn=...)
        for epoch in range(loader.epoch, epochs):
            loader.set_epoch(epoch)
            for batch in loader: ...
                checkpoint["data"] = loader.state_dict()

    sampler: a `PlanBatchSampler`; options: those of `DataLoader`.
    """

    def __init__(self, dataset: Dataset, sampler: PlanBatchSampler, **options: Any) -> None:
        super().__init__(dataset, batch_sampler=sampler, **options)
        self._taken = Taken(sampler)

    @property
    def epoch(self) -> int:
        """The epoch of the next batch."""
        return self._taken.sampler.epoch

    def __iter__(self) -> Iterator[Any]:
        return self._taken.count(_Lazily(super().__iter__))

    def state_dict(self) -> dict[str, Any]:
        """What was handed out, for a checkpoint: plain JSON, the same for every rank."""
        return self._taken.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where the state was taken: see `PlanBatchSampler.load_state_dict`."""
        self._taken.load_state_dict(state)

    def set_epoch(self, epoch: int) -> None:
        """Before each epoch."""
        self._taken.set_epoch(epoch)


class _Lazily:
    """An iterable that begins when it is iterated: the sampler's start is read before its iteration resets it."""

    def __init__(self, begin: Any) -> None:
        self._begin = begin

    def __iter__(self) -> Iterator[Any]:
        found: Iterator[Any] = self._begin()
        return found


class PackedDataset(Dataset):  # type: ignore[misc]  # torch is not looked into
    """A data set of groups over one of samples: what `batches="groups"` hands out are its indices.

    `packed[[3, 1]]` is `[samples[3], samples[1]]`, a list to concatenate in the collate function, so that a batch is one
    such list for each group of a micro-batch.
    """

    def __init__(self, samples: Any) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, group: Sequence[int]) -> list[Any]:
        return [self.samples[sample] for sample in group]
