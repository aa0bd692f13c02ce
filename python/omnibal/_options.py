"""Options and their ranges. The ranges and defaults are those of the other hosts; a test holds them together."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TypeVar

from ._errors import OptionError, show

MAX_INT32 = 2**31 - 1
MAX_UINT32 = 2**32 - 1
MOST_LOAD = 2**53 - 1
"""The largest load, bound and sum: what a double holds exactly."""

Name = TypeVar("Name", bound=str)


def integer(name: str, value: object, low: int, high: int) -> int:
    """A whole number in low .. high, of Python or of numpy."""
    try:
        whole = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        whole = None
    if whole is None or not low <= whole <= high:
        raise OptionError("INVALID_OPTION", f"{name} is {show(value)}, expected a whole number from {low} to {high}")
    return whole


def number(name: str, value: object, low: float, high: float, text: str = "") -> float:
    """A number in low .. high."""
    try:
        given = None if isinstance(value, (bool, str)) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        given = None
    if given is None or not low <= given <= high:
        expected = text or f"a number from {low} to {high}"
        raise OptionError("INVALID_OPTION", f"{name} is {show(value)}, expected {expected}")
    return given


def one_of(name: str, value: object, names: Sequence[Name]) -> Name:
    """One of these names."""
    for known in names:
        if value == known:
            return known
    raise OptionError("INVALID_OPTION", f"{name} is {show(value)}, expected {', '.join(names)}")
