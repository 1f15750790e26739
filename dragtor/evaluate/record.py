"""What evaluations leave behind: the journal of a run under way, saved results, their history.

A journal holds finished rows, so that an interrupted run goes on. A saved result says with which
settings, weights, versions and machine it was made, and nothing that tells whose machine it was.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec

from dragtor.config import CHECKOUT_FOLDER, PACKAGE_FOLDER, Config
from dragtor.errors import LibraryError, Missing
from dragtor.evaluate.common import kept_folder, path_hash
from dragtor.journal import KeyedJournal
from dragtor.types import SavedRun, short_hash

P = ParamSpec("P")

# Sections that a result depends on, by kind; other kinds depend on all of these.
SEARCH = ("split", "embed", "retrieve")
ANSWER = (*SEARCH, "llm", "answer", "chat")
SECTIONS = {
    "retrieval": SEARCH,
    "chunking": SEARCH,
    "transcription": ("speech",),
    "diarization": ("diarize",),
    "events": (),
    "encoder": (),
}
# Packages that an answer depends on: a change of these is a new run.
ANSWER_PACKAGES = (
    "answer", "embed", "encoder", "ground", "llm", "prompt", "rerank", "retrieve", "split", "store",
    "transcript",
)  # fmt: skip
SPEECH_PACKAGES = ("speech",)
SPEECH_KINDS = ("transcription", "diarization")  # kinds that neither search nor answer
GATE = ("from", "threshold", "lay_threshold")  # what is told of the gate that decided
# Settings that are nobody's business, or say nothing about a result.
PRIVATE = ("library.", "models.", "load.", "store.url", "llm.url")


def run_journal(kind: str, key: str) -> KeyedJournal:
    """The finished rows of a run of `kind` under `key` (see `run_key`), in the cache folder."""
    return KeyedJournal(kept_folder() / f"{kind}-{key}.jsonl")


def kept_row(
    journal: KeyedJournal, key: str, make: Callable[P, dict[str, Any]], *of: P.args, **by: P.kwargs
) -> dict[str, Any]:
    """The row under `key`: as it was kept, else made and kept now."""
    if (known := journal.get(key)) is not None:
        return dict(known)
    row = make(*of, **by)
    journal.put(key, row)
    return row


def run_key(
    data: Iterable[Path], settings: Mapping[str, Any], model: str, packages: Iterable[str]
) -> str:
    """What a row's value depends on, as one hash: a journal under it holds nothing stale.

    `data` are files or folders, by content; `settings` anything JSON or dataclass reprs can tell;
    `model` a name or fingerprint; `packages` the parts of dragtor whose code matters ("ground").
    """
    parts = [path_hash(path) for path in data]
    parts += [f"{name}={settings[name]!r}" for name in sorted(settings)]
    parts += [f"{package} {_code(package)}" for package in sorted(packages)]
    return short_hash(model, *parts)


def _code(package: str) -> str:
    folder = PACKAGE_FOLDER / package
    files = sorted(folder.rglob("*.py")) or [PACKAGE_FOLDER / f"{package}.py"]
    return short_hash(*(file.read_text("utf-8") for file in files))


# Saved results


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
    if "quotes" in result:
        record["configuration"]["changed"]["quotes"] = result["quotes"]
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
    if kind in SPEECH_KINDS:
        from dragtor.speech.diarize.onnx import SEGMENTATION

        heard = config.speech.model if kind == "transcription" else SEGMENTATION
        return {"speech": f"{heard} {known[heard].files[0].sha256}"} if heard in known else {}
    if kind == "encoder":
        return {}  # its version stands in what was measured
    if kind == "events":
        from dragtor.events.model import EVENTS_MODEL, adapter_path

        reader = {"reader": f"{EVENTS_MODEL} {known[EVENTS_MODEL].files[0].sha256}"}
        return reader | {"adapter": f"{adapter_path().name} {path_hash(adapter_path())}"}
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
    return f"{path.name} {path_hash(path)}"


def saved_runs() -> tuple[list[SavedRun], list[str]]:
    """Every saved run, oldest first, and the names of files that are none."""
    runs: list[SavedRun] = []
    damaged = []
    for path in sorted(results_folder().glob("*.json")):
        try:
            runs += _runs(json.loads(path.read_text("utf-8")), path.name)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            damaged.append(path.name)
    return sorted(runs, key=lambda run: run.date), damaged


def _runs(record: Mapping[str, Any], file: str) -> list[SavedRun]:
    """The run of the file, then those it was compared with."""
    datetime.fromisoformat(record["date"])
    found = []
    for part in (record, *record.get("compared", ())):
        made = part["configuration"]
        found.append(
            SavedRun(
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


def differing(runs: Iterable[SavedRun]) -> list[str]:
    """Settings that are not the same in all of these runs; one that a run lacks is not counted."""
    values: dict[str, set[str]] = {}
    for run in runs:
        for key, value in run.settings.items():
            values.setdefault(key, set()).add(json.dumps(value, sort_keys=True))
    return [key for key, each in values.items() if len(each) > 1]
