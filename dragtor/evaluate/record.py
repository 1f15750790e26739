"""What evaluations leave behind: the journal of a run under way, saved results, their history.

A journal holds finished rows, so that an interrupted run goes on. A saved result says with which
settings, weights, versions and machine it was made, and nothing that tells whose machine it was.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from dragtor.config import CHECKOUT_FOLDER, PACKAGE_FOLDER, Config
from dragtor.errors import LibraryError, Missing
from dragtor.evaluate.common import content_hash, kept_folder
from dragtor.types import short_hash

# Sections that a result depends on, by kind; other kinds depend on all of these.
SEARCH = ("split", "embed", "retrieve")
ANSWER = (*SEARCH, "llm", "answer", "chat")
SECTIONS = {
    "retrieval": SEARCH,
    "chunking": SEARCH,
    "transcription": ("speech",),
    "diarization": ("diarize",),
    "events": (),
}
# Rooms that an answer depends on: a change of these is a new run.
ANSWER_ROOMS = (
    "answer", "embed", "ground", "llm", "prompt", "rerank", "retrieve", "split", "store",
    "transcript",
)  # fmt: skip
SPEECH = ("transcription", "diarization")  # kinds that neither search nor answer
SEGMENTATION = "pyannote-segmentation-3.0"
GATE = ("from", "threshold", "lay_threshold")  # what is told of the gate that decided
# Settings that are nobody's business, or say nothing about a result.
PRIVATE = ("library.", "models.", "load.", "store.url", "llm.url")


class Journal:
    """Finished rows of one run, by id, in a file that grows a line at a time.

    Rows are whatever JSON can hold; `get` gives them as JSON reads them back (tuples are lists).
    A line that was not written whole is dropped, and so is any other that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, Any] = {}
        self._file: IO[bytes] | None = None

    @classmethod
    def open(cls, kind: str, key: str) -> Journal:
        """The journal of `kind` under `key` (see `run_key`), in dragtor's cache folder."""
        return cls(kept_folder() / f"{kind}-{key}.jsonl")

    def __enter__(self) -> Journal:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        known = self._path.read_bytes() if self._path.exists() else b""
        for line in known.split(b"\n"):
            try:
                row_id, row = json.loads(line)
            except (ValueError, TypeError):
                continue
            if isinstance(row_id, str):
                self._rows[row_id] = row
        self._file = self._path.open("ab")
        if known and not known.endswith(b"\n"):
            self._append(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, row_id: str) -> Any:
        """The row finished under this id, None if there is none."""
        return self._rows.get(row_id)

    def put(self, row_id: str, row: Any) -> None:
        """Keep a finished row; it is on disk when this returns."""
        line = json.dumps([row_id, row])
        self._rows[row_id] = json.loads(line)[1]
        self._append(f"{line}\n".encode())

    def _append(self, line: bytes) -> None:
        if self._file is None:
            raise ValueError("the journal is not open: use it in a `with` block")
        self._file.write(line)
        self._file.flush()


def run_key(
    data: Iterable[Path], settings: Mapping[str, Any], model: str, rooms: Iterable[str]
) -> str:
    """What a row's value depends on, as one hash: a journal under it holds nothing stale.

    `data` are files or folders, by content; `settings` anything JSON or dataclass reprs can tell;
    `model` a name or fingerprint; `rooms` the parts of dragtor whose code matters ("ground").
    """
    parts = [content_hash(path) for path in data]
    parts += [f"{name}={settings[name]!r}" for name in sorted(settings)]
    parts += [f"{room} {_code(room)}" for room in sorted(rooms)]
    return short_hash(model, *parts)


def _code(room: str) -> str:
    folder = PACKAGE_FOLDER / room
    files = sorted(folder.rglob("*.py")) or [PACKAGE_FOLDER / f"{room}.py"]
    return short_hash(*(file.read_text("utf-8") for file in files))


# Saved results


@dataclass(frozen=True, slots=True)
class Run:
    """One configuration's result, as saved."""

    kind: str
    date: str  # ISO 8601, UTC, to the second
    path: str
    n: int
    model: str
    metrics: Mapping[str, Any]
    settings: Mapping[str, Any]  # dotted setting -> value, and the weights
    file: str


def results_folder() -> Path:
    """data/evals/ of a checkout, else in the platform's data folder."""
    if (CHECKOUT_FOLDER / "pyproject.toml").exists():
        return CHECKOUT_FOLDER / "data" / "evals"
    from platformdirs import user_data_path

    return user_data_path("dragtor") / "evals"


def save(result: Mapping[str, Any], config: Config, compare: Mapping[str, Config]) -> Path:
    """Write what an evaluation gave, and how it was made, to a file of its own."""
    kind, now = str(result["kind"]), datetime.now(UTC)
    record: dict[str, Any] = {
        **result,
        "path": Path(str(result["path"])).name,
        "date": now.isoformat(timespec="seconds"),
        "machine": {
            "cpus": os.cpu_count(),
            "platform": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        },
        "configuration": configuration(kind, config),
    }
    if gate := result.get("gate"):
        record["configuration"]["gate"] = {name: gate[name] for name in GATE}
    if compare:
        record["compared"] = [
            {
                **other,
                "settings": _public(other["settings"]),
                "configuration": configuration(kind, compare[other["settings"]]),
            }
            for other in result["compared"]
        ]
    text = json.dumps(record, indent=2) + "\n"
    name = f"{kind}-{now:%Y%m%dT%H%M%S}-{short_hash(text)[:6]}.json"
    folder = results_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    except OSError as error:
        raise LibraryError(f"cannot save to {folder}: {error.strerror}") from error
    return folder / name


def configuration(kind: str, config: Config) -> dict[str, Any]:
    """What differs from the built-in settings, the sections that matter, and the weights."""
    own, built_in = _flat(config), _flat(Config())
    sections = tuple(f"{name}." for name in SECTIONS.get(kind, ANSWER))
    return {
        "changed": {key: value for key, value in own.items() if value != built_in[key]},
        "sections": {key: value for key, value in own.items() if key.startswith(sections)},
        "weights": weights(kind, config),
    }


def _flat(config: Config) -> dict[str, Any]:
    """Settings by dotted name, private ones left out, a path cut to its file's name."""
    found: dict[str, Any] = {}

    def collect(values: Mapping[str, Any], prefix: str) -> None:
        for name, value in values.items():
            key = f"{prefix}{name}"
            if isinstance(value, Mapping):
                collect(value, f"{key}.")
            elif not key.startswith(PRIVATE):
                found[key] = _shortened(value) if isinstance(value, str) else value

    collect(asdict(config), "")
    return found


def _shortened(value: str) -> str:
    is_path = os.sep in value and not value.startswith("hf:")
    return Path(value).name if is_path else value


def _public(label: str) -> str:
    """`--compare` as it may be saved: private settings left out, paths cut to the file's name."""
    parts = [part.strip().partition("=") for part in label.split(",")]
    return ",".join(
        f"{name}={_shortened(value)}" for name, _, value in parts if not name.startswith(PRIVATE)
    )


def weights(kind: str, config: Config) -> dict[str, str]:
    """Name and SHA-256 (an `hf:` encoder: its fingerprint) of each model that was at work."""
    from dragtor.embed import open_embedder
    from dragtor.models import Catalogue

    known, name = Catalogue.load().models, config.embed.model
    if kind in SPEECH:
        heard = config.speech.model if kind == "transcription" else SEGMENTATION
        return {"speech": f"{heard} {known[heard].files[0].sha256}"} if heard in known else {}
    if kind == "events":
        from dragtor.events.model import MODEL, adapter_path

        reader = {"reader": f"{MODEL} {known[MODEL].files[0].sha256}"}
        return reader | {"adapter": f"{adapter_path().name} {content_hash(adapter_path())}"}
    hashed = known[name].files[0].sha256 if name in known else ""
    hashed = hashed or open_embedder(config.embed, config.models).fingerprint
    found = {"embedder": f"{name} {hashed}"}
    reranker = config.retrieve.rerank
    if reranker in known:
        found["reranker"] = f"{reranker} {known[reranker].files[0].sha256}"
    if kind not in SECTIONS or reranker == "llm":
        found["llm"] = _language_model(config)
    return found


def _language_model(config: Config) -> str:
    from dragtor.config import models_path
    from dragtor.llm import choose_engine, choose_model, machine
    from dragtor.models import Catalogue, model_path

    try:
        if choose_engine(config.llm) == "server":
            return f"{config.llm.model} on a server"
        name = choose_model(config.llm, models_path(config.models), *machine())
        spec = Catalogue.load().models.get(name)
        if spec is not None:
            return f"{name} {spec.files[0].sha256}"
        path = model_path(name, models_path(config.models))
    except Missing:  # an evaluation that did without
        return "none"
    return f"{path.name} {content_hash(path)}"


def history() -> tuple[list[Run], list[str]]:
    """Every saved run, oldest first, and the names of files that are none."""
    runs: list[Run] = []
    damaged = []
    for path in sorted(results_folder().glob("*.json")):
        try:
            runs += _runs(json.loads(path.read_text("utf-8")), path.name)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            damaged.append(path.name)
    return sorted(runs, key=lambda run: run.date), damaged


def _runs(record: Mapping[str, Any], file: str) -> list[Run]:
    """The run of the file, then those it was compared with."""
    datetime.fromisoformat(record["date"])
    found = []
    for part in (record, *record.get("compared", ())):
        made = part["configuration"]
        found.append(
            Run(
                kind=str(record["kind"]),
                date=record["date"],
                path=str(record["path"]),
                n=int(record["n"]),
                model=str(part["model"]),
                metrics={**part["metrics"]},
                settings={
                    **made["sections"],
                    **made["changed"],
                    **made["weights"],
                    **{f"gate.{name}": value for name, value in made.get("gate", {}).items()},
                },
                file=file,
            )
        )
    return found


def differing(runs: Iterable[Run]) -> list[str]:
    """Settings that are not the same in all of these runs; one that a run lacks is not counted."""
    values: dict[str, set[str]] = {}
    for run in runs:
        for key, value in run.settings.items():
            values.setdefault(key, set()).add(json.dumps(value, sort_keys=True))
    return [key for key, each in values.items() if len(each) > 1]
