"""Trainers that take packs, or pack a buffer: ms-swift, NeMo Automodel, Megatron-Energon."""

from types import SimpleNamespace

import omnibal
import pytest
from conftest import Samples, flat


def test_packs_in_plan_order_are_dealt_out_by_a_sampler_that_does_not_shuffle(packing, tmp_path):
    from torch.utils.data import DistributedSampler

    omnibal.write_plan(tmp_path / "plan", packing, ranks=4, micro_batch=2, epochs=2)
    packs = omnibal.plan_order_packs(tmp_path / "plan")
    for rank in range(4):
        own = [packs[k].tolist() for k in DistributedSampler(packs, 4, rank, shuffle=False)]
        expected = []
        sampler = omnibal.PlanBatchSampler(tmp_path / "plan", rank, 4, batches="group")
        for epoch in range(2):
            sampler.set_epoch(epoch)
            expected += list(sampler)
        assert own == expected
    assert len(omnibal.plan_order_packs(tmp_path / "plan", epochs=1)) * 2 == len(packs)
    with pytest.raises(omnibal.OptionError, match="epochs is 3, expected 1 to 2"):
        omnibal.plan_order_packs(tmp_path / "plan", epochs=3)


def test_packs_of_a_plan_with_short_steps_are_refused(packing, tmp_path):
    omnibal.write_plan(tmp_path / "plan", packing, ranks=7, tail="short")
    with pytest.raises(omnibal.OptionError, match="has short steps: plan it with another --tail"):
        omnibal.plan_order_packs(tmp_path / "plan")


def test_swift_follows_the_plan_over_two_epochs(folder, packing, lengths, monkeypatch):
    pytest.importorskip("swift")
    from omnibal.swift import PlanPackingDataset
    from swift.dataloader.shard import BatchSamplerShard

    class Rows(Samples):
        def __getitem__(self, index):
            return lengths["tokens"].tolist() if index == "lengths" else int(index)

    dataset = PlanPackingDataset(SimpleNamespace(), Rows(), folder, epochs=2)
    assert dataset.packed_length[:3] == [int(lengths["tokens"][pack].sum()) for pack in dataset.packed_idx[:3]]
    steps = len(dataset) // 4
    for rank in range(2):
        monkeypatch.setattr(BatchSamplerShard, "rank", rank)
        monkeypatch.setattr(BatchSamplerShard, "world_size", 2)
        shard = BatchSamplerShard(len(dataset), 1, False, False, None)
        own = [dataset[k] for batch in shard for k in batch]
        sampler = omnibal.PlanBatchSampler(folder, rank, 2)
        for epoch in range(2):
            sampler.set_epoch(epoch)
            assert own[epoch * steps : (epoch + 1) * steps] == list(sampler)


def test_automodel_follows_the_plan(folder, packing, lengths):
    torch = pytest.importorskip("torch")
    pytest.importorskip("nemo_automodel")
    from omnibal.automodel import packed_dataset
    from torch.utils.data import DistributedSampler

    class Tokenized(Samples):
        def __getitem__(self, index):
            # One token more than counted: Automodel shifts by one.
            ids = torch.full((int(lengths["tokens"][index]) + 1,), int(index))
            return {"input_ids": ids, "labels": ids, "attention_mask": torch.ones_like(ids)}

    dataset = packed_dataset(Tokenized(), folder, pack_size=4096, epochs=1, padding_idx=-1)
    for rank in range(2):
        expected = list(omnibal.PlanBatchSampler(folder, rank, 2))
        for step, k in enumerate(DistributedSampler(dataset, 2, rank, shuffle=False)):
            if step % 10:
                continue
            ids = dataset[k]["input_ids"]
            seen = [i for i in torch.unique_consecutive(ids).tolist() if i >= 0]
            assert seen == expected[step]
            assert int((ids >= 0).sum()) == int(lengths["tokens"][expected[step]].sum())


def test_energon_packs_its_buffer(lengths):
    pytest.importorskip("megatron.energon")
    from megatron.energon import DefaultTaskEncoder
    from omnibal.energon import PackMixin

    class Encoder(PackMixin, DefaultTaskEncoder):
        pack_max = {"vit": 9, "tokens": 4096}

        def loads_of(self, sample):
            return {name: values[sample] for name, values in lengths.items()}

    packs = Encoder().select_samples_to_pack(list(range(500)))
    assert sorted(flat(packs)) == list(range(500))
    for pack in packs:
        assert lengths["vit"][pack].sum() <= 9 and lengths["tokens"][pack].sum() <= 4096
    bound = omnibal.lower_bound({name: values[:500] for name, values in lengths.items()}, max_vit=9, max_tokens=4096)
    assert len(packs) <= bound.best * 1.02
    Encoder.pack_max = {"vit": 4, "tokens": 4096}
    with pytest.warns(UserWarning, match="samples exceed .* and are in no pack"):
        left = Encoder().select_samples_to_pack(list(range(500)))
    assert len(flat(left)) == int((lengths["vit"][:500] <= 4).sum())


def test_energon_loads_packs_from_a_data_set(lengths, tmp_path):
    pytest.importorskip("megatron.energon")
    energon_data_set(tmp_path, 300)
    from megatron.energon import (
        Cooker,
        DefaultTaskEncoder,
        TextSample,
        WorkerConfig,
        basic_sample_keys,
        get_savable_loader,
        get_train_dataset,
    )
    from megatron.energon.task_encoder.base import stateless
    from omnibal.energon import PackMixin

    @stateless
    def cook(sample):
        return TextSample(**basic_sample_keys(sample), text=sample["txt"])

    class Encoder(PackMixin, DefaultTaskEncoder):
        cookers = [Cooker(cook)]
        pack_max = {"vit": 9, "tokens": 4096}

        def loads_of(self, sample):
            number = int(sample.__key__.rpartition("/")[2])
            return {name: values[number] for name, values in lengths.items()}

        @stateless
        def pack_selected_samples(self, samples):
            return samples

        def batch(self, samples):
            return [[int(sample.__key__.rpartition("/")[2]) for sample in pack] for pack in samples]

        def encode_batch(self, batch):
            return batch

    def loader(rank):
        config = WorkerConfig(rank=rank, world_size=2, num_workers=0)
        dataset = get_train_dataset(
            tmp_path, task_encoder=Encoder(), batch_size=1, packing_buffer_size=60, worker_config=config,
            shuffle_buffer_size=None, max_samples_per_sequence=None, repeat=False,
        )  # fmt: skip
        return get_savable_loader(dataset)

    given = [[pack for batch in loader(rank) for pack in batch] for rank in range(2)]
    assert sorted(flat(flat(given))) == list(range(300))
    for pack in flat(given):
        assert lengths["vit"][pack].sum() <= 9 and lengths["tokens"][pack].sum() <= 4096
    first = loader(0)
    iterator = iter(first)
    taken = [pack for _ in range(9) for pack in next(iterator)]
    state = first.save_state_rank()
    resumed = loader(0)
    resumed.restore_state_rank(state)
    assert taken + [pack for batch in resumed for pack in batch] == given[0]


def energon_data_set(path, count):
    """A WebDataset of texts, prepared for Energon."""
    import io
    import tarfile

    from megatron.energon.flavors.webdataset import BaseWebdatasetFactory

    for shard in range(2):
        with tarfile.open(path / f"data-{shard}.tar", "w") as tar:
            for number in range(shard, count, 2):
                entry = tarfile.TarInfo(f"{number:06}.txt")
                data = str(number).encode()
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    BaseWebdatasetFactory.prepare_dataset(
        path, ["data-0.tar", "data-1.tar"], split_parts_ratio=[("train", 1.0)], shuffle_seed=None, workers=1
    )
    (path / ".nv-meta" / "dataset.yaml").write_text(
        "__module__: megatron.energon\n__class__: CrudeWebdataset\n"
    )

