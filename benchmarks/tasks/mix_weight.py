"""Choose the mix weight on training questions of three kinds; report SciFact's test at it.

Claims (SciFact train), questions to long articles (covid_qa half), consumers' questions (MedQuAD
half, answers without their titles). The chosen weight has the best mean of the three nDCG@10.
Whether the question should decide its weight: a ridge regression from what is seen of a question
and its two lists to the gain of each weight, fitted on two sets and tried on the third.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from covid_retrieval import candidates, library_of, questions_of, rows

from dragtor import metrics, retrieve
from dragtor.config import Config, load_config
from dragtor.evaluate.common import kept_library
from dragtor.evaluate.retrieval import corpus_ids, corpus_library, judgements, queries_of
from dragtor.library import Library
from dragtor.store import Candidates
from dragtor.types import Document, short_hash

DATA = Path("../shared/data")
WEIGHTS = [0.0, *(n / 20 for n in range(6, 21))]
RIDGE = 300.0  # on standardised features; less fits the two training sets and loses more


@dataclass
class Asked:
    """One set: nDCG@10 (questions, weights), and features (questions, n)."""

    scores: Any
    features: Any


def asked(
    library: Library, questions: list[tuple[str, dict[str, int]]], *, by_document: bool
) -> Asked:
    config, store = library.config.retrieve, library.store()
    names = corpus_ids(store)
    of_row = {
        row: names[document] if by_document else str(row)
        for row, document in store.rows(
            "SELECT rowid, document_id FROM passages WHERE edition = ?", (store.index_version,)
        )
    }
    scores, features = [], []
    for text, grades in questions:
        found = candidates(library, text, config)
        features.append(seen(text, found))
        line = []
        for weight in WEIGHTS:
            ranked = retrieve.hybrid_score(found, weight, config.candidates)
            ranking = list(dict.fromkeys(of_row[r.row] for r in ranked))
            line.append(metrics.ndcg(ranking, grades, 10))
        scores.append(line)
    return Asked(np.array(scores), np.array(features))


def seen(text: str, found: Candidates) -> list[float]:
    """Length of the question, shape of its two lists, and how far they agree."""
    dense = sorted(found.dense.values(), reverse=True)
    words = sorted(found.lexical.values(), reverse=True) or [0.0]
    best_dense = sorted(found.dense, key=lambda row: -found.dense[row])[:10]
    best_words = sorted(found.lexical, key=lambda row: -found.lexical[row])[:10]
    top, n = words[0] or 1.0, len(text.split())
    tenth = min(9, len(words) - 1)
    return [
        n,
        float(np.log1p(words[0])),
        words[0] / max(n, 1),
        1 - words[tenth] / top,
        1 - words[min(99, len(words) - 1)] / top,
        dense[0],
        dense[0] - dense[min(9, len(dense) - 1)],
        dense[0] - dense[min(99, len(dense) - 1)],
        len({*best_dense} & {*best_words}) / 10,
        dense[0] - found.dense[best_words[0]] if best_words else 1.0,
        1 - found.lexical.get(best_dense[0], 0.0) / top,
    ]


def medquad(config: Config) -> tuple[Library, list[tuple[str, dict[str, int]]]]:
    """Each answer once, without title; a question asked twice has both its answers."""
    path = DATA / "medquad" / "consumer.jsonl"
    pairs = [(r["question"].strip(), r["answer"].strip()) for r in rows(path)]
    pairs = [(question, answer) for question, answer in pairs if answer]

    def documents() -> Iterator[Document]:
        for answer in dict.fromkeys(answer for _, answer in pairs):
            uri = f"answer:{short_hash(answer)}"
            yield Document(short_hash(uri), uri, "file", "", answer)

    grades: dict[str, dict[str, int]] = {}
    for question, answer in pairs:
        grades.setdefault(question.lower(), {})[short_hash(answer)] = 1
    asked = {question.lower(): question for question, _ in pairs}
    library = kept_library("medquad", path, documents, config)
    return library, [(asked[key], each) for key, each in grades.items()]


def scifact(config: Config, split: str) -> Asked:
    folder = DATA / "scifact"
    texts = queries_of(folder)
    judged = judgements(folder / "qrels" / f"{split}.tsv")
    questions = [(texts[query], grades) for query, grades in judged.items()]
    with corpus_library(folder, config) as library:
        return asked(library, questions, by_document=True)


def decided(sets: Mapping[str, Asked], held_out: str) -> Any:
    """nDCG@10 of each question of `held_out`, its weight chosen by what the others taught."""
    others = [one for name, one in sets.items() if name != held_out]
    x = np.concatenate([one.features for one in others])
    y = np.concatenate([one.scores - one.scores.mean(1, keepdims=True) for one in others])
    # each set counts alike
    share = np.concatenate([np.full(len(one.scores), len(x) / len(one.scores)) for one in others])
    mean, spread = x.mean(0), x.std(0) + 1e-9
    z = np.c_[np.ones(len(x)), (x - mean) / spread]
    left = (z * share[:, None]).T @ z + RIDGE * np.eye(z.shape[1])
    fitted = np.linalg.solve(left, (z * share[:, None]).T @ y)
    held = sets[held_out]
    gains = np.c_[np.ones(len(held.features)), (held.features - mean) / spread] @ fitted
    return held.scores[np.arange(len(gains)), gains.argmax(1)]


def run(encoder: str = "gte-small") -> dict[str, object]:
    config = load_config(overrides={"embed": {"model": encoder}})
    sets = {"scifact_train": scifact(config, "train")}
    with library_of(DATA / "covid_qa", config) as library:
        questions = questions_of(DATA / "covid_qa", library.store())
        sets["covid_qa_half"] = asked(library, questions, by_document=False)
    library, questions = medquad(config)
    with library:
        sets["medquad_half"] = asked(library, questions, by_document=True)
    curves = {name: one.scores.mean(0) for name, one in sets.items()}
    together = np.mean(list(curves.values()), axis=0)
    chosen = int(together.argmax())
    at_chosen = {name: one.scores[:, chosen] for name, one in sets.items()}
    by_question = {name: decided(sets, name) for name in sets}
    test = scifact(config, "test").scores[:, chosen].tolist()
    return {
        "encoder": encoder,
        "questions": {name: len(one.scores) for name, one in sets.items()},
        "ndcg@10": {
            name: {f"{w:.2f}": round(float(v), 4) for w, v in zip(WEIGHTS, curve, strict=True)}
            for name, curve in {**curves, "mean": together}.items()
        },
        "chosen_weight": WEIGHTS[chosen],
        "against_0.80_ci": {
            name: ci(one.scores[:, WEIGHTS.index(0.8)], at_chosen[name])
            for name, one in sets.items()
        },
        "question_decides": {
            name: {
                "ndcg@10": round(float(each.mean()), 4),
                "against_chosen_ci": ci(at_chosen[name], each),
            }
            for name, each in by_question.items()
        },
        "scifact_test_ndcg@10": round(metrics.mean(test), 4),
        "scifact_test_ndcg@10_ci": [round(bound, 4) for bound in metrics.interval(test)],
    }


def ci(before: Any, after: Any) -> list[float]:
    return [round(b, 4) for b in metrics.paired_interval(before.tolist(), after.tolist())]
