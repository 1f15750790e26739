"""Encoders over HTTP: those of the catalogue and those that were trained here, by name.

Owns which of them can read single texts, and whether training is possible; knows no task.
"""

from __future__ import annotations

import shutil
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dragtor import schema
from dragtor.config import Config, models_path
from dragtor.encoder.heads import GRAPH_FILE, HEADS_FILE, HeadSet
from dragtor.errors import CorruptModel
from dragtor.extras import install_command
from dragtor.serve.tasks import ENCODERS_FOLDER, MODEL_NAME
from dragtor.training import TRAIN_EXTRA
from dragtor.types import KnownEncoder

if TYPE_CHECKING:
    from dragtor.serve.state import Server

TRAINING_MODULES = ("torch", "transformers", "peft", "matplotlib")


def routes(server: Server) -> list[BaseRoute]:
    """The list of encoders, and the removal of one that was trained here."""
    place = "/api/v1/encoders"
    return [
        Route(place, partial(_encoders, server), methods=["GET"]),
        Route(place + "/{name}", partial(_remove, server), methods=["DELETE"]),
    ]


async def _encoders(server: Server, request: Request) -> Response:
    found = await run_in_threadpool(known_encoders, server.config, server.path)
    return JSONResponse(schema.encoders_json(found, training_hint()))


async def _remove(server: Server, request: Request) -> Response:
    name = request.path_params["name"]
    folder = server.path / ENCODERS_FOLDER / name
    if not MODEL_NAME.fullmatch(name) or not folder.is_dir():
        raise HTTPException(404, "there is no such encoder")
    await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)
    return JSONResponse({"removed": name})


def training_hint() -> str:
    """The command that installs what training needs; empty where all of it is here."""
    if all(map(find_spec, TRAINING_MODULES)):
        return ""
    return install_command(TRAIN_EXTRA)


def known_encoders(config: Config, library: Path) -> list[KnownEncoder]:
    """What can read single texts: of the catalogue, then what was trained here."""
    from dragtor.models import Catalogue, known_states, model_path

    folder, found = models_path(config.models), []
    catalogue = Catalogue.load().models
    for state in known_states(folder):
        if state.kind not in ("encoder", "heads") or state.name not in catalogue:
            continue
        heads = None
        if state.state == "here" and state.kind == "heads":
            heads = _heads_of(model_path(state.name, folder).parent)
        if heads != ():
            found.append(KnownEncoder(state.name, heads, state.state == "here"))
    runs = library / ENCODERS_FOLDER
    for run in sorted(runs.iterdir()) if runs.is_dir() else ():
        heads = _heads_of(run) if (run / GRAPH_FILE).is_file() else ()
        found.append(KnownEncoder(run.name, heads, bool(heads), trained=True))
    return found


def _heads_of(folder: Path) -> tuple[str, ...]:
    """The heads that read single texts."""
    try:
        known = HeadSet.read(folder / HEADS_FILE, "")
    except (CorruptModel, OSError):
        return ()
    return tuple(head.name for head in known.heads if head.kind in ("sentence", "tokens"))
