"""The mentions of one document of a library: a picture's as those of a mail, any other's by its
sentences.

Knows a tagger by what it does, and no database.
"""

from __future__ import annotations

from dragtor.entities.cascade import Tag, find_names
from dragtor.entities.found import find_entities, last_said
from dragtor.entities.lines import sentences_seen
from dragtor.entities.mentions import Mentions, read_mentions
from dragtor.entities.prose import FIRM_KIND
from dragtor.entities.spelling import PERSON_KIND
from dragtor.types import Document, LabelledSpan

PICTURE_KIND = "image"  # of documents


def document_mentions(document: Document, tag: Tag) -> Mentions:
    """Whom and what a document names, and who speaks in it."""
    found = find_names(document.text, tag, places=sentences_seen(document))
    if document.kind == PICTURE_KIND:
        return _of_picture(document, tag, found)
    names = [speaker.name for speaker in document.speakers if speaker.name]
    return read_mentions(document.text, found, names)


def _of_picture(document: Document, tag: Tag, found: list[LabelledSpan]) -> Mentions:
    """People and companies as `extract entities` has them; places and other things as `found`.

    Menus, headers and signatures are no sentences: a tagger alone takes their words for names.
    """
    spans: dict[int, LabelledSpan] = {}
    called: dict[int, str] = {}
    for entity in last_said(find_entities(document, tag)):
        kind = PERSON_KIND if entity.category == "person" else FIRM_KIND
        for mention in entity.mentions:
            if "@" not in mention.text:
                at = mention.start
                spans[at] = LabelledSpan(at, mention.end, kind, entity.confidence)
                if "," in mention.text:  # Gravelle, Yves
                    called[at] = entity.name
    others = [
        span
        for span in found
        if span.label not in (PERSON_KIND, FIRM_KIND)
        and not any(span.start < own.end and own.start < span.end for own in spans.values())
    ]
    ordered = sorted([*spans.values(), *others], key=lambda span: span.start)
    return Mentions(ordered, called=called)
