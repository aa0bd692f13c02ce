"""Packing: samples to groups that hold every bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._errors import InputError, OptionError, show
from ._instance import Instance, out_of_memory
from ._lengths import Column, LengthsInput, base_loads, column, columns, group_sums, invalid_length, load_name
from ._options import MAX_INT32, MAX_UINT32, MOST_LOAD, integer, one_of
from ._packing import Packing

Method = Literal["isf", "balanced"]
METHODS: tuple[Method, ...] = ("isf", "balanced")
LowerBound = Literal["linear", "tight"]
LOWER_BOUNDS: tuple[LowerBound, ...] = ("linear", "tight")

SEED = 1024
ROUNDS = 50
EFFORT = 1
FULL_BELOW = 128
"""ISF: without a minimum of tokens, a group is full once it is within this many tokens of its bound."""
MOST_LOADS = 8
FEW_VALUES = 64
"""ISF: of a load with more different values than these, a group is full at 99 % of the bound."""

PIECE = 1 << 16
"""Samples per call into the core: a buffer that stays in the second-level cache."""

BAD_LOAD, SUM_TOO_LARGE = 18, 19


@dataclass(frozen=True)
class Progress:
    """How far a packing has come."""

    done: float
    """Share of the work that is done, 0 .. 1, never decreasing."""
    samples: int
    """Samples there are."""
    groups: int
    """Groups there would be if it ended now; 0 while there are none yet."""


@dataclass(frozen=True)
class Bounds:
    """What a group may hold: the most of each load, and the loads that are added up without a bound."""

    most: dict[str, int]
    carried: tuple[str, ...] = ()
    align: int = 1
    """Each sample's tokens count rounded up to a multiple of this."""

    @property
    def names(self) -> list[str]:
        """All loads, bounded ones first."""
        return [*self.most, *self.carried]


def _by_load(
    option: str, given: object, short: Mapping[str, tuple[str, object]], low: int
) -> dict[str, int]:
    """Numbers by load, with the short names of those that have one."""
    found: dict[str, tuple[str, int]] = {}

    def put(load: str, name: str, value: object, high: int) -> None:
        own = integer(name, value, low, high)
        known = found.get(load)
        if known is not None and known[1] != own:
            text = f"{known[0]} is {known[1]} and {name} is {own}, expected one of the two"
            raise OptionError("INVALID_OPTION", text)
        found[load] = name, own

    if given is not None:
        if not isinstance(given, Mapping):
            text = f"{option} is {show(given)}, expected numbers by load: {{ tokens: 4096 }}"
            raise OptionError("INVALID_OPTION", text)
        for name, value in given.items():
            put(load_name(str(name)), f"{option}.{name}", value, MOST_LOAD)
    for load, (name, value) in short.items():
        if value is not None:
            put(load, name, value, MAX_INT32)
    # vit comes first, as it does in every file of the usual two.
    return {load: found[load][1] for load in sorted(found, key=lambda load: load != "vit")}


def resolve_bounds(
    most: Mapping[str, int] | None,
    max_vit: int | None,
    max_tokens: int | None,
    carry: Iterable[str] = (),
    align: int | None = None,
) -> Bounds:
    """The loads that are asked for, checked."""
    short = {"vit": ("max_vit", max_vit), "tokens": ("max_tokens", max_tokens)}
    if most is None:
        for name, value in short.values():
            integer(name, value, 1, MAX_INT32)
    found = _by_load("max", most, short, 1)
    listed = list(carry) if isinstance(carry, (list, tuple)) else None
    if listed is None or not all(isinstance(name, str) and name for name in listed):
        raise OptionError("INVALID_OPTION", f"carry is {show(carry)}, expected a list of names")
    carried = tuple(dict.fromkeys(map(load_name, listed)))
    for name in carried:
        if name in found:
            text = f"carry has {show(name)}, which has a bound: it is added up in any case"
            raise OptionError("INVALID_OPTION", text)
    if not found or len(found) + len(carried) > MOST_LOADS:
        seen = f"{len(found)} bounded and {len(carried)} carried"
        text = f"{seen} loads, expected 1 to {MOST_LOADS} in all, one of them bounded"
        raise OptionError("INVALID_OPTION", text)
    bounds = Bounds(found, carried, integer("align", 1 if align is None else align, 1, MAX_INT32))
    if align is not None and "tokens" not in bounds.names:
        text = f"align is {align}, but tokens are not among the loads {', '.join(bounds.names)}"
        raise OptionError("INVALID_OPTION", text)
    return bounds


def _has_many_values(values: Column, bound: int) -> bool:
    """Whether a load has more than 64 different values, among those within its bound. O(samples), mostly less."""
    if bound < FEW_VALUES:
        return False
    seen = np.zeros(0, values.dtype)
    for start in range(0, len(values), PIECE):
        piece = values[start : start + PIECE]
        seen = np.union1d(seen, piece[piece <= bound])
        if len(seen) > FEW_VALUES:
            return True
    return False


def _minima(
    bounds: Bounds, samples: Mapping[str, Column], least: object, min_vit: object, min_tokens: object
) -> dict[str, int]:
    """ISF: what makes a group full, for each bounded load."""
    given = _by_load("min", least, {"vit": ("min_vit", min_vit), "tokens": ("min_tokens", min_tokens)}, 0)
    for name in given:
        if name not in bounds.most:
            text = f"min has {show(name)}, which has no bound: those are of {', '.join(bounds.most)}"
            raise OptionError("INVALID_OPTION", text)

    def usual(name: str, bound: int) -> int:
        if name == "tokens":
            return max(bound - FULL_BELOW, 0)
        return bound - -(-bound // 100) if _has_many_values(samples[name], bound) else bound

    return {name: given[name] if name in given else usual(name, bound) for name, bound in bounds.most.items()}


class Samples:
    """The samples in an instance, all loads pushed."""

    def __init__(self, own: Instance, lengths: Mapping[str, Column], bounds: Bounds, base: Iterable[str] = ()) -> None:
        self.own, self.lengths, self.names = own, lengths, bounds.names
        self.counted = dict(lengths)
        if bounds.align > 1:
            # Whole numbers below 2^53 are exact in float64, and so are their multiples there.
            tokens = lengths["tokens"].astype(np.float64)
            self.counted["tokens"] = aligned = column("tokens", np.ceil(tokens / bounds.align) * bounds.align)
            if "tokens^2" in lengths and "tokens^2" not in base:
                self.counted["tokens^2"] = column("tokens^2", np.square(aligned, dtype=np.float64))
        self.count = n = len(next(iter(lengths.values())))
        if n > MAX_INT32:
            raise out_of_memory(n)
        k = len(self.names)
        most = own.put([float(bounds.most.get(name, np.inf)) for name in self.names], np.float64)
        self.handle = own.address("loadsBegin", n, k, most)
        if self.handle == 0:
            own.check(own.call("loadsStatus"), n)
        self._push(k)

    def _push(self, k: int) -> None:
        own, n = self.own, self.count
        given = [self.counted[name] for name in self.names]
        floats = sum(1 << j for j, values in enumerate(given) if values.dtype == np.float64)
        room = min(n, PIECE)
        at = [own.alloc(max(room, 1) * values.itemsize, n) for values in given]
        pointers = own.put(at, np.uint32)
        into = [own.view(a, room, values.dtype) for a, values in zip(at, given)]
        for start in range(0, n, PIECE):
            size = min(PIECE, n - start)
            for buffer, values in zip(into, given):
                buffer[:size] = values[start : start + size]
            status = own.call("loadsPush", self.handle, pointers, floats, size)
            if status == BAD_LOAD:
                index, load = own.call("errorIndex"), own.call("errorLoad")
                raise invalid_length(self.names[load], index, given[load][index])
            own.check(status, n)

    def oversize(self) -> NDArray[np.int32]:
        """The samples beyond a bound."""
        count = self.own.call("loadsOversizeCount", self.handle)
        at = self.own.address("loadsOversize", self.handle)
        if at == 0 and count > 0:
            raise out_of_memory(self.count)
        return self.own.take(at, count, np.int32)

    def least(self, which: LowerBound, groups: int) -> int:
        """No packing has fewer groups. Where the linear bound reaches those of a packing, none is better."""
        own = self.own
        linear = own.address("loadsLinearBound", self.handle)
        if which == "linear" or linear >= groups:
            return linear
        own.check(own.call("boundsFind", self.handle), self.count)
        return own.address("boundsGet", own.call("boundsBest"))


@dataclass(frozen=True)
class LowerBounds:
    """Lower bounds on the number of groups, each one by itself; 0 where it says nothing."""

    linear: int
    """The largest of the sums of loads over their bounds, rounded up."""
    pattern: int
    """What the multisets of values of a load of few values that fit a group allow."""
    half: int
    """What samples above half of a bound allow."""
    difference: int
    """What two loads allow of which one spoils what is left for the other."""

    @property
    def best(self) -> int:
        """The largest of them."""
        return max(self.linear, self.pattern, self.half, self.difference)


def lower_bound(
    lengths: LengthsInput,
    *,
    max: Mapping[str, int] | None = None,  # noqa: A002
    max_vit: int | None = None,
    max_tokens: int | None = None,
    align: int | None = None,
) -> LowerBounds:
    """Lower bounds on the groups of any packing of these samples, those beyond a bound left out. O(samples)."""
    bounds = resolve_bounds(max, max_vit, max_tokens, (), align)
    own, base = Instance(), base_loads(lengths, bounds.names)
    samples = Samples(own, columns(lengths, list(dict.fromkeys([*base, *bounds.names]))), bounds, base)
    own.check(own.call("boundsFind", samples.handle), samples.count)
    return LowerBounds(*(own.address("boundsGet", kind) for kind in range(4)))


def pack(
    lengths: LengthsInput,
    *,
    max: Mapping[str, int] | None = None,  # noqa: A002
    min: Mapping[str, int] | None = None,  # noqa: A002
    carry: Iterable[str] = (),
    max_vit: int | None = None,
    max_tokens: int | None = None,
    min_vit: int | None = None,
    min_tokens: int | None = None,
    align: int | None = None,
    method: Method = "isf",
    seed: int = SEED,
    rounds: int | None = None,
    effort: int | None = None,
    lower_bound: LowerBound | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Packing:
    """Packs samples into groups that hold every bound.

    The same arguments give the same groups on every host, for ever. O(samples x rounds); 5 million samples take about
    half a second by `isf`, a few times that by `balanced`.

    lengths: a column of whole numbers from 0 to 2^53 - 1 for each load, by its name: a dict of arrays, a data frame.
        `vit` is read from `vit` or `vit_num`, `tokens` from `tokens` or `token_num`; `NAME^2` is the square of each value.
    max: the most of each load in a group, by name, 1 .. 2^53 - 1; max_vit and max_tokens are short for these two.
    align: each sample's tokens count rounded up to a multiple of this, against their bound too.
    carry: names of loads that are added up for each group without a bound. 8 loads at most in all.
    method: "isf", the published algorithm, or "balanced", which comes close to the fewest groups possible.
    min: isf: a group is full once it reaches one of these. Default: of tokens their bound - 128; of loads with up to 64
        different values their bound, of others 99 % of it.
    rounds: isf: rounds at most, 1 .. 2^31 - 1. Default: 50.
    effort: balanced: 0 quick, 1 normal, 2 long, 3 very long. Default: 1.
    seed: 0 .. 2^32 - 1.
    lower_bound: what `packing.bound` is: "linear" costs nothing (default of isf), "tight" some ms per million samples.
    on_progress: called between pieces of the work; what it raises ends the packing.

    Raises InputError for lengths, OptionError for options, EngineError OUT_OF_MEMORY beyond about 170 million samples.
    """
    one_of("method", method, METHODS)
    seed = integer("seed", seed, 0, MAX_UINT32)
    bounds = resolve_bounds(max, max_vit, max_tokens, carry, align)
    which = one_of("lower_bound", lower_bound or ("linear" if method == "isf" else "tight"), LOWER_BOUNDS)
    settings: dict[str, Any] = {"bounds": bounds.most}
    if bounds.carried:
        settings["carry"] = list(bounds.carried)
    if bounds.align > 1:
        settings["align"] = bounds.align
    settings |= {"method": method, "seed": seed}
    if method == "isf":
        refuse_others(method, effort=effort)
        most_rounds = integer("rounds", ROUNDS if rounds is None else rounds, 1, MAX_INT32)
    else:
        refuse_others(method, min=min, min_vit=min_vit, min_tokens=min_tokens, rounds=rounds)
        chosen = integer("effort", EFFORT if effort is None else effort, 0, 3)
        settings |= {"effort": chosen}
    base = base_loads(lengths, bounds.names)
    given = columns(lengths, list(dict.fromkeys([*base, *bounds.names])))
    own = Instance()
    samples = Samples(own, given, bounds, base)
    if method == "isf":
        minima = _minima(bounds, samples.counted, min, min_vit, min_tokens)
        settings |= {"min": minima, "rounds": most_rounds}
        kind, at, done = "rounds", *_isf(samples, minima, seed, most_rounds, on_progress)
    else:
        kind, at, done = "packer", _balanced(samples, seed, chosen, on_progress), 0
    return _take(samples, base, bounds, which, settings, kind, at, done)


def refuse_others(method: str, **given: object) -> None:
    """Raises for options that only other methods take."""
    for name, value in given.items():
        if value is not None:
            raise OptionError("INVALID_OPTION", f"{name} is given, expected none for method {method}")


def _isf(
    samples: Samples,
    minima: Mapping[str, int],
    seed: int,
    rounds: int,
    on_progress: Callable[[Progress], None] | None,
) -> tuple[int, int]:
    own, n = samples.own, samples.count
    at = own.put([float(minima.get(name, np.inf)) for name in samples.names], np.float64)
    handle = own.address("roundsBegin", samples.handle, at, seed)
    if handle == 0:
        own.check(own.call("roundsStatus"), n)
    done, loose = 0, n
    while done < rounds and loose > 0:
        done += 1
        loose = own.call("roundsNext", handle, int(done == rounds))
        if on_progress is not None:
            share = 1.0 if loose == 0 else done / rounds
            on_progress(Progress(share, n, own.call("roundsGroupsNow", handle)))
    return handle, done


def _balanced(samples: Samples, seed: int, effort: int, on_progress: Callable[[Progress], None] | None) -> int:
    own, n = samples.own, samples.count
    handle = own.address("packerBegin", samples.handle, seed, effort)
    if handle == 0:
        own.check(own.call("packerStatus"), n)
    done, left = 0.0, 1000
    while left > 0:
        left = own.call("packerStep", handle)
        if left < 0:
            own.check(-left, n)
        done = max(done, 1 - left / 1000)
        if on_progress is not None:
            on_progress(Progress(done, n, own.call("packerGroups", handle)))
    return handle


def narrow(sums: NDArray[np.float64]) -> Column:
    """A copy, as int32 where all fit."""
    return sums.astype(np.int32) if sums.size == 0 or sums.max() <= MAX_INT32 else sums.copy()


def _take(
    samples: Samples, base: list[str], bounds: Bounds, which: LowerBound, settings: dict[str, Any], kind: str, at: int, rounds: int
) -> Packing:
    """Copies the groups out."""
    own = samples.own
    groups = own.call(f"{kind}Groups", at)
    order_at, offsets_at = own.address(f"{kind}Order", at), own.address(f"{kind}Offsets", at)
    offsets = own.take(offsets_at, groups + 1, np.int32)
    indices = own.take(order_at, int(offsets[-1]), np.int32)
    loads: dict[str, Column] = {}
    out = own.alloc(max(groups, 1) * 8, samples.count)
    for k, name in enumerate(samples.names):
        if name not in bounds.most:
            sums = group_sums(samples.counted[name], offsets, indices)
        elif kind == "rounds":
            own.call("roundsSums", at, k, out)
            sums = own.view(out, groups, np.float64)
        else:
            own.call("loadsSums", samples.handle, k, order_at, offsets_at, groups, out)
            sums = own.view(out, groups, np.float64)
        if sums.size > 0 and sums.max() > MOST_LOAD:
            worst = int(np.argmax(sums > MOST_LOAD))
            text = f"the sum of {name} in group {worst} is above {MOST_LOAD}, which cannot be counted exactly"
            raise InputError("INVALID_LENGTH", text)
        loads[name] = narrow(sums)
    main = "tokens" if "tokens" in bounds.most else next(iter(bounds.most))
    mix = own.call("loadsMix", samples.handle, samples.names.index(main), order_at, offsets_at, groups)
    return Packing(
        offsets=offsets,
        indices=indices,
        oversize=samples.oversize(),
        loads=loads,
        max=bounds.most,
        bound=samples.least(which, groups),
        samples=samples.count,
        method=str(settings["method"]),
        settings=settings,
        rounds=rounds,
        mix=None if mix < 0 else mix,
        lengths={name: samples.lengths[name] for name in base},
        counted_tokens=samples.counted.get("tokens"),
    )

