"""Whom a name alone means where several people of a document bear it: who was last called in full.

Beside somebody who is mainly called so, another is meant only where he or she was just named. Knows
one document. Where it cannot tell it says nothing: a wrong merge is worse than a split.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from dragtor.entities.people import MAINLY
from dragtor.entities.spelling import PERSON_KIND, PersonName, clean_name, person_name
from dragtor.types import LabelledSpan

NEAR = 1  # paragraphs further on, somebody named in passing may still be meant
_SENTENCE_ENDS = re.compile(r"[.!?…:][\"”’)]*\s")


def last_called(
    text: str, spans: Sequence[LabelledSpan], speakers: Iterable[str] = ()
) -> dict[int, str]:
    """The full name that each ambiguous name alone means, by where it starts.

    `spans` are in the text's order. Two who are called in one sentence are both last; and whose
    voice is heard need not be called in full.
    """
    people = [
        (span, clean_name(text[span.start : span.end]))
        for span in spans
        if span.label == PERSON_KIND
    ]
    full = Counter(name for _, name in people if person_name(name).is_full)
    bearers = _bearers(full)
    heard = _bearers(speakers)
    last: dict[str, list[tuple[int, str]]] = defaultdict(list)  # by part: (place, full name)
    found: dict[int, str] = {}
    for span, name in people:
        form = person_name(name)
        if form.is_full:
            for part in _parts(form):
                if last[part] and last[part][-1][1] == name:
                    last[part].pop()
                last[part] = [*last[part][-1:], (span.start, name)]
        elif form.is_alone and len(bearers.get(form.last, ())) > 1 and form.last not in heard:
            called = last[form.last]
            if (
                called
                and not _together(text, called)
                and (
                    text.count("\n\n", called[-1][0], span.start) <= NEAR
                    or not _is_aside(called[-1][1], bearers[form.last], full)
                )
            ):
                found[span.start] = called[-1][1]
    return found


def _bearers(names: Iterable[str]) -> dict[str, set[str]]:
    """First and last names, each with those who bear it."""
    found: dict[str, set[str]] = defaultdict(set)
    for form in map(person_name, names):
        if form.is_full:
            for part in _parts(form):
                found[part].add(form.letters)
    return found


def _parts(form: PersonName) -> set[str]:
    return {form.first, form.last, form.ending}


def _together(text: str, called: Sequence[tuple[int, str]]) -> bool:
    """Whether two are called in one sentence."""
    return len(called) > 1 and not _SENTENCE_ENDS.search(text, called[0][0], called[1][0])


def _is_aside(name: str, bearers: Collection[str], full: Mapping[str, int]) -> bool:
    """Whether another bearer is called in full MAINLY times as often as all but him or her."""
    said: Counter[str] = Counter()
    for each, times in full.items():
        if (letters := person_name(each).letters) in bearers:
            said[letters] += times
    (main, times), *_ = said.most_common(1)
    return main != person_name(name).letters and times >= MAINLY * (said.total() - times)
