"""`dragtor eval propose`: questions over one's own library, each shown for a yes or no.

Knows the terminal; what is asked, checked and written belongs to evaluate/propose.py.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dragtor.cli.interrupt import at_prompt
from dragtor.cli.output import (
    AS_JSON,
    TerminalReporter,
    hint,
    library,
    out,
    out_json,
    plural,
    settings,
    style,
    warn,
    wrapped,
)

if TYPE_CHECKING:
    from dragtor.evaluate.propose import Proposal

REPLIES = "keep it? [y]es, [n]o, [e]dit, [q]uit: "


def eval_propose(
    n: int = typer.Option(50, "--n", help="How many the file is to hold.", min=1),
    to: Path = typer.Option(
        Path("questions.jsonl"), "--out", help="Added to, where it is there.", metavar="FILE"
    ),
    yes: bool = typer.Option(False, "--yes", help="Keep all; ask nothing."),
    as_json: bool = AS_JSON,
) -> None:
    """Write questions over your library, answerable or not, for `dragtor eval answers`.

    A language model words them, a reader checks them, and you say which are kept. The next run goes
    on.
    """
    from dragtor.evaluate.propose import propose

    with library() as lib:
        asks = sys.stdin.isatty() and not yes
        shows_on_stdout = sys.stdout.isatty() and not as_json
        assert isinstance(lib.reporter, TerminalReporter)  # of this command line
        ask = Asking(lib.reporter, out if shows_on_stdout else warn, shows_on_stdout)
        result = propose(lib, to, n, ask if asks else None)
    if as_json:
        out_json(result)
    else:
        counts = result["metrics"]
        told = f"{counts['answerable']} answerable, {counts['unanswerable']} not"
        out(f"{to}: {plural(result['n'], 'question')}, {told}")
    if settings.quiet:
        return
    if result["n"] < n and not asks:
        warn(f"{result['n']} of {n}: more stood no check; a larger library or llm.model finds more")
    if unseen := result["n"] - result["looked_at"]:
        warn(f"nobody looked at {unseen} of them: read {to} before you trust its figures")
    hint(f"dragtor eval answers {shlex.quote(str(to))}")


@dataclass
class Asking:
    """Shows a proposal and takes the reply; at the end of what is typed, no more is wanted."""

    reporter: TerminalReporter
    show: Callable[[str], None]
    on_stdout: bool

    def __call__(self, found: Proposal) -> str | None:
        """The question as it is to be kept, empty where it is not; None: no more."""
        with self.reporter.paused(), at_prompt():
            self._out(found)
            while (reply := self._line(REPLIES)) is not None:
                match reply.casefold()[:1]:
                    case "y":
                        return found.question
                    case "n":
                        return ""
                    case "e":
                        return self._line("question: ") or found.question
                    case "q":
                        break
            return None

    def _out(self, found: Proposal) -> None:
        """The question, what answers or comes nearest, and where that stands."""
        from dragtor.display import where

        cited = found.citation
        start, end = cited.answering
        quote = cited.quote
        if start < end:
            quote = quote[:start] + style(quote[start:end], bold=True) + quote[end:]
        kind = "answerable" if found.answerable else "not in your sources"
        self.show("\n" + style(kind, fg="green" if found.answerable else "yellow"))
        self.show(wrapped(style(found.question, bold=True)))
        if found.near:
            self.show(wrapped(f"a near miss of: {found.near}"))
        self.show(wrapped(f"“{quote}”"))
        place = where(cited.title, cited.page, cited.start_s, cited.speaker, cited.box)
        self.show(style(f"  {place}  {cited.url}", dim=True))

    def _line(self, prompt: str) -> str | None:
        """What is typed; None at its end."""
        if self.on_stdout:
            try:
                return input(prompt).strip()
            except EOFError:
                return None
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        return line.strip() if line else None
