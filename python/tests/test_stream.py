"""`Packer`: groups of a stream."""

import pickle

import numpy as np
import omnibal
import pytest


def groups(*outputs):
    return [group.tolist() for output in outputs for group in output]


def test_every_sample_comes_back_once_however_pushes_are_cut(lengths):
    whole = omnibal.Packer(max_vit=4, max_tokens=4096, buffer=300)
    first, last = whole.push(lengths), whole.flush()
    expected = groups(first, last)
    assert sorted(sum(expected, []) + first.oversize.tolist()) == list(range(2000))
    assert first.oversize.tolist() == np.flatnonzero(lengths["vit"] > 4).tolist()
    for group, vit, tokens in zip(first, first.vit, first.tokens):
        assert (vit, tokens) == (lengths["vit"][group].sum(), lengths["tokens"][group].sum())
        assert vit <= 4 and tokens <= 4096
    cut = omnibal.Packer(max_vit=4, max_tokens=4096, buffer=300)
    pieces = [cut.push({name: values[a : a + 77] for name, values in lengths.items()}) for a in range(0, 2000, 77)]
    assert groups(*pieces, cut.flush()) == expected


@pytest.mark.parametrize("copy", [lambda packer: omnibal.Packer.load(packer.save()), lambda p: pickle.loads(pickle.dumps(p))])
def test_a_saved_packer_goes_on_as_the_first_one_does(lengths, copy):
    packer = omnibal.Packer(max_vit=9, max_tokens=4096, buffer=300, seed=5)
    packer.push({name: values[:1000] for name, values in lengths.items()})
    other = copy(packer)
    assert (other.max_vit, other.max_tokens, other.buffer, other.seed) == (9, 4096, 300, 5)
    assert (other.pending, other.taken) == (packer.pending, 1000)
    rest = {name: values[1000:] for name, values in lengths.items()}
    assert groups(packer.push(rest), packer.flush()) == groups(other.push(rest), other.flush())


def test_a_push_is_taken_whole_or_not_at_all(lengths):
    packer = omnibal.Packer(max_vit=9, max_tokens=4096)
    with pytest.raises(omnibal.InputError, match="index 5000: tokens is -1, expected a whole number"):
        packer.push({"vit": np.ones(6000, int), "tokens": np.where(np.arange(6000) == 5000, -1, 1)})
    assert packer.taken == 0


@pytest.mark.parametrize(
    ("state", "text"),
    [(b"x" * 40, "40 bytes that are not the state of a packer"), (7, "the state is 7, expected bytes")],
)
def test_what_is_no_state(state, text):
    with pytest.raises(omnibal.InputError, match=text):
        omnibal.Packer.load(state)


def test_a_state_that_was_cut(lengths):
    packer = omnibal.Packer(max_vit=9, max_tokens=4096)
    packer.push(lengths)
    state = packer.save()
    with pytest.raises(omnibal.InputError, match="bytes of a packer's state that are cut short or altered"):
        omnibal.Packer.load(state[:-1])
