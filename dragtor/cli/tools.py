"""Commands on the settings: config show, config path.

Knows no setting by name.
"""

from __future__ import annotations

import typer

from dragtor.cli.output import load_settings, out, out_json

config_app = typer.Typer(
    help="Settings: what is in force, and where they come from.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    config_app.command("show")(show_config)
    config_app.command("path")(print_config_path)
    app.add_typer(config_app, name="config")


def show_config(as_json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """Print every setting in force."""
    import json
    from dataclasses import asdict

    import yaml

    data = json.loads(json.dumps(asdict(load_settings())))
    if as_json:
        out_json(data)
    else:
        out(yaml.safe_dump(data, sort_keys=False, allow_unicode=True).rstrip())


def print_config_path() -> None:
    """Print which settings file is in force."""
    from dragtor.config import config_path

    out(str(config_path()))
