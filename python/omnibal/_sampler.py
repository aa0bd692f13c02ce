"""One rank's batches of a plan, for a `DataLoader`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._errors import InputError, OptionError, show
from ._folder import EpochFolder, PathLike, epochs_of
from ._lengths import LengthsInput
from ._options import MAX_INT32, MAX_UINT32, integer, one_of

if TYPE_CHECKING:

    class Sampler:
        """`torch.utils.data.Sampler`, or nothing where torch is not there."""

else:
    try:
        from torch.utils.data import Sampler
    except ImportError:
        Sampler = object

Batches = Literal["step", "group", "groups"]
BATCHES: tuple[Batches, ...] = ("step", "group", "groups")

STATE_VERSION = 3

History = tuple[tuple[int, int], ...]
"""What was trained of the epoch on other numbers of ranks: (ranks, steps) one after another."""


class Source:
    """Where a sampler's groups and plans come from."""

    offsets: NDArray[Any]
    indices: NDArray[Any]
    oversize: NDArray[Any]
    basis: Mapping[str, Any]
    """What the batches depend on beside the epoch, the ranks and the step: `made` of the plan without these."""

    def check_epoch(self, epoch: int) -> None:
        """Raises OptionError for an epoch that is not there."""

    def planned(self, epoch: int, ranks: int) -> NDArray[Any] | None:
        """The plan that is at hand: [steps, ranks, groups of a rank]. None where there is none for so many ranks."""
        raise NotImplementedError

    def loads(self) -> Mapping[str, NDArray[Any]]:
        """The groups' loads, to plan with."""
        raise NotImplementedError


class FolderSource(Source):
    """A folder that `omnibal plan -o` wrote."""

    def __init__(self, folder: PathLike, lengths: LengthsInput | None) -> None:
        self.folder = Path(folder)
        self._lengths = lengths
        self._open()

    def _open(self) -> None:
        self._epochs = epochs_of(self.folder)
        self._at: tuple[int, EpochFolder] | None = None
        first = self._at_epoch(next(iter(self._epochs)))
        self.offsets, self.indices = first.offsets, first.indices
        self.oversize = np.zeros(0, np.int64) if first.oversize is None else first.oversize
        self.basis = {k: v for k, v in first.made.items() if k not in ("version", "epoch", "ranks")}

    def _at_epoch(self, epoch: int) -> EpochFolder:
        if self._at is None or self._at[0] != epoch:
            self._at = epoch, EpochFolder(self._epochs[epoch])
        return self._at[1]

    def check_epoch(self, epoch: int) -> None:
        if epoch in self._epochs:
            return
        there = list(self._epochs)
        names = f"epoch {there[0]}" if len(there) == 1 else f"epochs {there[0]} to {there[-1]}"
        raise OptionError(
            "INVALID_OPTION",
            f"epoch {epoch} asked for, {self.folder} has {names}: plan more with `omnibal plan --epochs`",
        )

    def planned(self, epoch: int, ranks: int) -> NDArray[Any] | None:
        self.check_epoch(epoch)
        own = self._at_epoch(epoch)
        # A tail that packs samples anew gives each epoch groups of its own after those that all have.
        self.offsets, self.indices = own.offsets, own.indices
        return own.order if own.order.shape[1] == ranks else None

    def loads(self) -> Mapping[str, NDArray[Any]]:
        from ._elastic import group_loads

        if self._lengths is None:
            raise OptionError(
                "INVALID_OPTION",
                "another number of ranks than the plan's needs the loads of its groups: "
                "give the samples' lengths as lengths=..., or plan anew with --ranks",
            )
        return group_loads(self._lengths, self.offsets, self.indices)

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_lengths": self._lengths}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()


class PlanBatchSampler(Sampler):
    """One rank's batches of a plan, step after step: what a `DataLoader` takes as `batch_sampler`.

        sampler = PlanBatchSampler("plan", rank, world_size)
        loader = DataLoader(dataset, batch_sampler=sampler, collate_fn=...)
        for epoch in range(epochs):
            sampler.set_epoch(epoch)
            for batch in loader: ...

    It needs numpy and nothing else, maps the folder's files and copies none of them, can be pickled, forked and spawned,
    and is a `torch.utils.data.Sampler` where torch is there. Every rank takes the same number of steps.

    folder: what `omnibal plan ... -o folder` wrote, of one epoch or, with `--epochs`, of several.
    rank, world_size: of the data-parallel ranks. With another number of ranks than the plan's, each epoch is planned anew
        for these; that takes wasmtime and `lengths`.
    batches: what a batch is. "step": the samples of all groups that the rank is handed at a step, one list of ints.
        "group": those of one group; micro_batch batches are a step (gradient accumulation). "groups": a list of one
        list of samples for each group of the step, for data sets that take a list (`PackedDataset`).
    lengths: the samples' loads as they were packed, or a function that returns them; only read for another number of ranks.
    """

    drop_last = False
    """No batch is cut: what becomes of the tail stands in the plan."""

    def __init__(
        self,
        folder: PathLike,
        rank: int,
        world_size: int,
        *,
        batches: Batches = "step",
        lengths: LengthsInput | None = None,
    ) -> None:
        self._begin(FolderSource(folder, lengths), rank, world_size, batches)

    def _begin(self, source: Source, rank: int, world_size: int, batches: Batches) -> None:
        self.world_size = integer("world_size", world_size, 1, MAX_INT32)
        self.rank = integer("rank", rank, 0, self.world_size - 1)
        self.batches = one_of("batches", batches, BATCHES)
        self._source = source
        self.epoch = 0
        self._history: History = ()
        self._start = self._done = 0
        self._dealt: tuple[tuple[int, History], NDArray[Any]] | None = None
        self._finished: int | None = None

    @property
    def sampler(self) -> PlanBatchSampler:
        """Itself: trainers look for `set_epoch` here."""
        return self

    @property
    def batch_size(self) -> int:
        """Raises: what asks for it is about to shard batches that are one rank's already."""
        raise RuntimeError(
            "a PlanBatchSampler has no batch_size: its batches are those of one rank already, and to shard them a second "
            "time would lose samples. With accelerate use omnibal.accelerate.prepare, with the Hugging Face Trainer "
            "omnibal.transformers.PlanTrainerMixin, with Lightning use_distributed_sampler=False"
        )

    @property
    def basis(self) -> Mapping[str, Any]:
        """What the batches depend on beside the epoch, the ranks and the step; a state is refused where it differs."""
        return self._source.basis

    @property
    def oversize(self) -> NDArray[Any]:
        """The samples that exceed a bound, ascending: no batch has them."""
        return self._source.oversize

    # Where the batches of an epoch are.

    def _order(self) -> NDArray[Any]:
        """The plan of what was left of the epoch when it began on this number of ranks: [steps, ranks, groups]."""
        key = self.epoch, self._history
        if self._dealt is None or self._dealt[0] != key:
            self._dealt = key, self._deal(*key)
        return self._dealt[1]

    def _deal(self, epoch: int, history: History) -> NDArray[Any]:
        from ._elastic import deal

        self._source.check_epoch(epoch)
        if not history:
            planned = self._source.planned(epoch, self.world_size)
            if planned is not None:
                return planned
        return deal(self._source, epoch, history, self.world_size)

    def _micro(self) -> int:
        """Batches of a step."""
        return int(self._order().shape[2]) if self.batches == "group" else 1

    def _before(self) -> int:
        """Batches of the epoch that were trained on other numbers of ranks."""
        return sum(steps for _, steps in self._history) * self._micro()

    def __len__(self) -> int:
        """Batches of the epoch, also where it was resumed: `remaining` says how many are left."""
        order = self._order()
        if self.batches == "group" and len(order) > 0 and (order[-1] < 0).any():
            # Only the last steps can be short, and -1 stands at the end of a rank's places.
            return self._before() + int(np.count_nonzero(order[:, self.rank] >= 0))
        return self._before() + len(order) * self._micro()

    @property
    def steps(self) -> int:
        """Steps of the epoch, the same on every rank."""
        return sum(steps for _, steps in self._history) + len(self._order())

    @property
    def remaining(self) -> int:
        """Batches of the epoch that are not handed out yet."""
        return len(self) - (self._start or self._done)

    def groups(self, step: int) -> NDArray[Any]:
        """The numbers of the groups of this rank at a step of the epoch. O(1).

        Raises IndexError for a step that is not there, or was taken on another number of ranks.
        """
        before, order = sum(steps for _, steps in self._history), self._order()
        if not before <= step < before + len(order):
            raise IndexError(f"step {step} asked for, this epoch has {before} to {before + len(order) - 1} on these ranks")
        groups: NDArray[Any] = order[step - before, self.rank]
        return groups[groups >= 0]

    def _samples(self, group: int) -> list[int]:
        offsets = self._source.offsets
        found: list[int] = self._source.indices[offsets[group] : offsets[group + 1]].tolist()
        return found

    def batch(self, step: int) -> list[list[int]]:
        """The samples of this rank at a step of the epoch, a list for each of its groups. O(samples)."""
        return [self._samples(group) for group in self.groups(step).tolist()]

    def _batch(self, number: int) -> list[Any]:
        """Batch `number` of the epoch. Those of other numbers of ranks are empty: whoever skips to its place skips them."""
        if number < self._before():
            return []
        if self.batches == "group":
            step, place = divmod(number, self._micro())
            return self._samples(int(self.groups(step)[place]))
        groups = self.batch(number)
        return groups if self.batches == "groups" else [sample for group in groups for sample in group]

    def __iter__(self) -> Iterator[list[Any]]:
        start, self._start = self._start, 0
        if self._finished == self.epoch and start == 0:
            warnings.warn(
                f"epoch {self.epoch} is handed out a second time, in the same order: call set_epoch before each epoch",
                stacklevel=2,
            )
        epoch, length = self.epoch, len(self)
        self._done = start
        for number in range(start, length):
            batch = self._batch(number)
            # Counted before it is handed over: what is asked for the state next has it.
            self._done = number + 1
            if self._done == length:
                self._finished = epoch
            yield batch

    # Epochs and states.

    def set_epoch(self, epoch: int) -> None:
        """Before each epoch. For the current one it does nothing, so that a state that was loaded holds.

        Raises OptionError for an epoch that the folder does not have.
        """
        epoch = integer("epoch", epoch, 0, MAX_UINT32)
        if epoch == self.epoch:
            return
        self._source.check_epoch(epoch)
        self.epoch, self._history, self._start, self._done = epoch, (), 0, 0

    def state_dict(self, step: int | None = None) -> dict[str, Any]:
        """Where the epoch is, for a checkpoint: plain JSON, the same for every rank.

        step: the steps of the epoch that were trained. Without it, what the iteration has handed out: a `DataLoader`
        with workers fetches ahead of the trainer, so give the step, or take the state from a `PlanDataLoader`. At the end
        of an epoch it is the start of the next one.
        """
        if step is not None:
            return self.state_of(integer("step", step, 0, self.steps) * self._micro())
        return self.state_of(self._start or self._done)

    @property
    def start(self) -> int:
        """Batches of the epoch before the one that the next iteration begins with."""
        return self._start

    @property
    def resumes_elsewhere(self) -> bool:
        """Whether steps of this epoch were trained on another number of ranks."""
        return len(self._history) > 0

    def rewind(self) -> None:
        """The next iteration begins at the front of the epoch, for who skips to its place by himself.

        Batches that were trained on another number of ranks are then empty, to be skipped."""
        self._start = self._done = 0

    def state_of(self, done: int) -> dict[str, Any]:
        """The state when so many batches of the epoch are done, by whom they are counted."""
        is_over = done >= len(self)
        step, micro = divmod(0 if is_over else done, self._micro())
        return {
            "version": STATE_VERSION,
            "epoch": self.epoch + is_over,
            "step": step,
            "micro": micro,
            "world_size": self.world_size,
            "history": [] if is_over else [list(part) for part in self._history],
            "plan": dict(self.basis),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next iteration goes on where `state` was taken, by this rank or another.

        On another number of ranks the rest of the epoch is planned anew, from the groups that were not trained yet; the
        steps of the epoch count on. This takes wasmtime.

        Raises OptionError for a state over other groups or of other options, naming the first that differs.
        """
        version = state.get("version") if isinstance(state, Mapping) else None
        if version != STATE_VERSION:
            raise OptionError("INVALID_OPTION", f"state has version {show(version)}, expected {STATE_VERSION}")
        self._refuse_other(state.get("plan"))
        epoch = integer("epoch", state.get("epoch"), 0, MAX_UINT32)
        step = integer("step", state.get("step"), 0, MAX_INT32)
        micro = integer("micro", state.get("micro"), 0, MAX_INT32)
        ranks = integer("world_size", state.get("world_size"), 1, MAX_INT32)
        history = tuple((int(a), int(b)) for a, b in state.get("history", ()))
        trained = step - sum(steps for _, steps in history)
        if trained < 0:
            raise InputError("INVALID_STATE", f"state has step {step}, fewer than its history")
        if ranks != self.world_size:
            if micro != 0:
                raise OptionError(
                    "INVALID_OPTION",
                    f"state was taken in the middle of step {step} on {ranks} ranks, there are {self.world_size}: "
                    "take one between steps",
                )
            if trained > 0:
                history = (*history, (ranks, trained))
        self.epoch, self._history = epoch, history
        self._start = self._done = 0
        if step > 0 or micro > 0:
            start = step * self._micro() + micro
            if start > len(self):
                raise InputError("INVALID_STATE", f"state has step {step}, epoch {epoch} has {self.steps}")
            self._start = self._done = start

    def _refuse_other(self, seen: object) -> None:
        """Raises unless a state was taken over the same groups with the same options."""
        theirs = seen if isinstance(seen, Mapping) else {}
        for name in sorted({*self.basis, *theirs}, key=lambda name: (name != "groups", name != "packing")):
            own, other = self.basis.get(name), theirs.get(name)
            if own != other:
                raise OptionError(
                    "INVALID_OPTION", f"state was taken with {name} {show(other)}, this sampler has {show(own)}"
                )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_dealt": None}
