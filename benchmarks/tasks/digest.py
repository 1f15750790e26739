"""Where texts turn to another topic, beside an even split; and whether digests quote verbatim.

Documents whose parts are known and whose headings are taken out: pages with headings, Wikipedia
articles, a disease's answers of MedQuAD one after the other, and stretches of episodes of one show.
Pk (Beeferman et al. 1999) and WindowDiff (Pevzner & Hearst 2002), of characters, over half the mean
part: less is better, and where nothing is split Pk is `none`. What boundaries.py fixes was chosen
on every second document of each kind; the figures are of the others.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from statistics import mean
from typing import Any

from common import DATA, Shown

from dragtor.config import load_config
from dragtor.digest.boundaries import topic_stretches
from dragtor.errors import LoadError
from dragtor.library import Library
from dragtor.load.html import extract_html
from dragtor.store.vectors import passage_vectors
from dragtor.types import Document, Source, short_hash

LEAST_PART = 200  # characters
SHOWS = ("gotime", "practicalai", "brainscience", "founderstalk", "jsparty", "rfc", "shipit")
EPISODES, PER_SHOW = 5, 6  # joined, and how many such documents of a show
PART_CHARACTERS = (1500, 6000)  # of an episode

Parts = list[str]
Gold = dict[str, list[int]]  # by document: where parts begin


def pages() -> Iterator[Parts]:
    for path in sorted((DATA / "article_extraction" / "html").glob("*.gz")):
        try:
            text = extract_html(gzip.decompress(path.read_bytes()), "").text
        except LoadError:
            continue
        yield re.split(r"(?m)^#{1,6} .*$", text)


def articles() -> Iterator[Parts]:
    lines = (DATA / "chroma_chunking/corpora/wikitexts.md").read_text("utf-8").splitlines()
    parts: Parts = []
    for line in lines:
        if heading := re.fullmatch(r"\s*((?:= )+).*?(?: =)+\s*", line):
            level = heading[1].count("=")
            if level == 1 and parts:
                yield parts
            parts = [] if level == 1 else parts
            parts += [""] if level <= 2 else []
        elif parts and line.strip():
            parts[-1] += f"{line.strip()}\n\n"
    yield parts


def diseases() -> Iterator[Parts]:
    """Every third: they are many."""
    of_page: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    with (DATA / "medquad/consumer.jsonl").open(encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            of_page[row["source"], row["url"]].setdefault(row["qtype"], row["answer"])
    several = (list(parts.values()) for parts in of_page.values())
    yield from [p for p in several if sum(len(part) > LEAST_PART for part in p) > 3][::3]


def episodes() -> Iterator[Parts]:
    rng = random.Random(5)
    for show in SHOWS:
        paths = sorted((DATA / "podcast_transcripts" / show).glob("*.md"))
        for _ in range(PER_SHOW):
            yield [_stretch(path.read_text("utf-8"), rng) for path in rng.sample(
                paths, min(len(paths), EPISODES))]  # fmt: skip


def _stretch(transcript: str, rng: random.Random) -> str:
    told = [part for part in transcript.split("\n\n") if not part.startswith("**Break")]
    said = [re.sub(r"^\*\*[^*]+:\*\*\s*", "", part).strip() for part in told]
    size, at, found = rng.randint(*PART_CHARACTERS), rng.randrange(max(1, len(said) - 40)), ""
    while len(found) < size and at < len(said):
        found += f"{said[at]}\n\n"
        at += 1
    return found


KINDS: dict[str, Callable[[], Iterator[Parts]]] = {
    "pages": pages, "articles": articles, "diseases": diseases, "episodes": episodes,
}  # fmt: skip


def documents(kind: str, gold: Gold, n: int) -> Iterator[Document]:
    """Those of a kind that nothing was chosen on; where their parts begin goes into `gold`."""
    made = ([part.strip() for part in parts] for parts in KINDS[kind]())
    several = [p for parts in made if len(p := [x for x in parts if len(x) > LEAST_PART]) > 2]
    for number, parts in list(enumerate(several))[1::2][: n or None]:
        uri, starts, text = f"{kind}:{number}", [], ""
        for part in parts:
            starts.append(len(text))
            text += f"{re.sub(r'(?m)^#+ ', '', part)}\n\n"
        gold[uri] = starts[1:]
        yield Document(short_hash(uri), uri, "file", uri, text.rstrip())


def differences(gold: Sequence[int], found: Sequence[int], size: int) -> tuple[float, float]:
    """Pk and WindowDiff of boundaries in a text of so many characters."""
    window = max(1, round(size / (len(gold) + 1) / 2))
    wrong = unlike = 0
    for at in range(size - window):
        real, ours = (sum(at < b <= at + window for b in each) for each in (gold, found))
        wrong += bool(real) != bool(ours)
        unlike += real != ours
    return wrong / (size - window), unlike / (size - window)


def even(size: int, parts: int) -> list[int]:
    return [size * n // parts for n in range(1, parts)]


def split_figures(library: Library, gold: Gold, kind: str) -> dict[str, float]:
    rows: dict[str, list[float]] = defaultdict(list)
    for listed in library.documents():
        if not listed["uri"].startswith(f"{kind}:"):
            continue
        wanted, size = gold[listed["uri"]], listed["characters"]
        spans, vectors = passage_vectors(library.store(), listed["id"])
        text = library.recording(listed["id"])
        parts = topic_stretches(text, spans, vectors, library.embedder.embed_passages)
        found = [part.start for part in parts[1:]]
        for name, ours in (
            ("dragtor", found),
            ("even, as many", even(size, len(found) + 1)),
            ("even, right number", even(size, len(wanted) + 1)),
            ("none", []),
        ):
            pk, window_diff = differences(wanted, ours, size)
            rows[f"{name} pk"].append(pk)
            rows[f"{name} window_diff"].append(window_diff)
        rows["parts found of parts"].append((len(found) + 1) / (len(wanted) + 1))
    return {"documents": len(rows["none pk"])} | {
        name: round(mean(values), 4) for name, values in rows.items()
    }


def digested(library: Library) -> dict[str, Any]:
    """Digests of all documents, and of them together, without a language model."""
    begun = time.perf_counter()
    found = [library.digest(row["id"], model=False) for row in library.documents()]
    seconds = (time.perf_counter() - begun) / len(found)
    found.append(library.digest(library.sources()[0].id, model=False))
    texts = {row["id"]: library.recording(row["id"]).text for row in library.documents()}
    quotes = [quote for each in found for topic in each.topics for quote in topic.quotes]
    named = [topic for each in found for topic in each.topics]
    return {
        "quotes": len(quotes),
        "verbatim": mean(q.quote == texts[q.document_id][q.start : q.end] for q in quotes),
        "named": mean(bool(topic.name) for topic in named),
        "seconds_a_document": round(seconds, 3),
    }


def run(n: int = 0) -> dict[str, Any]:
    """`n` documents of each kind, 0: all."""
    gold: Gold = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        Library(folder, config=load_config(), reporter=Shown(50)) as library,
    ):
        with library.ingest() as ingest:
            source = Source("digest", "digest", "corpus", "digest")
            ingest.writer.put_source(source)
            for kind in KINDS:
                for document in documents(kind, gold, n):
                    ingest.writer.put_pending(source.id, document.uri, "", document)
            ingest.index()
        kinds = {kind: split_figures(library, gold, kind) for kind in KINDS}
        names = [name for name in kinds["pages"] if name != "documents"]
        together = {name: round(mean(k[name] for k in kinds.values()), 4) for name in names}
        less = together["even, right number pk"] - together["dragtor pk"]
        return {"kinds": kinds, "mean": together, "pk_below_even": round(less, 4),
                "digests": digested(library)}  # fmt: skip
