"""Sentences of hits, ranked for a question, and the best of them as quotes.

A quote is always cut from the document it names. Does not know where hits come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from dragtor.ground.spans import TextSpan, sentence_spans
from dragtor.ground.stems import share_held, stems
from dragtor.rerank.tokens import EmbedTokens, mean_best_cosine
from dragtor.types import Citation, Document, Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EmbedTexts = Callable[[Sequence[str]], "NDArray[np.float32]"]  # unit rows, one a text

# Of the sentence's cosine, its hit's score, the question's words that it and its headings hold.
# A listwise logistic fit on 676 questions with known spans; docs/log.md has the figures.
WEIGHTS = (0.61, 0.25, 0.14)
INTERACTING_SENTENCES = 60  # of the best, whose tokens are compared,
INTERACTION_WEIGHT = 2.0  # and how much that counts beside the score above
_QUESTION = re.compile(r"\?[\"'”’)\]]*\s*$")
MOST_BETWEEN = 40  # characters between a question and its reply: a "Yes." perhaps


def rank_sentences(
    question: str,
    vector: NDArray[np.float32],
    hits: Sequence[Hit],
    documents: Mapping[str, Document],
    embed: EmbedTexts,
) -> list[TextSpan]:
    """Every sentence of the hits, scored for the question and its unit vector, best first."""
    found: dict[tuple[str, int, int], TextSpan] = {}
    for hit in hits:
        for span in sentence_spans(hit, documents[hit.passage.document_id]):
            found.setdefault(span.key, span)
    if not found:
        return []
    texts = list(dict.fromkeys(span.text for span in found.values()))
    cosines = dict(zip(texts, (embed(texts) @ vector).tolist(), strict=True))
    asked = stems(question)
    scored = []
    for span in found.values():
        cosine = cosines[span.text]
        held = share_held(asked, f"{span.section_path} {span.text}")
        parts = (cosine, span.hit.score, held)
        score = sum(weight * part for weight, part in zip(WEIGHTS, parts, strict=True))
        scored.append(replace(span, score=score, cosine=cosine, words=held))
    return sorted(scored, key=lambda span: -span.score)


def late_interaction(
    question: str, ranked: Sequence[TextSpan], embed_tokens: EmbedTokens
) -> list[TextSpan]:
    """The spans in a new order, the first INTERACTING_SENTENCES scored again by their tokens.

    The mean over the question's tokens of their best cosine in the sentence (Khattab & Zaharia
    2020, "ColBERT"), with vectors that nobody trained for it, is added to the score. A sentence
    is embedded under its section path, without which a lay question meets little in it.
    """
    first, rest = ranked[:INTERACTING_SENTENCES], ranked[INTERACTING_SENTENCES:]
    texts = (f"{span.section_path}\n{span.text}" for span in first)
    asked, *embedded = embed_tokens([question, *texts])
    again = [
        replace(span, score=span.score + INTERACTION_WEIGHT * mean_best_cosine(asked, tokens))
        for span, tokens in zip(first, embedded, strict=True)
    ]
    return replies_first([*sorted(again, key=lambda span: -span.score), *rest])


def replies_first(ranked: Sequence[TextSpan]) -> list[TextSpan]:
    """The spans, each question changing places with the sentence after it where that is below.

    An interviewer's question is nearest to the user's, and what is wanted is the reply to it.
    """
    order = sorted(range(len(ranked)), key=lambda i: ranked[i].key)
    found = list(ranked)
    for here, after in pairwise(order):
        asks, reply = ranked[here], ranked[after]
        gap = reply.start - asks.end
        near = asks.document.id == reply.document.id and 0 <= gap <= MOST_BETWEEN
        if (
            here < after
            and near
            and _QUESTION.search(asks.text)
            and not _QUESTION.search(reply.text)
        ):
            found[here] = replace(reply, score=asks.score)
            found[after] = replace(asks, score=reply.score)
    return found


def best_quotes(ranked: Sequence[TextSpan], n: int) -> list[Citation]:
    """The first `n` sentences as citations from 1, at most one a hit and none twice."""
    best: dict[str, TextSpan] = {}
    said: set[str] = set()
    for span in ranked:
        if span.hit.passage.id not in best and span.text not in said:
            best[span.hit.passage.id] = span
            said.add(span.text)
    return [span.citation(number) for number, span in enumerate(list(best.values())[:n], 1)]
