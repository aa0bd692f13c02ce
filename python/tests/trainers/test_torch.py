"""torch's DataLoader, torchdata's StatefulDataLoader and torchtitan's loader, in two processes over gloo."""

import json
import multiprocessing
from itertools import islice

import omnibal
import pytest
from conftest import SAMPLES, Samples
from processes import begin_gloo, run_ranks
from torch.utils.data import DataLoader

CUT = 32


def plain(rank, world, folder, workers):
    begin_gloo(rank, world)
    import torch.distributed as dist

    def loader():
        sampler = omnibal.PlanBatchSampler(folder, rank, world)
        return omnibal.PlanDataLoader(Samples(), sampler, collate_fn=list, num_workers=workers)

    own, epochs = loader(), []
    for epoch in range(2):
        own.set_epoch(epoch)
        epochs.append(list(own))
        dist.barrier()
    cut = loader()
    cut.set_epoch(1)
    list(islice(cut, CUT))
    state = json.loads(json.dumps(cut.state_dict()))
    resumed = loader()
    resumed.load_state_dict(state)
    assert (len(resumed), resumed.batch_sampler.remaining) == (len(own), len(own) - CUT)
    resumed.set_epoch(1)
    return {"epochs": epochs, "resumed": list(resumed), "step": state["step"]}


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_loader_in_two_processes(folder, check_full, workers):
    results = run_ranks(plain, 2, folder, workers)
    check_full(results, CUT)
    assert [result["step"] for result in results] == [CUT, CUT]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_every_kind_after_the_parent_has_packed(folder, lengths, method):
    omnibal.pack(lengths, max_vit=9, max_tokens=4096)
    sampler = omnibal.PlanBatchSampler(folder, 0, 2)
    own = list(omnibal.PlanBatchSampler(folder, 0, 2))
    context = multiprocessing.get_context(method)
    loader = DataLoader(
        Samples(), batch_sampler=sampler, collate_fn=list, num_workers=2, multiprocessing_context=context,
        persistent_workers=True, timeout=100,
    )  # fmt: skip
    for epoch in range(2):
        sampler.set_epoch(epoch)
        batches = list(loader)
        assert (batches == own) == (epoch == 0)


def test_a_sampler_is_one_of_torch(folder):
    from torch.utils.data import Sampler

    assert isinstance(omnibal.PlanBatchSampler(folder, 0, 2), Sampler)


def pack_in_worker(index):
    return len(omnibal.pack({"vit": [1] * 9, "tokens": [9] * 9}, max_vit=3, max_tokens=4096))


def test_workers_forked_after_the_parent_has_packed_pack_too():
    omnibal.pack({"vit": [1], "tokens": [1]}, max_vit=9, max_tokens=4096)

    class Packs(Samples):
        def __getitem__(self, index):
            return pack_in_worker(index)

    loader = DataLoader(Packs(8), num_workers=2, timeout=100, multiprocessing_context="fork")
    assert [int(batch) for batch in loader] == [3] * 8


def test_a_micro_batch_is_a_list_of_groups(packing, tmp_path):
    omnibal.write_plan(tmp_path / "plan", packing, ranks=2, micro_batch=2)
    sampler = omnibal.PlanBatchSampler(tmp_path / "plan", 1, 2, batches="groups")
    loader = DataLoader(omnibal.PackedDataset(Samples()), batch_sampler=sampler, collate_fn=list)
    for step, batch in enumerate(loader):
        assert batch == sampler.batch(step)
        assert len(batch) == 2


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_torchdata_stateful_data_loader(folder, workers):
    from torchdata.stateful_dataloader import StatefulDataLoader

    def loader():
        sampler = omnibal.PlanBatchSampler(folder, 1, 2)
        return StatefulDataLoader(Samples(), batch_sampler=sampler, collate_fn=list, num_workers=workers), sampler

    whole = []
    own, sampler = loader()
    for epoch in range(2):
        sampler.set_epoch(epoch)
        whole.append(list(own))
    assert whole[0] != whole[1]
    for cut in (1, CUT):
        own, sampler = loader()
        sampler.set_epoch(1)
        iterator = iter(own)
        taken = [next(iterator) for _ in range(cut)]
        state = own.state_dict()
        del iterator
        resumed, sampler = loader()
        resumed.load_state_dict(state)
        assert taken + list(resumed) == whole[1]
        assert sampler.epoch == 1


@pytest.mark.parametrize("workers", [0, 2])
def test_torchtitan(folder, workers):
    pytest.importorskip("torchtitan")
    from omnibal.torchtitan import dataloader

    def loader():
        return dataloader(
            Samples(), omnibal.PlanBatchSampler(folder, 1, 2), collate_fn=list, num_workers=workers
        )

    own = loader()
    own.batch_sampler.set_epoch(1)
    whole = list(own)
    assert whole == list(_at(omnibal.PlanBatchSampler(folder, 1, 2), 1))
    own = loader()
    own.batch_sampler.set_epoch(1)
    iterator = iter(own)
    taken = [next(iterator) for _ in range(CUT)]
    state = own.state_dict()
    del iterator
    resumed = loader()
    resumed.load_state_dict(state)
    assert taken + list(resumed) == whole


def _at(sampler, epoch):
    sampler.set_epoch(epoch)
    return sampler


def shared_by_gloo(rank, world, lengths, state):
    begin_gloo(rank, world)
    bounds = {"max_vit": 9, "max_tokens": 4096}
    # What other ranks are given plays no part: rank 0 packs.
    own = lengths if rank == 0 else {"vit": [], "tokens": []}
    sampler = omnibal.GroupBatchSampler(own, rank, world, **bounds)
    if state is not None:
        sampler.load_state_dict(state)
        return list(sampler)
    epochs = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        epochs.append(list(sampler))
    return {"epochs": epochs, "state": sampler.state_dict(step=CUT)}


def test_what_rank_0_packs_comes_by_torch_distributed(lengths):
    results = run_ranks(shared_by_gloo, 2, lengths, None)
    for epoch in range(2):
        own = [result["epochs"][epoch] for result in results]
        assert len(own[0]) == len(own[1])
        assert {sample for batches in own for batch in batches for sample in batch} == set(range(SAMPLES))
    assert results[0]["epochs"][0] != results[0]["epochs"][1]
    state = results[1]["state"]
    resumed = run_ranks(shared_by_gloo, 2, lengths, state)
    assert resumed == [result["epochs"][1][CUT:] for result in results]
    trained = {i for result in results for batch in result["epochs"][1][:CUT] for i in batch}
    for count in (4, 1):
        rest = {i for own in run_ranks(shared_by_gloo, count, lengths, state) for batch in own for i in batch}
        assert trained | rest == set(range(SAMPLES))
        assert not trained & rest


def rank_0_fails(rank, world):
    begin_gloo(rank, world)
    try:
        omnibal.GroupBatchSampler({"vit": [-1], "tokens": [1]}, rank, world, max_vit=9, max_tokens=4096)
    except omnibal.InputError as error:
        return str(error)


def test_what_rank_0_raises_every_rank_raises():
    first, second = run_ranks(rank_0_fails, 2)
    assert first == second
    assert first.startswith("index 0: vit is -1")


def test_ray_takes_a_sampler(folder):
    ray = pytest.importorskip("ray")
    own = list(omnibal.PlanBatchSampler(folder, 0, 2))
    paths = {"env_vars": {"PYTHONPATH": str(omnibal.__path__[0].rpartition("/")[0])}}
    ray.init(
        num_cpus=1, include_dashboard=False, _node_ip_address="127.0.0.1", object_store_memory=80 << 20,
        runtime_env=paths, logging_level="error",
    )  # fmt: skip
    try:
        sampler = omnibal.PlanBatchSampler(folder, 0, 2)
        handed = ray.remote(lambda given: list(given)).remote(sampler)
        assert ray.get(handed, timeout=100) == own
    finally:
        ray.shutdown()
