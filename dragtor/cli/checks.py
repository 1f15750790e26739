"""The command that looks for what is wrong: doctor.

Makes one library call and prints.
"""

from __future__ import annotations

import typer

from dragtor.cli.output import (
    TerminalReporter,
    load_settings,
    out,
    out_json,
    same_library,
    settings,
    style,
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(doctor)


def doctor(
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
    offline: bool = typer.Option(False, "--offline", help="Skip the network checks."),
) -> None:
    """Look for what is wrong, and say the command that mends it."""
    from dragtor.config import library_path
    from dragtor.doctor import examine
    from dragtor.schema import findings_json

    config = load_settings()
    folder = library_path(config.library, settings.library or None)
    with TerminalReporter() as reporter:
        findings = examine(
            config, folder, network=not offline, reporter=reporter, cancel=settings.cancel
        )
    if as_json:
        out_json(findings_json(findings))
    else:
        marks = {"ok": ("ok", "green"), "note": ("--", "yellow"), "bad": ("!!", "red")}
        for finding in findings:
            sign, colour = marks[finding.state]
            out(f"{style(sign, fg=colour, bold=True)}  {finding.what:<14} {finding.says}")
            if finding.mend:
                out(style(f"{'':<19}{same_library(finding.mend)}", bold=True))
    if any(f.state == "bad" for f in findings):
        raise typer.Exit(1)
