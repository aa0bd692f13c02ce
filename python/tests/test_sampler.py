"""`PlanBatchSampler`: what each rank is handed, where it goes on, and on how many ranks."""

import itertools
import json
import multiprocessing
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import omnibal
import pytest
from omnibal import PlanBatchSampler


def ranks(folder, count, **options):
    return [PlanBatchSampler(folder, rank, count, **options) for rank in range(count)]


def flat(batches):
    return [sample for batch in batches for sample in batch]


def head(folder, name="epoch-0"):
    return json.loads((folder / name / "plan.json").read_text())


def repeated(folder, packing, epoch=0):
    """Samples that stand in a plan a second time, by the tail rule."""
    order = np.load(folder / f"epoch-{epoch}" / "plan.npy")
    groups, counts = np.unique(order[order >= 0], return_counts=True)
    return sum((count - 1) * len(packing[group]) for group, count in zip(groups, counts))


def test_all_samples_once_in_equal_steps_and_another_order_each_epoch(folder, packing):
    seen = []
    for epoch in range(3):
        samplers = ranks(folder, 2)
        for sampler in samplers:
            sampler.set_epoch(epoch)
        batches = [list(sampler) for sampler in samplers]
        assert [len(own) for own in batches] == [len(samplers[0])] * 2 == [head(folder)["stats"]["steps"]] * 2
        samples = flat(batches[0] + batches[1])
        assert set(samples) == set(range(2000))
        assert len(samples) - 2000 == repeated(folder, packing, epoch)
        seen.append(batches)
    assert seen[0] != seen[1] != seen[2] != seen[0]


def test_batches_are_those_of_the_plan(folder, packing):
    order = np.load(folder / "epoch-0" / "plan.npy")
    sampler = PlanBatchSampler(folder, 1, 2)
    for step, batch in enumerate(sampler):
        assert batch == packing[order[step, 1, 0]].tolist()
        assert sampler.batch(step) == [batch]
        assert sampler.groups(step).tolist() == order[step, 1].tolist()
        assert all(type(sample) is int for sample in batch)


@pytest.mark.parametrize("cut", [0, 1, 100, 248])
def test_it_goes_on_where_a_state_was_taken(folder, cut):
    whole = PlanBatchSampler(folder, 0, 2)
    whole.set_epoch(1)
    batches = list(whole)
    assert len(batches) == 249
    sampler = PlanBatchSampler(folder, 0, 2)
    sampler.set_epoch(1)
    first = list(itertools.islice(sampler, cut))
    state = json.loads(json.dumps(sampler.state_dict()))
    resumed = PlanBatchSampler(folder, 0, 2)
    resumed.load_state_dict(state)
    assert (resumed.epoch, len(resumed), resumed.remaining) == (1, 249, 249 - cut)
    resumed.set_epoch(1)
    assert resumed.state_dict() == state
    assert first + list(resumed) == batches
    resumed.set_epoch(2)
    assert resumed.remaining == 249


def test_the_state_of_steps_that_were_trained_not_of_those_prefetched(folder):
    sampler = PlanBatchSampler(folder, 0, 2)
    batches = list(sampler)
    iterator = iter(PlanBatchSampler(folder, 0, 2))
    for _ in range(108):
        next(iterator)
    resumed = PlanBatchSampler(folder, 0, 2)
    resumed.load_state_dict(sampler.state_dict(step=100))
    assert list(resumed) == batches[100:]


def test_at_the_end_of_an_epoch_the_state_is_the_start_of_the_next(folder):
    sampler = PlanBatchSampler(folder, 0, 2)
    for _ in sampler:
        pass
    state = sampler.state_dict()
    assert (state["epoch"], state["step"]) == (1, 0)
    assert sampler.state_dict(step=len(sampler)) == state
    resumed = PlanBatchSampler(folder, 1, 2)
    resumed.load_state_dict(state)
    other = PlanBatchSampler(folder, 1, 2)
    other.set_epoch(1)
    assert list(resumed) == list(other)


def test_any_rank_loads_any_state(folder):
    states = [sampler.state_dict(step=7) for sampler in ranks(folder, 2)]
    assert states[0] == states[1]


def test_an_epoch_that_the_folder_does_not_have(folder):
    sampler = PlanBatchSampler(folder, 0, 2)
    with pytest.raises(omnibal.OptionError, match="epoch 3 asked for, .* has epochs 0 to 2: plan more with"):
        sampler.set_epoch(3)
    assert sampler.epoch == 0


def test_a_second_time_over_the_same_epoch_warns(folder):
    sampler = PlanBatchSampler(folder, 0, 2)
    list(sampler)
    with pytest.warns(UserWarning, match="epoch 0 is handed out a second time, in the same order: call set_epoch"):
        list(sampler)


def test_a_state_over_other_groups_or_of_other_options_is_refused(folder, packing, lengths, tmp_path):
    state = PlanBatchSampler(folder, 0, 2).state_dict()
    other = omnibal.pack(lengths, max_vit=9, max_tokens=4096, method="balanced", seed=1)
    omnibal.write_plan(tmp_path / "other", other, ranks=2)
    omnibal.write_plan(tmp_path / "seed", packing, ranks=2, seed=1)
    omnibal.write_plan(tmp_path / "tail", packing, ranks=2, tail="drop")

    def refused(name, given=state):
        with pytest.raises(omnibal.OptionError) as caught:
            PlanBatchSampler(tmp_path / name, 0, 2).load_state_dict(given)
        return str(caught.value)

    assert refused("other").startswith("state was taken with ")
    assert refused("seed") == "state was taken with seed 1024, this sampler has 1"
    assert refused("tail") == 'state was taken with tail "repeat", this sampler has "drop"'
    assert refused("seed", {"epoch": 0, "step": 0}) == "state has version None, expected 3"


def test_batch_size_refuses_to_be_sharded_a_second_time(folder):
    with pytest.raises(RuntimeError, match="omnibal.accelerate.prepare"):
        PlanBatchSampler(folder, 0, 2).batch_size
    assert PlanBatchSampler(folder, 0, 2).sampler.set_epoch


@pytest.mark.parametrize("tail", ["repeat", "drop", "short"])
@pytest.mark.parametrize("batches", ["step", "group", "groups"])
def test_micro_batches(packing, tmp_path, batches, tail):
    omnibal.write_plan(tmp_path / "plan", packing, ranks=4, micro_batch=2, tail=tail)
    order = np.load(tmp_path / "plan" / "plan.npy")
    samplers = ranks(tmp_path / "plan", 4, batches=batches)
    handed = [list(sampler) for sampler in samplers]
    assert [len(own) for own in handed] == [len(sampler) for sampler in samplers]
    groups = [packing[g].tolist() for rank in range(4) for g in order[:, rank].ravel() if g >= 0]
    if batches == "groups":
        assert [group for own in handed for batch in own for group in batch] == groups
    elif batches == "group":
        assert [batch for own in handed for batch in own] == groups
    else:
        assert flat(sum(handed, [])) == flat(groups)
    if tail == "short":
        assert sorted(flat(groups)) == list(range(2000))
    for cut in (3, len(handed[2]) - 1):
        sampler = samplers[2]
        given = list(itertools.islice(PlanBatchSampler(tmp_path / "plan", 2, 4, batches=batches), cut))
        sampler.load_state_dict(sampler.state_of(cut))
        assert given + list(sampler) == handed[2]


def test_a_rank_that_is_not_there(folder):
    with pytest.raises(omnibal.OptionError, match="rank is 2, expected a whole number from 0 to 1"):
        PlanBatchSampler(folder, 2, 2)


def test_folders_that_hold_no_plan(tmp_path, folder):
    with pytest.raises(omnibal.InputError, match="is no folder: write it with"):
        PlanBatchSampler(tmp_path / "none", 0, 1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(omnibal.InputError, match="has no plan.npy"):
        PlanBatchSampler(tmp_path / "empty", 0, 1)
    cut = tmp_path / "cut"
    cut.mkdir()
    for file in (folder / "epoch-0").iterdir():
        (cut / file.name).write_bytes(file.read_bytes())
    np.save(cut / "indices.npy", np.load(cut / "indices.npy")[:-1])
    with pytest.raises(omnibal.InputError, match="the last offset is 2000, there are 1999 indices"):
        PlanBatchSampler(cut, 0, 2)


def test_a_plan_of_another_tool_has_no_record_of_what_it_was_made_of(tmp_path, folder):
    bare, other = tmp_path / "bare", tmp_path / "other"
    for path in (bare, other):
        path.mkdir()
        for name in ("plan.npy", "offsets.npy", "indices.npy"):
            (path / name).write_bytes((folder / "epoch-0" / name).read_bytes())
    order = np.load(other / "plan.npy")
    np.save(other / "plan.npy", order[::-1])
    sampler = PlanBatchSampler(bare, 0, 2)
    state = sampler.state_dict(step=5)
    PlanBatchSampler(bare, 1, 2).load_state_dict(state)
    with pytest.raises(omnibal.OptionError, match="state was taken with sha256"):
        PlanBatchSampler(other, 1, 2).load_state_dict(state)


def test_a_folder_that_is_being_replaced_is_read_as_its_commit_says(tmp_path, packing, lengths):
    path = tmp_path / "plan"
    omnibal.write_plan(path, packing, ranks=2)
    new = tmp_path / "new"
    omnibal.write_plan(new, packing, ranks=2, seed=5)
    work = path / ".omnibal-0123456789abcdef"
    work.mkdir()
    names = sorted(file.name for file in new.iterdir())
    for name in names[:-1]:
        (work / name).write_bytes((new / name).read_bytes())
    (path / names[-1]).write_bytes((new / names[-1]).read_bytes())
    commit = {"omnibal": "commit", "version": 1, "work": work.name, "files": {name: {} for name in names}}
    (path / "commit.json").write_text(json.dumps(commit))
    assert list(PlanBatchSampler(path, 0, 2)) == list(PlanBatchSampler(new, 0, 2))


# Another number of ranks.


@pytest.mark.parametrize(("before", "after"), [(2, 4), (4, 2), (2, 3)])
def test_the_rest_of_an_epoch_on_another_number_of_ranks(lengths, packing, tmp_path, before, after):
    folder = tmp_path / "plan"
    omnibal.write_plan(folder, packing, ranks=before, epochs=2)
    steps = 70
    old = ranks(folder, before)
    trained = flat(batch for sampler in old for batch in itertools.islice(sampler, steps))
    state = old[0].state_dict()
    new = ranks(folder, after, lengths=lengths)
    for sampler in new:
        sampler.load_state_dict(state)
    assert len({len(sampler) for sampler in new}) == 1
    assert new[0].remaining == len(new[0]) - steps
    rest = [list(sampler) for sampler in new]
    assert {len(own) for own in rest} == {len(new[0]) - steps}
    again = flat(flat(rest))
    order = np.load(folder / "epoch-0" / "plan.npy")
    left = len(packing) - len(np.unique(order[:steps]))
    tail = len(rest[0]) * after - left
    assert 0 <= tail < after
    assert set(trained) | set(again) == set(range(2000))
    assert not set(trained) & set(again)
    twice = len(again) - len(set(again))
    assert (twice > 0) == (tail > 0)
    # A step cut short by the old ranks, and on to a third number.
    state = new[0].state_dict(step=steps + 10)
    assert state["history"] == [[before, steps]]
    middle = flat(batch for sampler in new for step in range(steps, steps + 10) for batch in sampler.batch(step))
    third = ranks(folder, 5, lengths=lengths)
    for sampler in third:
        sampler.load_state_dict(json.loads(json.dumps(state)))
    last = flat(flat(list(sampler) for sampler in third))
    assert set(trained) | set(middle) | set(last) == set(range(2000))
    assert not set(last) & (set(trained) | set(middle))
    # The epoch after it is planned for the new number from its start.
    for sampler in third:
        sampler.set_epoch(1)
    assert set(flat(flat(list(sampler) for sampler in third))) == set(range(2000))


def test_a_whole_epoch_on_another_number_of_ranks_is_what_the_plan_for_it_would_be(folder, packing, lengths):
    sampler = PlanBatchSampler(folder, 3, 4, lengths=lambda: lengths)
    plan = omnibal.plan(packing, ranks=4)
    assert list(sampler) == [packing[g].tolist() for g in plan.order[:, 3, 0]]


def test_steps_stay_even_after_another_number_of_ranks(folder, packing, lengths):
    sampler = PlanBatchSampler(folder, 0, 4, lengths=lengths)
    sampler.load_state_dict(PlanBatchSampler(folder, 0, 2).state_dict(step=70))
    tokens = packing.tokens[sampler._order()].squeeze(2)
    dist = (tokens.max(axis=1, keepdims=True) - tokens).sum() / (tokens.max(axis=1).sum() * 4)
    assert dist < 0.005


def test_another_number_of_ranks_needs_the_lengths_and_wasmtime(folder, lengths, monkeypatch):
    sampler = PlanBatchSampler(folder, 0, 4)
    with pytest.raises(omnibal.OptionError, match="needs the loads of its groups: give the samples' lengths"):
        len(sampler)
    sampler = PlanBatchSampler(folder, 0, 4, lengths=lengths)
    monkeypatch.setattr("omnibal._instance._compiled", None)
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    with pytest.raises(omnibal.EngineError, match="wasmtime cannot be imported .*: pip install wasmtime"):
        len(sampler)


def test_steps_of_other_ranks_are_empty_for_who_skips_to_its_place(folder, lengths):
    sampler = PlanBatchSampler(folder, 0, 4, lengths=lengths)
    sampler.load_state_dict(PlanBatchSampler(folder, 0, 2).state_dict(step=70))
    resumed = list(sampler)
    with pytest.warns(UserWarning, match="a second time"):
        batches = list(sampler)
    assert batches == [[]] * 70 + resumed


def leveled(folder, packing):
    """Makes a plan as the tail that packs samples anew does: the samples of two groups, in others that only this epoch has."""
    path = folder / "plan.json"
    plan = json.loads(path.read_text())
    plan["made"] |= {"tail": "level", "balance": {"vit": 1, "tokens": 1}}
    path.write_text(json.dumps(plan))
    order = np.load(folder / "plan.npy")
    first, second = order[-1, 0, 0], order[-1, 1, 0]
    samples = np.concatenate([packing[first], packing[second]])[::-1]
    offsets, indices = np.load(folder / "offsets.npy"), np.load(folder / "indices.npy")
    half = len(samples) // 2
    (folder / "offsets.npy").unlink()
    (folder / "indices.npy").unlink()
    np.save(folder / "offsets.npy", np.append(offsets, [len(indices) + half, len(indices) + len(samples)]))
    np.save(folder / "indices.npy", np.append(indices, samples))
    for group, new in ((first, len(packing)), (second, len(packing) + 1)):
        order[order == group] = new
    np.save(folder / "plan.npy", order)
    return order


def test_each_epoch_may_have_groups_of_its_own(packing, lengths, tmp_path):
    folder = tmp_path / "plan"
    omnibal.write_plan(folder, packing, ranks=2, epochs=3, tail="drop")
    for epoch in range(3):
        leveled(folder / f"epoch-{epoch}", packing)
    for epoch in range(3):
        samplers = ranks(folder, 2)
        for sampler in samplers:
            sampler.set_epoch(epoch)
        samples = flat(flat(list(sampler) for sampler in samplers))
        assert len(samples) == len(set(samples)) == 2000
    old, new = ranks(folder, 2), ranks(folder, 4, lengths=lengths)
    for sampler in old:
        sampler.set_epoch(1)
    trained = flat(batch for sampler in old for batch in itertools.islice(sampler, 50))
    for sampler in new:
        sampler.load_state_dict(old[0].state_dict())
    rest = flat(flat(list(sampler) for sampler in new))
    assert set(trained) | set(rest) == set(range(2000))
    assert not set(trained) & set(rest)
    for sampler in new:
        sampler.set_epoch(2)
    assert set(flat(flat(list(sampler) for sampler in new))) == set(range(2000))


# Processes.


def take(sampler):
    return list(sampler)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_sampler_goes_to_another_process(folder, lengths, method):
    samplers = ranks(folder, 2) + [PlanBatchSampler(folder, 3, 4, lengths=lengths)]
    own = [list(sampler) for sampler in samplers]
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map_async(take, ranks(folder, 2) + samplers[2:]).get(timeout=120) == own
    assert len(pickle.dumps(samplers[0])) < 2000


def test_numpy_is_all_it_needs(folder):
    code = (
        "import sys\n"
        "sys.modules['wasmtime'] = sys.modules['torch'] = None\n"
        "from omnibal import PlanBatchSampler\n"
        f"print(len(list(PlanBatchSampler({str(folder)!r}, 0, 2))))\n"
    )
    root = Path(omnibal.__file__).parent.parent
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=120)
    assert (ran.stdout, ran.stderr) == ("249\n", "")
