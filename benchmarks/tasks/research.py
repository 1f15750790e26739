"""Research over a web of 40 invented sites; `ask --deep` against `ask` where two texts are needed.

web: facts found and cited, namesakes, orders in pages (dragtor eval research). deep: questions that
are whole where every part is answered. dossier: one with the language model, timed. cancel: seconds
from the request until a research has returned, at its slowest places.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from answers import covid_documents
from common import DATA, Shown

from dragtor import Cancelled, CancelToken, Library, load_config
from dragtor.config import Config
from dragtor.dossier import Dossier, ResearchStep
from dragtor.evaluate.common import kept_library
from dragtor.evaluate.loopback import LoopbackWeb, site_pages
from dragtor.evaluate.research import LoopbackLibrary, evaluate, over_loopback, subjects_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks" / "data" / "research"
DEEP = ROOT / "benchmarks" / "data" / "deep_questions.jsonl"
SAMPLES = ROOT / "assets" / "sample_library"
ROUNDS = 4  # of each place where a research is stopped
LINES_BEFORE_CANCEL_S = 2.0  # of a language model's work


def web(quotes: bool = True, n: int = 0) -> dict[str, Any]:
    """Every subject, or the first `n`; with `quotes` no language model writes."""
    return evaluate(FOLDER, load_config(), reporter=Shown(), quotes=quotes, limit=n)["metrics"]


# ask --deep


def deep(quotes: bool = True, n: int = 0) -> dict[str, Any]:
    """Shares of questions that are answered whole, by `ask`, with as many quotes, and `--deep`."""
    rows = [json.loads(line) for line in DEEP.read_text("utf-8").splitlines()]
    rows = rows[:: max(1, len(rows) // n)][:n] if n else rows
    config = load_config()
    told: list[dict[str, Any]] = []
    for corpus in dict.fromkeys(row["corpus"] for row in rows):
        with library_of(corpus, config) as library:
            for row in (row for row in rows if row["corpus"] == corpus):
                told.append(asked(library, row, quotes=quotes))
                Shown().progress("asking", len(told), len(rows))
    return figures(told, quotes=quotes)


@contextmanager
def library_of(corpus: str, config: Config) -> Iterator[Library]:
    """The articles, kept between runs, or the sample library."""
    if corpus == "covid_qa":
        data = DATA / "covid_qa"
        with kept_library("answers", data, covid_documents, config, Shown()) as library:
            yield library
        return
    with (
        tempfile.TemporaryDirectory(prefix="dragtor-deep-") as folder,
        Library(folder, config=config) as library,
    ):
        library.add(SAMPLES)
        yield library


def asked(library: Library, row: Mapping[str, Any], *, quotes: bool) -> dict[str, Any]:
    """One question in three ways: is each part said?"""
    found: dict[str, Any] = {"id": row["id"], "corpus": row["corpus"]}
    begun = time.perf_counter()
    plain = library.ask(row["question"], quotes_only=quotes)
    found["ask"] = parts_said(row, plain.text)
    found["ask_s"] = time.perf_counter() - begun
    begun = time.perf_counter()
    most = library.config.answer.quotes
    *_, dossier = library.research(row["question"], quotes_only=quotes, quotes=most)
    assert isinstance(dossier, Dossier)
    answer = dossier.answer()
    found["deep"] = parts_said(row, answer.text)
    found["deep_s"] = time.perf_counter() - begun
    found["quotes"] = len(answer.citations)
    if quotes:
        wide = replace(library.config.answer, quotes=max(most, len(answer.citations)))
        pipeline = replace(library.answer_pipeline(), answer_config=wide)
        *_, many = pipeline.ask(row["question"], quotes_only=True)
        found["many"] = parts_said(row, many.text)
    return found


def parts_said(row: Mapping[str, Any], text: str) -> list[bool]:
    """Of each part whether one of its phrases stands in the text."""
    flat = " ".join(text.casefold().split())
    return [
        any(" ".join(p.casefold().split()) in flat for p in part["any"]) for part in row["parts"]
    ]


def figures(told: Sequence[Mapping[str, Any]], *, quotes: bool) -> dict[str, Any]:
    """Shares, the ratio of the whole ones, and what it costs."""
    ways = ("ask", "many", "deep") if quotes else ("ask", "deep")

    def whole(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        return {
            way: round(sum(all(row[way]) for row in rows) / max(1, len(rows)), 4) for way in ways
        }

    every = whole(told)
    parts = {
        way: round(
            sum(sum(row[way]) for row in told) / max(1, sum(len(row[way]) for row in told)), 4
        )
        for way in ways
    }
    return {
        "n": len(told),
        "whole": every,
        "ratio": round(every["deep"] / max(every["ask"], 1 / max(1, len(told))), 3),
        "parts": parts,
        "corpora": {
            corpus: whole([row for row in told if row["corpus"] == corpus])
            for corpus in dict.fromkeys(row["corpus"] for row in told)
        },
        "quotes": round(sum(row["quotes"] for row in told) / max(1, len(told)), 1),
        "ask_s": round(sum(row["ask_s"] for row in told) / max(1, len(told)), 2),
        "deep_s": round(sum(row["deep_s"] for row in told) / max(1, len(told)), 2),
        "missed": [row["id"] for row in told if not all(row["deep"])],
    }


# The language model, and Ctrl-C


@contextmanager
def loopback_library(**research: Any) -> Iterator[LoopbackLibrary]:
    """An empty library that sees the invented sites."""
    config = over_loopback(load_config())
    config = replace(config, research=replace(config.research, **research))
    with (
        LoopbackWeb(site_pages(FOLDER / "sites.jsonl")) as own,
        tempfile.TemporaryDirectory(prefix="dragtor-research-") as folder,
        LoopbackLibrary(Path(folder), config=config) as library,
    ):
        library.web = own
        yield library


def dossier(n: int = 1) -> dict[str, Any]:
    """The first `n` subjects with the language model: seconds, facts, what its lines are worth."""
    from dragtor.evaluate.research import researched

    rows = []
    for subject in subjects_of(FOLDER / "gold.jsonl")[:n]:
        with loopback_library() as library:
            library.llm()
            rows.append(researched(library, subject, quotes=False))
            model = library.llm().name
    facts = [there for row in rows for there in row["facts"]]
    wrong = [bad for row in rows for bad in row["wrong"]]
    verbatim = [same for row in rows for same in row["verbatim"]]
    return {
        "model": model,
        "seconds": [round(row["seconds"], 1) for row in rows],
        "slowest_s": round(max(row["seconds"] for row in rows), 1),
        "found": round(sum(facts) / len(facts), 4),
        "wrong": round(sum(wrong) / max(1, len(wrong)), 4),
        "verbatim": round(sum(verbatim) / max(1, len(verbatim)), 4),
    }


def cancel(rounds: int = ROUNDS, writing: bool = True) -> dict[str, Any]:
    """Seconds from the request until it has returned: while it reads pages, sifts and writes."""
    subject = subjects_of(FOLDER / "gold.jsonl")[0]
    places: dict[str, tuple[Callable[[Any], bool], float, bool]] = {
        "search": (_at_step("search"), 0.0, True),
        "read": (_at_step("read"), 0.05, True),
        "write": (_at_step("write"), 0.0, True),
    }
    if writing:
        places["lines"] = (_at_step("write"), LINES_BEFORE_CANCEL_S, False)
    took = {
        name: [_stopped(subject, *place) for _ in range(rounds)] for name, place in places.items()
    }
    return {
        **{name: [round(s, 3) for s in each] for name, each in took.items()},
        "longest_s": round(max(s for each in took.values() for s in each), 3),
    }


def _at_step(word: str) -> Callable[[Any], bool]:
    return lambda event: isinstance(event, ResearchStep) and event.label.startswith(word)


def _stopped(
    subject: Mapping[str, Any], begun: Callable[[Any], bool], delay_s: float, quotes: bool
) -> float:
    """Seconds until a research has returned that is asked to stop `delay_s` after a step began."""
    token, asked_at = CancelToken(), list[float]()

    def ask() -> None:
        asked_at.append(time.perf_counter())
        token.cancel()

    with loopback_library() as library:
        if not quotes:
            library.llm()
        going = library.research(
            subject["name"],
            subject["kind"],
            subject["context"],
            web=lambda consent: True,
            quotes_only=quotes,
            cancel=token,
        )
        last = None
        try:
            for event in going:
                last = event
                if begun(event):
                    threading.Timer(delay_s, ask).start()
        except Cancelled:
            ended = time.perf_counter()
            assert isinstance(last, Dossier), "what was found is told"
            return ended - asked_at[0]
    raise AssertionError("it was over before it was asked")
