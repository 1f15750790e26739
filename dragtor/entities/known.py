"""Which person or organisation of a library a name that was just found means.

Only what is called just so, in full: a wrong link is worse than none. Knows no database; what
looks names up is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from dragtor.entities.spelling import PERSON_KIND, person_name, thing_words
from dragtor.types import Entity, FoundEntity

LookUp = Callable[[str, str], Sequence[Entity]]  # kind and name -> entities, as for a filter
LIBRARY_KINDS = {"person": PERSON_KIND, "company": "organisation"}


def with_known(entity: FoundEntity, look_up: LookUp) -> FoundEntity:
    """The entity with the one of the library that bears one of its names in full, if just one."""
    kind = LIBRARY_KINDS[entity.category]
    found: dict[str, Entity] = {}
    for name in (entity.name, *entity.aliases):
        if "@" in name or (kind == PERSON_KIND and not person_name(name).is_full):
            continue
        form = _form(kind, name)
        for known in look_up(kind, _straight(kind, name)):
            if form in {_form(kind, own) for own in (known.name, *known.aliases)}:
                found[known.id] = known
    return replace(entity, known=next(iter(found.values()))) if len(found) == 1 else entity


def _form(kind: str, name: str) -> tuple[str, ...]:
    if kind != PERSON_KIND:
        return thing_words(name)
    form = person_name(name)
    return form.first, form.last, form.generation


def _straight(kind: str, name: str) -> str:
    """Gravelle, Yves as Yves Gravelle: as names are looked up."""
    last, comma, first = name.partition(", ")
    return f"{first} {last}" if comma and kind == PERSON_KIND else name
