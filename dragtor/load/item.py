"""What a source consists of, before anything of it is read.

Every kind of source lists its Items; knows nothing of how they are fetched.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One document-to-be that a source consists of."""

    uri: str  # canonical address: URL, or absolute path as file:// URI
    stamp: str = ""  # hash of the raw bytes where known without a fetch; empty: unknown
