"""Context selection: which sentences of the hits go into the prompt, within its tokens.

Sentences that give a model instructions are left out. Pure but for counting tokens, which is
passed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dragtor.ground.spans import TextSpan, sentence_spans
from dragtor.headings import heading_of, headings
from dragtor.types import Answer, Document, Hit, Passage

# A sentence that tells its reader how to answer: written for a model, not for a person. "Your
# response to training", "your power output" and "forget the rule of thumb" are everyday words.
_REPLY = (
    r"your (?:(?:final|next|whole|entire|own|full|written|complete|every) )?"
    r"(?:(?:answer|message|repl(?:y|ie))s?\b|(?:response|output)s?\b"
    r"(?! to (?!(?:mention|include|say|express|highlight|hint|promote|suggest|add|use)\b)))"
)
_INTO = (
    "add|anagram|append|augment|begin|capitali[sz]e|combine|conclude|convert|embed|emphasi[sz]e"
    "|encode|encourage|end|finish|group|hide|include|incorporate|insert|integrate|introduce"
    "|invite|jumble|link|mention|misspell|prepend|promote|put|rearrange|recommend|remove"
    "|repeat|replace|reverse|scramble|shift|spell|start|state|substitute|suggest|swap|tease|tell"
    "|translate|use|weave|write"
)
_REPLY_ITSELF = (
    "augment|begin|compose|convert|deliver|encode|encrypt|end|enhance|finish|format|give|modify"
    "|open|phrase|present|print|provide|put|render|reverse|rewrite|scramble|start|translate|write"
)
_IGNORED = (
    r"instructions?|prompts?|guidelines|directives|system messages?|your (?:\w+ )?rules"
    r"|(?:all|everything|anything|whatever)(?: \w+){0,3} (?:previous|above|before)"
    r"(?= and\b| that\b|[.,;:!]|$)"
)
_EVERYDAY = """in line,according,due,compared,change,changes,drop,drops,rise,fall,increase,decrease,
    difference,improvement,peak""".replace("\n    ", "").split(",")  # before "in your response"
_INSTRUCTION = re.compile(
    rf"\b(?:{_INTO})\b.{{0,200}}\b{''.join(f'(?<!{word} )' for word in _EVERYDAY)}"
    rf"(?:in|into|to|with|within|from|of|on) {_REPLY}"
    rf"|\b(?:{_REPLY_ITSELF}) {_REPLY}"
    rf"|\bin {_REPLY}, (?:please )?(?:\w+ly )?(?:{_INTO})\b"
    rf"|\b(?:ignore|disregard|forget|override)\b.{{0,40}}\b(?:{_IGNORED})"
    r"|\b(?:reveal|print|repeat|show|output|ignore|disregard|tell)\b.{0,40}\bsystem prompt\b"
    r"|\byou are now (?:an? )?(?:\w+ )?(?:ai|assistant|language model|chatbot)\b"
    r"|\byou are an? (?:\w+ )?(?:ai(?: model)?|(?:ai|helpful) assistant|language model|chatbot)\b"
    r"(?! \w)",
    re.IGNORECASE,
)
MARKER_TOKENS = 5  # of a sentence's number and line end


@dataclass(frozen=True, slots=True)
class ContextSelected:
    """The sentences that a model is given for a question, in their order, before it writes."""

    spans: tuple[TextSpan, ...]


@dataclass(frozen=True, slots=True)
class HistoryTurn:
    """An earlier question of a conversation as it was searched, its answer, and its context.

    `context` is empty where it is not known any more, as in a conversation that is resumed.
    """

    question: str
    answer: Answer
    context: tuple[TextSpan, ...] = ()


EarlierTurns = Callable[[], Sequence[HistoryTurn]]  # called once they are needed


def select_context(
    ranked: Sequence[TextSpan], extent: str, budget: int, count_tokens: Callable[[str], int]
) -> list[TextSpan]:
    """Spans of at most `budget` tokens in all, grouped under their headings, best group first.

    `extent`: `sentences` takes the best-ranked ones of all hits; `passage`, `section` and
    `document` go hit by hit, and in each from its best sentence outwards. Sentences that give a
    model instructions are left out.
    """
    ordered = ranked if extent == "sentences" else _widened(ranked, extent)
    chosen: dict[tuple[str, int, int], TextSpan] = {}
    heads: set[str] = set()
    for span in ordered:
        if span.key in chosen or is_instruction(span.text):
            continue
        cost = count_tokens(span.text) + MARKER_TOKENS
        cost += 0 if span.section_path in heads else count_tokens(span.section_path) + 2
        if cost > budget:
            if extent == "sentences" and chosen:
                break
            continue
        budget -= cost
        chosen[span.key] = span
        heads.add(span.section_path)
    return in_reading_order(chosen.values())


def is_instruction(sentence: str) -> bool:
    """Whether a sentence tells a model how to answer."""
    return _INSTRUCTION.search(" ".join(sentence.split())) is not None


def in_reading_order(chosen: Iterable[TextSpan]) -> list[TextSpan]:
    """Grouped by section path and speaker, the best group first, each in the text's order."""
    groups: dict[tuple[str, str | None], list[TextSpan]] = {}
    for span in sorted(chosen, key=lambda span: -span.score):
        groups.setdefault((span.section_path, span.speaker), []).append(span)
    return [s for group in groups.values() for s in sorted(group, key=lambda span: span.key)]


def _widened(ranked: Sequence[TextSpan], extent: str) -> Iterator[TextSpan]:
    known = {span.key: span for span in ranked}
    best_of: dict[str, TextSpan] = {}
    for span in ranked:
        best_of.setdefault(span.hit.passage.id, span)
    for best in sorted(best_of.values(), key=lambda span: -span.hit.score):
        start, end = _extent(best.hit.passage, best.document, extent)
        whole = replace(best.hit, passage=Passage.of(best.document, start, end))
        paths = [
            (line.start(), heading_of(path, best.document))
            for line, path in headings(best.document.text)
        ]
        near = sorted(
            sentence_spans(whole, best.document), key=lambda span: abs(span.start - best.start)
        )
        for span in near:
            hit = _hit_there(span, best.hit, paths)
            yield known.get(span.key) or replace(span, hit=hit, score=best.score - 1e-6)


def _hit_there(span: TextSpan, hit: Hit, paths: Sequence[tuple[int, str]]) -> Hit:
    """The hit where it holds the span; elsewhere under that place's heading, with no speaker."""
    if hit.passage.start <= span.start and span.end <= hit.passage.end:
        return hit
    heading = next((path for start, path in reversed(paths) if start <= span.start), "")
    passage = Passage.of(span.document, span.start, span.end, heading)
    return replace(hit, passage=passage, start_s=None, end_s=None, speaker=None)


def _extent(passage: Passage, document: Document, extent: str) -> tuple[int, int]:
    """Where the passage, its section or its document starts and ends."""
    if extent == "passage":
        return passage.start, passage.end
    if extent == "document":
        return 0, len(document.text)
    starts = [line.start() for line, _ in headings(document.text)]
    start = max((s for s in starts if s <= passage.start), default=0)
    end = min((s for s in starts if s > passage.start), default=len(document.text))
    return start, max(end, passage.end)
