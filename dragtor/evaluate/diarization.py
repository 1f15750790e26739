"""`dragtor eval diarization`: is it known who speaks when? A folder of NAME.wav.

Their turns are in any .rttm of the folder, the regions that count in any .uem; names are compared
without accents. Overlap counts, and no edge is forgiven. Knows no engine's inside.
"""

from __future__ import annotations

import random
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dragtor import extras, metrics
from dragtor.config import Config
from dragtor.errors import LoadError, UsageError
from dragtor.evaluate.common import counted, path_hash, versions
from dragtor.evaluate.record import SPEECH_PACKAGES, run_journal, run_key
from dragtor.journal import KeyedJournal
from dragtor.schema import evaluation_json
from dragtor.speech.decode import decode
from dragtor.speech.diarize import RATE, Diarizer, open_diarizer
from dragtor.types import NEVER, SILENT, CancelToken, Reporter, SpeakerTurn

_LAYOUT = "a folder with NAME.wav, their turns in an .rttm, their regions in a .uem"
Region = tuple[float, float]  # seconds
WRONG_PARTS = {"miss": "missed detection", "false_alarm": "false alarm", "confusion": "confusion"}
TOTAL = "total"


def evaluate(
    folder: Path,
    config: Config,
    *,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> dict[str, Any]:
    """Tell speakers apart in every file and compare; finished ones are kept.

    Shares are of the seconds spoken in the reference, overlapping speech counted twice, all files
    together; the interval of `der` is a bootstrap over files. `speed` is seconds of sound per
    second of work. Files that cannot be read and files without a reference are named.
    """
    extras.require("pyannote.metrics", extra="eval")
    files, turns, regions = _layout(folder)
    diarizer = open_diarizer(config.diarize, config.models)
    if diarizer is None:
        raise UsageError("diarize.engine is none", "dragtor config path")
    scored: list[dict[str, Any]] = []
    unreadable, unknown = [], []
    key = run_key([], _settings(config), diarizer.engine, SPEECH_PACKAGES)
    with run_journal("diarization", key) as kept:
        for file in counted(files, "telling speakers apart", reporter, cancel):
            name = bare_name(file.stem)
            if name not in turns and name not in regions:
                unknown.append(file.name)
                continue
            try:
                heard = _heard(diarizer, file, kept, cancel)
            except LoadError as error:
                unreadable.append({"file": file.name, "reason": str(error)})
                continue
            region = regions.get(name) or [(0.0, heard["sound_s"])]
            found = [SpeakerTurn(*turn) for turn in heard["turns"]]
            compared = compare(turns.get(name, []), found, region)
            scored.append(heard | {"file": file.name, **compared})
    if not scored:
        raise LoadError(f"{folder} holds no readable .wav with a reference", _LAYOUT)
    return evaluation_json(
        "diarization",
        folder.resolve().name,
        len(scored),
        _metrics(scored),
        diarizer.engine,
        versions() | _versions("av", "pyannote-metrics", "scipy"),
        files=[_row(row) for row in scored],
        unreadable=unreadable,
        without_reference=unknown,
    )


def bare_name(name: str) -> str:
    """The name without accents, however they are encoded."""
    parts = unicodedata.normalize("NFKD", name)
    return "".join(c for c in parts if not unicodedata.combining(c)).casefold()


def _layout(
    folder: Path,
) -> tuple[list[Path], dict[str, list[SpeakerTurn]], dict[str, list[Region]]]:
    """The wavs, then turns and regions by bare name; raises LoadError where any is not there."""
    if not folder.is_dir():
        raise LoadError(f"{folder} is no folder", _LAYOUT)
    entries = sorted(folder.iterdir())
    files = [path for path in entries if path.suffix.lower() == ".wav"]
    turns: dict[str, list[SpeakerTurn]] = {}
    regions: dict[str, list[Region]] = {}
    for path in entries:
        if path.suffix.lower() == ".rttm":
            for name, turn in rttm_turns(path):
                turns.setdefault(name, []).append(turn)
        elif path.suffix.lower() == ".uem":
            for name, region in uem_regions(path):
                regions.setdefault(name, []).append(region)
    if not files or not turns:
        raise LoadError(f"{folder} holds no {'.rttm' if files else '.wav'}", _LAYOUT)
    return files, turns, regions


def rttm_turns(path: Path) -> Iterator[tuple[str, SpeakerTurn]]:
    """(bare name, turn) of each SPEAKER line of an .rttm."""
    for place, cells in _lines(path):
        if cells[0] != "SPEAKER":
            continue
        start, length = _seconds(cells[3:5], place)
        if len(cells) < 8:
            raise LoadError(f"{place}: no speaker in the eighth column", _LAYOUT)
        if length > 0:
            yield bare_name(cells[1]), SpeakerTurn(cells[7], start, start + length)


def uem_regions(path: Path) -> Iterator[tuple[str, Region]]:
    """(bare name, region) of each line of a .uem."""
    for place, cells in _lines(path):
        start, end = _seconds(cells[2:4], place)
        if end > start:
            yield bare_name(cells[0]), (start, end)


def _lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    """(place, cells) of each line that is no comment."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"cannot read {path}: {error}", _LAYOUT) from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.startswith(";;"):
            yield f"{path}, line {number}", line.split()


def _seconds(cells: Sequence[str], place: str) -> tuple[float, float]:
    try:
        first, second = map(float, cells)
    except ValueError as error:
        raise LoadError(f"{place}: no two times in seconds", _LAYOUT) from error
    return first, second


def _heard(
    diarizer: Diarizer, path: Path, kept: KeyedJournal, cancel: CancelToken
) -> dict[str, Any]:
    """The turns found, and how long it took: as kept, or heard now."""
    key = path_hash(path)
    if (known := kept.get(key)) is not None:
        return dict(known)
    samples = 0

    def counting() -> Iterator[Any]:
        nonlocal samples
        for block in decode(path, RATE):
            samples += len(block)
            yield block

    begun = time.perf_counter()
    found = diarizer.diarize(counting(), cancel)
    row = {
        "turns": [[turn.speaker, turn.start_s, turn.end_s] for turn in found.turns],
        "seconds": time.perf_counter() - begun,
        "sound_s": samples / RATE,
    }
    kept.put(key, row)
    return row


def compare(
    reference: Sequence[SpeakerTurn], found: Sequence[SpeakerTurn], regions: Sequence[Region]
) -> dict[str, float]:
    """Seconds missed, put in and confused inside `regions`, and spoken in all, by pyannote.metrics.

    Each found speaker stands for the one of the reference that fits best.
    """
    from warnings import catch_warnings, simplefilter

    core = extras.require("pyannote.core", extra="eval")
    scoring = extras.require("pyannote.metrics.diarization", extra="eval")

    def annotation(turns: Sequence[SpeakerTurn]) -> Any:
        made = core.Annotation()
        for track, turn in enumerate(turns):
            made[core.Segment(turn.start_s, turn.end_s), track] = turn.speaker
        return made

    region = core.Timeline([core.Segment(*each) for each in regions])
    with catch_warnings():
        simplefilter("ignore")
        parts = scoring.DiarizationErrorRate()(
            annotation(reference), annotation(found), uem=region, detailed=True
        )
    return {name: float(parts[name]) for name in (TOTAL, *WRONG_PARTS.values())}


def _metrics(scored: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    draw = random.Random(0)
    rates = [_rate(draw.choices(scored, k=len(scored))) for _ in range(metrics.BOOTSTRAP_ROUNDS)]
    known = [rate for rate in rates if rate is not None]
    sound_s, work_s = (sum(row[name] for row in scored) for name in ("sound_s", "seconds"))
    found: dict[str, Any] = {"der": _rate(scored)}
    if known:
        bounds = (metrics.percentile(known, share) for share in (0.025, 0.975))
        found["der_ci"] = [round(bound, 4) for bound in bounds]
    found |= {name: _rate(scored, [part]) for name, part in WRONG_PARTS.items()}
    found |= {
        "speed": round(sound_s / max(work_s, 1e-9), 2),
        "sound_s": round(sound_s, 1),
        "speech_s": round(sum(row[TOTAL] for row in scored), 1),
    }
    return found


def _rate(
    rows: Sequence[Mapping[str, Any]], parts: Sequence[str] = tuple(WRONG_PARTS.values())
) -> float | None:
    """Seconds of `parts` over seconds spoken; None where nothing is spoken."""
    total = sum(row[TOTAL] for row in rows)
    wrong = sum(row[part] for row in rows for part in parts)
    return round(wrong / total, 4) if total else None


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One file's figures, in seconds, and its own error rate."""
    return {
        "file": row["file"],
        "der": _rate([row]),
        "speech_s": round(row[TOTAL], 2),
        **{f"{name}_s": round(row[part], 2) for name, part in WRONG_PARTS.items()},
        "speakers": len({speaker for speaker, _, _ in row["turns"]}),
    }


def _settings(config: Config) -> dict[str, Any]:
    return {"diarize": asdict(config.diarize)}


def _versions(*packages: str) -> dict[str, str]:
    from importlib.metadata import version

    return {package: version(package) for package in packages}
