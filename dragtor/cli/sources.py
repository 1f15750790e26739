"""Commands that change or show what the library holds: add, load, sync, sources, speakers, export.

Each makes one library call and prints.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer

from dragtor.cli.filters import with_filters
from dragtor.cli.output import (
    library,
    out,
    out_json,
    out_text,
    plural,
    report,
    style,
    wrapped,
    write_file,
)

if TYPE_CHECKING:
    from dragtor.store import Filters

LockTimeout = typer.Option(
    None, help="Seconds to wait for another writer, then exit 5.", metavar="SECONDS"
)
Refresh = typer.Option(False, "--refresh", help="Fetch again, past the cache.")
Match = typer.Option("", help="Of a sitemap, feed or channel, only what matches.", metavar="REGEX")
Latest = typer.Option(
    0, min=0, help="Of a podcast or channel, the newest so many.", metavar="N", show_default=False
)
Episode = typer.Option("", help="Of a podcast: number, title words or date.", metavar="WHICH")
What = typer.Argument(
    help='Addresses, files, folders, feeds, videos, "podcast:NAME"; - reads stdin.',
    metavar="WHAT...",
)
Form = typer.Option("md", "--format", help="md, srt, vtt or json.", metavar="FORMAT")
sources_app = typer.Typer(help="Show or remove what was added.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (add, load, index, sync, speakers, with_filters(export)):
        app.command()(command)
    sources_app.callback(invoke_without_command=True)(sources)
    sources_app.command("show")(show_source)
    sources_app.command("rm")(remove_source)
    app.add_typer(sources_app, name="sources")


def _lock(seconds: float | None) -> dict[str, Any]:
    return {} if seconds is None else {"library": {"lock_timeout_s": seconds}}


def _taking(name: str, help_text: str, *, indexed: bool) -> Callable[..., None]:
    """The command `name`, which takes sources in."""

    def take(
        what: list[str] = What,
        match: str = Match,
        latest: int = Latest,
        episode: str = Episode,
        refresh: bool = Refresh,
        lock_timeout: float = LockTimeout,
    ) -> None:
        choice: dict[str, Any] = {"match": match, "latest": latest, "episode": episode}
        with library(_lock(lock_timeout)) as lib:
            named = [each for each in what if each != "-"]
            result = lib.add(*named, **choice, refresh=refresh, index=indexed)
            if "-" in what:
                result += lib.add_bytes(sys.stdin.buffer.read(), index=indexed)
        report(result, name)

    take.__name__, take.__doc__ = name, help_text
    return take


add = _taking(
    "add",
    "Load and index pages, files, folders, sitemaps, feeds, podcasts and videos.",
    indexed=True,
)
load = _taking("load", "Fetch and store documents; `index` makes them searchable.", indexed=False)


def index(
    rebuild: bool = typer.Option(
        False, "--rebuild", help="Make every passage and the vector index anew."
    ),
    tags: bool = typer.Option(False, "--tags", help="Find who and what is named, too."),
    lock_timeout: float = LockTimeout,
) -> None:
    """Index what is loaded but not indexed yet."""
    with library(_lock(lock_timeout)) as lib:
        result = lib.index(rebuild=rebuild, tags=tags)
    report(result, "index")


def sync(lock_timeout: float = LockTimeout) -> None:
    """Visit every source again; index only what changed."""
    with library(_lock(lock_timeout)) as lib:
        result = lib.sync()
    report(result, "sync")


def sources(
    context: typer.Context, as_json: bool = typer.Option(False, "--json", help="As JSON.")
) -> None:
    """List what was added."""
    if context.invoked_subcommand:
        return
    from dragtor.schema import sources_json

    with library() as lib:
        listed = sources_json(lib.holdings())
    if as_json:
        out_json(listed)
        return
    if not listed["sources"]:
        out("No sources yet. Add one:  dragtor add https://example.org/post notes/ paper.pdf")
    for row in listed["sources"]:
        count = plural(row["documents"], "document")
        options = [
            f"  --{n} {quote(str(row[n]))}" for n in ("match", "latest", "episode") if row[n]
        ]
        name = style(row["id"][:8], bold=True)
        out(f"{name}  {row['kind']:<5} {count:>14}  {row['uri']}{''.join(options)}")


def show_source(
    source_id: str = typer.Argument(help="Of a source or document, or its start.", metavar="ID"),
    transcript: bool = typer.Option(False, "--transcript", help="What is said, when, by whom."),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """Show one source and its documents, or the transcript of one."""
    if transcript:
        _export(source_id, "json" if as_json else "md", None)
        return
    from dragtor.schema import source_json

    with library() as lib:
        source = lib.source(source_id)
        documents = lib.documents(source.id)
    if as_json:
        out_json(source_json(source, documents))
        return
    out(f"{style(source.id, bold=True)}  {source.kind}  {source.uri}")
    for row in documents:
        state = "waiting to be indexed" if row["staged"] else plural(row["passages"], "passage")
        by = ", ".join(part for part in (row["author"], row["published"]) if part)
        out(wrapped(f"{row['title']}{f' ({by})' if by else ''}: {state}", "    ", "  "))
        out(style(f"    {row['id'][:8]}  {row['uri']}", dim=True))


def export(
    document_id: str = typer.Argument(help="Of a document or source, or its start.", metavar="ID"),
    form: str = Form,
    *,
    filters: Filters,
    output: Path | None = typer.Option(
        None, "--output", "-o", help="File to write.", metavar="FILE"
    ),
) -> None:
    """Give a document's text or transcript as Markdown, subtitles or JSON, or what passes."""
    _export(document_id, form, output, filters)


def _export(
    document_id: str, form: str, output: Path | None, filters: Filters | None = None
) -> None:
    with library() as lib:
        text = lib.export(document_id, form, filters=filters)
    if output is None:
        out_text(text.rstrip())
    else:
        write_file(output, text, f"dragtor export {document_id} -o OTHER-FILE")


def speakers(
    document_id: str = typer.Argument(help="Of a document or source, or its start.", metavar="ID"),
    names: list[str] = typer.Argument(
        None, help='SPEAKER_00="Ann Lee"; an empty name takes one back.', metavar="[LABEL=NAME]..."
    ),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
    lock_timeout: float = LockTimeout,
) -> None:
    """Show who speaks in a recording, or say who does; their voices are known from then on."""
    from dragtor.display import clock
    from dragtor.schema import speakers_json
    from dragtor.transcript import spoken_s

    with library(_lock(lock_timeout)) as lib:
        if names:
            document = lib.name_speakers(document_id, dict(map(_named, names)))
        else:
            document = lib.recording(document_id)
    if as_json:
        out_json(speakers_json(document))
        return
    out(style(document.title, bold=True))
    seconds = spoken_s(document)
    for speaker in document.speakers:
        sure = f" ({speaker.name_confidence:.0%} sure)" if speaker.name else ""
        role = f", {speaker.role}" if speaker.role else ""
        said = clock(seconds.get(speaker.label, 0.0))
        out(f"  {speaker.label:<11} {speaker.name or 'no name'}{sure}{role}, speaks {said}")
    if not document.speakers:
        out("  nobody is told apart in it")


def _named(argument: str) -> tuple[str, str]:
    from dragtor.errors import UsageError

    label, sign, name = argument.partition("=")
    if not sign or not label.strip():
        raise UsageError(f"{argument!r} is no LABEL=NAME", 'dragtor speakers ID SPEAKER_00="Ann"')
    return label.strip(), " ".join(name.split())


def remove_source(
    source_id: str = typer.Argument(help="Its id, or the start of it.", metavar="ID"),
    lock_timeout: float = LockTimeout,
) -> None:
    """Remove a source and all trace of it."""
    with library(_lock(lock_timeout)) as lib:
        source = lib.remove(source_id)
    out(f"removed {source.uri}")
