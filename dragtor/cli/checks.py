"""Commands that look and measure: doctor, eval.

Each makes one library call and prints.
"""

from __future__ import annotations

from pathlib import Path

import typer

from dragtor.cli.output import (
    Progress,
    load_settings,
    out,
    out_json,
    same_library,
    settings,
    style,
)

eval_app = typer.Typer(
    help="Measure dragtor on data of your own.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(doctor)
    eval_app.command("retrieval")(retrieval)
    app.add_typer(eval_app, name="eval")


def doctor(
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
    offline: bool = typer.Option(False, "--offline", help="Skip the network checks."),
) -> None:
    """Look for what is wrong, and say the command that mends it."""
    from dataclasses import asdict

    from dragtor.config import library_path
    from dragtor.doctor import examine

    config = load_settings()
    folder = library_path(config.library, settings.library or None)
    findings = examine(config, folder, network=not offline)
    if as_json:
        out_json({"findings": [asdict(finding) for finding in findings]})
    else:
        marks = {"ok": ("ok", "green"), "note": ("--", "yellow"), "bad": ("!!", "red")}
        for finding in findings:
            sign, colour = marks[finding.state]
            out(f"{style(sign, fg=colour, bold=True)}  {finding.what:<14} {finding.says}")
            if finding.mend:
                out(style(f"{'':<19}{same_library(finding.mend)}", bold=True))
    if any(f.state == "bad" for f in findings):
        raise typer.Exit(1)


def retrieval(
    folder: Path = typer.Argument(help="corpus.jsonl, queries.jsonl, qrels/ (BEIR).", exists=True),
    split: str = typer.Option("test", help="Which qrels file.", metavar="NAME"),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Find the right documents: nDCG, recall, MRR and latency on a BEIR folder."""
    from dragtor.evaluate.retrieval import evaluate

    with Progress() as progress:
        result = evaluate(folder, load_settings(), split=split, progress=progress.update)
    if as_json:
        out_json(result)
        return
    out(f"{result['n']} queries, {result['model']}")
    for name, value in result["metrics"].items():
        if not name.endswith("_ci"):
            low, high = result["metrics"].get(f"{name}_ci", (None, None))
            out(f"  {name:<12} {value:.4f}" + (f"  ({low:.4f} to {high:.4f})" if low else ""))
