"""The search for bounds: the core says which to try next, and ranks what came of it; here they are tried."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ._errors import OptionError, show
from ._evaluate import evaluate
from ._instance import Instance
from ._lengths import Column, LengthsInput, columns, invalid_length
from ._options import MAX_INT32, MAX_UINT32, integer, number, one_of
from ._pack import ROUNDS, SEED, Progress, pack

Strategy = Literal["scan", "reference"]
STRATEGIES: tuple[Strategy, ...] = ("scan", "reference")
CANDIDATES = 200
SLACK = 0.01
WHOLE = 100_000
"""Beyond so many samples, candidates are tried on a part of them first."""
TEXT_ROOM = 1 << 16
FEWEST_STATUS = -64
"""Statuses are negated above this, addresses are below it."""
ALL, PARETO, NEAREST, WINNER = range(4)


@dataclass(frozen=True)
class Row:
    """A candidate that was tried on all samples."""

    max_vit: int
    max_tokens: int
    min_tokens: int
    rounds: int
    seed: int
    groups: int
    """Groups it made."""
    bound: int
    """The linear lower bound on groups."""
    ratio: float
    """groups / bound."""
    samples_per_group: float
    left_out: int
    """Samples beyond its bounds."""
    pad: float
    vit_dist: float
    token_dist: float
    attention_dist: float
    score: float
    """pad + vit_dist + token_dist."""
    in_window: bool = False
    """Samples per group are in the window that was asked for."""
    pareto: bool = False
    """No other row that may win is better in one of ratio, vit_dist, token_dist and as good in the others."""

    @property
    def options(self) -> dict[str, int]:
        """What to give `pack` for these groups."""
        names = ("max_vit", "max_tokens", "min_tokens", "rounds", "seed")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class SearchResult:
    """What a search found."""

    strategy: Strategy
    winner: Row | None
    """What to pack with: `pack(lengths, **result.winner.options)`. None where no candidate will do."""
    candidates: Sequence[Row]
    """All candidates tried on all samples: of "scan" best first, of "reference" in the order of its steps."""
    pareto: Sequence[Row]
    """The Pareto front of (ratio, vit_dist, token_dist), by ascending ratio."""
    nearest: Sequence[Row]
    """Where there is no winner: the rows nearest to the window, nearest first."""
    why: str
    """Why the winner won, or why there is none: one sentence."""
    pruned: int
    """Candidates tried on a part of the samples only."""
    largest: Mapping[str, Any] | None
    """The sample that needs the largest bounds."""
    needed: Mapping[str, int]
    """The most tiles and the most tokens of a sample."""
    beyond_limits: int
    """Samples beyond the limits: every candidate leaves them out."""


@dataclass(frozen=True)
class _Candidate:
    set: int
    max_vit: int
    max_tokens: int
    min_tokens: int
    rounds: int
    published: bool


def search(
    lengths: LengthsInput,
    *,
    ranks: int,
    samples_per_group: float | tuple[float, float] | None = None,
    max_vit_limit: int | None = None,
    max_tokens_limit: int | None = None,
    rounds: int = ROUNDS,
    max_left_out: int | None = None,
    slack: float = SLACK,
    seed: int = SEED,
    strategy: Strategy = "scan",
    candidates: int = CANDIDATES,
    workers: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> SearchResult:
    """Finds bounds under which ISF makes few groups and ranks have even loads. The result is the same on every host.

    samples_per_group: on average: s for s .. s + 1, or (low, high). Not needed where a limit is given.
    max_vit_limit, max_tokens_limit: what a device can take: no candidate has larger bounds.
    rounds: at most so many rounds of ISF. max_left_out: samples that the winner of "scan" may leave out; default 0.
    slack: how much more than the fewest groups a winner may have, 0 .. 1. candidates: how many "scan" tries, 10 .. 100000.
    strategy: "scan", or "reference", the published walk. workers: threads; default one per processor, up to 8.

    Raises OptionError, InputError for lengths, EngineError OUT_OF_MEMORY.
    """
    one_of("strategy", strategy, STRATEGIES)
    if strategy == "reference" and max_left_out is not None:
        raise OptionError("INVALID_OPTION", "max_left_out is given, expected none for strategy reference")
    free = samples_per_group is None and strategy == "scan"
    if free and max_vit_limit is None and max_tokens_limit is None:
        text = "one of samples_per_group, max_vit_limit and max_tokens_limit is needed"
        raise OptionError("INVALID_OPTION", text)
    ranks = integer("ranks", ranks, 1, MAX_INT32)
    low, high = (0.0, 0.0) if free else _window(samples_per_group)
    vit_limit = MAX_INT32 if max_vit_limit is None else integer("max_vit_limit", max_vit_limit, 1, MAX_INT32)
    token_limit = MAX_INT32 if max_tokens_limit is None else integer("max_tokens_limit", max_tokens_limit, 1, MAX_INT32)
    rounds = integer("rounds", rounds, 1, MAX_INT32)
    left_out = integer("max_left_out", max_left_out or 0, 0, MAX_INT32)
    slack = number("slack", slack, 0, 1)
    seed = integer("seed", seed, 0, MAX_UINT32)
    budget = integer("candidates", candidates, 10, 100_000)
    usual = min(os.cpu_count() or 1, 8)
    threads = max(1, usual if workers is None else integer("workers", workers, 0, 1024))
    given = _int32(columns(lengths, ["vit", "tokens"]))
    n = len(given["vit"])
    own = Instance()
    at = own.call(
        "searchBegin",
        own.put(given["vit"], np.int32),
        own.put(given["tokens"], np.int32),
        *(n, STRATEGIES.index(strategy), ranks, float(low), float(high), vit_limit, token_limit),
        *(rounds, left_out, float(slack), budget),
    )
    if FEWEST_STATUS < at < 0:
        own.check(-at, n)
    sets = [given, _part(own, given)] if strategy == "scan" and n > WHOLE else [given]
    total, done = own.call("searchTotal", at), 0
    with ThreadPoolExecutor(threads) as pool:
        while tasks := list(_ask(own, at)):
            rows = pool.map(lambda task: _measure(sets[task.set], task, ranks, seed), tasks)
            for place, row in enumerate(rows):
                size = len(sets[tasks[place].set]["vit"])
                figures = row.pad, row.vit_dist, row.token_dist, row.attention_dist
                counts = row.rounds, row.groups, row.bound, size - row.left_out, row.left_out
                own.check(own.call("searchTell", at, place, *counts, *map(float, figures)), n)
                done += 1
                if on_progress is not None:
                    on_progress(Progress(done / total if total else 0.0, n, row.groups))
    rows_found = [_row(own, at, i, seed) for i in range(own.call("searchFinish", at))]

    def listed(which: int) -> list[Row]:
        numbers = own.view(own.address("searchList", at, which), own.call("searchCount", at, which), np.int32)
        return [rows_found[i] for i in numbers.tolist()]

    said = _text(own, at, seed)
    return SearchResult(
        strategy=strategy,
        winner=next(iter(listed(WINNER)), None),
        candidates=listed(ALL),
        pareto=listed(PARETO),
        nearest=listed(NEAREST),
        why=said["why"],
        pruned=own.call("searchPruned", at),
        largest=said["largest"],
        needed={"max_vit": said["needed"]["maxVit"], "max_tokens": said["needed"]["maxTokens"]},
        beyond_limits=said["beyondLimits"],
    )


def _window(asked: object) -> tuple[float, float]:
    """Samples per group, least and most."""
    low, high = asked if isinstance(asked, (tuple, list)) and len(asked) == 2 else (asked, None)
    try:
        least = float(low)  # type: ignore[arg-type]
        most = least + 1 if high is None else float(high)
    except (TypeError, ValueError):
        least = most = 0.0
    if not 0 < least <= most < float("inf"):
        raise OptionError(
            "INVALID_OPTION", f"samples_per_group is {show(asked)}, expected a number above 0, or (low, high)"
        )
    return least, most


def _int32(given: dict[str, Column]) -> dict[str, Column]:
    """Lengths that the search can take."""
    for name, values in given.items():
        bad = np.flatnonzero((values < 0) | (values > MAX_INT32))
        if bad.size:
            raise invalid_length(name, int(bad[0]), values[bad[0]], MAX_INT32)
    return given


def _part(own: Instance, given: dict[str, Column]) -> dict[str, Column]:
    """The samples that most candidates are tried on where there are very many."""
    count = own.call("searchPartSamples")
    top = own.address("mark")
    at = own.alloc(count * 4, count)
    own.call("searchPart", len(given["vit"]), at)
    chosen = own.take(at, count, np.int32)
    own.call("release", top)
    return {name: values[chosen] for name, values in given.items()}


def _ask(own: Instance, at: int) -> Iterator[_Candidate]:
    """The candidates to be tried next; none at the end."""
    count = own.call("searchAsk", at)
    if count < 0:
        own.check(-count, 0)
    table = own.take(own.address("searchCandidates", at), count * 6, np.int32).reshape(count, 6)
    for which, max_vit, max_tokens, min_tokens, rounds, published in table.tolist():
        yield _Candidate(which, max_vit, max_tokens, min_tokens, rounds, published == 1)


def _measure(lengths: dict[str, Column], task: _Candidate, ranks: int, seed: int) -> Row:
    """Packs with a candidate and measures the packing: a pure function, whichever thread it runs in."""
    made: list[int] = []

    def packed(rounds: int) -> Any:
        return pack(
            lengths,
            max_vit=task.max_vit,
            max_tokens=task.max_tokens,
            min_tokens=task.min_tokens,
            seed=seed,
            rounds=rounds,
            on_progress=lambda progress: made.append(progress.groups),
        )

    packing = packed(task.rounds)
    best = 1 + int(np.argmin(made)) if made else 0
    if not task.published and best < packing.rounds:
        packing = packed(best)
    groups = len(packing)
    # The published sampler has no step with fewer groups than ranks: ours has one, with repeats.
    found = (
        evaluate(packing, ranks=ranks, compat="reference")
        if task.published and groups >= ranks
        else evaluate(packing, ranks=ranks, seed=0)
    )
    return Row(
        max_vit=task.max_vit,
        max_tokens=task.max_tokens,
        min_tokens=task.min_tokens,
        rounds=packing.rounds,
        seed=seed,
        groups=groups,
        bound=packing.bound,
        ratio=1.0 if packing.bound == 0 else groups / packing.bound,
        samples_per_group=len(packing.indices) / groups if groups else 0.0,
        left_out=len(packing.oversize),
        pad=found.pad,
        vit_dist=found.vit_dist,
        token_dist=found.token_dist,
        attention_dist=found.attention_dist or 0.0,
        score=found.pad + found.vit_dist + found.token_dist,
    )


def _row(own: Instance, search_at: int, i: int, seed: int) -> Row:
    at = own.address("searchRow", search_at, i)
    max_vit, max_tokens, min_tokens, rounds, groups, bound, _, left_out = own.take(at, 8, np.int32).tolist()
    ratio, per_group, pad, vit, token, attention, score, distance = own.take(at + 32, 8, np.float64).tolist()
    return Row(
        **{"max_vit": max_vit, "max_tokens": max_tokens, "min_tokens": min_tokens, "rounds": rounds, "seed": seed},
        **{"groups": groups, "bound": bound, "left_out": left_out},
        **{"ratio": ratio, "samples_per_group": per_group, "pad": pad, "vit_dist": vit, "token_dist": token},
        **{"attention_dist": attention, "score": score},
        in_window=distance == 0,
        pareto=int(own.view(at + 100, 1, np.int32)[0]) == 1,
    )


def _text(own: Instance, at: int, seed: int) -> dict[str, Any]:
    """The end of the core's text, which holds what is not of one row."""
    out = own.alloc(TEXT_ROOM, 0)
    own.call("searchTextBegin")
    tail = b""
    while size := own.call("searchText", at, out, TEXT_ROOM, seed):
        tail = (tail + own.take(out, size, np.uint8).tobytes())[-8192:]
    found: dict[str, Any] = json.loads(b"{" + tail[tail.rindex(b'"why":') :])
    return found
