"""What reaches the prompt, and whether vectors of whole documents help to find them.

contexts: one sample of questions, read in five ways. summaries: a vector of each document beside
its passages'. Over the library of answers.py, with questions of the training halves. An interrupted
run goes on.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from answers import ROOT, SETS, documents, questions
from common import Shown
from numpy.typing import NDArray

from dragtor import ground, metrics, prompt, retrieve
from dragtor.answer import MISMATCH_DENSE_WEIGHT, TERMS_TOKENS, AnswerPipeline, Sentence
from dragtor.config import load_config
from dragtor.evaluate.answers import document_names, documents_called, holds, overlaps
from dragtor.evaluate.common import counted, kept_library, means
from dragtor.evaluate.record import ANSWER_PACKAGES, run_journal, run_key
from dragtor.headings import headings
from dragtor.journal import KeyedJournal
from dragtor.library import Library
from dragtor.llm import LLM, GenerationOptions, Stream, Usage
from dragtor.split import sentences
from dragtor.store import Store
from dragtor.types import Answer, Document, Message

Row = Mapping[str, Any]
Floats = NDArray[np.floating[Any]]
Queries = Sequence[tuple[str, float]]  # each with the weight of its dense list
Fusion = Callable[[Floats, Floats, float], Floats]

MODEL = "qwen2.5-coder-1.5b"
SAMPLE = ROOT / "assets" / "sample_library"
SAMPLE_QUESTIONS = ROOT / "tests" / "data" / "sample_questions.jsonl"
SAMPLE_PLAIN = 20  # the first of them are plain, the other answerable ones lay
KINDS = ("plain", "lay")
NUMBERED = re.compile(r"^\[\d+\] (.+)$", re.M)  # a sentence in the prompt
# Context, tokens, which questions of each kind: the default, others, then the rest of the questions
MODES = (
    ("passage", 300, range(20)),
    ("sentences", 300, range(20)),
    ("passage", 700, range(20)),
    ("section", 1200, range(10)),
    ("document", 2500, range(8)),
    ("passage", 300, range(20, 45)),
    ("sentences", 300, range(20, 45)),
)
SHARES = ("answered", "gold_read", "carried", "said", "right")
FATES = ("own", "replaced", "dropped")  # of the sentences that the model wrote
READ_WORDS = 380  # of a document's text, for its summary: about 500 tokens
SUMMARY_TOKENS = 90
CARD_WORDS, MAX_HEADINGS = 60, 12
HEADING_LINE = re.compile(r"^#{1,6}[ \t].*$", re.M)
MEASURES: dict[str, Callable[[Any], list[float]]] = {
    "first": lambda ranks: (ranks <= 1).astype(float).tolist(),
    "five": lambda ranks: (ranks <= 5).astype(float).tolist(),
    "mrr": lambda ranks: (1 / ranks).tolist(),
}
# How a document's own score s joins the best score p of its passages, under a weight.
FUSIONS: dict[str, tuple[Fusion, tuple[float, ...]]] = {
    "max": (lambda p, s, w: np.maximum(p, w * s), (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
    "sum": (lambda p, s, w: p + w * s, (0.1, 0.2, 0.3, 0.5, 0.8, 1.2)),
}
SUMMARY_MESSAGES = (
    Message("system", """\
You write cards for a catalogue of texts. Two short sentences. The first: what the text is about \
and what it says. The second, in everyday words: who should read it, and what they complain of or \
want to know. Nothing that the text does not say."""),
    Message("user", """\
Title: Ferns
Headings: Water; Light; Brown tips
Text: Water a fern when the top of the soil is dry, about twice a week in summer. Ferns come from \
the shade of the woods. Brown tips mean that the air is too dry."""),
    Message("assistant", """\
Ferns in the house want shade, water twice a week in summer, and humid air against brown tips. For \
somebody whose plant goes brown at the ends of its leaves, or who does not know how often to water \
it and where to put it."""),
)  # fmt: skip


def train_questions() -> dict[str, list[dict[str, Any]]]:
    """Answerable questions of the training halves by kind, each kind in a fixed random order."""
    rows = [row for row in questions("train") if row["answerable"]]
    unnamed = [row for row in rows if not row.get("kind")]
    found = {}
    for kind, more in (("plain", unnamed[:SAMPLE_PLAIN]), ("lay", unnamed[SAMPLE_PLAIN:])):
        named = [row for row in rows if row.get("kind") == kind]
        found[kind] = [row | {"kind": kind} for row in (*named, *more)]
        random.Random(4).shuffle(found[kind])
    return found


class RecordingLLM:
    """A language model, and the last prompt and text that went through it."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.prompt = self.text = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llm, name)

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        inner = self._llm.stream(messages, options)
        self.prompt, self.text = messages[-1].content, ""

        def pieces() -> Generator[str, None, Usage]:
            with inner:
                for piece in inner:
                    self.text += piece
                    yield piece
            end = inner.finish_reason or "stop"
            return Usage(inner.prompt_tokens, inner.completion_tokens, end, inner.read_tokens)

        return Stream(pieces())


def contexts(library: Library, kept: KeyedJournal) -> dict[str, Any]:
    """Every mode's figures, each but the first with its paired differences to the first."""
    sets, recorded, names = (
        train_questions(),
        RecordingLLM(library.llm()),
        document_names(library.store()),
    )
    figures, first = {}, {}
    for context, tokens, which in MODES:
        answer_config = replace(library.config.answer, context=context, context_tokens=tokens)
        pipeline = replace(
            library.answer_pipeline(), llm=lambda: recorded, answer_config=answer_config
        )
        mode, other = f"{context} {tokens}", ", other questions" * bool(which.start)
        asked = [row for rows in sets.values() for row in rows[which.start : which.stop]]
        rows = [
            row | marked(row, answered(pipeline, recorded, row, mode, kept), names)
            for row in counted(asked, mode, Shown())
        ]
        first = {row["question"]: row for row in rows} | first
        found = figures[f"{mode}{other}"] = mode_figures(rows)
        for name in SHARES:
            pairs = [(float(first[row["question"]][name]), float(row[name])) for row in rows]
            found[f"{name}_difference"] = difference(*zip(*pairs, strict=True))
    return figures


def answered(
    pipeline: AnswerPipeline, recorded: RecordingLLM, row: Row, mode: str, kept: KeyedJournal
) -> Row:
    """One answer as plain values: as it was kept, or asked for now, with its seconds."""
    name = f"{mode} | {row['question']}"
    if (known := kept.get(name)) is None:
        if not recorded.prompt:
            list(pipeline.ask("What do I do after an A2 pulley strain?"))  # reads the fixed parts
        begun, first = time.perf_counter(), None
        for event in pipeline.ask(row["question"]):
            if isinstance(event, Sentence) and first is None:
                first = time.perf_counter() - begun
        assert isinstance(event, Answer)  # by contract the last
        asked = bool(event.tokens)  # else the gate refused
        known = {
            "claims": [claim.text for claim in event.claims],
            "quotes": [(citation.document_id, citation.quote) for citation in event.citations],
            "read": NUMBERED.findall(recorded.prompt) if asked else [],
            "wrote": recorded.text if asked else "",
            "prompt_tokens": event.tokens.get("prompt", 0),
            "first_s": first,
            "total_s": time.perf_counter() - begun,
        }
        kept.put(name, known)
    return dict(known)


def marked(row: Row, answer: Row, names: Mapping[str, str]) -> dict[str, Any]:
    """What is told of one answer; `said` and what became of sentences are about its prose."""
    gold, claims = row["must_contain"], answer["claims"]
    wanted = documents_called(row["relevant"], names, row["question"])

    def within(texts: Sequence[str]) -> bool:
        return all(any(overlaps(text, part) for text in texts) for part in gold)

    reference = row.get("reference", "")
    raw = [answer["wrote"][start:end] for start, end in sentences(answer["wrote"])]
    written = [text for text, _ in map(ground.citation_markers, raw) if text]
    own = sum(claim in written for claim in claims)
    return {
        "answered": bool(claims),
        "gold_read": within(answer["read"]),
        "carried": within([quote for _, quote in answer["quotes"]]),
        "said": within(claims) or (bool(reference) and holds(" ".join(claims), reference)),
        "right": any(document in wanted for document, _ in answer["quotes"]),
        "cited_right": [document in wanted for document, _ in answer["quotes"]],
        "own": own,
        "replaced": len(claims) - own,
        "dropped": max(0, len(written) - len(claims)),
        **{name: answer[name] for name in ("prompt_tokens", "first_s", "total_s")},
    }


def mode_figures(rows: Sequence[Row]) -> dict[str, Any]:
    """Means with intervals, and by kind; seconds and tokens are of what the model answered."""
    asked = [row for row in rows if row["prompt_tokens"]]  # the gate let them pass
    values = {name: [float(row[name]) for row in rows] for name in SHARES}
    values["citation_precision"] = [float(right) for row in rows for right in row["cited_right"]]
    for name in ("prompt_tokens", "first_s", "total_s"):
        values[name] = [row[name] for row in asked if row[name] is not None]
    figures = {"n": len(rows), "refused_by_gate": len(rows) - len(asked)} | means(values)
    figures["sentences"] = {name: sum(row[name] for row in rows) for name in FATES}
    for kind in KINDS:
        of_kind = [row for row in rows if row["kind"] == kind]
        figures[kind] = means({name: [float(row[name]) for row in of_kind] for name in SHARES})
    return figures


def difference(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """Mean(after - before), and the bounds of its paired 95 % interval."""
    bounds = metrics.paired_interval(before, after)
    return [round(v, 4) for v in (metrics.mean(after) - metrics.mean(before), *bounds)]


def summaries(library: Library, kept: KeyedJournal) -> dict[str, Any]:
    """Right document found with passages alone, and with each kind of document vector beside."""
    store = library.store()
    texts = [text for row in store.documents() if (text := store.document(row["id"]))]
    rows = [row for each in train_questions().values() for row in each]
    made = [summary(library.llm(), text, kept) for text in counted(texts, "reading", Shown())]
    terms = [in_terms(library, row, kept) for row in counted(rows, "wording", Shown())]
    column, names = {text.id: at for at, text in enumerate(texts)}, document_names(store)
    right = np.zeros((len(rows), len(texts)), bool)
    for line, row in zip(right, rows, strict=True):
        line[[column[key] for key in documents_called(row["relevant"], names, row["question"])]] = (
            True
        )
    of_row, passage_means = places(store, column)
    embed, weight = library.embedder.embed_passages, library.config.retrieve.dense_weight
    vectors = {
        "summary": embed([f"{t.title}\n{m['text']}" for t, m in zip(texts, made, strict=True)]),
        "card": embed([card(text) for text in texts]),
        "mean of passages": passage_means,
    }
    asked = [(row["question"], weight) for row in rows]
    again = [
        (f"{more} {query}", max(weight, MISMATCH_DENSE_WEIGHT)) if more else (query, weight)
        for more, (query, _) in zip(terms, asked, strict=True)
    ]
    wordings = {"dense": [(query, 1.0) for query, _ in asked], "mix": asked, "terms": again}
    searches = {name: search(library, of_row, each, vectors) for name, each in wordings.items()}
    seconds, kinds = [each["seconds"] for each in made], [row["kind"] for row in rows]
    return {
        "documents": len(texts),
        "questions": {kind: kinds.count(kind) for kind in KINDS},
        "summary": means({"seconds": seconds}) | {"seconds_in_all": round(sum(seconds), 1)},
        "found": arrangements(searches, right, np.array(kinds)),
    }


def summary(llm: LLM, document: Document, kept: KeyedJournal) -> Row:
    """Two sentences that the model writes about a document, and the seconds that they took."""
    name = f"summary | {document.id}"
    if (known := kept.get(name)) is None:
        begun = time.perf_counter()
        heads, text = outline(document)
        opening = " ".join(text.split()[:READ_WORDS])
        about = Message("user", f"Title: {document.title}\nHeadings: {heads}\nText: {opening}")
        text = written(llm, [*SUMMARY_MESSAGES, about], SUMMARY_TOKENS, len(SUMMARY_MESSAGES))
        known = {"text": text, "seconds": time.perf_counter() - begun}
        kept.put(name, known)
    return dict(known)


def in_terms(library: Library, row: Row, kept: KeyedJournal) -> str:
    """A lay question in the field's words, as `ask` looks for it again; empty for a plain one."""
    name, question = f"terms | {row['question']}", row["question"]
    if (known := kept.get(name)) is None:
        known = ""
        if ground.vocabulary_mismatch(library.answer_pipeline().gate_features(question)):
            messages = prompt.terms_messages(question)
            known = written(library.llm(), messages, TERMS_TOKENS, prompt.FIXED_TERMS, "\n")
        kept.put(name, known)
    return str(known)


def written(llm: LLM, messages: Sequence[Message], tokens: int, fixed: int, stop: str = "") -> str:
    options = GenerationOptions(tokens, stop=(stop,) * bool(stop), fixed=fixed)
    with llm.stream(messages, options) as stream:
        return " ".join("".join(stream).split())


def card(document: Document) -> str:
    """What costs no model: title, headings and the first words."""
    heads, text = outline(document)
    return "\n".join([document.title, heads, " ".join(text.split()[:CARD_WORDS])])


def outline(document: Document) -> tuple[str, str]:
    """The first headings, each once, and the text without their lines."""
    found = dict.fromkeys(path[-1] for _, path in headings(document.text))
    heads = [title for title in found if title != document.title][:MAX_HEADINGS]
    return "; ".join(heads), " ".join(HEADING_LINE.sub("", document.text).split())


def places(store: Store, column: Mapping[str, int]) -> tuple[dict[int, int], Floats]:
    """The column of each passage row's document, and each document's mean passage vector."""
    rows = store.rows(
        "SELECT p.rowid, p.document_id, v.vector FROM passages p JOIN vectors v"
        f" ON v.id = p.vector_id WHERE p.edition = {store.edition}"
    )
    of_row = {row: column[document] for row, document, _ in rows}
    vectors = np.array([np.frombuffer(vector, np.float16) for *_, vector in rows], np.float32)
    sums = np.zeros((len(column), vectors.shape[1]))
    np.add.at(sums, list(of_row.values()), vectors)
    return of_row, sums / np.linalg.norm(sums, axis=1, keepdims=True)


def search(
    library: Library, of_row: Mapping[int, int], asked: Queries, vectors: Mapping[str, Floats]
) -> tuple[Floats, dict[str, Floats]]:
    """Scores (queries, documents): of each document's best passage, and of each of its vectors.

    A vector's score is scaled as the cosines of passages are, and so may be above 1.
    """
    n = library.config.retrieve.candidates
    best = np.zeros((len(asked), max(of_row.values()) + 1))
    own = {name: np.zeros_like(best) for name in vectors}
    for at, (query, weight) in enumerate(asked):
        vector = library.embedder.embed_queries([query])[0]
        found = library.store().find(query, vector, n)
        for ranked in reversed(retrieve.hybrid_score(found, weight, n)):
            best[at, of_row[ranked.row]] = ranked.score
        low, high = min(found.dense.values()), max(found.dense.values())
        for name, each in vectors.items():
            own[name][at] = np.maximum(0, (each @ vector - low) / (high - low))
    return best, own


def arrangements(searches: Mapping[str, Any], right: Any, kinds: Any) -> dict[str, Any]:
    """Each search alone, then with each document vector under each fusion.

    Each half of the questions is ranked under the weight that is best for the other half.
    """
    found: dict[str, Any] = {}
    for name, (best, own) in searches.items():
        alone = ranks(best, right)
        found[name] = found_figures(alone, kinds)
        for (vector, each), (fusion, (fuse, weights)) in product(own.items(), FUSIONS.items()):
            by_weight = {weight: ranks(fuse(best, each, weight), right) for weight in weights}
            half = np.arange(len(alone)) % 2
            worths = [{w: worth(r, kinds, half != h) for w, r in by_weight.items()} for h in (0, 1)]
            chosen = [max(weights, key=worth_of.__getitem__) for worth_of in worths]
            crossed = np.where(half == 0, by_weight[chosen[0]], by_weight[chosen[1]])
            figures = {"weights": chosen, **found_figures(crossed, kinds)}
            for measure, of in MEASURES.items():
                figures[f"{measure}_difference"] = difference(of(alone), of(crossed))
            found[f"{name} + {vector}, {fusion}"] = figures
    return found


def ranks(scores: Floats, right: Any) -> Any:
    """Rank from 1 of the first right document of each question."""
    best = np.where(right, scores, -1).max(axis=1, keepdims=True)
    return 1 + (scores > best).sum(axis=1)


def worth(found: Any, kinds: Any, among: Any) -> float:
    """Mean reciprocal rank of some of the questions, plain and lay ones counting alike."""
    return metrics.mean([float((1 / found[among & (kinds == kind)]).mean()) for kind in KINDS])


def found_figures(found: Any, kinds: Any) -> dict[str, Any]:
    of_kind = {kind: found[kinds == kind] for kind in KINDS}
    return {k: means({name: of(r) for name, of in MEASURES.items()}) for k, r in of_kind.items()}


def run(part: str) -> dict[str, Any]:
    """One of the two; what is kept depends on library, settings, model and questions."""
    config = load_config(overrides={"llm": {"model": MODEL}})
    sections = (config.split, config.embed, config.retrieve, config.llm, config.answer)
    with kept_library("answers", SAMPLE, documents, config, Shown()) as library:
        made = library.store().meta("library_id"), library.store().meta("generation")
        settings = {"library": made, "config": sections, "summary": (SUMMARY_MESSAGES, READ_WORDS)}
        key = run_key([*SETS, SAMPLE_QUESTIONS], settings, MODEL, ANSWER_PACKAGES)
        with run_journal(part, key) as kept:
            return {"contexts": contexts, "summaries": summaries}[part](library, kept)
