"""Commands of conversation: chat, history.

A line is a question or a /command. Knows the terminal; answers come from the library's Chat.
"""

from __future__ import annotations

import io
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dragtor.cli.ask import hit_heading, print_events
from dragtor.cli.filters import with_filters
from dragtor.cli.interrupt import at_prompt, stopping
from dragtor.cli.output import (
    AS_JSON,
    hint,
    library,
    out,
    out_citation,
    out_json,
    plural,
    settings,
    style,
    warn,
    wrapped,
    write_file,
)
from dragtor.errors import Cancelled, DragtorError, UsageError

if TYPE_CHECKING:
    from dragtor.chat import Chat
    from dragtor.store import Filters
    from dragtor.types import ChatTurn

FENCE = '"""'
MAX_SHOWN = 8  # passages that /why shows
EXCERPT = 240  # characters of each
HELP = """\
/sources             the quotes of the last answer, with their links
/why                 the passages that were found for it, and their scores
/retry               the last question once more, in other words
/export md [FILE]    this conversation as Markdown, on the screen or into a file
/help                this list
/quit                leave, as does Ctrl-D
A line that ends in a backslash goes on in the next; so does a text between two \"""."""


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(with_filters(chat))
    app.command()(history)


def chat(
    session: str = typer.Option("", help="Name it, or go on with it.", metavar="NAME"),
    no_history: bool = typer.Option(False, "--no-history", help="Keep nothing of it."),
    *,
    filters: Filters,
) -> None:
    """Ask one question after another; a follow-up may refer to what came before."""
    lines = Lines()
    failed = 0
    with library() as lib:
        lib.store()  # where there is none, say so before the first question
        talk = lib.chat(session, keep=not no_history)
        if lines.is_terminal and not settings.quiet:
            warn(_greeting(talk))
        for text in lines:
            if text in ("/quit", "/exit"):
                break
            try:
                with stopping(settings.cancel):
                    _answer(talk, text, filters)
            except (Cancelled, KeyboardInterrupt):
                if not lines.is_terminal:
                    raise
                settings.cancel.renew()
                warn("\nstopped")
            except DragtorError as error:
                wrong_command = text.startswith("/") and isinstance(error, UsageError)
                if not lines.is_terminal and not wrong_command:
                    raise
                warn(f"error: {error}")
                hint(error.hint)
                failed = error.exit_code
            sys.stdout.flush()
    if failed and not lines.is_terminal:  # nobody saw it happen
        raise typer.Exit(failed)


def _greeting(talk: Chat) -> str:
    name = f"{talk.name}: " if talk.name else ""
    before = f"{plural(len(talk.turns), 'earlier question')}. " if talk.turns else ""
    return f"{name}{before}/help lists the commands, Ctrl-D leaves."


def _answer(talk: Chat, text: str, filters: Filters) -> None:
    """Answer a question, or do what a /command says."""
    if not text.startswith("/"):
        print_events(talk.ask_events(text, filters=filters))
        return
    command, _, rest = text.partition(" ")
    if command == "/retry":
        print_events(talk.retry_events())
    elif command == "/sources":
        _sources(talk)
    elif command == "/why":
        _why(talk)
    elif command == "/export":
        _export(talk, rest)
    elif command == "/help":
        out(HELP)
    else:
        raise UsageError(f"there is no command {command}", "/help")


def _last(talk: Chat) -> ChatTurn:
    if not talk.turns:
        raise UsageError("nothing was answered yet")
    return talk.turns[-1]


def _sources(talk: Chat) -> None:
    citations = _last(talk).answer.citations
    if not citations:
        warn("the last answer quotes nothing")
    for citation in citations:
        out_citation(citation, f"[{citation.n}] ")


def _why(talk: Chat) -> None:
    turn = _last(talk)
    out(f"searched for: {turn.query}")
    if not turn.answer.hits:
        warn("no passages: none were found, or the question is of an earlier chat (/retry)")
    for number, hit in enumerate(turn.answer.hits[:MAX_SHOWN], 1):
        out(hit_heading(number, hit))
        ranks = f"by meaning {hit.dense_rank or '-'}, by words {hit.lexical_rank or '-'}"
        out(f"    score {hit.score:.2f} · cosine {hit.dense_score:.2f} · rank {ranks}")
        out(wrapped(textwrap.shorten(hit.passage.text, EXCERPT, placeholder=" …"), "    "))
        out()


def _export(talk: Chat, rest: str) -> None:
    from dragtor.chat import markdown

    kind, _, name = rest.strip().partition(" ")
    if kind != "md":
        raise UsageError(f"an export is md, not {kind or 'nothing'}", "/export md notes.md")
    text = markdown(talk.turns, talk.name or "A conversation")
    if not name.strip():
        out(text.rstrip("\n"))
        return
    write_file(Path(name.strip()), text, "/export md OTHER-FILE")


class Lines:
    """The questions and commands that are typed, or that come through a pipe, one a line.

    A line that ends in a backslash goes on with the next; three double quotes open and close a
    text of several lines, as does the end of what comes. Ctrl-C at the prompt drops what is being
    typed.
    """

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty()
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        if self.is_terminal and sys.stdout.isatty():
            from contextlib import suppress

            with suppress(ImportError):  # Windows has none
                import readline  # noqa: F401 - gives `input` editing and earlier lines

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                with at_prompt():
                    text = self._text()
            except EOFError:
                return
            except KeyboardInterrupt:
                if not self.is_terminal:
                    raise
                warn("")
                continue
            if text:
                yield text

    def _text(self) -> str:
        text = self._line("> ").strip()
        if text.startswith(FENCE):
            text = text.removeprefix(FENCE)
            while not text.rstrip().endswith(FENCE) and (more := self._more()):
                text += more
            return text.rstrip().removesuffix(FENCE).strip()
        while text.endswith("\\"):
            text = text.removesuffix("\\") + "\n" + self._more().strip()
        return text.strip()

    def _more(self) -> str:
        """The next line of the same text, after a line break; empty at the end."""
        try:
            return "\n" + self._line("… ")
        except EOFError:
            return ""

    def _line(self, prompt: str) -> str:
        if self.is_terminal and sys.stdout.isatty():
            return input(prompt)
        if self.is_terminal:
            sys.stderr.write(prompt)
            sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")


def history(
    words: list[str] = typer.Argument(None, help="Words that question or answer hold."),
    n: int = typer.Option(20, "-n", min=1, help="How many, at most."),
    remove: int = typer.Option(None, "--rm", min=1, help="Take this answer out.", metavar="ID"),
    clear: bool = typer.Option(False, "--clear", help="Take all answers out."),
    as_json: bool = AS_JSON,
) -> None:
    """Find past answers; without words, the newest."""
    from dragtor.schema import history_json

    if remove or clear:
        if words or (remove and clear):
            text = "--rm ID takes one answer out, --clear all of them; neither takes words"
            raise UsageError(text, "dragtor history --rm ID")
        _forget(remove or 0, as_json)
        return
    with library() as lib:
        turns = lib.history(" ".join(words or []), n)
    if as_json:
        out_json(history_json(turns))
        return
    if not turns:
        warn("nothing found")
    for turn in turns:
        session = f"  {turn.session}" if turn.session else ""
        when = f"{turn.asked_at[:16].replace('T', ' ')}{session}"
        out(f"{style(f'{turn.id:>4}', bold=True)}  {style(when, fg='cyan')}")
        out(wrapped(turn.question, "      "))
        if turn.answer.caution:
            out(wrapped(turn.answer.caution, "        "))
        out(wrapped(turn.answer.text, "        "))
        out()


def _forget(turn_id: int, as_json: bool) -> None:
    """Take one answer out, or all of them with 0."""
    with library() as lib:
        gone = lib.forget_history(turn_id)
    if as_json:
        out_json({"removed": gone})
    else:
        warn(f"taken out: {plural(gone, 'answer')}")
