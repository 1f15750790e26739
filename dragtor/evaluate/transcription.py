"""`dragtor eval transcription`: are the right words heard, and how fast? Data in JSON lines.

{file, reference}, the file by its path from the manifest. Words are compared without case and
punctuation, numbers digit by digit; see `normalised_text`.
"""

from __future__ import annotations

import random
import re
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dragtor import extras, metrics
from dragtor.config import Config
from dragtor.errors import LoadError
from dragtor.evaluate.common import counted, path_hash, rows_of, versions
from dragtor.evaluate.record import SPEECH_PACKAGES, run_journal, run_key
from dragtor.journal import KeyedJournal
from dragtor.schema import evaluation_json
from dragtor.speech.transcribe import Transcriber, open_transcriber
from dragtor.types import NEVER, SILENT, CancelToken, Reporter

_WANTED = "file and reference"


def evaluate(
    path: Path,
    config: Config,
    *,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> dict[str, Any]:
    """Transcribe every file and compare; finished ones are kept, so that a run can go on.

    `wer` is errors (substituted, left out, put in) over words of the reference, all files
    together, its interval a bootstrap over files; `rtf` is seconds of work per second of sound.
    A row whose reference is null is left out, one whose file cannot be read is named under
    `unreadable`; `n` counts the others.
    """
    extras.require("jiwer", extra="eval")
    rows = _rows(path)
    transcriber = open_transcriber(config.speech, config.models)
    scored: list[Mapping[str, Any]] = []
    unreadable = []
    with run_journal(
        "transcription", run_key([path], _settings(config), "", SPEECH_PACKAGES)
    ) as kept:
        for file, reference in counted(rows, "transcribing", reporter, cancel):
            try:
                heard = _heard(transcriber, path.parent / file, kept, cancel)
            except LoadError as error:
                unreadable.append({"file": file, "reason": str(error)})
                continue
            errors, words = mistakes(reference, heard["text"])
            scored.append({**heard, "file": file, "errors": errors, "words": words})
    if not scored:
        reason = f": {unreadable[0]['reason']}" if unreadable else ""
        raise LoadError(f"{path}: no file can be transcribed{reason}")
    return evaluation_json(
        "transcription",
        path.name,
        len(scored),
        _metrics(scored),
        config.speech.model,
        versions() | _versions("av", "jiwer", "pywhispercpp"),
        unreadable=unreadable,
    )


def _rows(path: Path) -> list[tuple[str, str]]:
    """File and reference of each row that has one; raises LoadError on a row without a file."""
    found = []
    for place, row in rows_of(path, _WANTED):
        file, reference = row.get("file"), row.get("reference")
        if not isinstance(file, str) or not isinstance(reference, str | None):
            raise LoadError(f"{place}: no JSON object with {_WANTED}")
        if reference is not None:
            found.append((file, reference))
    if not found:
        raise LoadError(f"{path} holds no row with {_WANTED}")
    return found


def _heard(
    transcriber: Transcriber, path: Path, kept: KeyedJournal, cancel: CancelToken
) -> Mapping[str, Any]:
    """What was said, and how long it took: as kept, or heard now."""
    key = path_hash(path)
    if (known := kept.get(key)) is not None:
        return dict(known)
    with TemporaryDirectory(prefix="dragtor-") as folder:  # its own: speed is measured
        begun = time.perf_counter()
        transcript = transcriber.transcribe(path, folder=Path(folder), cancel=cancel)
        seconds = time.perf_counter() - begun
    row = {
        "text": " ".join(word.text for word in transcript.words),
        "language": transcript.language,
        "seconds": seconds,
        "sound_s": transcript.duration_s,
    }
    kept.put(key, row)
    return row


def mistakes(reference: str, text: str) -> tuple[int, int]:
    """Words wrong, missing or too many in `text`, and words of the reference."""
    jiwer = extras.require("jiwer", extra="eval")
    wanted, said = normalised_text(reference), normalised_text(text)
    if not wanted:
        return len(said.split()), 0
    found = jiwer.process_words(wanted, said)
    errors = found.substitutions + found.deletions + found.insertions
    return int(errors), len(wanted.split())


def _metrics(scored: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    words = sum(row["words"] for row in scored)
    sound_s = sum(row["sound_s"] for row in scored)
    draw, rates = random.Random(0), []
    for _ in range(metrics.BOOTSTRAP_ROUNDS):
        some = draw.choices(scored, k=len(scored))
        rates.append(sum(r["errors"] for r in some) / max(1, sum(r["words"] for r in some)))
    bounds = [metrics.percentile(rates, share) for share in (0.025, 0.975)]
    return {
        "wer": round(sum(row["errors"] for row in scored) / max(1, words), 4),
        "wer_ci": [round(bound, 4) for bound in bounds],
        "rtf": round(sum(row["seconds"] for row in scored) / max(sound_s, 1e-9), 4),
        "words": words,
        "sound_s": round(sound_s, 1),
    }


def _settings(config: Config) -> dict[str, Any]:
    return {"speech": asdict(config.speech)}


def _versions(*packages: str) -> dict[str, str]:
    from importlib.metadata import version

    return {package: version(package) for package in packages}


# Words as they are compared

_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {word: value for value, word in enumerate(_SMALL)}
_VALUES |= {word: 10 * value for value, word in enumerate(_TENS, 2)}
_TIMES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_IN_NUMBERS = {"oh": "0", "point": ""}  # after a digit
_WRITTEN = {
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "&": "and",
    "%": "percent",
    "okay": "ok",
    "alright": "all right",
}


def normalised_text(text: str) -> str:
    """Lower case, no punctuation, no apostrophes, "Mr." as "mister", numbers digit by digit.

    "twenty-five", "25" and "two five" are one: "2 5". So are "3.5", "three point five" and "three
    five", since a comma, a point or a space between digits is the writer's choice. English only.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    text = re.sub(r"(?<=\d),(?=\d{3}\b)|['’]", "", text)
    words = [_WRITTEN.get(word, word) for word in re.findall(r"[^\W_]+|[&%]", text)]
    return " ".join(_digits(" ".join(words).split()))


def _digits(words: Sequence[str]) -> Iterator[str]:
    """Numbers in words or digits as single digits, the other words as they are."""
    place = 0
    while place < len(words):
        value, size = _number(words[place:])
        if size:
            yield from str(value)
        elif words[place] in _IN_NUMBERS and place and _is_digit(words[place - 1]):
            yield from _IN_NUMBERS[words[place]]
        else:
            yield from words[place] if words[place].isdecimal() else [words[place]]
        place += size or 1


def _is_digit(word: str) -> bool:
    return word[-1].isdecimal() or word in (*_SMALL[:10], *_TENS, "oh")


def _number(words: Sequence[str]) -> tuple[int, int]:
    """The number that is spelled at the start of `words`, and how many of them it takes."""
    whole = part = size = 0
    room = 1_000_000  # the next word's value stays below this
    for word in words:
        if word in _TIMES and part and _TIMES[word] != room:
            part *= _TIMES[word]
            room = _TIMES[word]
            if room > 100:
                whole, part = whole + part, 0
        elif (
            word in _VALUES
            and _VALUES[word] < room
            and (size == 0 or room in (10, 100, 1000, 1_000_000))
        ):
            part += _VALUES[word]
            room = 10 if _VALUES[word] >= 20 else 1
        elif not (word == "and" and room in (100, 1000)):
            break
        size += 1
    while size and words[size - 1] == "and":
        size -= 1
    return whole + part, size
