"""`dragtor eval answers`: does `ask` answer rightly, cite rightly, and refuse rightly?

JSONL: {question, answerable, reference?, must_contain?: [verbatim], relevant?: [documents], kind?}
over a library or a folder of documents. Deterministic measures; judge.py adds the model's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor import ground, metrics
from dragtor.config import Config, load_words
from dragtor.errors import LoadError, UsageError
from dragtor.evaluate.calibrate import fit_gate
from dragtor.evaluate.common import (
    counted,
    kept_empty,
    means,
    path_hash,
    ranked_by,
    rows_of,
    versions,
)
from dragtor.evaluate.record import ANSWER, ANSWER_PACKAGES, kept_row, run_journal, run_key, weights
from dragtor.library import Library
from dragtor.schema import evaluation_json
from dragtor.types import NEVER, SILENT, Answer, CancelToken, Reporter

if TYPE_CHECKING:
    from dragtor.store import Store

Row = Mapping[str, Any]


def evaluate(
    path: Path,
    config: Config,
    *,
    documents: Path | None = None,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
    calibrate: bool = False,
    limit: int = 0,
    judge: bool = False,
    quotes: bool = False,
) -> dict[str, Any]:
    """Ask every question and score the answers; answered ones are kept, so a run can go on.

    `documents` is a library, or a folder of documents that is made one. `calibrate` first fits a
    gate on these very questions: a library keeps it, with a folder of documents it is for this
    run. `gate` in the result says which one decided. With `quotes` the answers are the quotes
    that come first, and no language model is needed.
    """
    if quotes and judge:
        raise UsageError("--judge judges what a model writes; --quotes has it write nothing")
    rows = questions_of(path)[: limit or None]
    with opened(documents, config, reporter, cancel) as library:
        names = document_names(library.store())
        for row in rows:
            if row["answerable"]:  # what answers the others may be missing on purpose
                documents_called(row["relevant"], names, row["place"])
        fitted = calibrated(library, rows) if calibrate else {}
        gate = fitted | gate_in_use(library, fitted=calibrate)
        model = ranked_by(library) if quotes else library.llm().name
        answers = ask_all(library, path, rows, quotes=quotes)
        found = scores(rows, answers, names, library.store())
        if judge:
            from dragtor.evaluate.judge import judged

            found |= judged(library.llm(), rows, answers, reporter, cancel)
    made_by = versions(generating=not quotes)
    return evaluation_json(
        "answers", path.name, len(rows), found, model, made_by, gate=gate, quotes=quotes
    )


def ask_all(
    library: Library, path: Path, rows: Sequence[Row], *, quotes: bool = False
) -> list[dict[str, Any]]:
    """The answer to each question of the file `path`, as plain values: kept, or asked now."""
    used = weights("retrieval", library.config)
    if not quotes:
        used = {"model": library.llm().name} | weights("answers", library.config)
    settings = _settings(library) | {"quotes": quotes}
    with run_journal("answers", run_key([path], settings, f"{used}", ANSWER_PACKAGES)) as kept:
        return [
            kept_row(kept, row["question"], _asked, library, row["question"], quotes)
            for row in counted(rows, "asking", library.reporter, library.cancel)
        ]


def questions_of(path: Path) -> list[dict[str, Any]]:
    """The rows of the file, checked, with every key and their `place` in the file."""
    found = [
        {
            "question": _typed(row, "question", place),
            "answerable": _typed(row, "answerable", place, True),
            "reference": _typed(row, "reference", place, ""),
            "must_contain": _typed(row, "must_contain", place, []),
            "relevant": _typed(row, "relevant", place, []),
            "kind": _typed(row, "kind", place, ""),
            "place": place,
        }
        for place, row in rows_of(path, "a question")
    ]
    if not found:
        raise LoadError(f"{path} holds no question")
    return found


def _typed(row: Row, name: str, place: str, absent: Any = None) -> Any:
    """The value under `name`, of the type of `absent`, which stands for null and for no such key.

    Without `absent` it is a text that must be there.
    """
    value = absent if row.get(name) is None else row[name]
    if isinstance(absent, bool):
        fits, wanted = isinstance(value, bool), "true or false"
    elif isinstance(absent, list):
        texts = value if isinstance(value, list) else [None]
        fits = all(isinstance(text, str) and text.strip() for text in texts)
        wanted = "a list of texts"
    else:
        fits = isinstance(value, str) and bool(value.strip() or absent is not None)
        wanted = "a text"
    if not fits:
        raise LoadError(f"{place}: {name} must be {wanted}, not {value!r:.80}")
    return value


class Trial(Library):
    """The library of a folder of documents: a gate fitted on it lasts no longer than the run."""

    _fitted: ground.Gate | None = None

    def gate(self) -> ground.Gate | None:
        """The one fitted in this run, else the built-in one."""
        return self._fitted or self.built_in_gate()

    def keep_gate(self, gate: ground.Gate) -> None:
        """For this run."""
        self._fitted = gate


@contextmanager
def opened(
    documents: Path | None, config: Config, reporter: Reporter = SILENT, cancel: CancelToken = NEVER
) -> Iterator[Library]:
    """The library at `documents`, or of the documents in that folder (kept in the cache folder)."""
    if documents is None or (documents / "library.db").exists():
        with Library(documents, config=config, reporter=reporter, cancel=cancel) as library:
            yield library
        return
    names = "documents", path_hash(documents)
    with kept_empty(Trial, names, config, reporter, cancel) as library:
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


def documents_called(wanted: Sequence[str], names: Mapping[str, str], place: str) -> list[str]:
    """Ids of the documents that a data file names; raises LoadError on a name that is none's."""
    if missing := [name for name in wanted if name not in names]:
        raise LoadError(f"{place}: no document is called {missing[0]}", "dragtor sources")
    return [names[name] for name in wanted]


def gate_in_use(library: Library, *, fitted: bool) -> dict[str, Any]:
    """`from`: built-in, library, fitted (in this run) or none; and the gate's thresholds."""
    gate = library.gate() if library.config.answer.gate else None
    if gate is None:
        return {"from": "none", "threshold": None, "lay_threshold": None}
    source = "fitted" if fitted else "built-in" if gate == library.built_in_gate() else "library"
    return {"from": source, "threshold": gate.threshold, "lay_threshold": gate.mismatch_threshold}


def calibrated(library: Library, rows: Sequence[Row]) -> dict[str, Any]:
    """Fit the gate on the questions and have the library use it; what it is and does."""
    gate, effect = fitted_gate(library, rows)
    library.keep_gate(gate)
    return gate.to_dict() | effect


def fitted_gate(library: Library, rows: Sequence[Row]) -> tuple[ground.Gate, dict[str, float]]:
    """A gate fitted on the questions, and what it does to these very questions."""
    features = gate_features(library, rows)
    answerable = [row["answerable"] for row in rows]
    gate = fit_gate(features, answerable, library.embedder.fingerprint, library.reader_version)
    refused = [not gate.passes(each) for each in features]
    return gate, {
        "over_refusal": _share([r for r, a in zip(refused, answerable, strict=True) if a]),
        "refusal_recall": _share([r for r, a in zip(refused, answerable, strict=True) if not a]),
    }


def gate_features(library: Library, rows: Sequence[Row]) -> list[tuple[float, ...]]:
    """What the gate looks at for each question; see AnswerPipeline.gate_features."""
    look = library.answer_pipeline().gate_features
    asked = counted(rows, "looking", library.reporter, library.cancel)
    return [look(row["question"]) for row in asked]


def _asked(library: Library, question: str, quotes: bool) -> dict[str, Any]:
    """The answer as plain values."""
    answer = library.ask(question, quotes_only=quotes)
    return {
        "text": answer.text,
        "grounded": answer.grounded,
        "claims": [asdict(claim) for claim in answer.claims],
        "citations": [asdict(citation) for citation in answer.citations],
        "given": _given(library, answer) if answer.grounded and not quotes else [],
        "timings": dict(answer.timings),
        "tokens": dict(answer.tokens),
    }


def _given(library: Library, answer: Answer) -> list[str]:
    """Nearly what the model read, which an answer does not tell.

    The whole passages of the hits, best first, that fit in `answer.context_tokens`, and what is
    quoted besides.
    """
    left, texts = library.config.answer.context_tokens, []
    for hit in answer.hits:
        tokens = library.llm().count_tokens(hit.passage.text)
        if tokens <= left:
            texts.append(hit.passage.text)
            left -= tokens
    quotes = [citation.quote for citation in answer.citations]
    return texts + [quote for quote in quotes if not any(quote in text for text in texts)]


def scores(
    rows: Sequence[Row], answers: Sequence[Row], names: Mapping[str, str], store: Store
) -> dict[str, Any]:
    """All measures over the rows, each with its 95 % interval; None where no row tells.

    `kinds` has the main ones by kind.
    """
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
    return means({name: [float(v) for v in each] for name, each in values.items()})


def _of_kind(scored: Sequence[Row]) -> dict[str, Any]:
    values = {"refused": [float(not s["answered"]) for s in scored]}
    for name in ("correct", "carried", "recalled"):
        if told := [float(s[name]) for s in scored if name in s]:
            values[name] = told
    return {"n": len(scored)} | means(values)


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
        "reader": library.reader_version,
        "words": load_words(library.config.answer.domain),
    }
