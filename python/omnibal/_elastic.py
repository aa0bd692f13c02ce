"""Another number of ranks: what is left of an epoch, planned anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._errors import InputError, OptionError
from ._lengths import LengthsInput, columns, group_sums

if TYPE_CHECKING:
    from ._sampler import History, Source

PLANNED = {"groups", "packing", "loads", "microBatch", "spSize", "seed", "tail", "balance"}
"""What a plan is made of: with these it can be made again."""


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
    trained = np.zeros(len(source.offsets) - 1, bool)
    for part, (others, steps) in enumerate(history):
        order = _plan(source, epoch, others, trained, part)
        if steps > len(order):
            raise InputError("INVALID_STATE", f"state has {steps} steps on {others} ranks, there were {len(order)}")
        done = np.asarray(order[:steps]).ravel()
        trained[done[done >= 0]] = True
    return _plan(source, epoch, ranks, trained, len(history))


def _plan(source: Source, epoch: int, ranks: int, trained: NDArray[np.bool_], part: int) -> NDArray[Any]:
    """The plan of the groups that are not trained yet."""
    planned = source.planned(epoch, ranks) if part == 0 else None
    if planned is not None:
        return planned
    from ._plan import GroupLoads, plan

    basis = source.basis
    unknown = sorted({*basis} - PLANNED)
    if unknown or "balance" not in basis:
        raise OptionError(
            "INVALID_OPTION",
            f"the plan has {', '.join(unknown) or 'no record of its options'}: it cannot be made for another number of "
            "ranks here; plan the epoch anew with --ranks",
        )
    rest = np.flatnonzero(~trained)
    if basis["tail"] == "drop" and len(rest) < ranks * basis["microBatch"] * basis["spSize"]:
        return np.zeros((0, ranks, basis["microBatch"] * basis["spSize"]), np.int64)
    loads = source.loads()
    left = GroupLoads(**{name: np.asarray(loads[name])[rest] for name in ("vit", "tokens", "attention")})
    made = plan(
        left,
        ranks=ranks,
        micro_batch=basis["microBatch"],
        sp_size=basis["spSize"],
        epoch=epoch,
        seed=basis["seed"],
        tail=basis["tail"],
        balance=basis["balance"],
    )
    numbers = np.append(rest, -1)  # a place without a group stays one
    return numbers[made.order]

