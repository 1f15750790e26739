"""What a benchmark declares: a function to call, what it needs, its bars, and what it measures.

Knows neither the list (declared.py) nor how tasks are run (run.py).
"""

from __future__ import annotations

import operator
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SIGNS = {">=": (operator.ge, "≥"), "<=": (operator.le, "≤")}


@dataclass(frozen=True)
class Bar:
    """What a figure must reach; `path` leads through the result, parts joined by "/"."""

    path: str
    sign: str  # a key of SIGNS
    value: float
    wanted: float | None = None  # what was aimed at and is not reached
    of_sample: bool = True  # whether a fixed sample is held to it

    def met(self, figures: Mapping[str, Any]) -> bool:
        """Whether the figures of a run reach it; KeyError where they lack it."""
        reaches, _ = SIGNS[self.sign]
        return bool(reaches(figure(figures, self.path), self.value))

    def __str__(self) -> str:
        wanted = "" if self.wanted is None else f", wanted {self.wanted:g}"
        return f"{SIGNS[self.sign][1]} {self.value:g}{wanted}"


@dataclass(frozen=True)
class Way:
    """One way to run a task: with which arguments, how long on two cores, with which models."""

    minutes: float
    arguments: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """One thing measured. Its first bar's figure is printed, or the one that `shows` names."""

    name: str  # of the task, and of its file in results/
    call: str  # module:function of the tasks folder; keyword arguments in, a dict of figures out
    measures: tuple[str, ...]  # files and folders of the repository that the figures depend on
    full: Way
    sample: Way | None = None  # a fixed sample of it; None: there is no small one
    bars: tuple[Bar, ...] = ()
    shows: str = ""  # path of a figure
    data: tuple[str, ...] = ()  # folders of ../shared/data
    modules: tuple[str, ...] = ()  # that must be importable
    programs: tuple[str, ...] = ()  # that must be found on the PATH
    elsewhere: str = ""  # the command that runs it where they are
    network: bool = False
    packages: tuple[str, ...] = ()  # distributions whose versions matter

    @property
    def shown(self) -> str:
        """Path of the figure that is printed."""
        return self.shows or self.bars[0].path


@dataclass(frozen=True)
class Row:
    """One row of docs/measured.md.

    In `shown`, {task:path|format} is a recorded figure: of a list its median, and a count such as
    "12/12" reads "12 of 12". `unrecorded` stands there instead where a task has no result yet.
    """

    what: str
    shown: str
    unrecorded: str = ""


def figure(figures: Mapping[str, Any], path: str) -> Any:
    """The value at a path; KeyError where there is none. List items are given by number."""
    value: Any = figures
    for part in path.split("/"):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (TypeError, ValueError, IndexError, KeyError):
            raise KeyError(path) from None
    return value


def printed(value: Any, form: str = "") -> str:
    """A figure as it is shown."""
    if isinstance(value, list):
        value = statistics.median(value)
    if isinstance(value, str):
        return value.replace("/", " of ")
    return format(value, form or ("g" if isinstance(value, float) else "")).replace("%", " %")
