"""The Lab's side of the server: encoders by name, those trained here among them, and their tasks.

Owns the folder `encoders` of a library, a run of training each, and how a client's options become
a run's. Clients name models and uploads; no path of theirs is opened.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dragtor import schema
from dragtor.config import Config, models_path
from dragtor.encoder.heads import GRAPH_FILE, HEADS_FILE, HeadSet
from dragtor.errors import CorruptModel, Missing, UsageError
from dragtor.serve.uploads import upload_path
from dragtor.training import TRAIN_EXTRA
from dragtor.types import KnownEncoder, short_hash

if TYPE_CHECKING:
    from dragtor.encoder import Encoder
    from dragtor.library import Library
    from dragtor.schema import Json
    from dragtor.serve.jobs import TaskContext
    from dragtor.serve.state import Server

ENCODERS_FOLDER = "encoders"
ENCODER_NAME = re.compile(r"\w[\w-]{0,63}")
MOST_TEXTS = 200  # of one request
MOST_CHARACTERS = 200_000  # of all of its texts
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
    if not ENCODER_NAME.fullmatch(name) or not folder.is_dir():
        raise HTTPException(404, "there is no such encoder")
    await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)
    return JSONResponse({"removed": name})


def training_hint() -> str:
    """The command that installs what training needs; empty where all of it is here."""
    if all(map(find_spec, TRAINING_MODULES)):
        return ""
    return f'pip install "dragtor[{TRAIN_EXTRA}]"'


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


def named_encoder(library: Library, name: str) -> Encoder:
    """An encoder trained here, or one of the catalogue; raises UsageError, Missing."""
    from dragtor.models import Catalogue

    run = library.folder / ENCODERS_FOLDER / name
    if ENCODER_NAME.fullmatch(name) and (run / GRAPH_FILE).is_file():
        return library.encoder(str(run))
    if name not in Catalogue.load().models:
        raise UsageError(f"there is no encoder {name!r}", "dragtor models list")
    return library.encoder(name)


# Tasks


def tag_texts(context: TaskContext) -> Json:
    """{texts, encoder?, heads?}: names and classes, as `dragtor tag --json`."""
    from dragtor.entities import predict_sentences

    name = _text(context.args, "encoder", context.library.config.tags.model)
    heads = context.args.get("heads") or []
    if not isinstance(heads, list) or not all(isinstance(each, str) for each in heads):
        raise UsageError("'heads' is no list of names")
    encoder = named_encoder(context.library, name)
    return schema.tagged_json(predict_sentences(encoder, _texts(context.args), heads), name)


def encode_texts(context: TaskContext) -> Json:
    """{texts, encoder?, pooling?}: how alike texts are, and the lengths of their vectors."""
    import numpy as np

    texts = _texts(context.args)
    name = _text(context.args, "encoder", context.library.config.embed.model)
    encoder = named_encoder(context.library, name)
    pooling = _text(context.args, "pooling", encoder.heads.pooling)
    vectors = encoder.encode(texts, pooling, unit=False)
    norms = np.linalg.norm(vectors, axis=1)
    units = vectors / np.maximum(norms, 1e-12)[:, None]
    return schema.vectors_json(texts, units @ units.T, norms, vectors.shape[1], pooling, name)


def train_heads_of(context: TaskContext) -> Json:
    """{files: [{upload, name?, held?}], options?}: heads trained as by `dragtor train encoder`.

    The run is named by what is asked for, so that one that was cut off goes on.
    """
    from dragtor.training.encoder.train import train_heads

    if hint := training_hint():
        raise Missing("training needs packages that are not installed", hint)
    library, args = context.library, context.args
    tasks, held = _task_files(context)
    given = args.get("options") or {}
    if not isinstance(given, dict):
        raise UsageError("'options' is no object")
    from dragtor.training.encoder import options

    config = options.settings_of(_checked(given, library.folder))
    files = options.task_files(tasks, held, given.get("mapping") or [])
    run = f"{files[0].head}-{short_hash(json.dumps(args, sort_keys=True))[:6]}"
    trained = train_heads(
        files, library.folder / ENCODERS_FOLDER / run, config,
        models_dir=models_path(library.config.models), reporter=context.reporter,
        cancel=context.cancel,
    )  # fmt: skip
    return {"model": run, "metrics": trained.metrics}


def _task_files(context: TaskContext) -> tuple[list[str], list[str]]:
    """The files to learn from and those that are held out, NAME=PATH each."""
    given = context.args.get("files")
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise UsageError("'files' is no list of objects")
    tasks: list[str] = []
    held: list[str] = []
    for each in given:
        path = upload_path(context.uploads, _text(each, "upload"))
        name = _text(each, "name", re.sub(r"\W", "_", path.name.split(".")[0]))
        if not ENCODER_NAME.fullmatch(name):
            raise UsageError(f"a head cannot be called {name!r}")
        (held if each.get("held") else tasks).append(f"{name}={path}")
    if not tasks:
        raise UsageError("no file to learn from")
    return tasks, held


def _checked(given: Mapping[str, Any], library: Path) -> dict[str, Any]:
    """A client's options: no folder of the machine's but a run that stands in the library."""
    found = dict(given)
    base = found.get("base", "")
    if not isinstance(base, str) or Path(base).expanduser().exists():
        raise UsageError(f"a base is chosen by its name, and {base!r} is none")
    if start := found.pop("start", None):
        if not ENCODER_NAME.fullmatch(str(start)):
            raise UsageError(f"there is no encoder {start!r}")
        found["start"] = library / ENCODERS_FOLDER / str(start)
    return found


def _texts(args: Mapping[str, Any]) -> list[str]:
    texts = args.get("texts")
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise UsageError("'texts' is no list of texts")
    if not any(text.strip() for text in texts):
        raise UsageError("there is no text")
    if len(texts) > MOST_TEXTS or sum(map(len, texts)) > MOST_CHARACTERS:
        raise UsageError(f"more than {MOST_TEXTS} texts, or {MOST_CHARACTERS} characters")
    return texts


def _text(args: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = args.get(name) or default
    if not isinstance(value, str):
        raise UsageError(f"{name!r} is missing, or no text")
    return value
