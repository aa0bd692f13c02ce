"""Plans: which groups each rank trains on at each step, so that no rank waits long for another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Union

import numpy as np
from numpy.typing import NDArray

from ._errors import InputError, OptionError, show
from ._fingerprint import load_fingerprint, packing_fingerprint
from ._instance import BAD_ARGUMENT, Instance
from ._lengths import Column
from ._options import MAX_INT32, MAX_UINT32, integer, number, one_of
from ._packing import Packing

Tail = Literal["drop", "repeat", "short"]
TAILS: tuple[Tail, ...] = ("drop", "repeat", "short")

BAD_UNIT, BAD_LOAD = 17, 18
MOST_WEIGHT = 1e12

GROUP_LOADS = (("vit", 2), ("tokens", 1), ("attention", 0))
"""The loads of a group that are evened out and measured, and what each is to the core."""
WEIGHTS = ("vit", "tokens", "attention")
COSTS = ("msPerTile", "msPerToken", "msPerTokenSquared")


@dataclass(frozen=True, eq=False)
class GroupLoads:
    """What a plan needs of groups. A `Packing` will do in its place, and so will single samples."""

    vit: NDArray[Any]
    """Tiles of each group."""
    tokens: NDArray[Any]
    """Tokens of each group."""
    attention: NDArray[np.float64] | None = None
    """Sums of tokens^2 over the samples of each group, 0 .. 2^62."""

    def __len__(self) -> int:
        return len(self.tokens)


Groups = Union[Packing, GroupLoads]
GroupsInput = Union[Groups, Sequence[Groups]]


@dataclass(frozen=True)
class Evaluation:
    """How even the ranks' loads are over one epoch. Ratios are 0 .. 1, 0 is perfect; all 0 where there is no step."""

    pad: float
    """Padding tokens over tokens computed on: a micro-batch is padded to its longest group."""
    vit_dist: float
    """Mean over steps of how far the ranks are below the heaviest, of tiles."""
    token_dist: float
    """The same of tokens; a rank's are those of the longest group of its micro-batch."""
    attention_dist: float | None
    """The same of sums of tokens^2; None where the groups have none."""
    steps: int
    """Steps of the epoch, the same for every rank."""
    groups: int
    """Groups there are."""
    dropped: int
    """Units (groups, with sp_size teams) that no rank is handed in this epoch."""
    repeated: int
    """Units handed out a second time."""
    epoch_ms: float | None = None
    """With costs: what the epoch takes when every step waits for its slowest rank."""
    step_ms: float | None = None
    """With costs: the mean step."""
    idle: float | None = None
    """With costs: the share of all ranks' time that is spent waiting."""
    rank_idle: NDArray[np.float64] | None = None
    """With costs: the same of each rank."""


@dataclass(frozen=True, eq=False)
class Plan:
    """One epoch: which groups each rank trains on at each step. A pure function of groups, options, seed and epoch."""

    order: NDArray[np.int32]
    """int32[steps, ranks, micro_batch * sp_size]: groups, -1 where a short step has none."""
    ranks: int
    micro_batch: int
    sp_size: int
    epoch: int
    seed: int
    tail: Tail
    balance: Mapping[str, float]
    """All weights or costs that it was made with."""
    stats: Evaluation
    """How even it is."""
    parts: Sequence[Groups] = field(repr=False)
    """The groups that it is over: those of several sources are numbered one source after another."""

    def __len__(self) -> int:
        return len(self.order)

    def batch(self, step: int, rank: int) -> NDArray[np.int32]:
        """The groups of a rank at a step: micro_batch x sp_size of them, fewer in a short step. O(1)."""
        for name, value, end in (("step", step, len(self)), ("rank", rank, self.ranks)):
            if not 0 <= value < end:
                raise IndexError(f"{name} {value} asked for, there are {end}")
        groups: NDArray[np.int32] = self.order[step, rank]
        return groups[groups >= 0] if groups[-1] < 0 else groups

    def rank(self, rank: int, step: int = 0) -> Iterator[NDArray[np.int32]]:
        """A rank's batches from `step` on."""
        for s in range(step, len(self)):
            yield self.batch(s, rank)

    @property
    def made(self) -> dict[str, Any]:
        """What it was made of, as files have it. O(samples in the groups)."""
        whole = {name: int(value) if value == int(value) else value for name, value in self.balance.items()}
        return {
            "version": 1,
            "groups": [len(part) for part in self.parts],
            **identity(self.parts),
            "epoch": self.epoch,
            "ranks": self.ranks,
            "microBatch": self.micro_batch,
            "spSize": self.sp_size,
            "seed": self.seed,
            "tail": self.tail,
            "balance": whole,
        }


@dataclass(frozen=True)
class Shape:
    """What ranks are handed at a step."""

    ranks: int
    micro_batch: int
    sp_size: int

    @staticmethod
    def of(ranks: object, micro_batch: object, sp_size: object) -> Shape:
        shape = Shape(
            integer("ranks", ranks, 1, MAX_INT32),
            integer("micro_batch", micro_batch, 1, MAX_INT32),
            integer("sp_size", sp_size, 1, MAX_INT32),
        )
        if shape.ranks * shape.micro_batch > MAX_INT32:
            seen = shape.ranks * shape.micro_batch
            raise OptionError("INVALID_OPTION", f"ranks x micro_batch is {seen}, expected at most {MAX_INT32}")
        return shape


@dataclass(frozen=True)
class Balance:
    """What unevenness in each load counts, or what a group costs."""

    names: Sequence[str]
    weights: Sequence[float]
    is_cost: bool

    @staticmethod
    def of(asked: Mapping[str, float] | None) -> Balance:
        given = {"vit": 1.0, "tokens": 1.0} if asked is None else asked
        if not isinstance(given, Mapping):
            raise OptionError("INVALID_OPTION", f"the members of balance are {show(given)}, expected an object")
        is_cost = "msPerTile" in given or "msPerToken" in given
        names = COSTS if is_cost else WEIGHTS
        for name in given:
            if name not in names:
                raise OptionError(
                    "INVALID_OPTION", f"balance has no member {show(name)}, expected {', '.join(names)}"
                )
        expected = "a number from 0 to 1e12"
        weights = [number(f"balance.{name}", given.get(name, 0), 0, MOST_WEIGHT, expected) for name in names]
        if not any(weights):
            text = f"balance is 0 throughout, expected one of {', '.join(names)} above 0"
            raise OptionError("INVALID_OPTION", text)
        return Balance(names, weights, is_cost)


def sources(groups: GroupsInput) -> list[Groups]:
    """One source or several, as several."""
    parts: list[Any] = list(groups) if isinstance(groups, (list, tuple)) else [groups]
    for p, part in enumerate(parts):
        if not isinstance(part, (Packing, GroupLoads)):
            raise InputError("INVALID_INPUT", f"source {p}: {show(part)}, expected a Packing or GroupLoads")
        for name, _ in GROUP_LOADS:
            values = _group_load(part, name)
            if values is not None and len(values) != len(part):
                raise InputError(
                    "LENGTH_MISMATCH", f"source {p}: {len(values)} values of {name}, expected {len(part)}"
                )
    return parts


def _group_load(part: Groups, name: str) -> NDArray[Any] | None:
    """A load of groups; None where they have none of that name."""
    if isinstance(part, GroupLoads):
        values = getattr(part, name)
        return None if values is None else np.asarray(values)
    return part.attention if name == "attention" else part.loads.get(name)


class Units:
    """The units of groups in an instance: what a plan hands out."""

    def __init__(self, own: Instance, parts: Sequence[Groups], sp_size: int) -> None:
        groups = sum(len(part) for part in parts)
        table = np.zeros((len(GROUP_LOADS), groups))
        for j, (name, _) in enumerate(GROUP_LOADS):
            at = 0
            for part in parts:
                values = _group_load(part, name)
                if values is not None:
                    table[j, at : at + len(part)] = values
                at += len(part)
        start = own.put(table.ravel(), np.float64, groups)
        columns = own.put([start + j * groups * 8 for j in range(len(GROUP_LOADS))], np.uint32)
        kinds = own.put([kind for _, kind in GROUP_LOADS], np.uint8)
        sizes = own.put([len(part) for part in parts], np.uint32)
        status = own.call("unitsBegin", columns, kinds, len(GROUP_LOADS), sizes, len(parts), sp_size)
        if status == BAD_LOAD:
            bad, load = own.call("errorIndex"), own.call("errorLoad")
            name = GROUP_LOADS[load][0]
            raise InputError(
                "INVALID_LENGTH", f"index {bad}: {name} is {show(table[load, bad])}, expected a number from 0 to 2^62"
            )
        if status == BAD_ARGUMENT:
            text = f"sp_size is {sp_size}: {groups} groups and their repeats exceed {MAX_INT32}"
            raise OptionError("INVALID_OPTION", text)
        own.check(status, groups)
        self.own, self.groups, self.sp_size = own, groups, sp_size
        self.count = own.call("unitCount")

    def order(self, shape: Shape) -> NDArray[np.int32]:
        """The plan that was made, in groups."""
        own = self.own
        steps, size = own.call("planSteps"), shape.ranks * shape.micro_batch
        places = own.take(own.address("planOrder"), steps * size, np.int32)
        if self.sp_size > 1:
            members = own.take(own.address("unitGroups"), self.count * self.sp_size, np.int32)
            # A place without a unit is -1, which stands for a last row of places without a group.
            rows = np.concatenate([members, np.full(self.sp_size, -1, np.int32)]).reshape(-1, self.sp_size)
            places = rows[places].ravel()
        return places.reshape(steps, shape.ranks, shape.micro_batch * self.sp_size)

    def of_groups(self, order: NDArray[np.int32]) -> NDArray[np.int32]:
        """An order of groups as one of units. Raises InputError for teams that are not those of these groups."""
        size = self.sp_size
        if size == 1:
            return order.ravel()
        members = self.own.take(self.own.address("unitGroups"), self.count * size, np.int32)
        teams = np.ascontiguousarray(np.append(members, np.full(size, -1, np.int32))).view(f"V{4 * size}")
        asked = np.ascontiguousarray(order.ravel()).view(teams.dtype)
        sorted_by = np.argsort(teams)
        place = np.minimum(np.searchsorted(teams, asked, sorter=sorted_by), len(teams) - 1)
        units = sorted_by[place]
        wrong = np.flatnonzero(teams[units] != asked)
        if wrong.size:
            seen = order.reshape(-1, size)[wrong[0]].tolist()
            raise InputError("INVALID_INPUT", f"groups {show(seen)} are not a sequence-parallel team of these groups")
        return np.where(units == self.count, -1, units).astype(np.int32)

    def times(self, shape: Shape, costs: int) -> dict[str, Any]:
        """What the plan that was made and measured takes, where one of each load costs f64[loads] at `costs`."""
        own, ranks = self.own, shape.ranks
        at = own.alloc(ranks * 8, ranks)
        own.call("evaluateCost", ranks, shape.micro_batch, costs, at)
        total, steps = own.call("planTime"), own.call("planSteps")
        work = own.take(at, ranks, np.float64)
        idle = 1 - work / total if total > 0 else np.zeros(ranks)
        return {
            "epoch_ms": total,
            "step_ms": total / steps if steps else 0.0,
            "idle": float(idle.mean()),
            "rank_idle": idle,
        }

    def evaluate(self, parts: Sequence[Groups], shape: Shape, outer: bool = False) -> Evaluation:
        """Measures the plan that was made."""
        own = self.own
        own.call("evaluatePlan", shape.ranks, shape.micro_batch)
        known = all(_group_load(part, "attention") is not None for part in parts)
        return Evaluation(
            pad=own.call("planOuterPad" if outer else "planPad"),
            vit_dist=own.call("planDist", 0),
            token_dist=own.call("planDist", 1),
            attention_dist=own.call("planDist", 2) if known else None,
            steps=own.call("planSteps"),
            groups=self.groups,
            dropped=own.call("planDropped"),
            repeated=own.call("planRepeated"),
        )


def plan(
    groups: GroupsInput,
    *,
    ranks: int,
    micro_batch: int = 1,
    sp_size: int = 1,
    epoch: int = 0,
    seed: int = 1024,
    tail: Tail = "repeat",
    balance: Mapping[str, float] | None = None,
) -> Plan:
    """Plans one epoch in steps whose groups are alike, so that ranks have even loads at every step.

    A pure function of its arguments, the same on every host: to resume, make it again. O(groups log groups).

    groups: a packing, or several: their groups are then numbered one packing after another.
    ranks: data-parallel ranks, 1 .. 2^31 - 1. micro_batch: groups that a rank is handed at a step.
    sp_size: groups that a sequence-parallel team works on together.
    epoch, seed: 0 .. 2^32 - 1. Steps are in another order in each epoch, and the tail falls on other groups.
    tail: groups that fill no step: "repeat" others to fill it, "drop" them in this epoch, or leave the last step "short".
    balance: what unevenness in each load counts, {"vit": 1, "tokens": 1, "attention": 0}; or what a group costs, in
        milliseconds: {"msPerTile": 6, "msPerToken": 0.02, "msPerTokenSquared": 0}. 0 .. 1e12 each.

    Raises OptionError, InputError for groups, EngineError OUT_OF_MEMORY.
    """
    shape = Shape.of(ranks, micro_batch, sp_size)
    epoch, seed = integer("epoch", epoch, 0, MAX_UINT32), integer("seed", seed, 0, MAX_UINT32)
    one_of("tail", tail, TAILS)
    weights = Balance.of(balance)
    parts = sources(groups)
    if weights.weights[2] > 0:
        for p, part in enumerate(parts):
            if _group_load(part, "attention") is None:
                raise OptionError("INVALID_OPTION", f"balance asks for attention, source {p} has none")
    own = Instance()
    units = Units(own, parts, sp_size)
    at = own.put(weights.weights, np.float64)
    rule, cost = TAILS.index(tail), int(weights.is_cost)
    status = own.call("planBalanced", ranks, micro_batch, seed, epoch, rule, at, cost)
    if status == BAD_ARGUMENT:
        raise OptionError("INVALID_OPTION", f"{units.count} groups to plan, expected at most 214748363")
    own.check(status, units.count)
    stats = units.evaluate(parts, shape)
    if weights.is_cost:
        stats = replace(stats, **units.times(shape, at))
    if stats.steps == 0 and units.count > 0:
        what = "teams" if sp_size > 1 else "groups"
        source = " of one source" if len(parts) > 1 else ""
        raise OptionError(
            "INVALID_OPTION",
            f"no step: {units.count} {what}, a step takes {ranks * micro_batch}{source} "
            f'(ranks {ranks} x micro_batch {micro_batch}) and tail is "drop"',
        )
    return Plan(
        order=units.order(shape),
        ranks=shape.ranks,
        micro_batch=shape.micro_batch,
        sp_size=shape.sp_size,
        epoch=epoch,
        seed=seed,
        tail=tail,
        balance=dict(zip(weights.names, weights.weights)),
        stats=stats,
        parts=parts,
    )


def identity(parts: Sequence[Groups]) -> dict[str, Any]:
    """Which groups these are: the fingerprint of their samples, or of their loads where these are all that is known."""
    total = first = 0
    for part in parts:
        if not isinstance(part, Packing):
            return {"loads": _fingerprints(parts)}
        # A single packing has its own fingerprint at hand.
        own = part.fingerprint if first == 0 else packing_fingerprint(part.offsets, part.indices, part.oversize, first)
        total, first = total + int(own, 16), first + len(part)
    return {"packing": f"{total & 0xFFFFFFFFFFFFFFFF:016x}"}


def _fingerprints(parts: Sequence[Groups]) -> dict[str, str]:
    """Those of the groups' loads."""
    joined = {
        name: np.concatenate([np.asarray(_group_load(part, name)) for part in parts]) for name in ("vit", "tokens")
    }
    return {name: load_fingerprint(values) for name, values in joined.items()}
