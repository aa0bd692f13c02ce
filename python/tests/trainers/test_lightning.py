"""Lightning, in two processes over gloo."""

import omnibal
import pytest
from conftest import SAMPLES, Samples
from processes import run_ranks

pytest.importorskip("lightning")

CUT = 32


def fitted(rank, world, folder, out, checkpoint, stop, lengths, reload=0):
    """The batches that a model is trained on."""
    import torch
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.plugins.environments import LightningEnvironment
    from lightning.pytorch.strategies import DDPStrategy
    from omnibal.lightning import PlanDataModule

    class Environment(LightningEnvironment):
        """The processes are there already."""

        creates_processes_externally = True

        def world_size(self):
            return world

        def set_world_size(self, size):
            pass

        def global_rank(self):
            return rank

        def set_global_rank(self, rank):
            pass

        def local_rank(self):
            return rank

    class Model(LightningModule):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))
            self.seen = []

        def training_step(self, batch, _):
            self.seen.append(list(batch))
            return (self.weight * 0).sum()

        def on_train_batch_end(self, *_):
            if self.global_step == stop:
                self.trainer.save_checkpoint(out)
                self.trainer.should_stop = True

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    model = Model()
    trainer = Trainer(
        accelerator="cpu", devices=world, strategy=DDPStrategy(process_group_backend="gloo"), max_epochs=2,
        plugins=[Environment()], use_distributed_sampler=False, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
        reload_dataloaders_every_n_epochs=reload,
    )  # fmt: skip
    data = PlanDataModule(Samples(), folder, lengths=lengths, collate_fn=list, num_workers=0)
    trainer.fit(model, data, ckpt_path=checkpoint, weights_only=False)
    return model.seen


@pytest.mark.parametrize("cut", [CUT])
def test_lightning_in_two_processes(folder, check_full, tmp_path, cut):
    whole = run_ranks(fitted, 2, folder, "", None, None, None)
    length = len(whole[0]) // 2
    saved = str(tmp_path / "saved.ckpt")
    run_ranks(fitted, 2, folder, saved, None, length + cut, None)
    resumed = run_ranks(fitted, 2, folder, "", saved, None, None)
    results = [
        {"epochs": [own[:length], own[length:]], "resumed": rest} for own, rest in zip(whole, resumed)
    ]
    check_full(results, cut)


def test_lightning_on_another_number_of_processes(folder, lengths, tmp_path):
    saved = str(tmp_path / "saved.ckpt")
    old = run_ranks(fitted, 2, folder, saved, None, 20, None)
    with pytest.raises(AssertionError, match="give the Trainer reload_dataloaders_every_n_epochs=1"):
        run_ranks(fitted, 1, folder, "", saved, None, lengths)
    new = run_ranks(fitted, 1, folder, "", saved, None, lengths, 1)
    steps = len(omnibal.PlanBatchSampler(folder, 0, 1, lengths=lengths))
    first = {sample for own in old for batch in own[:20] for sample in batch}
    rest = {sample for batch in new[0][: len(new[0]) - steps] for sample in batch}
    assert first | rest == set(range(SAMPLES))
    assert not first & rest
    assert {sample for batch in new[0][len(new[0]) - steps :] for sample in batch} == set(range(SAMPLES))
