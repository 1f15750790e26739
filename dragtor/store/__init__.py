"""The library on disk: library.db is the truth, the vector index is derived from it.

Knows SQL and Chroma; does not know where texts come from nor who embeds them.
"""

from dragtor.store.chats import (
    chat_latest,
    chat_named,
    chat_turns,
    find_turns,
    keep_turn,
    remove_turns,
)
from dragtor.store.digests import (
    TopicRow,
    content_hashes,
    digest_kept,
    keep_digest,
    subject_meant,
    subject_of,
)
from dragtor.store.filters import Filters
from dragtor.store.lock import held_by
from dragtor.store.named import entities_of, meant_by, mentions_of, nearest_names
from dragtor.store.read import Candidates, KeptVectors, Store
from dragtor.store.rebuild import Rebuild
from dragtor.store.speakers import known_voices, put_speakers, renamed, speaker_asked
from dragtor.store.tags import (
    MERGED,
    NAMES,
    TOPIC_KIND,
    TOPICS,
    TagRow,
    acronyms,
    has_tags,
    name_counts,
    put_entities,
    put_tags,
    put_topics,
    speaker_names,
    untagged,
)
from dragtor.store.vectors import drift
from dragtor.store.write import Indexed, Writer

__all__ = [
    "MERGED",
    "NAMES",
    "TOPICS",
    "TOPIC_KIND",
    "Candidates",
    "Filters",
    "Indexed",
    "KeptVectors",
    "Rebuild",
    "Store",
    "TagRow",
    "TopicRow",
    "Writer",
    "acronyms",
    "chat_latest",
    "chat_named",
    "chat_turns",
    "content_hashes",
    "digest_kept",
    "drift",
    "entities_of",
    "find_turns",
    "has_tags",
    "held_by",
    "keep_digest",
    "keep_turn",
    "known_voices",
    "meant_by",
    "mentions_of",
    "name_counts",
    "nearest_names",
    "put_entities",
    "put_speakers",
    "put_tags",
    "put_topics",
    "remove_turns",
    "renamed",
    "speaker_asked",
    "speaker_names",
    "subject_meant",
    "subject_of",
    "untagged",
]
