"""Spellings that are one name: exact forms joined, then slips joined to the spelling they miss.

A slip is rare where the right spelling is frequent, is nobody else's name, and has one neighbour:
whatever else is alike stays apart. Knows no kind of name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

RARE = 4  # a slip is seen once in so many mentions of the name, or in one document only
TIE_LETTERS = 12  # in a name so long a slip may be as frequent as the right spelling


_F = TypeVar("_F", bound=Hashable)
Likeness = Literal["", "variant", "slip"]  # variant: other people are so called


@dataclass(slots=True)
class Seen:
    """How well a spelling is founded."""

    mentions: int = 0
    documents: int = 0

    def add(self, mentions: int, documents: int = 1) -> None:
        """Count what another row says."""
        self.mentions += mentions
        self.documents += documents


class Clusters(Generic[_F]):
    """Forms in disjoint sets (Tarjan 1975); a set is named by the form that was joined to."""

    def __init__(self, forms: Iterable[_F]) -> None:
        self._parent = {form: form for form in forms}

    def of(self, form: _F) -> _F:
        """The form that names the set."""
        while (parent := self._parent[form]) != form:
            self._parent[form] = parent = self._parent[parent]
            form = parent
        return form

    def join(self, form: _F, main: _F) -> None:
        """Put the set of `form` into that of `main`."""
        self._parent[self.of(form)] = self.of(main)

    def all(self) -> dict[_F, list[_F]]:
        """Every set by the form that names it."""
        found: dict[_F, list[_F]] = defaultdict(list)
        for form in self._parent:
            found[self.of(form)].append(form)
        return found


def join_slips(
    clusters: Clusters[_F],
    seen: Mapping[_F, Seen],
    blocks: Callable[[_F], Iterable[Hashable]],
    likeness: Callable[[_F, _F], Likeness],
    letters: Callable[[_F], int],
) -> None:
    """Join each rare set to the one well-founded set that it is a slip of.

    Forms are compared within their blocks only. A slip is never joined to another slip, and not at
    all where it has two neighbours; a variant is joined only where it is rare.
    """
    sets = clusters.all()
    weight = {
        main: Seen(
            sum(seen[form].mentions for form in forms),
            sum(seen[form].documents for form in forms),
        )
        for main, forms in sets.items()
    }
    order = sorted(sets, key=lambda m: (-weight[m].mentions, -weight[m].documents, str(m)))
    shelves: dict[Hashable, list[tuple[_F, _F]]] = defaultdict(list)  # (form, its set)
    for main in order:
        keys = [(form, key) for form in sets[main] for key in blocks(form)]
        near = {
            other: how
            for form, key in keys
            for known, other in shelves[key]
            if other != main and (how := likeness(form, known))
        }
        if len(near) == 1:
            target, how = near.popitem()
            tie = how == "slip" and letters(main) >= TIE_LETTERS
            if _rare(weight[main], weight[target], tie=tie):
                clusters.join(main, target)
                continue
        for form, key in keys:
            shelves[key].append((form, main))


def _rare(slip: Seen, name: Seen, *, tie: bool) -> bool:
    """Whether one is so rare beside the other; with `tie` it may be as frequent."""
    if slip.mentions * 2 > name.mentions:
        return tie and slip.documents == 1
    return slip.documents == 1 or slip.mentions * RARE <= name.mentions
