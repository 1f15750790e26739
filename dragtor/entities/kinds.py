"""Of which kind the names of a document are, where its tagger is of two minds.

A name is nearly always of one kind in a document (one sense a discourse, Gale et al. 1992); a part
of a person's name goes with the whole, and who has the word in a transcript is a person. Knows no
other document.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from dragtor.entities.spelling import PERSON_KIND, clean_name
from dragtor.types import LabelledSpan

USUAL = 2  # times as often as of other kinds, a name is of one in a document
TURNS = 2  # of who has the word, at least
_LABEL = re.compile(r"(?m)^[^\W\d_][^\s:]*(?:[ \t][^\W_][^\s:]*){1,3}(?=:\s)")
_Kinds = Mapping[str, Counter[str]]


def usual_kinds(
    text: str, found: Iterable[LabelledSpan]
) -> tuple[list[LabelledSpan], Sequence[str]]:
    """Every span with the kind that its name usually is of, and the people whose turns are marked.

    A tagger errs on names that it never saw.
    """
    spans = list(found)
    names = [clean_name(text[span.start : span.end]) for span in spans]
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for name, span in zip(names, spans, strict=True):
        kinds[name][span.label] += 1
    usual = _usual(kinds)
    speaking = _speaking(text, usual)
    usual |= dict.fromkeys(speaking, PERSON_KIND)
    return [
        replace(span, label=usual.get(name, span.label))
        for name, span in zip(names, spans, strict=True)
    ], speaking


def _usual(kinds: _Kinds) -> dict[str, str]:
    usual = {}
    for name, of in kinds.items():
        kind, times = of.most_common(1)[0]
        if times >= USUAL * (of.total() - times):
            usual[name] = kind
    usual |= dict.fromkeys(_parts_of_people(kinds), PERSON_KIND)
    for name, of in kinds.items():
        first, _, more = name.partition(" ")
        if more and of[PERSON_KIND] and usual.get(first) == PERSON_KIND:
            usual[name] = PERSON_KIND  # Mireille is somebody, and so is Mireille Ayar
    return usual


def _parts_of_people(kinds: _Kinds) -> Iterator[str]:
    """First names, unless they are rather places, and last names that mostly stand for people.

    No firm is called Mireille where Mireille Ayar speaks, but one may be called O'Reilly.
    """
    opened: dict[str, Counter[str]] = defaultdict(Counter)  # by its first word, what names are
    ends: set[str] = set()
    for name, of in kinds.items():
        words = name.split()
        if len(words) > 1:
            opened[words[0]] += of
            if _mostly_people(of):
                ends |= {" ".join(words[n:]) for n in range(1, len(words))}
    for name, of in kinds.items():
        people = of[PERSON_KIND] + opened[name][PERSON_KIND]
        if (_mostly_people(opened[name]) and people > of["place"]) or (
            name in ends and _mostly_people(of)
        ):
            yield name


def _mostly_people(of: Counter[str]) -> bool:
    return 2 * of[PERSON_KIND] > of.total()


def _speaking(text: str, usual: Mapping[str, str]) -> list[str]:
    """Whose turns are marked ("Ann Lee: ..."), where at least every other such mark is a person."""
    turns = Counter(match[0] for match in _LABEL.finditer(text))
    often = [name for name, times in turns.items() if times >= TURNS and _is_written_so(name)]
    people = [n for n in often if PERSON_KIND in (usual.get(n), usual.get(n.split()[0]))]
    return often if 2 * len(people) >= len(often) else people


def _is_written_so(name: str) -> bool:
    """Whether a name could be somebody's in full: Ludwig van Beethoven, but not Audience member."""
    words = name.split()
    return words[0][0].isupper() and words[-1][0].isupper()
