"""The plan of a research: queries for a person or a company, sub-questions for a question.

A language model names sub-questions under a schema, rules do where there is none or it fails; the
question itself always stays. Knows no provider and no library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from dragtor import prompt
from dragtor.errors import DragtorError
from dragtor.ground.names import names_in
from dragtor.ground.stems import stems
from dragtor.llm import GenerationOptions
from dragtor.research.budget import Budget
from dragtor.research.subject import Subject
from dragtor.types import CancelToken

if TYPE_CHECKING:
    from dragtor.llm import LLM

MOST_QUESTIONS = 4  # beside the question itself
MOST_QUERIES = 4  # that go out for one hop
PLAN_TOKENS = 200
ALIKE = 0.8  # of the content words of the shorter: two questions ask the same
FULL_WORDS = 4  # content words; a part with fewer leans on the one before it
LEAST_WORDS = 2  # content words, without which a part is no question of its own
_ASKS = (
    r"(?:(?:at|by|for|from|in|of|on|to|until|since|after|with|up to|than) )?"
    r"(?:how|what|when|where|which|who|whom|whose|why)\b"
)
_AND_ASKS = re.compile(
    rf"[,;:]?\s+(?:and|or|but)\s+(?={_ASKS})|[;:]\s+(?={_ASKS})|,\s+(?=(?:how|what|when|why)\b)",
    re.I,
)
_SENTENCE_END = re.compile(r"(?<=[?!.])\s+(?=[A-Z])")
_ASKING = re.compile(
    rf"(?:{_ASKS}|(?:are|can|compare|could|did|do|does|give|has|have|is|name|should|tell|was|were|"
    r"will)\b)",
    re.I,
)
_MORE_THAN = re.compile(
    r"(?P<verb>is|are|was|were|do|does|did|can|should|will)\s+(?P<a>.+?)\s+"
    r"(?P<more>(?:\w{2,}er|better|worse|(?:more|less)(?:\s+\w+)?))\s+than\s+(?P<b>[^?,;]+)",
    re.I,
)
_LISTED = re.compile(r",?\s+(?:and|or|versus|vs\.?)\s+(?P<b>[^,?;.]{3,80})", re.I)
_BEFORE_SIDE = re.compile(  # the last of these before a list is not of the list
    r"\b(?:about|are|at|between|by|can|compare|did|do|does|for|from|has|have|in|is|of|on|should|than"
    r"|to|was|were|will|with)\s+",
    re.I,
)
_POINTS = re.compile(
    r"\b(?:it|its|they|them|their|that|this|those|these|each|both|there|ones?|he|she|his|her)\b",
    re.I,
)
_NAME = re.compile(
    r"\b[A-Z][\w'’.-]*[\w](?:\s+(?:of|the|for|de|von|van|and|&)\s+[A-Z][\w'’-]+|\s+[A-Z][\w'’-]+)+"
)

QUESTIONS_SCHEMA = {
    "type": "object",
    "properties": {
        "questions": {
            "type": "array",
            "items": {"type": "string", "maxLength": 200},
            "minItems": 1,
            "maxItems": MOST_QUESTIONS,
        }
    },
    "required": ["questions"],
    "additionalProperties": False,
}


def subject_queries(subject: Subject) -> list[str]:
    """What is asked about a person or a company, at most MOST_QUERIES: the name with each term."""
    quoted = f'"{subject.name}"'
    return [quoted, *(f"{quoted} {term}" for term in subject.context)][:MOST_QUERIES]


def names_of_others(texts: Iterable[str], known: str, most: int) -> list[str]:
    """Names of several words in the texts, the most frequent first, none that `known` holds."""
    found: dict[str, int] = {}
    for text in texts:
        for name in dict.fromkeys(" ".join(each[0].split()) for each in _NAME.finditer(text)):
            if not stems(name) <= stems(known):
                found[name] = found.get(name, 0) + 1
    return sorted(found, key=lambda name: -found[name])[:most]


@dataclass(frozen=True, slots=True)
class SubQuestion:
    """A part of a question, and what it is looked for by: with what it leans on."""

    question: str
    query: str = ""


def sub_questions(
    question: str,
    llm: Callable[[], LLM] | None,
    budget: Budget,
    cancel: CancelToken,
) -> list[SubQuestion]:
    """The question, then at most MOST_QUESTIONS that ask for its parts; none asks the same twice.

    The first of the two calls of a research: its JSON is what the next steps work with.
    """
    found: list[str] = []
    if llm is not None:
        found = _by_model(question, llm, budget, cancel)
    parts = distinct([question, *(found or by_rules(question))])[: MOST_QUESTIONS + 1]
    made = [SubQuestion(question)]
    for before, part in pairwise(parts):
        lead = before if len(made) > 1 else ""
        leaning = bool(_POINTS.search(part)) or len(stems(part)) < FULL_WORDS
        made.append(SubQuestion(part, f"{part} {_topic(lead)}" if lead and leaning else ""))
    return made


def _topic(question: str) -> str:
    """What a question is about: its names, else all its words but those that ask."""
    words = re.findall(r"[\w'’-]+", question)
    named = [word for word in words[1:] if word[:1].isupper()]
    return " ".join(named or [word for word in words if stems(word)])


def _by_model(
    question: str, llm: Callable[[], LLM], budget: Budget, cancel: CancelToken
) -> list[str]:
    """What the model makes of it; empty where it fails, or speaks of what was not asked."""
    options = GenerationOptions(
        PLAN_TOKENS, json_schema=QUESTIONS_SCHEMA, fixed=prompt.FIXED_PLAN_QUESTIONS
    )
    try:
        with llm().stream(prompt.plan_questions_messages(question), options) as stream:
            text = "".join(cancel.checked(stream))
        budget.tokens += stream.completion_tokens
        rows = json.loads(text)["questions"]
    except (DragtorError, ValueError, KeyError, TypeError):
        return []
    asked, named = stems(question), {name.casefold() for name in names_in(question)}
    kept = []
    for row in rows if isinstance(rows, list) else ():
        words = " ".join(row.split()) if isinstance(row, str) else ""
        strange = {name.casefold() for name in names_in(words)} - named
        if len(stems(words) & asked) >= LEAST_WORDS and not strange - asked:
            kept.append(words)
    return kept


def by_rules(question: str) -> list[str]:
    """The parts of a question that hold a question word of their own, else the sides it compares.

    What is told before it is asked stays with each part.
    """
    told: list[str] = []
    parts: list[str] = []
    for sentence in _SENTENCE_END.split(" ".join(question.split())):
        pieces = [piece.strip(" ,;:") for piece in _AND_ASKS.split(sentence)]
        if _ASKING.match(pieces[0]) or sentence.endswith("?"):
            parts += [piece for piece in pieces if stems(piece)]
        else:
            told.append(sentence)
    if len(parts) < 2:
        parts = sides(parts[0]) if parts else []
    return [" ".join([*told, f"{part.rstrip('?. ')}?"]) for part in parts]


def sides(question: str) -> list[str]:
    """A comparison or a list of two as two questions, each without the other side; else none."""
    if more := _MORE_THAN.match(question):
        return [f"{more['verb']} {side.strip()} {more['more']}?" for side in more.group("a", "b")]
    if not (listed := _LISTED.search(question)):
        return []
    before, rest = question[: listed.start()], question[listed.end() :]
    opening = [found.end() for found in _BEFORE_SIDE.finditer(before)]
    head = before[: opening[-1]] if opening else ""
    made = [f"{before}{rest}", f"{head}{listed['b']}{rest}"]
    return [each for each in made if len(stems(each)) >= LEAST_WORDS]


def distinct(questions: Sequence[str]) -> list[str]:
    """Questions of which none asks what one before it asks in hardly other words."""
    kept: list[tuple[str, set[str]]] = []
    for question in questions:
        words = stems(question)
        if not any(_alike(words, known) for _, known in kept):
            kept.append((question, words))
    return [question for question, _ in kept]


def _alike(one: set[str], other: set[str]) -> bool:
    """Whether both hold the same; a part of a longer question is none of its likes."""
    shared = len(one & other)
    return shared >= ALIKE * max(len(one), len(other), 1)
