"""Tasks: what clients may start, by name. Each is a few lines over the library.

Owns how arguments are checked and what is told on the way; JSON shapes are schema.py's. What a
client names is an id or an address of the web, never a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dragtor import schema
from dragtor.errors import UsageError
from dragtor.schema import Json
from dragtor.serve.arguments import (
    filters_argument,
    flag_argument,
    number_argument,
    object_argument,
    pairs_argument,
    text_argument,
    texts_argument,
)
from dragtor.serve.jobs import JobLimits, Jobs, JobTask, OpenLibrary, TaskContext
from dragtor.serve.journal import JOBS_FILE, JobJournal
from dragtor.serve.people_tasks import entities_task, research_task
from dragtor.serve.uploads import upload_path
from dragtor.types import Answer, Report

ENCODERS_FOLDER = "encoders"  # of the library's: those that were trained here
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
BASE_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")  # of the hub: OWNER/NAME
MAX_TEXTS = 1000
MAX_COMPARED = 200  # texts of which each is compared with each
LANES = {"add": "write", "sync": "write", "train": "train"}  # see JobLimits


def open_jobs(folder: Path, open_library: OpenLibrary, uploads: Path) -> Jobs:
    """The jobs of the library in `folder`; raises LibraryLocked where another server has them."""
    journal = JobJournal(folder / JOBS_FILE)
    return Jobs(journal, JOB_TASKS, open_library, uploads, JobLimits(lanes=LANES))


# Asking


def ask_task(context: TaskContext) -> Json:
    """{question, quotes?, filters?, session?, attempt?, keep?, history?}: an answer.

    Tells caution, quotes, sentence. An `attempt` above 0 answers a question of the session anew.
    `history` holds pairs of texts, a question and what was said to it, of another program's chat.
    """
    from dragtor.chat import recalled_turns

    args = context.args
    chat = context.library.chat(
        text_argument(args, "session", ""), keep=flag_argument(args, "keep", default=True)
    )
    chat.turns += recalled_turns(pairs_argument(args, "history"), context.library.config.chat)
    events = chat.ask_events(
        text_argument(args, "question"),
        quotes_only=flag_argument(args, "quotes"),
        filters=filters_argument(args),
        attempt=number_argument(args, "attempt"),
    )
    for event in events:
        if isinstance(event, Answer):
            return schema.answer_json(event)
        _tell(context, event)
    raise AssertionError("an Answer is always the last event")


def _tell(context: TaskContext, event: Any) -> None:
    from dragtor.answer import Caution, Quotes, Sentence
    from dragtor.chat import Standalone

    match event:
        case Caution(text):
            context.emit("caution", {"text": text})
        case Standalone(query):
            context.emit("item", {"kind": "query", "value": query})
        case Quotes(citations, alone):
            context.emit("quotes", schema.quotes_json(citations, alone))
        case Sentence(claim, citations):
            context.emit("sentence", schema.sentence_json(claim, citations))


def search_task(context: TaskContext) -> Json:
    """{query, k?, filters?}: hits."""
    query, k = text_argument(context.args, "query"), number_argument(context.args, "k")
    hits = context.library.search(query, k=k, filters=filters_argument(context.args))
    return schema.hits_json(query, hits)


# Writing


def add_task(context: TaskContext) -> Json:
    """{what: addresses, upload?: ids, match?, latest?, episode?}: an item each; a report."""
    args = context.args
    match, episode = text_argument(args, "match", ""), text_argument(args, "episode", "")
    latest = number_argument(args, "latest")
    whole = Report()
    for named, uri in list(_given_sources(context)):  # all are looked at first
        report = context.library.add(uri, match=match, latest=latest, episode=episode)
        context.reporter.item("source", named | schema.report_json(report))
        whole += report
    return schema.report_json(whole)


def _given_sources(context: TaskContext) -> Iterator[tuple[Json, str | Path]]:
    """What is to be added: as the client named it, and as the library does."""
    addresses, uploads = (
        texts_argument(context.args, "what"),
        texts_argument(context.args, "upload"),
    )
    if not addresses and not uploads:
        raise UsageError("nothing is given to be added", "give an address, or send a file")
    for address in addresses:
        if not re.match(r"https?://", address, re.I):
            told = f"{address[:200]!r} is no address of the web"
            raise UsageError(told, "it begins with https://; files are sent")
        yield {"what": address}, address
    for identity in uploads:
        path = upload_path(context.uploads, identity)
        yield {"what": path.name, "upload": identity}, path


def sync_task(context: TaskContext) -> Json:
    """{}: a report."""
    return schema.report_json(context.library.sync())


# Single texts


def extract_task(context: TaskContext) -> Json:
    """{text, kind: event, now?, tz?, locale?, day_first?}: calendar events."""
    args = context.args
    if (kind := text_argument(args, "kind", "event")) != "event":
        raise UsageError(f"{kind!r} is nothing that is extracted", "kinds: event")
    first = flag_argument(args, "day_first") if args.get("day_first") is not None else None
    now, zone, locale = (text_argument(args, name, "") for name in ("now", "tz", "locale"))
    events = context.library.extract_events(
        text_argument(args, "text"), now or None, zone, locale, first
    )
    return schema.events_json(events)


def tag_task(context: TaskContext) -> Json:
    """{texts, encoder?, heads?}: what its heads say of texts."""
    from dragtor.entities import predict_sentences

    name = text_argument(context.args, "encoder", "") or context.library.config.tags.model
    encoder = context.library.encoder(_encoder_place(context, name))
    texts = _some_texts(context.args, MAX_TEXTS)
    found = predict_sentences(encoder, texts, texts_argument(context.args, "heads"))
    return schema.tagged_json(found, name)


def encode_task(context: TaskContext) -> Json:
    """{texts, encoder?, pooling?}: vectors at length 1, their own, each one's cosine with each."""
    import numpy as np

    name = text_argument(context.args, "encoder", "") or context.library.config.embed.model
    texts = _some_texts(context.args, MAX_COMPARED)
    encoder = context.library.encoder(_encoder_place(context, name))
    pooling = text_argument(context.args, "pooling", "") or encoder.heads.pooling
    raw = encoder.encode(texts, pooling, unit=False)
    norms = np.linalg.norm(raw, axis=1)
    vectors = raw / np.maximum(norms, 1e-12)[:, None]
    told = {"norms": norms.tolist(), "pooling": pooling, "model": name}
    return schema.vectors_json(texts, vectors.tolist(), (vectors @ vectors.T).tolist(), **told)


def _encoder_place(context: TaskContext, name: str) -> str:
    """The folder of an encoder that was trained here, else the name of one of the catalogue."""
    from dragtor.models import Catalogue

    own = context.library.folder / ENCODERS_FOLDER / name
    if MODEL_NAME.fullmatch(name) and (own / "heads.json").is_file():
        return str(own)
    if name not in Catalogue.load().models:
        raise UsageError(f"there is no encoder {name[:100]!r}", "dragtor models list")
    return name


# Training


def train_task(context: TaskContext) -> Json:
    """{files: [{upload, name?, held?}], name, options?}: items `evaluations`; the metrics.

    `held` is the id of an upload, too; options are those of `dragtor train encoder`. A run of
    that name that was cut off goes on.
    """
    from dragtor.config import models_path
    from dragtor.training.encoder.options import settings_of, task_files
    from dragtor.training.encoder.train import train_heads

    name = text_argument(context.args, "name")
    if not MODEL_NAME.fullmatch(name):
        raise UsageError(f"{name[:100]!r} is no name of a model", "letters, digits, _ . -")
    options = object_argument(context.args, "options")
    tasks, held = _training_files(context)
    trained = train_heads(
        task_files(tasks, held, texts_argument(options, "mapping")),
        context.library.folder / ENCODERS_FOLDER / name,
        settings_of(_without_paths(context, options)),
        models_dir=models_path(context.library.config.models),
        reporter=context.reporter,
        cancel=context.cancel,
    )
    return {"model": name, "metrics": trained.metrics}


def _training_files(context: TaskContext) -> tuple[list[str], list[str]]:
    """`NAME=FILE` of what is learned and of what is held out."""
    tasks, held = [], []
    files = context.args.get("files")
    for each in files if isinstance(files, list) else ():
        given = each if isinstance(each, dict) else {"upload": each}
        path = upload_path(context.uploads, text_argument(given, "upload"))
        head = text_argument(given, "name", "") or path.name.split(".")[0]
        tasks.append(f"{head}={path}")
        if apart := text_argument(given, "held", ""):
            held.append(f"{head}={upload_path(context.uploads, apart)}")
    if not tasks:
        raise UsageError("there is no file to learn from", "send one, and name its upload")
    return tasks, held


def _without_paths(context: TaskContext, options: Json) -> Json:
    """The options of a run: its base by its name, and the run that it goes on from, too."""
    base, start = (text_argument(options, name, "") for name in ("base", "start"))
    if base and (not BASE_NAME.fullmatch(base) or Path(base).exists()):
        raise UsageError("the base is a name of the catalogue or the hub", "dragtor models list")
    if not start:
        return options
    if not MODEL_NAME.fullmatch(start):
        raise UsageError(f"{start[:100]!r} is no name of a model")
    return options | {"start": context.library.folder / ENCODERS_FOLDER / start}


def _some_texts(args: Mapping[str, Any], most: int) -> list[str]:
    texts = texts_argument(args, "texts")
    if not 0 < len(texts) <= most or not any(text.strip() for text in texts):
        raise UsageError(f"'texts' holds nothing, or more than {most}")
    return texts


JOB_TASKS: Mapping[str, JobTask] = {
    "ask": ask_task,
    "search": search_task,
    "add": add_task,
    "sync": sync_task,
    "extract": extract_task,
    "tag": tag_task,
    "encode": encode_task,
    "train": train_task,
    "entities": entities_task,
    "research": research_task,
}
