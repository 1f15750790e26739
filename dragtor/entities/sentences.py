"""Texts labelled as heads on words read best: a sentence at a time, and classes of the whole.

Heads of words are trained on single sentences, and find fewer names in several at once. Knows no
document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dragtor import split
from dragtor.types import LabelledSpan, Tagged

if TYPE_CHECKING:
    from dragtor.encoder import Encoder


def predict_sentences(
    encoder: Encoder, texts: Sequence[str], heads: Sequence[str] = ()
) -> list[Tagged]:
    """As Encoder.predict, but that spans are looked for in each sentence by itself."""
    known = [head for head in encoder.heads.heads if not heads or head.name in heads]
    unknown = [name for name in heads if name not in {head.name for head in known}]
    of_words = [head.name for head in known if head.kind == "tokens"]
    of_texts = [head.name for head in known if head.kind == "sentence"]
    if unknown or not of_words or (heads and len(of_words + of_texts) < len(known)):
        return encoder.predict(texts, heads)  # which says what is wrong with the heads
    places = [(n, *place) for n, text in enumerate(texts) for place in split.sentences(text)]
    said = encoder.predict([texts[n][start:end] for n, start, end in places], of_words)
    whole = encoder.predict(texts, of_texts) if of_texts else [Tagged(text) for text in texts]
    spans: list[dict[str, list[LabelledSpan]]] = [{name: [] for name in of_words} for _ in texts]
    for (n, start, _), one in zip(places, said, strict=True):
        for name, found in one.spans.items():
            spans[n][name] += (_moved(span, start) for span in found)
    return [replace(one, spans=_fixed(own)) for one, own in zip(whole, spans, strict=True)]


def _moved(span: LabelledSpan, by: int) -> LabelledSpan:
    return replace(span, start=span.start + by, end=span.end + by)


def _fixed(spans: Mapping[str, list[LabelledSpan]]) -> dict[str, tuple[LabelledSpan, ...]]:
    return {name: tuple(found) for name, found in spans.items()}
