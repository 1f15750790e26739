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
from dragtor.store.filters import Filters
from dragtor.store.lock import held_by
from dragtor.store.read import Candidates, Store
from dragtor.store.rebuild import Rebuild
from dragtor.store.speakers import known_voices, put_speakers, renamed, speaker_asked
from dragtor.store.vectors import drift
from dragtor.store.write import Indexed, Writer

__all__ = [
    "Candidates",
    "Filters",
    "Indexed",
    "Rebuild",
    "Store",
    "Writer",
    "chat_latest",
    "chat_named",
    "chat_turns",
    "drift",
    "find_turns",
    "held_by",
    "keep_turn",
    "known_voices",
    "put_speakers",
    "remove_turns",
    "renamed",
    "speaker_asked",
]
