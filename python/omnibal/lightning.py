"""Lightning: a data module that follows a plan.

    from omnibal.lightning import PlanDataModule

    trainer = Trainer(use_distributed_sampler=False, ...)
    trainer.fit(model, PlanDataModule(dataset, "plan", collate_fn=..., num_workers=4))

Ranks and epochs come from the trainer; a checkpoint has the module's state, which is exact, and loads on another number of
ranks with `reload_dataloaders_every_n_epochs=1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lightning.pytorch import LightningDataModule

from ._errors import OptionError
from ._folder import PathLike
from ._lengths import LengthsInput
from ._loader import PlanDataLoader
from ._sampler import Batches, PlanBatchSampler


class PlanDataModule(LightningDataModule):  # type: ignore[misc]  # Lightning is not looked into
    """The batches of a plan as training data.

    dataset: of samples. folder, batches, lengths: as `PlanBatchSampler` takes them. options: those of `DataLoader`.
    """

    def __init__(
        self,
        dataset: Any,
        folder: PathLike,
        *,
        batches: Batches = "step",
        lengths: LengthsInput | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self._dataset, self._folder, self._batches, self._lengths = dataset, folder, batches, lengths
        self._options = options
        self._state: Mapping[str, Any] | None = None
        self._loader: PlanDataLoader | None = None

    def train_dataloader(self) -> PlanDataLoader:
        """The loader of this rank. Lightning calls `set_epoch` through its `sampler`."""
        trainer: Any = self.trainer
        if trainer.world_size > 1 and trainer._accelerator_connector.use_distributed_sampler:
            raise OptionError(
                "INVALID_OPTION", "a plan's batches are one rank's already: give the Trainer use_distributed_sampler=False"
            )
        sampler = PlanBatchSampler(
            self._folder, trainer.global_rank, trainer.world_size, batches=self._batches, lengths=self._lengths
        )
        if self._state is not None and self._state["epoch"] == trainer.current_epoch:
            sampler.load_state_dict(self._state)
            if sampler.resumes_elsewhere and trainer.reload_dataloaders_every_n_epochs != 1:
                # It would end later epochs after as many steps as this one has.
                raise OptionError(
                    "INVALID_OPTION",
                    f"the checkpoint is of another number of ranks than {trainer.world_size}, so epochs have unequal "
                    "lengths: give the Trainer reload_dataloaders_every_n_epochs=1",
                )
        else:
            sampler.set_epoch(trainer.current_epoch)
        self._loader = PlanDataLoader(self._dataset, sampler, **self._options)
        return self._loader

    def state_dict(self) -> dict[str, Any]:
        """What was trained, for a checkpoint."""
        if self._loader is None:
            return {}
        sampler: PlanBatchSampler = self._loader.batch_sampler
        trainer: Any = self.trainer
        progress = trainer.fit_loop.epoch_loop.batch_progress.current
        return sampler.state_of(progress.processed) if sampler.epoch == trainer.current_epoch else sampler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Kept until the loader is made."""
        self._state = state or None
