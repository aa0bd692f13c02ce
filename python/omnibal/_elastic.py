"""Another number of ranks: what is left of an epoch, planned anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._errors import InputError, OptionError, show
from ._lengths import LengthsInput, columns, group_sums

if TYPE_CHECKING:
    from ._sampler import History, Source

PLANNED = {"groups", "packing", "loads", "microBatch", "spSize", "seed", "tail", "balance"}
"""What a plan is made of: with these it can be made again."""

WEIGHTS = {"vit": "vit", "tokens": "tokens", "attention": "attention", "tokens^2": "attention"}
"""The loads that are evened out here, by the names that plans have for them."""


def group_loads(lengths: LengthsInput, offsets: NDArray[Any], indices: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The loads of groups, from those of their samples. O(samples)."""
    given = lengths() if callable(lengths) else lengths
    found = columns(given, ["vit", "tokens"])
    most = int(indices.max()) if len(indices) else -1
    if most >= len(found["vit"]):
        count = len(found["vit"])
        raise InputError("LENGTH_MISMATCH", f"the packing holds sample {most}, there are {count} lengths")
    sums: dict[str, NDArray[Any]] = {name: group_sums(values, offsets, indices) for name, values in found.items()}
    sums["attention"] = group_sums(np.square(found["tokens"], dtype=np.float64), offsets, indices)
    return sums


def deal(source: Source, epoch: int, history: History, ranks: int) -> NDArray[Any]:
    """The plan of the groups that `history` left, for so many ranks: a pure function, the same on every rank.

    Without a history it is what `omnibal plan --ranks` makes. O(groups log groups) for each part of the history.
    """
    given = sum(source.basis.get("groups", [])) or len(source.offsets) - 1
    left = np.arange(given)
    for part, (others, steps) in enumerate(history):
        order = _plan(source, epoch, others, left, part, is_trained=True)
        if steps > len(order):
            raise InputError("INVALID_STATE", f"state has {steps} steps on {others} ranks, there were {len(order)}")
        # What the plan has in no step stays out of this epoch; what stands in it twice was trained at the first time.
        left = np.setdiff1d(order[order >= 0], order[:steps])
    return _plan(source, epoch, ranks, left, len(history))


def _plan(
    source: Source, epoch: int, ranks: int, left: NDArray[np.int64], part: int, is_trained: bool = False
) -> NDArray[Any]:
    """The plan of the groups that are left."""
    planned = source.planned(epoch, ranks) if part == 0 else None
    if planned is not None:
        return planned
    from ._plan import TAILS, GroupLoads, Tail, plan

    basis = source.basis
    balance: Mapping[str, float] = basis.get("balance", {})
    unknown = sorted({*basis} - PLANNED) + [f"balance of {name}" for name in balance if name not in WEIGHTS]
    if unknown or not balance:
        raise OptionError(
            "INVALID_OPTION",
            f"the plan has {', '.join(unknown) or 'no record of its options'}: it cannot be made for another number of "
            "ranks here; plan the epoch anew with --ranks",
        )
    if basis["tail"] not in TAILS and part == 0 and is_trained:
        raise OptionError(
            "INVALID_OPTION",
            f"state is of a plan for {ranks} ranks, whose tail is {show(basis['tail'])}: give the folder that was planned "
            "for these",
        )
    # A tail that packs samples anew needs them all; the rest of an epoch repeats a few groups in its place.
    tail: Tail = basis["tail"] if basis["tail"] in TAILS else "repeat"
    size = basis["microBatch"] * basis["spSize"]
    if len(left) == 0 or (tail == "drop" and len(left) < ranks * size):
        return np.zeros((0, ranks, size), np.int64)
    loads = source.loads()
    made = plan(
        GroupLoads(**{name: np.asarray(loads[name])[left] for name in ("vit", "tokens", "attention")}),
        ranks=ranks,
        micro_batch=basis["microBatch"],
        sp_size=basis["spSize"],
        epoch=epoch,
        seed=basis["seed"],
        tail=tail,
        balance={WEIGHTS[name]: weight for name, weight in balance.items()},
    )
    numbers = np.append(left, -1)  # a place without a group stays one
    return numbers[made.order]
