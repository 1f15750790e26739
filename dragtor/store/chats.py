"""Past questions and answers, in library.db: kept, found again, taken out.

A turn is kept through a short connection of its own and never takes the writer's lock: it touches
neither passages nor the generation, so readers and the writer stay as they are. What rests on a
document goes with it. Does not know how answers are made.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from dragtor.errors import UsageError
from dragtor.store.read import QUERY_WORD, Store
from dragtor.store.schema import changing
from dragtor.types import Answer, ChatTurn, Citation, Claim

COLUMNS = "turns.*, chats.name FROM turns JOIN chats ON chats.id = turns.chat_id"


# Reading


def chat_named(store: Store, name: str) -> int:
    """The id of a session, 0 where there is none."""
    if _text(name) != name:
        raise UsageError(f"a session needs a name in UTF-8: {name}", "dragtor chat --session NAME")
    rows = store.rows("SELECT id FROM chats WHERE name = ? AND name != ''", (name,))
    return int(rows[0][0]) if rows else 0


def chat_latest(store: Store) -> int:
    """The id of the chat with the newest turn, 0 where there is none."""
    rows = store.rows("SELECT chat_id FROM turns ORDER BY id DESC LIMIT 1")
    return int(rows[0][0]) if rows else 0


def chat_turns(store: Store, chat_id: int) -> list[ChatTurn]:
    """The turns of a chat, oldest first."""
    rows = store.rows(f"SELECT {COLUMNS} WHERE chat_id = ? ORDER BY turns.id", (chat_id,))
    return [_turn(row) for row in rows]


def find_turns(store: Store, words: str, n: int) -> list[ChatTurn]:
    """Turns whose question or answer holds all the words, best first; without words the newest."""
    if not (wanted := QUERY_WORD.findall(words)):
        rows = store.rows(f"SELECT {COLUMNS} ORDER BY turns.id DESC LIMIT ?", (n,))
        return [_turn(row) for row in rows] if not words.strip() else []
    match = " ".join(f'"{word}"' for word in wanted)
    rows = store.rows(
        f"SELECT {COLUMNS} JOIN turns_fts ON turns_fts.rowid = turns.id"
        " WHERE turns_fts MATCH ? ORDER BY turns_fts.rank, turns.id DESC LIMIT ?",
        (match, n),
    )
    return [_turn(row) for row in rows]


def _turn(row: sqlite3.Row) -> ChatTurn:
    claims = tuple(Claim(text, tuple(numbers)) for text, numbers in json.loads(row["claims"]))
    citations = tuple(Citation(**citation) for citation in json.loads(row["citations"]))
    said = (row["question"], row["answer"], bool(row["grounded"]), claims, citations)
    answer = Answer(*said, model=row["model"], caution=row["caution"])
    place = (row["id"], row["chat_id"], row["name"], row["asked_at"])
    return ChatTurn(row["question"], row["query"], answer, *place)


# Writing


def keep_turn(folder: Path, turn: ChatTurn, before: Sequence[ChatTurn] = ()) -> ChatTurn:
    """Write a turn down; gives it with its ids, or as it came where a quoted document is gone.

    A turn with an id takes that turn's place; `chat_id` 0 opens the session, or a chat without a
    name. `before` are the turns that its query may take words from. Raises LibraryError where the
    library cannot be written or stays locked.
    """
    with changing(folder) as db:
        if _quotes_gone(db, [turn]):
            return turn
        turn = replace(turn, asked_at=datetime.now(UTC).isoformat(timespec="seconds"))
        if _quotes_gone(db, before):
            turn = replace(turn, query=turn.question)
        if turn.id:
            _delete(db, [turn.id])
        chat_id = _chat(db, turn)
        answer = turn.answer
        cursor = db.execute(
            "INSERT INTO turns (chat_id, question, query, answer, grounded, claims, citations,"
            " model, caution, asked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (chat_id, _text(turn.question), _text(turn.query), answer.text, answer.grounded,
             json.dumps([(claim.text, claim.citations) for claim in answer.claims]),
             json.dumps([asdict(citation) for citation in answer.citations]),
             answer.model, answer.caution, turn.asked_at),
        )  # fmt: skip
        db.execute(
            "INSERT INTO turns_fts (rowid, question, answer) VALUES (?, ?, ?)",
            (cursor.lastrowid, _text(turn.question), answer.text),
        )
        if turn.id:
            _sweep(db)
    return replace(turn, id=int(cursor.lastrowid or 0), chat_id=chat_id)


def _chat(db: sqlite3.Connection, turn: ChatTurn) -> int:
    """The chat the turn goes to: its own, the one of its session's name, or a new one."""
    name = _text(turn.session)
    row = (
        db.execute("SELECT id FROM chats WHERE id = ?", (turn.chat_id,)).fetchone()
        or db.execute("SELECT id FROM chats WHERE name = ? AND name != ''", (name,)).fetchone()
    )
    if row:
        db.execute("UPDATE chats SET updated_at = ? WHERE id = ?", (turn.asked_at, row[0]))
        return int(row[0])
    cursor = db.execute(
        "INSERT INTO chats (name, created_at, updated_at) VALUES (?, ?, ?)",
        (name, turn.asked_at, turn.asked_at),
    )
    return int(cursor.lastrowid or 0)


def remove_turns(folder: Path, turn_id: int = 0) -> int:
    """Take out one turn, or all of them with 0, and leave no trace; returns how many."""
    with changing(folder, tidy=True) as db:
        rows = db.execute("SELECT id FROM turns WHERE ? IN (0, id)", (turn_id,)).fetchall()
        if turn_id and not rows:
            raise UsageError(f"there is no answer number {turn_id}", "dragtor history")
        _delete(db, [row[0] for row in rows])
        _sweep(db)
    return len(rows)


def forget_documents(db: sqlite3.Connection, document_ids: Sequence[str]) -> None:
    """Part of a removal: turns that quote one of these documents go whole, question and all.

    The answer's sentences follow the document's words, so nothing less leaves no trace. Runs
    inside the writer's own transaction.
    """
    rows = db.execute(
        "SELECT DISTINCT turns.id FROM turns, json_each(turns.citations) AS cited"
        " WHERE json_extract(cited.value, '$.document_id') IN (SELECT value FROM json_each(?))",
        (json.dumps(list(document_ids)),),
    ).fetchall()
    _delete(db, [row[0] for row in rows])
    _sweep(db)


def _quotes_gone(db: sqlite3.Connection, turns: Sequence[ChatTurn]) -> bool:
    """Whether one of the turns quotes a document that is no longer published."""
    quoted = {citation.document_id for turn in turns for citation in turn.answer.citations}
    row = db.execute(
        "SELECT count(*) FROM documents WHERE staged = 0"
        " AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(quoted)),),
    ).fetchone()
    return int(row[0]) < len(quoted)


def _delete(db: sqlite3.Connection, turn_ids: Sequence[int]) -> None:
    """Take turns out; later turns of their chats lose what a rewriting may have taken from them."""
    for turn_id in sorted(turn_ids, reverse=True):
        db.execute(
            "UPDATE turns SET query = question WHERE query != question AND id > ?"
            " AND chat_id = (SELECT chat_id FROM turns WHERE id = ?)",
            (turn_id, turn_id),
        )
        db.execute("DELETE FROM turns_fts WHERE rowid = ?", (turn_id,))
        db.execute("DELETE FROM turns WHERE id = ?", (turn_id,))


def _sweep(db: sqlite3.Connection) -> None:
    """Drop chats without a turn, and the deleted words that FTS5 keeps until it merges."""
    db.execute("DELETE FROM chats WHERE id NOT IN (SELECT chat_id FROM turns)")
    db.execute("INSERT INTO turns_fts (turns_fts) VALUES ('optimize')")


def _text(text: str) -> str:
    """What UTF-8 can hold: a terminal may give lone surrogates."""
    return text.encode("utf-8", "replace").decode()
