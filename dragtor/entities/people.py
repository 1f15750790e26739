"""People: spellings of full names over a library, and names alone inside one document.

Across documents only full names are one; never by an initial. A wrong merge is worse than a split.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from dragtor.entities.clusters import Clusters, Likeness, Seen, join_slips
from dragtor.entities.spelling import (
    PARTICLES,
    SHORT_FORMS,
    PersonName,
    is_slip,
    is_variant,
    person_name,
)
from dragtor.transcript import edits

SURE_ALONE = 7  # letters of a name alone that may have one slip
MAINLY = 5  # times as often called in full as others: who a name alone means, of several
Key = tuple[str, ...]  # who is meant: ("full", form) over the library, or a document's own


@dataclass(slots=True)
class PeopleNamed:
    """Names of people in one document: how often each is said, and who speaks."""

    said: dict[str, int] = field(default_factory=dict)
    speaking: list[str] = field(default_factory=list)


_Form = PersonName  # with all that does not count taken away


def merge_people(documents: Mapping[str, PeopleNamed]) -> dict[tuple[str, str], Key]:
    """(document, name) -> who is meant; equal keys are one person."""
    seen: dict[_Form, Seen] = defaultdict(Seen)
    for names in documents.values():
        once: dict[_Form, int] = defaultdict(int)
        for name in names.speaking:
            once[_form(name)] += 1
        for name, mentions in names.said.items():
            once[_form(name)] += mentions
        for form, mentions in once.items():
            if form.is_full:
                seen[form].add(mentions)
    clusters = Clusters(seen)
    _join_middles(clusters)
    _join_spacing(clusters)
    _join_misspelt(clusters, seen)
    found: dict[tuple[str, str], Key] = {}
    for identity, names in documents.items():
        for name, key in _in_document(identity, names, clusters):
            found[identity, name] = key
    return found


def _form(name: str) -> _Form:
    """The name without its title, which tells nobody apart who has a full name."""
    parsed = person_name(name)
    if not parsed.is_full or not parsed.title:
        return parsed
    return PersonName(parsed.first, parsed.middles, parsed.last, parsed.ending, parsed.generation)


def _join_middles(clusters: Clusters[_Form]) -> None:
    """John F. Kennedy is John Kennedy and John Fitzgerald Kennedy, unless there is a John Q."""
    groups: dict[tuple[str, str, str], list[_Form]] = defaultdict(list)
    for form in clusters.all():
        groups[form.first, form.last, form.generation].append(form)
    for forms in groups.values():
        middle = [form for form in forms if form.middles]
        bare = [form for form in forms if not form.middles]
        if any(not _agree(a.middles, b.middles) for a, b in combinations(middle, 2)):
            continue
        for form in middle[1:]:
            clusters.join(form, middle[0])
        if bare and any(_initials(form) for form in middle):
            clusters.join(bare[0], middle[0])


def _agree(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether middle names may be the same: F and Fitzgerald, but not F and Q."""
    return len(one) == len(other) and all(
        a == b or (1 in (len(a), len(b)) and a[0] == b[0]) for a, b in zip(one, other, strict=True)
    )


def _initials(form: _Form) -> bool:
    return all(len(middle) == 1 for middle in form.middles)


def _join_spacing(clusters: Clusters[_Form]) -> None:
    """Jean-Luc Picard is Jean Luc Picard; Ann Alee is not Anna Lee."""
    same: dict[tuple[str, str], list[_Form]] = defaultdict(list)
    for forms in clusters.all().values():
        for form in forms:
            same[form.letters, form.generation].append(form)
    for forms in same.values():
        for one, other in combinations(forms, 2):
            if one.gaps <= other.gaps or other.gaps <= one.gaps:
                clusters.join(one, other)


def _join_misspelt(clusters: Clusters[_Form], seen: Mapping[_Form, Seen]) -> None:
    firsts: dict[str, set[str]] = defaultdict(set)  # of each last name, and the other way round
    lasts: dict[str, set[str]] = defaultdict(set)
    for form in seen:
        firsts[form.last].add(form.first)
        lasts[form.first].add(form.last)

    def blocks(form: _Form) -> Iterator[tuple[str, str, str]]:
        yield "first", form.first, form.last[0]
        yield "last", form.last, form.first[0]

    def likeness(one: _Form, other: _Form) -> Likeness:
        """How `one`, the rarer, misses the other; what differs in it is no other person's name."""
        if one.generation != other.generation or not _near_middles(one, other):
            return ""
        letters = max(len(one.letters), len(other.letters))
        if one.first == other.first and len(firsts[one.last]) == 1:
            slip = is_slip(one.last, other.last, letters)
            return "" if not slip else "variant" if is_variant(one.last, other.last) else "slip"
        if one.last == other.last and len(lasts[one.first]) == 1:
            return "slip" if is_slip(one.first, other.first, letters, inner=True) else ""
        return ""

    join_slips(clusters, seen, blocks, likeness, lambda form: len(form.letters))


def _near_middles(one: _Form, other: _Form) -> bool:
    if one.middles == other.middles:
        return True
    if not one.middles or not other.middles:
        return _initials(one) and _initials(other)
    return _agree(one.middles, other.middles)


# Inside one document


def _in_document(
    identity: str, names: PeopleNamed, clusters: Clusters[_Form]
) -> Iterator[tuple[str, Key]]:
    forms = {name: _form(name) for name in dict.fromkeys([*names.speaking, *names.said])}
    full = {clusters.of(form): form for form in forms.values() if form.is_full}
    bearers = _bearers(form for form in forms.values() if form.is_full)
    speakers = {clusters.of(forms[name]) for name in names.speaking if forms[name].is_full}
    weight: Counter[_Form] = Counter()
    for name, mentions in names.said.items():
        if forms[name].is_full:
            weight[clusters.of(forms[name])] += mentions
    titles: dict[str, set[str]] = defaultdict(set)
    for form in forms.values():
        if form.is_alone and form.title:
            titles[form.last].add(form.title)
    taken = {  # names alone of speakers: somebody else than the other speakers
        forms[name].last for name in names.speaking if forms[name].is_alone
        and {clusters.of(f) for f in bearers.get(forms[name].last, ())} & speakers
    }  # fmt: skip
    for name, form in forms.items():
        meant: set[_Form] = set()
        if form.is_full:
            longer = _opening(form, full.values()) or _of_last_name(form, bearers)
            meant = {clusters.of(f) for f in longer} or {clusters.of(form)}
        elif form.is_alone and form.last not in taken and len(titles[form.last]) < 2:
            meant = {clusters.of(f) for f in _meant(form, bearers)}
            meant = _main(meant, weight) or meant
        if len(meant) == 1:
            yield name, ("full", *_text(meant.pop()))
        elif form.is_full:
            yield name, ("full", *_text(clusters.of(form)))
        else:
            title = form.title if len(titles[form.last]) > 1 else ""
            yield name, ("own", identity, *_text(form), title)


def _bearers(forms: Iterable[_Form]) -> dict[str, set[_Form]]:
    """First and last names, each with the full names that hold it."""
    found: dict[str, set[_Form]] = defaultdict(set)
    for form in forms:
        for word in (form.first, form.last, form.ending):
            found[word].add(form)
    return found


def _opening(form: _Form, full: Iterable[_Form]) -> list[_Form]:
    """Longer names that open with this one: Mary Jane is Mary Jane Watson."""
    words = (form.first, *form.middles, form.last)
    return [
        other
        for other in full
        if other.middles
        and form.generation in ("", other.generation)
        and (other.first, *other.middles)[: len(words)] == words
    ]


def _main(meant: set[_Form], weight: Mapping[_Form, int]) -> set[_Form]:
    """Of several the one who is called in full MAINLY times as often as all others together."""
    total = sum(weight[form] for form in meant)
    return {form for form in meant if weight[form] >= MAINLY * max(1, total - weight[form])}


def _of_last_name(form: _Form, bearers: Mapping[str, set[_Form]]) -> list[_Form]:
    """Du Bois, which reads like a first and a last name, is W. E. B. Du Bois."""
    if form.first not in PARTICLES or form.middles:
        return []
    return [other for other in bearers.get(form.letters, ()) if other.last == form.letters]


def _meant(form: _Form, bearers: Mapping[str, set[_Form]]) -> set[_Form]:
    """Full names that a name alone may stand for, else those with a last name one letter off."""
    found = {
        other
        for other in bearers.get(form.last, ())
        if form.generation in ("", other.generation)
        and (not form.title or form.last in (other.last, other.ending))
    }
    if not found and not form.title:
        full = SHORT_FORMS.get(form.last, ())
        found = {f for word in full for f in bearers.get(word, ()) if f.first == word}
    if found or len(form.last) < SURE_ALONE:
        return found
    return {
        other
        for word, others in bearers.items()
        if word[:1] == form.last[0] and edits(word, form.last, 1) == 1
        for other in others
        if word in (other.last, other.ending) and form.generation in ("", other.generation)
    }


def _text(form: _Form) -> tuple[str, ...]:
    return (form.first, *form.middles, form.last, form.generation)
