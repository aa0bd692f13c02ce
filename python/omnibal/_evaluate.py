"""How even the ranks' loads are under a plan, or under a sampler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._errors import InputError, OptionError, show
from ._instance import BAD_ARGUMENT, Instance
from ._options import MAX_INT32, MAX_UINT32, integer, one_of
from ._plan import BAD_UNIT, Evaluation, GroupsInput, Plan, Shape, Units, identity, sources

Kind = Literal["random", "length-group", "group-random"]
SamplerTail = Literal["repeat", "drop"]
SAMPLER_TAILS: tuple[SamplerTail, ...] = ("repeat", "drop")
SEED = 1024
BIN_SIZE = 512
WINDOW = 50


@dataclass(frozen=True)
class Drawn:
    """What a sampler draws with."""

    own: Instance
    ranks: int
    micro_batch: int
    seed: int
    epoch: int
    tail: int
    bin_size: int
    window: int

    @property
    def epoch_seed(self) -> int:
        return (self.seed + self.epoch) & MAX_UINT32


Draw = Callable[[Drawn], Any]

SAMPLERS: dict[Kind, tuple[int, Draw, Draw]] = {
    "random": (
        0,
        lambda d: d.own.call("planRandom", d.ranks, d.micro_batch, d.epoch_seed, d.tail),
        lambda d: d.own.call("publishedRandom", d.ranks, d.micro_batch, d.epoch_seed),
    ),
    "length-group": (
        233,
        lambda d: d.own.call("planLengthGroup", d.ranks, d.micro_batch, d.epoch_seed, d.tail, d.window),
        lambda d: d.own.call("publishedLengthGroup", d.ranks, d.micro_batch, d.seed),
    ),
    "group-random": (
        0,
        lambda d: d.own.call("planGroupRandom", d.ranks, d.micro_batch, d.epoch_seed, d.tail, d.bin_size),
        lambda d: d.own.call("publishedGroupRandom", d.ranks, d.micro_batch, d.epoch, 0, d.bin_size),
    ),
}
"""For each sampler: its seed, how it draws an epoch, and how the published one of that name does."""


def evaluate(
    groups: GroupsInput,
    plan: Plan | None = None,
    *,
    ranks: int | None = None,
    sampler: Kind = "random",
    micro_batch: int = 1,
    sp_size: int = 1,
    epoch: int = 0,
    seed: int | None = None,
    tail: SamplerTail = "repeat",
    bin_size: int = BIN_SIZE,
    window: int = WINDOW,
    compat: Literal["reference"] | None = None,
) -> Evaluation:
    """How even the ranks' loads are over one epoch: of a plan, or of a sampler's order. O(groups).

    plan: the plan to measure; no other option is then given.
    sampler: "random", "length-group" (windows sorted by tokens) or "group-random" (steps of like lengths).
    compat: "reference" measures the published sampler of that name, faults included.
    seed: default 1024, of a published sampler its own.
    bin_size: of group-random, window: of length-group, 1 .. 2^31 - 1.

    Raises OptionError, InputError for groups or a plan that is not over them.
    """
    parts = sources(groups)
    if plan is not None:
        return _of_plan(parts, plan)
    shape = Shape.of(ranks, micro_batch, sp_size)
    units = Units(Instance(), parts, shape.sp_size)
    draw(units, shape, sampler, epoch, seed, tail, bin_size, window, compat)
    return units.evaluate(parts, shape, outer=compat is not None)


def draw(
    units: Units,
    shape: Shape,
    sampler: Kind,
    epoch: int = 0,
    seed: int | None = None,
    tail: SamplerTail = "repeat",
    bin_size: int = BIN_SIZE,
    window: int = WINDOW,
    compat: Literal["reference"] | None = None,
) -> None:
    """Makes a sampler's order of an epoch the plan of the instance."""
    kind = one_of("sampler", sampler, list(SAMPLERS))
    usual, ours, published = SAMPLERS[kind]
    if compat is not None:
        one_of("compat", compat, ["reference"])
    asked = seed if seed is not None else SEED if compat is None else usual
    drawn = Drawn(
        units.own,
        shape.ranks,
        shape.micro_batch,
        integer("seed", asked, 0, MAX_UINT32),
        integer("epoch", epoch, 0, MAX_UINT32),
        int(one_of("tail", tail, SAMPLER_TAILS) == "repeat"),
        integer("bin_size", bin_size, 1, MAX_INT32),
        integer("window", window, 1, MAX_INT32),
    )
    status = (ours if compat is None else published)(drawn)
    if status == BAD_ARGUMENT:
        if compat is None:
            raise OptionError("INVALID_OPTION", f"{units.count} groups to draw from, expected at most 214748363")
        raise OptionError(
            "INVALID_OPTION",
            f"{units.count} groups, the published {kind} sampler needs a step of "
            f"{shape.ranks * shape.micro_batch} at least",
        )
    units.own.check(status, units.count)


def _of_plan(parts: Any, plan: Plan) -> Evaluation:
    """Measures an order that is at hand."""
    if plan.parts is not parts:
        ours, theirs = identity(parts), identity(plan.parts)
        if ours != theirs:
            raise InputError(
                "INVALID_INPUT", f"the plan was made for other groups: {show(theirs)}, these have {show(ours)}"
            )
    shape = Shape.of(plan.ranks, plan.micro_batch, plan.sp_size)
    units = Units(Instance(), parts, shape.sp_size)
    order = units.of_groups(plan.order)
    own = units.own
    at = own.put(order, np.int32)
    status = own.call("planTake", at, order.size, shape.ranks, shape.micro_batch)
    if status == BAD_UNIT:
        place = own.call("errorIndex")
        step, rank = place // (shape.ranks * shape.micro_batch), place // shape.micro_batch % shape.ranks
        text = f"step {step}, rank {rank}: group {order[place]}, there are {units.count}"
        raise InputError("INVALID_INPUT", text)
    own.check(status, order.size)
    return units.evaluate(parts, shape)


def batches(groups: GroupsInput, sampler: Kind, ranks: int, rank: int, epoch: int, seed: int) -> NDArray[np.int32]:
    """The groups that a sampler hands one rank in an epoch, step after step: int32[steps, groups of a step]."""
    parts = sources(groups)
    shape = Shape.of(ranks, 1, 1)
    units = Units(Instance(), parts, 1)
    draw(units, shape, sampler, epoch, seed)
    return units.order(shape)[:, rank]
