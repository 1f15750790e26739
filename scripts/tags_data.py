"""Make the training files of the head set `tags` out of openly licensed sets.

    python scripts/tags_data.py ../shared/data data/tags

Maps every set's labels to person, organisation, place, other; of sets that also mark what is no
name ("my brother", "the hotel") only names are kept, and a sentence where that cannot be told is
left out. Says what it wrote. CoNLL-2003 is never among them: its terms forbid it.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dragtor.encoder.data import TaskData, TaskExample, read_task
from dragtor.encoder.decode import runs

NAMES = {
    "per": "person", "person": "person", "org": "organisation", "organization": "organisation",
    "organisation": "organisation", "loc": "place", "location": "place", "place": "place",
    "misc": "other", "event": "other", "object": "other",
}  # fmt: skip
DROPPED = (
    "abstract", "animal", "plant", "substance", "time", "quantity", "temporal", "money",
    "documentreference", "militaryplatform", "weapon", "nationality", "commsidentifier",
    "frequency", "coordinate", "vehicle",
)  # fmt: skip
SMALL = frozenset("of the and de van von der den la le du da di for & 's ' - . , al el bin".split())
FIRST = frozenset("the a an his her their our my your its this that these those".split())
_MIXED = "entities/ner_mixed"
SETS = {  # files, and whether only names are marked in them
    "wikigold": ((f"{_MIXED}/wikigold__wikigold.conll.txt.xz",), True),
    "ewt": (("entities/uner_ewt/en_ewt-ud-dev.iob2.xz",), True),
    "re3d": ((f"{_MIXED}/re3d__train__re3d-train.conll.xz",), False),
    "gum": ((f"{_MIXED}/GUM__train__gum-train.conll.xz",), False),
    "btc": (tuple(f"{_MIXED}/BTC__{part}.conll.xz" for part in "abefgh"), True),
}
TESTS = {
    "ewt_test": (("entities/uner_ewt/en_ewt-ud-test.iob2.xz",), True),
    "gum_test_names": ((f"{_MIXED}/GUM__test__gum-test.conll.xz",), False),
    "re3d_test": ((f"{_MIXED}/re3d__test__re3d-test.conll.xz",), False),
}
SWAPPED = ("wikigold", "ewt", "re3d", "gum")  # whose names also stand in each other's places
COPIES, SWAP = 2, 0.6  # how often, and the share of names
Row = tuple[str, str]  # word, label


def main(shared: Path, out: Path) -> None:
    """Write NAME.conll and NAME_dev.conll of each set, and the tests."""
    out.mkdir(parents=True, exist_ok=True)
    learn, held = {}, {}
    for name, (places, only_names) in SETS.items():
        read = [rows for place in places for rows in sentences(shared / place, name, only_names)]
        learn[name] = [rows for i, rows in enumerate(read) if i % 10 != 5]
        held[name] = read[5::10]
    names: dict[str, list[list[str]]] = defaultdict(list)
    for rows in (rows for name in SWAPPED for rows in learn[name]):
        for kind, first, last in runs([tag for _, tag in rows]):
            names[kind].append([word for word, _ in rows[first:last]])
    for name in SETS:
        made = list(_swapped(learn[name], names)) if name in SWAPPED else []
        _write(out / f"{name}.conll", [*learn[name], *made])
        _write(out / f"{name}_dev.conll", held[name])
    for name, (places, only_names) in TESTS.items():
        _write(out / f"{name}.conll", list(sentences(shared / places[0], name, only_names)))


def sentences(path: Path, name: str, only_names: bool) -> list[list[Row]]:
    """A set's sentences with the labels used here."""
    mapping = NAMES | dict.fromkeys(DROPPED, "O") if only_names else {}
    data = read_task(path, "tokens", name, mapping)
    return list(_as_they_are(data) if only_names else _names_only(data))


def _write(path: Path, sentences: Sequence[Sequence[Row]]) -> None:
    text = "".join("".join(f"{w}\t{t}\n" for w, t in rows) + "\n" for rows in sentences)
    path.write_text(text, "utf-8")
    kinds = Counter(tag[2:] for rows in sentences for _, tag in rows if tag.startswith("B-"))
    print(f"{path.name}: {len(sentences)} sentences, {dict(kinds)}")


def _swapped(
    sentences: Sequence[list[Row]], names: Mapping[str, Sequence[list[str]]]
) -> Iterator[list[Row]]:
    """Sentences with names, some of which give their place to others of their kind."""
    draw = random.Random(7)
    for rows in [*sentences] * COPIES:
        spans = runs([tag for _, tag in rows])
        if not spans:
            continue
        new = list(rows)
        for kind, first, last in reversed(spans):
            if draw.random() < SWAP:
                words = draw.choice(names[kind])
                tags = [f"B-{kind}", *[f"I-{kind}"] * (len(words) - 1)]
                new[first:last] = zip(words, tags, strict=True)
        yield new


def _rows(example: TaskExample) -> list[Row]:
    words = [example.text[a:b] for a, b in example.words]
    return list(zip(words, example.tags, strict=True))


def _as_they_are(data: TaskData) -> Iterator[list[Row]]:
    """Sentences whose marked handles ("@ name") are no names."""
    for example in data.examples:
        rows = _rows(example)
        for i, (word, _) in enumerate(rows):
            if word == "@" and i + 1 < len(rows):
                rows[i], rows[i + 1] = (word, "O"), (rows[i + 1][0], "O")
        yield _restarted(rows)


def _restarted(rows: list[Row]) -> list[Row]:
    """With B- where a span has lost its first word."""
    tags = [tag for _, tag in rows]
    new = ["O"] * len(rows)
    for kind, first, last in runs(tags):
        new[first:last] = [f"B-{kind}", *[f"I-{kind}"] * (last - first - 1)]
    return [(word, tag) for (word, _), tag in zip(rows, new, strict=True)]


def _names_only(data: TaskData) -> Iterator[list[Row]]:
    """Sentences in which each mention is plainly a name or plainly none."""
    for example in data.examples:
        rows = _rows(example)
        words = [word for word, _ in rows]
        tags = ["O"] * len(rows)
        sure = True
        for kind, first, last in runs(example.tags):
            while first < last and words[first].casefold() in FIRST:
                first += 1
            name = NAMES.get(kind.casefold())
            if _is_name(words[first:last]) and name:
                tags[first:last] = [f"B-{name}", *[f"I-{name}"] * (last - first - 1)]
            elif name and any(w[:1].isupper() and w != "I" for w in words[max(first, 1) : last]):
                sure = False
        if sure:
            yield list(zip(words, tags, strict=True))


def _is_name(words: Sequence[str]) -> bool:
    big = [w for w in words if w[:1].isupper()]
    small = [w for w in words if not w[:1].isupper() and not w[:1].isdigit()]
    pronoun = len(words) == 1 and words[0].casefold() in PRONOUNS
    return bool(big) and words[0] in big and not pronoun and all(w in SMALL for w in small)


PRONOUNS = frozenset(
    "i me we us he him she her they them you it who his hers mine yours ours everyone".split()
)

if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
