"""Hugging Face transformers: a `Trainer` that follows a plan.

    from omnibal.transformers import PlanTrainerMixin

    class PlanTrainer(PlanTrainerMixin, Trainer):
        pass

    trainer = PlanTrainer(model, args, train_dataset=dataset, data_collator=..., plan_sampler=sampler)

Every epoch is in the plan's order, with gradient accumulation too, and `train(resume_from_checkpoint=...)` goes on exactly.
`per_device_train_batch_size` and `group_by_length` have no say: a batch is what the sampler hands out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from transformers.trainer_utils import get_last_checkpoint

from ._errors import OptionError
from ._sampler import PlanBatchSampler
from .accelerate import shard

STATE = "omnibal.json"
"""The file of a checkpoint that has the sampler's state."""


class _KeepPlace(TrainerCallback):  # type: ignore[misc]  # transformers is not looked into
    """Writes the sampler's state beside the trainer's."""

    def __init__(self, sampler: PlanBatchSampler) -> None:
        self._sampler = sampler

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        batches, accumulated = len(self._sampler), args.gradient_accumulation_steps
        # An epoch that does not divide by the accumulation ends with a shorter step.
        steps = -(-batches // accumulated)
        step = (state.global_step - 1) % steps + 1
        saved = self._sampler.state_of(min(step * accumulated, batches))
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        (folder / STATE).write_text(json.dumps(saved), encoding="utf8")


class PlanTrainerMixin:
    """Before `Trainer` in the bases of your class: `plan_sampler`, a `PlanBatchSampler`, decides what is trained when."""

    def __init__(self, *args: Any, plan_sampler: PlanBatchSampler, **options: Any) -> None:
        super().__init__(*args, **options)
        self.plan_sampler = plan_sampler
        self.add_callback(_KeepPlace(plan_sampler))  # type: ignore[attr-defined]

    def get_train_dataloader(self) -> Any:
        """The plan's batches, in a loader that accelerate does not shard a second time."""
        me: Any = self
        return shard(
            me.accelerator,
            me.train_dataset,
            self.plan_sampler,
            collate_fn=me.data_collator,
            num_workers=me.args.dataloader_num_workers,
            pin_memory=me.args.dataloader_pin_memory,
            persistent_workers=me.args.dataloader_persistent_workers,
            prefetch_factor=me.args.dataloader_prefetch_factor,
        )

    def train(self, resume_from_checkpoint: Any = None, *args: Any, **options: Any) -> Any:
        """`Trainer.train`. A checkpoint of another number of ranks is gone on with where it is in the only epoch."""
        me: Any = self
        path = get_last_checkpoint(me.args.output_dir) if resume_from_checkpoint is True else resume_from_checkpoint
        if path:
            self._go_on(Path(path) / STATE)
        return super().train(resume_from_checkpoint, *args, **options)  # type: ignore[misc]

    def _go_on(self, path: Path) -> None:
        """Checks the sampler's state of a checkpoint, and deals the rest of the epoch anew for another number of ranks."""
        if not path.exists():
            return
        me: Any = self
        state = json.loads(path.read_text(encoding="utf8"))
        sampler = self.plan_sampler
        if state["world_size"] != sampler.world_size and (state["epoch"] > 0 or me.args.num_train_epochs != 1):
            # The trainer derives the epoch from the number of steps, which is another one on every number of ranks.
            raise OptionError(
                "INVALID_OPTION",
                f"the checkpoint is of {state['world_size']} ranks, there are {sampler.world_size}: the Trainer can go on "
                "with another number only within the first epoch of num_train_epochs=1",
            )
        sampler.load_state_dict(state)
        # The trainer skips to its place by itself, from the front of the epoch.
        sampler.rewind()
