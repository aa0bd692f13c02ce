"""What `pack` makes of samples, and what it refuses."""

import multiprocessing
import os
import subprocess
import sys
import threading

import numpy as np
import omnibal
import pytest


@pytest.mark.parametrize("method", ["isf", "balanced"])
def test_every_sample_comes_back_once_within_the_bounds(lengths, method):
    packing = omnibal.pack(lengths, max_vit=4, max_tokens=2000, method=method)
    everywhere = np.concatenate([packing.indices, packing.oversize])
    assert sorted(everywhere.tolist()) == list(range(2000))
    assert len(packing.oversize) > 0
    for group, vit, tokens in zip(packing, packing.vit, packing.tokens):
        assert vit == lengths["vit"][group].sum() <= 4
        assert tokens == lengths["tokens"][group].sum() <= 2000
    squares = lengths["tokens"].astype(float) ** 2
    assert packing.attention.tolist() == [squares[group].sum() for group in packing]
    assert packing.indices.dtype == packing.offsets.dtype == packing.oversize.dtype == np.int32


@pytest.mark.parametrize("method", ["isf", "balanced"])
def test_more_than_two_loads_and_loads_that_are_carried(lengths, method):
    rng = np.random.default_rng(1)
    more = {**lengths, "frames": rng.integers(0, 9, 2000), "audio": rng.integers(0, 2**33, 2000)}
    bounds = {"tokens": 4096, "frames": 20, "tokens^2": 10**7}
    packing = omnibal.pack(more, max=bounds, carry=["audio", "vit"], method=method)
    assert list(packing.loads) == ["tokens", "frames", "tokens^2", "audio", "vit"]
    more["tokens^2"] = more["tokens"].astype(np.int64) ** 2
    for name, sums in packing.loads.items():
        assert sums.tolist() == [more[name][group].sum() for group in packing]
        assert name not in bounds or sums.max() <= bounds[name]
    assert packing.loads["audio"].dtype == np.float64
    assert packing.loads["vit"].dtype == np.int32


def test_lengths_come_in_many_kinds(lengths):
    expected = omnibal.pack(lengths, max_vit=9, max_tokens=4096).indices.tolist()
    structured = np.zeros(2000, [("vit_num", np.uint8), ("token_num", np.int64)])
    structured["vit_num"], structured["token_num"] = lengths["vit"], lengths["tokens"]
    for given in (
        {name: values.astype(np.int64) for name, values in lengths.items()},
        {name: values.astype(np.float64) for name, values in lengths.items()},
        {name: values.tolist() for name, values in lengths.items()},
        {name: np.repeat(values, 2)[::2] for name, values in lengths.items()},
        structured,
        [{"vit": int(v), "tokens": int(t)} for v, t in zip(lengths["vit"], lengths["tokens"])],
    ):
        assert omnibal.pack(given, max_vit=9, max_tokens=4096).indices.tolist() == expected


def test_nothing_to_pack():
    packing = omnibal.pack({"vit": [], "tokens": []}, max_vit=9, max_tokens=4096)
    assert (len(packing), packing.offsets.tolist(), packing.stats.groups) == (0, [0], 0)


def test_progress_ends_at_1_and_what_it_raises_ends_the_packing(lengths):
    for method in ("isf", "balanced"):
        seen = []
        omnibal.pack(lengths, max_vit=9, max_tokens=4096, method=method, on_progress=seen.append)
        shares = [progress.done for progress in seen]
        assert shares == sorted(shares) and shares[-1] == 1

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        omnibal.pack(lengths, max_vit=9, max_tokens=4096, on_progress=stop)


def test_no_bound_has_more_groups(lengths):
    packing = omnibal.pack(lengths, max_vit=9, max_tokens=4096, method="balanced")
    bounds = omnibal.lower_bound(lengths, max_vit=9, max_tokens=4096)
    assert packing.bound == bounds.best <= len(packing)
    assert omnibal.pack(lengths, max_vit=9, max_tokens=4096).bound == bounds.linear
    assert omnibal.pack(lengths, max_vit=9, max_tokens=4096, lower_bound="tight").bound == bounds.best


WHOLE = "expected a whole number from"
REFUSED = [
    ({"vit": [1, -1], "tokens": [1, 1]}, {}, "INVALID_LENGTH", f"index 1: vit is -1, {WHOLE} 0 to 9007199254740991"),
    ({"vit": [1], "tokens": [2.0**60]}, {}, "INVALID_LENGTH", "index 0: tokens is 1.152921504606847e+18, " + WHOLE),
    ({"vit": [float("nan")], "tokens": [1]}, {}, "INVALID_LENGTH", "index 0: vit is nan"),
    ({"vit": [1], "tokens": [1, 2]}, {}, "LENGTH_MISMATCH", "vit has 1 values and tokens 2, expected one of each per sample"),
    ({"vit": ["a"], "tokens": [1]}, {}, "INVALID_INPUT", "vit is ['a'], expected an array of numbers"),
    ({"vit": [1]}, {}, "INVALID_INPUT", "lengths are {'vit': [1]}, expected { vit, tokens } or an array of records"),
    ([{"vit": 1, "tokens": 2}, {"vit": 1}], {}, "MISSING_FIELD", "index 1: tokens is missing"),
    (7, {}, "INVALID_INPUT", "lengths are 7, expected { vit, tokens } or an array of records"),
    ({}, {"max_vit": None}, "INVALID_OPTION", f"max_vit is None, {WHOLE} 1 to 2147483647"),
    ({}, {"max_vit": 1.0}, "INVALID_OPTION", f"max_vit is 1.0, {WHOLE} 1 to 2147483647"),
    ({}, {"max_vit": True}, "INVALID_OPTION", f"max_vit is True, {WHOLE} 1 to 2147483647"),
    ({}, {"seed": 2**32}, "INVALID_OPTION", f"seed is 4294967296, {WHOLE} 0 to 4294967295"),
    ({}, {"effort": 1}, "INVALID_OPTION", "effort is given, expected none for method isf"),
    ({}, {"min": {"frames": 5}}, "INVALID_OPTION", 'min has "frames", which has no bound: those are of vit, tokens'),
    ({}, {"max": {"vit": 3}}, "INVALID_OPTION", "max.vit is 3 and max_vit is 9, expected one of the two"),
]


@pytest.mark.parametrize(("lengths", "options", "code", "text"), REFUSED, ids=[text for *_, text in REFUSED])
def test_what_it_refuses(lengths, options, code, text):
    given = lengths if lengths != {} else {"vit": [1], "tokens": [1]}
    with pytest.raises(omnibal.OmnibalError) as caught:
        omnibal.pack(given, **{"max_vit": 9, "max_tokens": 4096, **options})
    assert caught.value.code == code
    assert text in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_an_error_can_be_pickled_and_is_one_line_that_no_terminal_acts_on():
    import pickle

    with pytest.raises(omnibal.InputError) as caught:
        omnibal.pack({"a\x1b[31m\n": [-1]}, max={"a\x1b[31m\n": 1})
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.code, str(again)) == ("INVALID_LENGTH", str(caught.value))
    assert "\x1b" not in str(again) and "\n" not in str(again)


def test_memory_ends_with_an_error(monkeypatch):
    with pytest.raises(omnibal.EngineError) as caught:
        huge = np.lib.stride_tricks.as_strided(np.ones(1, np.int32), (2_000_000_000,), (0,))
        monkeypatch.setattr("omnibal._pack.columns", lambda *_: {"vit": huge, "tokens": huge})
        omnibal.pack({}, max_vit=9, max_tokens=4096)
    assert caught.value.code == "OUT_OF_MEMORY"


# Processes and threads. A child forked after the parent has compiled hung when it compiled.


def groups_of(lengths):
    return omnibal.pack(lengths, max_vit=9, max_tokens=4096, method="balanced").indices.tolist()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_packs_after_the_parent_has(lengths, method):
    own = groups_of(lengths)
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.map_async(groups_of, [lengths] * 4).get(timeout=120)
    assert found == [own] * 4


def test_a_child_forked_while_a_thread_packs_does_not_hang(lengths):
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            groups_of(lengths)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                os._exit(0 if len(groups_of(lengths)) == 2000 else 1)
            assert os.waitpid(pid, 0)[1] == 0
    finally:
        stop.set()
        thread.join()


def test_threads_pack_at_the_same_time(lengths):
    found = [None] * 8

    def work(i):
        found[i] = groups_of(lengths)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [groups_of(lengths)] * 8


def test_the_module_is_compiled_once(lengths, monkeypatch):
    import wasmtime

    groups_of(lengths)
    monkeypatch.setattr(wasmtime, "Module", None)
    groups_of(lengths)


def test_nothing_is_said_at_exit_and_torch_is_not_imported():
    code = (
        "import sys, omnibal\n"
        "packer = omnibal.Packer(max_vit=9, max_tokens=4096)\n"
        "omnibal.pack({'vit': [1], 'tokens': [1]}, max_vit=9, max_tokens=4096)\n"
        "assert 'torch' not in sys.modules\n"
    )
    root = os.path.dirname(os.path.dirname(omnibal.__file__))
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=120)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
