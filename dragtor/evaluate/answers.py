"""`dragtor eval answers`: does `ask` answer rightly, cite rightly, and refuse rightly?

JSONL: {question, answerable, reference?, must_contain?: [verbatim], relevant?: [documents], kind?}
over a library or a folder of documents. Deterministic measures; judge.py adds the model's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor import metrics
from dragtor.config import Config
from dragtor.errors import LoadError
from dragtor.evaluate.common import Progress, content_hash, means, versions
from dragtor.evaluate.record import ANSWER, Journal, run_key
from dragtor.library import Library
from dragtor.types import short_hash

if TYPE_CHECKING:
    from dragtor.ground import Gate
    from dragtor.store import Store

ROOMS = ("answer", "embed", "ground", "llm", "prompt", "retrieve", "split")
JUDGED_HITS = 4  # whose text the judge is given
Row = Mapping[str, Any]


def evaluate(
    path: Path,
    config: Config,
    *,
    documents: Path | None = None,
    progress: Progress,
    calibrate: bool = False,
    limit: int = 0,
    judge: bool = False,
) -> dict[str, Any]:
    """Ask every question and score the answers; answered ones are kept, so a run can go on.

    `documents` is a library, or a folder of documents that is made one. `calibrate` first fits
    the library's gate on these very questions.
    """
    rows = questions_of(path)[: limit or None]
    with opened(documents, config, progress) as library:
        fitted: dict[str, Any] = {}
        if calibrate:
            gate, effect = fit_gate(library, rows, progress)
            library.keep_gate(gate)
            fitted = {"gate": gate.to_dict() | effect}
        names = document_names(library.store())
        key = run_key([path], _settings(library), library.llm().name, ROOMS)
        with Journal.open("answers", key) as journal:
            answers = [
                _asked(library, row["question"], journal)
                for row in _counted(rows, "asking", progress)
            ]
        found = scores(rows, answers, names, library.store())
        model = library.llm().name
        if judge:
            from dragtor.evaluate.judge import judged

            found |= judged(library.llm(), rows, answers, progress)
    result = {
        "kind": "answers",
        "path": path.name,
        "n": len(rows),
        "metrics": found,
        "model": model,
        "versions": versions(),
    }
    return result | fitted


def questions_of(path: Path) -> list[dict[str, Any]]:
    """The rows of the file, checked, with every key."""
    rows = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"cannot read {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            rows.append(
                {
                    "question": str(row["question"]),
                    "answerable": bool(row.get("answerable", True)),
                    "reference": str(row.get("reference") or ""),
                    "must_contain": [str(text) for text in row.get("must_contain") or ()],
                    "relevant": [str(name) for name in row.get("relevant") or ()],
                    "kind": str(row.get("kind") or ""),
                }
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LoadError(f"{path}, line {number}: no JSON object with a question") from error
    if not rows:
        raise LoadError(f"{path} holds no question")
    return rows


@contextmanager
def opened(documents: Path | None, config: Config, progress: Progress) -> Iterator[Library]:
    """The library at `documents`, or of the documents in that folder (kept in the cache folder)."""
    if documents is None or (documents / "library.db").exists():
        with Library(documents, config=config, progress=progress) as library:
            yield library
        return
    from platformdirs import user_cache_path

    from dragtor.embed import open_embedder
    from dragtor.ingest import splitter_version, vector_fingerprint

    embedder = open_embedder(config.embed, config.models)
    made_by = vector_fingerprint(embedder, config.embed), splitter_version(config.split)
    name = short_hash("documents", content_hash(documents), *made_by)
    place = user_cache_path("dragtor") / "evals" / name
    with Library(place, config=config, progress=progress) as library:
        library.embedder = embedder
        report = library.add(documents)
        if not library.documents():
            reason = f": {report.failed[0][1]}" if report.failed else ""
            raise LoadError(f"{documents} holds no document that can be read{reason}")
        yield library


def document_names(store: Store) -> dict[str, str]:
    """Id of each document by whatever a data file may call it: id, address, file name, stem."""
    names: dict[str, str] = {}
    for row in store.documents():
        last = row["uri"].rsplit("/", 1)[-1]
        for name in (row["uri"].partition(":")[2], last.rsplit(".", 1)[0], last, row["uri"]):
            names.setdefault(name, row["id"])
        names[row["id"]] = row["id"]
    return names


def fit_gate(
    library: Library, rows: Sequence[Row], progress: Progress
) -> tuple[Gate, dict[str, float]]:
    """A gate fitted on the questions, and what it does to these very questions."""
    from dragtor import ground

    reader = library.reader()
    features = [
        reader.gate_features(row["question"]) for row in _counted(rows, "looking", progress)
    ]
    answerable = [row["answerable"] for row in rows]
    gate = ground.fit(features, answerable, library.embedder.fingerprint)
    refused = [not gate.passes(each) for each in features]
    return gate, {
        "over_refusal": _share([r for r, a in zip(refused, answerable, strict=True) if a]),
        "refusal_recall": _share([r for r, a in zip(refused, answerable, strict=True) if not a]),
    }


def _asked(library: Library, question: str, journal: Journal) -> Row:
    """The answer as plain values: as it was kept, or asked for now."""
    if (known := journal.get(question)) is not None:
        return dict(known)
    answer = library.ask(question)
    row = {
        "text": answer.text,
        "grounded": answer.grounded,
        "claims": [asdict(claim) for claim in answer.claims],
        "citations": [asdict(citation) for citation in answer.citations],
        "hits": [hit.passage.text for hit in answer.hits[:JUDGED_HITS]],
        "timings": dict(answer.timings),
        "tokens": dict(answer.tokens),
    }
    journal.put(question, row)
    return row


def scores(
    rows: Sequence[Row],
    answers: Sequence[Row],
    names: Mapping[str, str],
    store: Store,
) -> dict[str, Any]:
    """All measures over the rows, each with its 95 % interval; `kinds` has them by kind."""
    scored = [_scored(*pair, names, store) for pair in zip(rows, answers, strict=True)]
    found = _summary(scored)
    kinds = dict.fromkeys(row["kind"] for row in rows if row["kind"])
    if kinds:
        found["kinds"] = {
            kind: _of_kind([s for s, row in zip(scored, rows, strict=True) if row["kind"] == kind])
            for kind in kinds
        }
    return found


def _scored(row: Row, answer: Row, names: Mapping[str, str], store: Store) -> dict[str, Any]:
    """One answer's marks; None where a measure says nothing about it."""
    answered, cited = answer["grounded"], answer["citations"]
    found: dict[str, Any] = {
        "answerable": row["answerable"],
        "answered": answered,
        "verbatim": [_is_verbatim(citation, store) for citation in cited],
        "seconds": answer["timings"]["total"],
        "check_share": answer["timings"].get("check", 0.0) / max(answer["timings"]["total"], 1e-9),
        "prompt_tokens": answer["tokens"].get("prompt", 0),
    }
    if not row["answerable"]:
        return found
    wanted = {names.get(name, name) for name in row["relevant"]}
    if wanted:
        found["right"] = [citation["document_id"] in wanted for citation in cited]
        found["recalled"] = len(wanted & {c["document_id"] for c in cited}) / len(wanted)
    quotes = [citation["quote"] for citation in cited]
    gold = row["must_contain"] or ([row["reference"]] if row["reference"] else [])
    if gold:
        found["on_span"] = [any(overlaps(quote, text) for text in gold) for quote in quotes]
        found["carried"] = all(any(overlaps(quote, text) for quote in quotes) for text in gold)
        said = [answer["text"], *quotes] if answered else []
        found["correct"] = all(any(holds(text, part) for text in said) for part in gold)
    return found


def _summary(scored: Sequence[Row]) -> dict[str, Any]:
    asked = [s for s in scored if s["answerable"]]
    refused = [s for s in scored if not s["answered"]]
    unanswerable = [s for s in scored if not s["answerable"]]
    values: dict[str, list[float]] = {
        "answered": [s["answered"] for s in scored],
        "correct": [s["correct"] for s in asked if "correct" in s],
        "carried": [s["carried"] for s in asked if "carried" in s],
        "citation_precision": [right for s in asked for right in s.get("right", ())],
        "citation_recall": [s["recalled"] for s in asked if "recalled" in s],
        "span_precision": [on for s in asked for on in s.get("on_span", ())],
        "refusal_precision": [not s["answerable"] for s in refused],
        "refusal_recall": [not s["answered"] for s in unanswerable],
        "over_refusal": [not s["answered"] for s in asked],
        "verbatim": [v for s in scored for v in s["verbatim"]],
        "seconds": [s["seconds"] for s in scored],
        "check_share": [s["check_share"] for s in scored if s["answered"]],
        "prompt_tokens": [s["prompt_tokens"] for s in scored if s["prompt_tokens"]],
    }
    return means({name: [float(v) for v in each] for name, each in values.items() if each})


def _of_kind(scored: Sequence[Row]) -> dict[str, float]:
    found = {"n": len(scored), "refused": _share([not s["answered"] for s in scored])}
    for name in ("correct", "carried", "recalled"):
        values = [s[name] for s in scored if name in s]
        if values:
            found[name] = _share(values)
    return found


def _share(values: Sequence[Any]) -> float:
    return round(metrics.mean([float(value) for value in values]), 4)


def holds(text: str, part: str) -> bool:
    """Whether a text holds another, white space, case and outer punctuation aside."""
    return _plain(part) in _plain(text)


def overlaps(quote: str, gold: str) -> bool:
    """Whether a quote holds the gold phrase, lies in it, or shares a run of its words.

    A quote is a sentence and a gold phrase may run over several, or start in the middle of one.
    """
    quote, gold = _plain(quote), _plain(gold)
    if quote in gold or gold in quote:
        return True
    words = gold.split()
    size = max(4, len(words) // 3)
    runs = (" ".join(words[i : i + size]) for i in range(len(words) - size + 1))
    return any(run in quote for run in runs)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.casefold()).strip(" .,;:")


def _is_verbatim(citation: Row, store: Store) -> bool:
    document = store.document(citation["document_id"])
    span = slice(citation["start"], citation["end"])
    return document is not None and document.text[span] == citation["quote"]


def _settings(library: Library) -> dict[str, Any]:
    store = library.store()
    sections = {name: getattr(library.config, name) for name in ANSWER}
    return sections | {
        "library": store.meta("library_id"),
        "generation": store.meta("generation"),
        "gate": repr(library.gate()),
    }


def _counted(rows: Sequence[Row], label: str, progress: Progress) -> Iterator[Row]:
    for number, row in enumerate(rows):
        progress(label, number, len(rows))
        yield row
    progress(label, len(rows), len(rows))
