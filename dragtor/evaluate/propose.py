"""`dragtor eval propose`: questions over one's own library, as `dragtor eval answers` reads them.

The language model words them, the reader checks them, whoever is asked has the last word. Knows no
terminal. What is kept has passed the reader: such a set flatters it a little.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor import ground, prompt
from dragtor.errors import LibraryError, Missing
from dragtor.evaluate.common import versions
from dragtor.evaluate.passages import best_sentence, content_passages
from dragtor.evaluate.question_file import QuestionFile
from dragtor.evaluate.record import run_journal
from dragtor.ground.spans import TextSpan, sentence_spans
from dragtor.ground.stems import stems
from dragtor.library import Library
from dragtor.llm import GenerationOptions
from dragtor.loading import PULL
from dragtor.parts import READER
from dragtor.retrieve import Retriever, titled
from dragtor.schema import evaluation_json
from dragtor.types import Citation, Document, Hit, Message, Passage, Reader, short_hash

if TYPE_CHECKING:
    from dragtor.journal import KeyedJournal
    from dragtor.llm import LLM

ANSWERABLE, NEAR_MISS = "plain", "near_miss"  # kinds of questions
SEED = 7  # of the draw of passages
LOOKS = 8  # passages for each question wanted, after which a run gives up
FOUND = 0.5  # from this probability on a passage answers,
NOT_FOUND = 0.3  # and below this one it does not; what is in doubt makes no question
QUESTION_TOKENS = 64
NEAR_MISS_TOKENS = 128
QUESTION_CHARACTERS = (12, 200)
_OPENING = re.compile(r"^(?:\W|\d+[.)]|(?:another \w+|question(?: \d+)?)\s*:)+", re.IGNORECASE)
_ASKS = re.compile(r"[?？؟]$")
# Understood by nobody who has not seen the text. English.
_LEANS = re.compile(
    r"\b(?:this|these|those|sentence|text|passage|excerpt|mentioned|above|according to|he|she"
    r"|the (?:authors?|study|studies|trial|article|paper|book|chapter|review|report|speaker))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question, and the sentence of `passage` it was made from, with the span that answers.

    Where it is a near miss of `near`, the sentence is no answer, and there is no span.
    """

    question: str
    passage: Passage
    citation: Citation
    near: str = ""

    @property
    def answerable(self) -> bool:
        """Whether the library answers it."""
        return not self.near


# The question as it is to be kept, empty where it is not; None: no more.
Confirm = Callable[[Proposal], str | None]


def propose(library: Library, path: Path, n: int, confirm: Confirm | None = None) -> dict[str, Any]:
    """Write questions to `path` until it holds `n` proposed ones, half of them near misses.

    Each is written as soon as it is confirmed; without `confirm` all are kept. What was asked, or
    was refused before, is not asked again. Raises Missing without a reader or a language model.
    """
    writer = QuestionWriter.of(library)
    identity = (library.store().meta("library_id"), str(path.absolute()))
    key = short_hash(*identity, writer.llm.name, writer.reader.version)
    with QuestionFile(path) as kept, run_journal("propose", key) as passed:
        run = _Run(library, writer, kept, passed, n, confirm)
        run.fill()
    counts = Counter(row["answerable"] for row in kept.proposed)
    return evaluation_json(
        "propose",
        path.name,
        len(kept.proposed),
        {"answerable": counts[True], "unanswerable": counts[False], "passages": run.looked_at},
        f"{writer.llm.name}, {writer.reader.name}",
        versions(generating=True),
        looked_at=sum(row.get("looked_at") is True for row in kept.proposed),
    )


@dataclass
class _Run:
    """One run over the passages; `passed` holds those of which nothing was kept, and why."""

    library: Library
    writer: QuestionWriter
    kept: QuestionFile
    passed: KeyedJournal
    n: int
    confirm: Confirm | None
    looked_at: int = 0
    over: bool = False

    def __post_init__(self) -> None:
        self.asked_about = {str(row.get("reference", "")) for row in self.kept.proposed}

    def fill(self) -> None:
        """Go on until the file is full, nobody wants more, or no passage is left."""
        missing = self.n - len(self.kept.proposed)
        if missing <= 0:
            return
        for document, passage in islice(self._fresh(), LOOKS * missing):
            self.library.cancel.check()
            self._tell()
            self.looked_at += 1
            before = len(self.kept.proposed)
            self._ask(passage, document)
            if self.over or len(self.kept.proposed) >= self.n:
                break
            if len(self.kept.proposed) == before:
                self.passed.put(passage.id, "nothing kept")
        self.library.reporter.progress("questions", self.n, self.n)  # the bar goes
        if not self.kept.proposed and not self.looked_at:
            told = "no passage is left that can be asked about"
            raise LibraryError(told, "dragtor add URL-OR-FILE")

    def _tell(self) -> None:
        self.library.reporter.progress("questions", len(self.kept.proposed), self.n)

    def _fresh(self) -> Iterator[tuple[Document, Passage]]:
        """Passages that were not asked about, in no run."""
        for document, passage in content_passages(self.library.store(), SEED):
            if passage.id not in self.kept.passages and self.passed.get(passage.id) is None:
                yield document, passage

    def _ask(self, passage: Passage, document: Document) -> None:
        """A question on the passage, and a near miss of it, as far as they are wanted."""
        found = self.writer.answerable(passage, document, self.asked_about)
        if found and self._wanted(answerable=True):
            found = self._confirmed(found)
        if found and self._wanted(answerable=False):
            near = self.writer.near_miss(found, document)
            if near:
                self._confirmed(near)

    def _wanted(self, *, answerable: bool) -> bool:
        share = self.n - self.n // 2 if answerable else self.n // 2
        there = sum(row["answerable"] is answerable for row in self.kept.proposed)
        return not self.over and there < share

    def _confirmed(self, found: Proposal) -> Proposal | None:
        """The proposal as it was kept, in the file by now."""
        said = self.confirm(found) if self.confirm else found.question
        self.over = said is None
        if not said:
            return None
        found = replace(found, question=said)
        self.kept.append(question_row(found, looked_at=self.confirm is not None))
        self._tell()
        return found


def question_row(found: Proposal, *, looked_at: bool) -> dict[str, Any]:
    """A proposal as a line of the file."""
    row: dict[str, Any] = {"question": found.question, "answerable": found.answerable}
    if found.answerable:
        start, end = found.citation.answering
        row["must_contain"] = [found.citation.quote[start:end]]
        row["reference"] = found.citation.quote
        row["relevant"] = [found.citation.document_id]
        row["kind"] = ANSWERABLE
    else:
        row |= {"kind": NEAR_MISS, "near": found.near}
    return row | {"passage": found.passage.id, "looked_at": looked_at}


@dataclass(frozen=True, slots=True)
class QuestionWriter:
    """Words questions with a language model; keeps those that the reader takes for what they are.

    That a question is found by retrieval is not asked for: it is what is to be measured.
    """

    llm: LLM
    reader: Reader
    retriever: Retriever
    temperature: float = 0.0
    seed: int = 7

    @classmethod
    def of(cls, library: Library) -> QuestionWriter:
        """With a library's own parts; raises Missing, and LibraryError where there is none."""
        retriever = library.retriever(k=ground.BEST_HITS)
        reader = library.reader
        if reader is None:
            none = library.config.answer.reader == "none"
            raise Missing(
                "a reader checks the questions, and there is none",
                "DRAGTOR_ANSWER_READER=auto dragtor eval propose" if none else f"{PULL} {READER}",
            )
        each_by_itself = replace(retriever.config, join_neighbours=False)
        retriever = replace(retriever, config=each_by_itself)
        config = library.config.llm
        return cls(library.llm(), reader, retriever, config.temperature, config.seed)

    def answerable(
        self, passage: Passage, document: Document, asked_about: set[str]
    ) -> Proposal | None:
        """A question on the best sentence of the passage whose answer the reader finds in it.

        Not on one of `asked_about`, to which it is added: passages overlap.
        """
        hit = Hit(passage, 1.0)
        spans = sentence_spans(hit, document)
        sentence = best_sentence([span for span in spans if span.text not in asked_about])
        if sentence is None:
            return None
        asked_about.add(sentence.text)
        asked = prompt.question_messages(sentence.section_path, sentence.text)
        lines = self._lines(asked, QUESTION_TOKENS, prompt.FIXED_QUESTION, "\n")
        question = next(filter(is_question, lines), "")
        if not question:
            return None
        _, readings = ground.read_hits(question, [hit], {document.id: document}, self.reader)
        answer = answer_in(sentence, readings[passage.id])
        if answer is None:
            return None
        citation = answer.citation(1)
        given_away = citation.quote[slice(*citation.answering)].casefold() in question.casefold()
        return None if given_away else Proposal(question, passage, citation)

    def near_miss(self, found: Proposal, document: Document) -> Proposal | None:
        """A question like it that no passage answers, of those that are found for it."""
        quote, passage = found.citation.quote, found.passage
        heading = " > ".join(filter(None, (document.title, passage.heading)))
        asked = prompt.near_miss_messages(heading, quote, found.question)
        own = titled(document.title, passage)
        lines = self._lines(asked, NEAR_MISS_TOKENS, prompt.FIXED_NEAR_MISS)
        first = int(passage.id, 16) % max(len(lines), 1)  # else all were of the first kind
        for question in lines[first:] + lines[:first]:
            if not is_question(question) or not is_near(question, found.question):
                continue
            found_for_it = self.retriever.search_documents(question, nearest=ground.NEAREST_HITS)
            hits = found_for_it.hits
            texts = dict.fromkeys([own, *(titled(hit.title, hit.passage) for hit in hits)])
            if max(r.answers for r in self.reader.read(question, list(texts))) < NOT_FOUND:
                bare = replace(found.citation, span=None)
                return Proposal(question, passage, bare, near=found.question)
        return None

    def _lines(
        self, messages: Sequence[Message], tokens: int, fixed: int, stop: str = ""
    ) -> list[str]:
        """What the model writes, a question a line, each without its number."""
        options = GenerationOptions(
            tokens, self.temperature, self.seed, stop=(stop,) if stop else (), fixed=fixed
        )
        with self.llm.stream(messages, options) as stream:
            lines = "".join(stream).splitlines()
        return [" ".join(_OPENING.sub("", line).split()).strip("\"“”' ") for line in lines]


def answer_in(sentence: TextSpan, reading: ground.PassageReading) -> TextSpan | None:
    """The sentence with its answer; None where the passage does not answer, or not by it."""
    if reading.answers < FOUND or reading.span is None:
        return None
    start, end = max(reading.span[0], sentence.start), min(reading.span[1], sentence.end)
    mostly_here = 2 * (end - start) > reading.span[1] - reading.span[0]
    return replace(sentence, answer=(start, end)) if mostly_here else None


def is_question(text: str) -> bool:
    """Whether it is one question, of a bearable length, that can be understood by itself."""
    least, most = QUESTION_CHARACTERS
    asks = _ASKS.search(text) and not _ASKS.search(text[:-1].rstrip())
    return bool(asks) and least <= len(text) <= most and not _LEANS.search(text)


def is_near(question: str, original: str) -> bool:
    """Whether it is another question, with half of the original's content words."""
    said, before = (re.findall(r"\w+", text.casefold()) for text in (question, original))
    shared = stems(question) & stems(original)
    return sorted(said) != sorted(before) and 2 * len(shared) >= len(stems(original))
