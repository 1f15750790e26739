"""Topics by example: answers of three kinds told apart, none told apart from some, and how fast.

MedQuAD's answers are a library as dragtor keeps it, and their vectors are read from it. Kinds of
questions are topics: causes, symptoms and treatment, and others to see that nothing is tuned to
these. An answer's vector is the mean of its passages', or its first passage's. Shows of podcasts
are topics too, of passages: a show's small talk counts as its topic, so those figures are low.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from common import Shown
from numpy.typing import NDArray

from dragtor.config import Config, load_config
from dragtor.embed import Embedder
from dragtor.entities.topic_tags import topic_tags
from dragtor.entities.topics import NONE_COUNT, OFFSET, SCALE, TOPIC_PROBABILITY, Prototypes
from dragtor.evaluate.common import kept_empty, path_hash
from dragtor.library import Library
from dragtor.store import Store
from dragtor.store.vectors import passage_vectors
from dragtor.types import NEVER, Document, Source, short_hash

MEDQUAD = Path("../shared/data/medquad/consumer.jsonl")
PODCASTS = Path("../shared/data/podcast_transcripts")
MAIN = ("causes", "symptoms", "treatment")
OTHERS = (
    ("outlook", "research", "treatment"), ("prevention", "symptoms", "treatment"),
    ("exams and tests", "prevention", "symptoms"), ("causes", "outlook", "treatment"),
    ("susceptibility", "symptoms", "treatment"),
)  # fmt: skip
SHOWS = ("gotime", "practicalai", "brainscience")
OTHER_SHOWS = ("founderstalk", "jsparty", "rfc", "shipit", "afk", "bigtent")
EPISODES = 4  # of a show
EXAMPLES, DRAWS = 20, 10
LEAST = 100  # answers of a kind that takes part
WORDS = {
    "causes": ("what brings the disease on", "genes, germs or damage that lead to the illness"),
    "symptoms": ("signs that patients notice, such as pain and fever", "feeling tired or sick"),
    "treatment": ("medicines, surgery and therapy", "your doctor may prescribe drugs"),
}

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]


def answers() -> list[dict[str, str]]:
    with MEDQUAD.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def answer_documents() -> Iterator[Document]:
    for row in answers():
        uri = answer_uri(row)
        yield Document(short_hash(uri), uri, "file", "", row["answer"])


def answer_uri(row: Mapping[str, str]) -> str:
    """Ids are counted anew for each source."""
    return f"medquad:{row['source']}/{row['_id']}"


def episodes() -> list[Path]:
    shows = (*SHOWS, *OTHER_SHOWS)
    return [p for show in shows for p in sorted((PODCASTS / show).glob("*.md"))[:EPISODES]]


def episode_documents() -> Iterator[Document]:
    for path in episodes():
        uri = f"show:{path.parent.name}/{path.name}"
        yield Document(short_hash(uri), uri, "file", "", path.read_text("utf-8"))


def kept(name: str, data: Path, documents: Iterable[Document], config: Config) -> Library:
    """The documents as a library of this benchmark's own, kept between runs."""
    library = kept_empty(Library, ("topics", path_hash(data)), config, Shown(100), NEVER)
    with library.ingest() as ingest:
        source = Source(short_hash("topics", name), name, "corpus", name)
        ingest.writer.put_source(source)
        for document in documents:
            ingest.writer.put_pending(source.id, document.uri, "", document)
        ingest.index()
    return library


def unit(rows: Vectors) -> Vectors:
    found: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def stored(store: Store, uris: Sequence[str]) -> list[Vectors]:
    """The vectors of each document's passages."""
    return [passage_vectors(store, short_hash(uri))[1] for uri in uris]


# Three kinds, no training


def draws(
    kinds: Sequence[str], names: Sequence[str], share: float = 0, times: int = DRAWS
) -> Iterator[Any]:
    """(rows of examples by kind, rows held out, their kinds): EXAMPLES each, or a share of all."""
    at = np.array([names.index(kind) if kind in names else -1 for kind in kinds])
    for seed in range(times):
        rng = np.random.default_rng(seed)
        rows = [rng.permutation(np.flatnonzero(at == k)) for k in range(len(names))]
        sizes = [int(share * len(each)) or EXAMPLES for each in rows]
        held = np.concatenate([each[n:] for each, n in zip(rows, sizes, strict=True)])
        yield [each[:n] for each, n in zip(rows, sizes, strict=True)], held, at[held]


def as_dragtor(vectors: Vectors, examples: Sequence[Labels], held: Labels) -> Labels:
    known = {str(k): vectors[rows] for k, rows in enumerate(examples)}
    found: Labels = Prototypes.of(known, vectors).log_odds(vectors[held]).argmax(axis=1)
    return found


def centroid(vectors: Vectors, examples: Sequence[Labels], held: Labels) -> Labels:
    means = unit(np.stack([vectors[rows].mean(axis=0) for rows in examples]))
    found: Labels = (vectors[held] @ means.T).argmax(axis=1)
    return found


def nearest_5(vectors: Vectors, examples: Sequence[Labels], held: Labels) -> Labels:
    kinds = np.repeat(np.arange(len(examples)), [len(rows) for rows in examples])
    order = np.argsort(-(vectors[held] @ vectors[np.concatenate(examples)].T), axis=1)[:, :5]
    return np.array([np.bincount(kinds[row], minlength=3).argmax() for row in order])


def logistic(vectors: Vectors, examples: Sequence[Labels], held: Labels) -> Labels:
    """Trained on the examples: multinomial, L2, by Nesterov's accelerated gradient."""
    moved = unit(vectors - vectors.mean(axis=0))
    rows = np.concatenate(examples)
    wanted = np.eye(len(examples))[np.repeat(np.arange(len(examples)), [*map(len, examples)])]
    x, penalty = np.hstack([moved[rows], np.ones((len(rows), 1))]), 0.1 / len(rows)
    step = 1 / (0.5 * np.linalg.norm(x, 2) ** 2 / len(rows) + penalty)
    weights = ahead = np.zeros((x.shape[1], len(examples)))
    for t in range(200):
        shares = np.exp(x @ ahead - (x @ ahead).max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        new = ahead - step * (x.T @ (shares - wanted) / len(rows) + penalty * ahead)
        ahead, weights = new + t / (t + 3) * (new - weights), new
    found: Labels = (moved[held] @ weights[:-1] + weights[-1]).argmax(axis=1)
    return found


METHODS = {"dragtor": as_dragtor, "centroid": centroid, "nearest 5": nearest_5}


def accuracy(
    vectors: Vectors,
    kinds: Sequence[str],
    names: Sequence[str],
    method: Any,
    share: float = 0,
    times: int = DRAWS,
) -> float:
    found = [
        float((method(vectors, examples, held) == wanted).mean())
        for examples, held, wanted in draws(kinds, names, share, times)
    ]
    return round(float(np.mean(found)), 4)


def told_apart(vectors: Vectors, kinds: Sequence[str]) -> dict[str, Any]:
    """Means of ten draws: three kinds, five other threes; of two, all threes of large kinds."""
    figures: dict[str, Any] = {
        name: accuracy(vectors, kinds, MAIN, method) for name, method in METHODS.items()
    }
    figures["trained on 60"] = accuracy(vectors, kinds, MAIN, logistic)
    figures["trained on half"] = accuracy(vectors, kinds, MAIN, logistic, 0.5)
    figures["dragtor, half are examples"] = accuracy(vectors, kinds, MAIN, as_dragtor, 0.5)
    figures["others"] = {
        ", ".join(names): accuracy(vectors, kinds, names, as_dragtor) for names in OTHERS
    }
    large = sorted(kind for kind in set(kinds) if kinds.count(kind) >= LEAST)
    every = {
        name: [accuracy(vectors, kinds, names, method, times=2) for names in combinations(large, 3)]
        for name, method in METHODS.items()
        if name != "nearest 5"
    }
    figures["all threes"] = {name: round(float(np.mean(each)), 4) for name, each in every.items()}
    return figures


# None, and how certain


def tagged(
    vectors: Vectors, kinds: Sequence[str], examples: Mapping[str, Vectors], held: Labels
) -> dict[str, float]:
    """Of held-out passages: precision and recall of the tags, how many of none have one, ECE."""
    prototypes = Prototypes.of(examples, vectors)
    best = prototypes.probabilities(vectors[held])
    sure, named = best.max(axis=1), np.array([*examples])[best.argmax(axis=1)]
    wanted = np.array(kinds)[held]
    tags, right = sure >= TOPIC_PROBABILITY, named == wanted
    topic = np.isin(wanted, [*examples])
    bins = np.minimum((sure * 10).astype(int), 9)
    gaps = [
        (bins == b).mean() * abs(sure[bins == b].mean() - right[bins == b].mean())
        for b in set(bins.tolist())
    ]
    return {
        "precision": float(right[tags].mean()) if tags.any() else 1.0,
        "recall": float(right[tags].sum() / topic.sum()),
        "none_tagged": float(tags[~topic].mean()),
        "ece": float(sum(gaps)),
    }


def none_told(
    vectors: Vectors, kinds: Sequence[str], names: Sequence[str], given: Mapping[str, Vectors]
) -> dict[str, float]:
    """Means of ten draws; with `given` the examples are these."""
    rows = []
    for examples, _, _ in draws(kinds, names):
        known = given or {n: vectors[e] for n, e in zip(names, examples, strict=True)}
        used = np.array([], dtype=int) if given else np.concatenate(examples)
        held = np.setdiff1d(np.arange(len(vectors)), used)
        rows.append(tagged(vectors, kinds, known, held))
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


def absent(vectors: Vectors, others: Vectors, kinds: Sequence[str]) -> float:
    """Share of a library's passages that get a topic which no passage of it is about."""
    shares = []
    for examples, _, _ in draws(kinds, SHOWS):
        known = {n: others[e] for n, e in zip(SHOWS, examples, strict=True)}
        found = Prototypes.of(known, vectors).probabilities(vectors)
        shares.append(float((found.max(axis=1) >= TOPIC_PROBABILITY).mean()))
    return round(float(np.mean(shares)), 4)


# Where SCALE and OFFSET come from


def fitted(libraries: Sequence[tuple[Vectors, Sequence[str]]], words: Any) -> dict[str, float]:
    """Scale and offset of least log loss: three topics of a library's others, each time.

    3 or 20 passages are the examples, or words; or the examples are of another library.
    """
    scores, wanted = [], []
    for seed in range(4):
        rng = np.random.default_rng(100 + seed)
        for at, (vectors, kinds) in enumerate(libraries):
            others, other_kinds = libraries[1 - at]
            for n in (3, EXAMPLES):
                names = rng.permutation(sorted(set(kinds)))[:3].tolist()
                rows = [rng.permutation(np.flatnonzero(np.array(kinds) == k))[:n] for k in names]
                some = np.setdiff1d(rng.permutation(len(vectors))[:400], np.concatenate(rows))
                away = rng.permutation(len(others))[:400]
                known = {name: vectors[e] for name, e in zip(names, rows, strict=True)}
                for library, held, of in ((vectors, some, kinds), (others, away, other_kinds)):
                    scores.append(bare(known, library, held))
                    wanted += [names.index(of[i]) if of[i] in names else 3 for i in held]
        vectors, kinds = libraries[0]
        held = rng.permutation(len(vectors))[:800]
        scores.append(bare(words, vectors, held))
        wanted += [MAIN.index(kinds[i]) if kinds[i] in MAIN else 3 for i in held]
    return least_loss(np.concatenate(scores), np.eye(4)[wanted])


def bare(examples: Mapping[str, Vectors], library: Vectors, held: Labels) -> Vectors:
    found: Vectors = (Prototypes.of(examples, library).log_odds(library[held]) - OFFSET) / SCALE
    return found


def least_loss(scores: Vectors, wanted: NDArray[np.float64]) -> dict[str, float]:
    """Newton's method on two numbers, from those in force."""
    now = np.array([SCALE, OFFSET])
    for _ in range(40):
        odds = np.hstack([now[0] * scores + now[1], np.zeros((len(scores), 1))])
        shares = np.exp(odds - odds.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        of_both = np.stack([scores, np.ones_like(scores)], axis=2)  # of each topic; of none 0
        mean = np.einsum("nk,nkd->nd", shares[:, :3], of_both)
        slope = np.einsum("nk,nkd->d", shares[:, :3] - wanted[:, :3], of_both)
        curve = np.einsum("nk,nkd,nke->de", shares[:, :3], of_both, of_both) - mean.T @ mean
        step = np.linalg.solve(curve, slope)
        now = now - step * min(1, 3 / np.abs(step).max())  # as far as a parabola may be trusted
    return {"scale": round(float(now[0]), 1), "offset": round(float(now[1]), 2)}


def in_words(embedder: Embedder) -> dict[str, Vectors]:
    """The kinds by their names and two short lines each, as a user writes them."""
    return {name: embedder.embed_queries([name, *texts]) for name, texts in WORDS.items()}


def run() -> dict[str, Any]:
    config = load_config()
    rows = answers()
    kinds = [row["qtype"] for row in rows]
    with kept("medquad", MEDQUAD, answer_documents(), config) as library:
        parts = stored(library.store(), [answer_uri(row) for row in rows])
        words = in_words(library.embedder)
        start = time.perf_counter()
        for _ in topic_tags(library.store(), library.embedder, WORDS):
            pass
        seconds = time.perf_counter() - start
    with kept("shows", PODCASTS, episode_documents(), config) as library:
        names = [path.parent.name for path in episodes()]
        uris = [f"show:{path.parent.name}/{path.name}" for path in episodes()]
        of_shows = stored(library.store(), uris)
    shows = [name for name, each in zip(names, of_shows, strict=True) for _ in each]
    passages, spoken = np.concatenate(parts), np.concatenate(of_shows)
    of_passages = [kind for kind, each in zip(kinds, parts, strict=True) for _ in each]
    # what "information" answers say is of every kind
    clear = np.flatnonzero(np.array(of_passages) != "information")
    clear_kinds = [of_passages[i] for i in clear]
    return {
        "constants": {"scale": SCALE, "offset": OFFSET, "none_count": NONE_COUNT},
        "fitted": fitted([(passages[clear], clear_kinds), (spoken, shows)], words),
        "answers": told_apart(unit(np.stack([each.mean(axis=0) for each in parts])), kinds),
        "first_passages": told_apart(np.stack([each[0] for each in parts]), kinds),
        "shows": {name: accuracy(spoken, shows, SHOWS, m) for name, m in METHODS.items()},
        "none": {
            "kinds": none_told(passages[clear], clear_kinds, MAIN, {}),
            "kinds in words": none_told(passages[clear], clear_kinds, MAIN, words),
            "shows": none_told(spoken, shows, SHOWS, {}),
            "of another library": absent(passages, spoken, shows),
        },
        "passages": len(passages),
        "tagging_s": round(seconds, 2),
    }
