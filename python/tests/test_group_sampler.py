"""`GroupBatchSampler`: what rank 0 packs, and how the others come by it."""

import itertools
import multiprocessing
import pickle

import numpy as np
import omnibal
import pytest
from omnibal import GroupBatchSampler, PlanBatchSampler

BOUNDS = {"max_vit": 9, "max_tokens": 4096}


def flat(batches):
    return [sample for batch in batches for sample in batch]


def epochs_of(sampler, count=2):
    found = []
    for epoch in range(count):
        sampler.set_epoch(epoch)
        found.append(list(sampler))
    return found


def test_alone_it_hands_out_the_plan_of_the_packing(lengths, packing, tmp_path):
    omnibal.write_plan(tmp_path / "plan", packing, ranks=1, epochs=2)
    assert epochs_of(GroupBatchSampler(lengths, 0, 1, **BOUNDS)) == epochs_of(PlanBatchSampler(tmp_path / "plan", 0, 1))


def test_a_state_of_it_is_one_of_the_folder(lengths, packing, tmp_path):
    omnibal.write_plan(tmp_path / "plan", packing, ranks=1)
    own, folder = GroupBatchSampler(lengths, 0, 1, **BOUNDS), PlanBatchSampler(tmp_path / "plan", 0, 1)
    assert own.state_dict(step=9) == folder.state_dict(step=9)
    folder.load_state_dict(own.state_dict(step=9))
    assert list(folder) == list(own)[9:]


def test_ranks_share_a_folder(lengths, tmp_path, monkeypatch):
    samplers = [GroupBatchSampler(lengths, 0, 2, shared=tmp_path, **BOUNDS)]
    monkeypatch.setattr("omnibal._group_sampler.pack", None)
    samplers.append(GroupBatchSampler(lengths, 1, 2, shared=tmp_path, **BOUNDS))
    first, second = (epochs_of(sampler) for sampler in samplers)
    for epoch in range(2):
        assert set(flat(first[epoch] + second[epoch])) == set(range(2000))
        assert len(first[epoch]) == len(second[epoch])
    assert first[0] != first[1]
    # A restart finds what is there.
    again = GroupBatchSampler(lengths, 0, 2, shared=tmp_path, **BOUNDS)
    assert isinstance(again._source.indices, np.memmap)
    assert list(again) == first[0]


def test_other_lengths_or_options_are_other_files(lengths, tmp_path):
    shared = [
        GroupBatchSampler(lengths, 0, 1, shared=tmp_path, **{**BOUNDS, **more}) for more in ({}, {"seed": 1}, {"max_vit": 8})
    ]
    other = {**lengths, "vit": lengths["vit"][::-1]}
    shared.append(GroupBatchSampler(other, 0, 1, shared=tmp_path, **BOUNDS))
    assert len(list(tmp_path.iterdir())) == 4
    assert len({tuple(flat(sampler)) for sampler in shared}) == 4


def test_a_rank_that_waits_in_vain_says_for_what(lengths, tmp_path):
    with pytest.raises(omnibal.EngineError, match="did not appear within 0.2 s: rank 0 writes it"):
        GroupBatchSampler(lengths, 1, 2, shared=tmp_path, wait=0.2, **BOUNDS)


def test_several_ranks_have_to_share(lengths):
    with pytest.raises(omnibal.OptionError, match="give shared=..., a folder that they all see, or call"):
        GroupBatchSampler(lengths, 1, 2, **BOUNDS)


def test_samples_beyond_a_bound_are_listed_and_rank_0_warns(lengths, recwarn):
    expected = np.flatnonzero(lengths["vit"] > 4)
    sampler = GroupBatchSampler(lengths, 0, 1, max_vit=4, max_tokens=4096)
    assert sampler.oversize.tolist() == expected.tolist()
    first = ", ".join(map(str, expected[:3]))
    assert [str(w.message) for w in recwarn] == [
        f"{len(expected)} of 2000 samples in no group ({{'vit': 4, 'tokens': 4096}}): {first}, ..."
    ]
    assert set(flat(sampler)) == set(range(2000)) - set(expected.tolist())


@pytest.mark.parametrize(("before", "after"), [(2, 4), (4, 2)])
def test_it_goes_on_with_another_number_of_ranks(lengths, tmp_path, before, after):
    old = [GroupBatchSampler(lengths, rank, before, shared=tmp_path, **BOUNDS) for rank in range(before)]
    for sampler in old:
        sampler.set_epoch(3)
    trained = flat(batch for sampler in old for batch in itertools.islice(sampler, 50))
    state = old[0].state_dict()
    new = [GroupBatchSampler(lengths, rank, after, shared=tmp_path, **BOUNDS) for rank in range(after)]
    for sampler in new:
        sampler.load_state_dict(state)
        assert sampler.epoch == 3
    rest = flat(batch for sampler in new for batch in sampler)
    assert set(trained) | set(rest) == set(range(2000))
    assert not set(trained) & set(rest)


def take(sampler):
    return list(sampler)


def test_it_goes_to_another_process(lengths, tmp_path):
    for shared in (None, tmp_path):
        sampler = GroupBatchSampler(lengths, 0, 1, shared=shared, **BOUNDS)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply_async(take, [pickle.loads(pickle.dumps(sampler))]).get(timeout=120) == list(sampler)
