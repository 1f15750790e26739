"""What is told before a library is searched: filters that nothing can pass, what still waits.

Knows no ranking and no answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragtor.errors import UsageError
from dragtor.types import Reporter

if TYPE_CHECKING:
    from dragtor.store import Filters, Store


def look(known: Store, reporter: Reporter, filters: Filters | None) -> None:
    """Before a search: refuse a kind that no document has, tell what cannot be found yet."""
    from dragtor.load.registry import check_kind

    if filters and filters.kind:
        check_kind(filters.kind)
    if filters and (filters.entity or filters.topic):
        _look_for_names(known, reporter, filters)
    if waiting := known.counts()["pending"]:
        reporter.note(f"documents that wait to be indexed: {waiting} (dragtor index)")


def _look_for_names(known: Store, reporter: Reporter, filters: Filters) -> None:
    """Refuse a filter by what was never looked for; tell of a name that nobody bears."""
    from dragtor import store

    wanted = {store.NAMES: filters.entity, store.TOPICS: filters.topic}
    wanted = {task: asked for task, asked in wanted.items() if asked}
    for task, asked in wanted.items():
        if not store.has_tags(known, task):
            raise UsageError(f"no {task} were looked for yet", "dragtor index --tags")
        if not store.meant_by(known.db, asked, task):
            note_nearest(known, reporter, asked, task)
    note_untagged(known, reporter, *wanted)


def note_untagged(known: Store, reporter: Reporter, *tasks: str) -> None:
    """Tell how many documents lack the tags of any of these tasks."""
    from dragtor.store import untagged

    if waiting := len({each for task in tasks for each in untagged(known, task=task)}):
        reporter.note(f"documents to be tagged: {waiting} (dragtor index --tags)")


def note_nearest(known: Store, reporter: Reporter, asked: str, task: str) -> None:
    """Tell that nobody is so called, and who is called nearly so."""
    from dragtor.store import nearest_names

    near = nearest_names(known.db, asked, task)
    guess = f"; nearest: {', '.join(near)}" if near else ""
    reporter.note(f"nothing here is called {asked!r}{guess} (dragtor tags)")
