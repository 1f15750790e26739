"""Mentions of people, organisations and places -> who is meant, merged over a library.

Pure: takes what a tagger found and rows of names, and knows neither model nor database; but for
topic_tags.py, which gives passages topics from their stored vectors. found.py is for one text by
itself: the people and companies of a mail or a picture; seen.py holds against it what a model saw.
"""

from dragtor.entities.cascade import find_names
from dragtor.entities.found import find_entities, last_said
from dragtor.entities.known import with_known
from dragtor.entities.mentions import Mentions, read_mentions
from dragtor.entities.merge import Merged, NameRow, merge_names
from dragtor.entities.quoted import quoted_mentions
from dragtor.entities.seen import SeenNames, held_names, names_in_text
from dragtor.entities.sentences import predict_sentences
from dragtor.entities.spelling import clean_name
from dragtor.entities.tagged import document_mentions
from dragtor.entities.topic_tags import topic_tags, topic_version

RULES_VERSION = "4"  # of these rules: tags and entities of another are made anew

__all__ = [
    "RULES_VERSION",
    "Mentions",
    "Merged",
    "NameRow",
    "SeenNames",
    "clean_name",
    "document_mentions",
    "find_entities",
    "find_names",
    "held_names",
    "last_said",
    "merge_names",
    "names_in_text",
    "predict_sentences",
    "quoted_mentions",
    "read_mentions",
    "topic_tags",
    "topic_version",
    "with_known",
]
