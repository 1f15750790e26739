"""Make the training files of the head set `tags` out of openly licensed sets.

    python scripts/tags_data.py ../shared/data data/tags

Maps every set's labels to person, organisation, place, other; of sets that also mark what is no
name ("my brother", "the hotel") only names are kept, and a sentence where that cannot be told is
left out. Says what it wrote. CoNLL-2003 is never among them: its terms forbid it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
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
SETS = {  # file -> (where from, whether only names are marked)
    "wikigold": ("entities/ner_mixed/wikigold__wikigold.conll.txt.xz", True),
    "ewt": ("entities/uner_ewt/en_ewt-ud-dev.iob2.xz", True),
    "re3d": ("entities/ner_mixed/re3d__train__re3d-train.conll.xz", False),
    "gum": ("entities/ner_mixed/GUM__train__gum-train.conll.xz", False),
} | {f"btc_{x}": (f"entities/ner_mixed/BTC__{x}.conll.xz", True) for x in "abefgh"}  # fmt: skip
TESTS = {
    "ewt_test": ("entities/uner_ewt/en_ewt-ud-test.iob2.xz", True),
    "gum_test_names": ("entities/ner_mixed/GUM__test__gum-test.conll.xz", False),
    "re3d_test": ("entities/ner_mixed/re3d__test__re3d-test.conll.xz", False),
}
Row = tuple[str, str]  # word, label


def main(shared: Path, out: Path) -> None:
    """Write a file a set."""
    out.mkdir(parents=True, exist_ok=True)
    mapping = NAMES | dict.fromkeys(DROPPED, "O")
    for name, (place, only_names) in (SETS | TESTS).items():
        data = read_task(shared / place, "tokens", name, {} if not only_names else mapping)
        sentences = list(_names_only(data) if not only_names else _as_they_are(data))
        text = "".join("".join(f"{w}\t{t}\n" for w, t in rows) + "\n" for rows in sentences)
        (out / f"{name}.conll").write_text(text, "utf-8")
        kinds = Counter(t[2:] for rows in sentences for _, t in rows if t.startswith("B-"))
        left = len(data.examples) - len(sentences)
        print(f"{name}: {len(sentences)} sentences, {left} left out, {dict(kinds)}")


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
