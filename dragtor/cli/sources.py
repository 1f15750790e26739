"""Commands that change or show what the library holds: add, load, index, sync, sources.

Each makes one library call and prints.
"""

from __future__ import annotations

import sys
from typing import Any

import typer

from dragtor.cli.output import library, out, out_json, plural, report, style, wrapped

LockTimeout = typer.Option(
    None, help="Seconds to wait for another writer, then exit 5.", metavar="SECONDS"
)
Refresh = typer.Option(False, "--refresh", help="Fetch again, past the cache.")
Match = typer.Option("", help="Of a sitemap, only pages whose address matches.", metavar="REGEX")
What = typer.Argument(help="Addresses, files, folders; - reads stdin.", metavar="WHAT...")
sources_app = typer.Typer(help="Show or remove what was added.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(add)
    app.command()(load)
    app.command()(index)
    app.command()(sync)
    sources_app.callback(invoke_without_command=True)(sources)
    sources_app.command("show")(show)
    sources_app.command("rm")(remove)
    app.add_typer(sources_app, name="sources")


def _lock(seconds: float | None) -> dict[str, Any]:
    return {} if seconds is None else {"library": {"lock_timeout_s": seconds}}


def add(
    what: list[str] = What,
    match: str = Match,
    refresh: bool = Refresh,
    lock_timeout: float = LockTimeout,
) -> None:
    """Load and index pages, files, folders and sitemaps."""
    _take(what, match, refresh, lock_timeout, index=True)


def load(
    what: list[str] = What,
    match: str = Match,
    refresh: bool = Refresh,
    lock_timeout: float = LockTimeout,
) -> None:
    """Fetch and store documents; `index` makes them searchable."""
    _take(what, match, refresh, lock_timeout, index=False)


def _take(
    what: list[str], match: str, refresh: bool, lock_timeout: float | None, *, index: bool
) -> None:
    verb = "add" if index else "load"
    with library(_lock(lock_timeout)) as lib:
        call = lib.add if index else lib.load
        result = call(*(name for name in what if name != "-"), match=match, refresh=refresh)
        if "-" in what:
            result += lib.add_bytes(sys.stdin.buffer.read(), index=index)
    report(result, verb)


def index(
    rebuild: bool = typer.Option(
        False, "--rebuild", help="Make every passage and the vector index anew."
    ),
    lock_timeout: float = LockTimeout,
) -> None:
    """Index what is loaded but not indexed yet."""
    with library(_lock(lock_timeout)) as lib:
        result = lib.index(rebuild=rebuild)
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
    with library() as lib:
        listed: list[dict[str, Any]] = [
            {"id": s.id, "uri": s.uri, "kind": s.kind, "title": s.title,
             "match": s.options.get("match", ""),
             "documents": len({d["id"] for d in lib.documents(s.id)})}
            for s in lib.sources()
        ]  # fmt: skip
    if as_json:
        out_json({"sources": listed})
        return
    if not listed:
        out("No sources yet. Add one:  dragtor add https://example.org/post notes/ paper.pdf")
    for row in listed:
        count = plural(row["documents"], "document")
        match = f"  --match {row['match']}" if row["match"] else ""
        name = style(row["id"][:8], bold=True)
        out(f"{name}  {row['kind']:<5} {count:>14}  {row['uri']}{match}")


def show(
    source_id: str = typer.Argument(help="Its id, or the start of it.", metavar="ID"),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """Show one source and its documents."""
    with library() as lib:
        source = lib.source(source_id)
        documents = lib.documents(source.id)
    if as_json:
        out_json({"id": source.id, "uri": source.uri, "kind": source.kind, "documents": documents})
        return
    out(f"{style(source.id, bold=True)}  {source.kind}  {source.uri}")
    for row in documents:
        state = "waiting to be indexed" if row["staged"] else plural(row["passages"], "passage")
        by = ", ".join(part for part in (row["author"], row["published"]) if part)
        out(wrapped(f"{row['title']}{f' ({by})' if by else ''}: {state}", "    ", "  "))
        out(style(f"    {row['uri']}", dim=True))


def remove(
    source_id: str = typer.Argument(help="Its id, or the start of it.", metavar="ID"),
    lock_timeout: float = LockTimeout,
) -> None:
    """Remove a source and all trace of it."""
    with library(_lock(lock_timeout)) as lib:
        source = lib.remove(source_id)
    out(f"removed {source.uri}")
