"""accelerate and the Hugging Face Trainer, in two processes over gloo, and on other numbers of them."""

import json
from itertools import islice
from pathlib import Path

import omnibal
import pytest
from conftest import SAMPLES, Samples, flat
from processes import run_ranks

pytest.importorskip("accelerate")

CUT = 32


def accelerated(rank, world, folder, saved, workers):
    import torch
    from accelerate import Accelerator
    from omnibal.accelerate import prepare

    accelerator = Accelerator(cpu=True)
    assert accelerator.num_processes == world

    def loader(own):
        sampler = omnibal.PlanBatchSampler(folder, rank, world)
        return prepare(own, Samples(), sampler, collate_fn=list, num_workers=workers)

    own = loader(accelerator)
    model, optimizer = torch.nn.Linear(1, 1), None
    model = accelerator.prepare(model)
    assert accelerator.prepare(own) is own
    epochs = []
    for epoch in range(2):
        own.set_epoch(epoch)
        epochs.append(list(own))
    own.set_epoch(0)
    own.set_epoch(1)
    iterator = iter(own)
    list(islice(iterator, CUT))
    accelerator.save_state(saved)
    iterator.close()
    accelerator.wait_for_everyone()
    # A new run: only the state is kept.
    accelerator._custom_objects.clear()
    resumed = loader(accelerator)
    accelerator.load_state(saved)
    assert resumed.epoch == 1 and len(resumed) == len(own)
    resumed.set_epoch(resumed.epoch)
    return {"epochs": epochs, "resumed": list(resumed)}


@pytest.mark.parametrize("workers", [0, 1])
def test_accelerate_in_two_processes(folder, check_full, tmp_path, workers):
    check_full(run_ranks(accelerated, 2, folder, str(tmp_path / "saved"), workers), CUT)


def sharded_twice(rank, world, folder):
    from accelerate import Accelerator
    from torch.utils.data import DataLoader

    accelerator = Accelerator(cpu=True)
    sampler = omnibal.PlanBatchSampler(folder, rank, world)
    try:
        accelerator.prepare(DataLoader(Samples(), batch_sampler=sampler, collate_fn=list))
    except RuntimeError as error:
        return str(error)


def test_accelerate_lost_half_of_the_data_by_sharding_a_ranks_batches_again(folder):
    for said in run_ranks(sharded_twice, 2, folder):
        assert "With accelerate use omnibal.accelerate.prepare" in said


def trained(rank, world, folder, out, resume, epochs, stop, accumulation, lengths):
    """What a Trainer's model is fed: the samples of each batch, by epoch."""
    import torch
    from omnibal.transformers import PlanTrainerMixin
    from transformers import Trainer, TrainerCallback, TrainingArguments

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))
            self.seen = []

        def forward(self, ids):
            self.seen.append(ids.tolist())
            return {"loss": (self.weight * ids.float().mean()).sum() * 0}

    class PlanTrainer(PlanTrainerMixin, Trainer):
        pass

    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if state.global_step == stop:
                control.should_save = control.should_training_stop = True

    arguments = TrainingArguments(
        output_dir=out, num_train_epochs=epochs, gradient_accumulation_steps=accumulation, save_strategy="no",
        report_to=[], disable_tqdm=True, use_cpu=True, logging_strategy="no", remove_unused_columns=False,
        dataloader_num_workers=0, dataloader_pin_memory=False,
    )  # fmt: skip
    sampler = omnibal.PlanBatchSampler(folder, rank, world, lengths=lengths)
    model = Model()
    trainer = PlanTrainer(
        model, arguments, train_dataset=Samples(), data_collator=lambda ids: {"ids": torch.tensor(ids)},
        plan_sampler=sampler, callbacks=[Stop()],
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=resume)
    return {"seen": model.seen, "length": len(sampler), "steps": trainer.state.global_step}


@pytest.mark.parametrize("accumulation", [1, 4])
def test_the_trainer_in_two_processes(folder, check_full, tmp_path, accumulation):
    pytest.importorskip("transformers")
    whole = run_ranks(trained, 2, folder, str(tmp_path / "a"), None, 2, None, accumulation, None)
    length = whole[0]["length"]
    # The first epoch, and CUT batches of the second.
    stop = -(-length // accumulation) + CUT // accumulation
    run_ranks(trained, 2, folder, str(tmp_path / "b"), None, 2, stop, accumulation, None)
    checkpoint = str(tmp_path / "b" / f"checkpoint-{stop}")
    state = json.loads(Path(checkpoint, "omnibal.json").read_text())
    assert (state["epoch"], state["step"]) == (1, CUT)
    resumed = run_ranks(trained, 2, folder, str(tmp_path / "b"), checkpoint, 2, None, accumulation, None)
    results = [
        {"epochs": [own["seen"][:length], own["seen"][length:]], "resumed": rest["seen"]}
        for own, rest in zip(whole, resumed)
    ]
    check_full(results, CUT)


@pytest.mark.parametrize(("before", "after"), [(2, 4), (4, 2)])
def test_the_trainer_goes_on_with_another_number_of_processes(packing, lengths, tmp_path, before, after):
    pytest.importorskip("transformers")
    folder = tmp_path / "plan"
    omnibal.write_plan(folder, packing, ranks=before)
    stop = 20
    old = run_ranks(trained, before, folder, str(tmp_path / "out"), None, 1, stop, 1, None)
    assert [own["steps"] for own in old] == [stop] * before
    checkpoint = str(tmp_path / "out" / f"checkpoint-{stop}")
    new = run_ranks(trained, after, folder, str(tmp_path / "out"), checkpoint, 1, None, 1, lengths)
    left = -(-(len(packing) - stop * before) // after)
    assert [own["length"] for own in new] == [own["steps"] for own in new] == [stop + left] * after
    first, rest = flat(flat(own["seen"] for own in old)), flat(flat(own["seen"] for own in new))
    assert set(first) | set(rest) == set(range(SAMPLES))
    assert not set(first) & set(rest)


def test_the_trainer_refuses_another_number_where_its_steps_would_not_be_those_of_the_plan(folder, tmp_path):
    pytest.importorskip("transformers")
    from omnibal.transformers import PlanTrainerMixin

    class Arguments:
        output_dir, num_train_epochs = str(tmp_path), 3

    (tmp_path / "omnibal.json").write_text(json.dumps(omnibal.PlanBatchSampler(folder, 0, 2).state_dict(step=5)))
    trainer = PlanTrainerMixin.__new__(PlanTrainerMixin)
    trainer.args, trainer.plan_sampler = Arguments(), omnibal.PlanBatchSampler(folder, 0, 4)
    with pytest.raises(omnibal.OptionError, match="the checkpoint is of 2 ranks, there are 4: the Trainer can go on"):
        trainer.train(str(tmp_path))
