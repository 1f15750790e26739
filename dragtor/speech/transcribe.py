"""A recording's words: its speech is found, cut into windows at pauses, and read by Whisper, a
window at a time on each core.

Owns which model reads which language, and that an interrupted run goes on. Knows nothing of what
the words are for.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from dragtor.config import ModelsConfig, SpeechConfig, models_path
from dragtor.errors import Missing
from dragtor.models import model_path
from dragtor.speech.decode import RATE_HZ, decode, file_hash, probe
from dragtor.speech.journal import Plan, TranscriptJournal
from dragtor.speech.vad import (
    VAD_DEFAULTS,
    SpeechWindow,
    VoiceActivity,
    open_vad,
    speech_regions,
    speech_windows,
)
from dragtor.speech.whisper import Whisper, check_language, is_multilingual
from dragtor.types import NEVER, SILENT, CancelToken, Reporter, Word, short_hash

if TYPE_CHECKING:
    from dragtor.speech.decode import Samples

RECIPE = 1  # goes up when the same sound would give other words: old journals are then left alone
AUTO, ENGLISH = "auto", "en"
SAMPLED_WINDOWS = 3  # that tell the language:
SAMPLED_FROM = 20  # the longest of so many first ones
SURE_LANGUAGE = 0.5  # probability of another language; below it, it is English
MOST_WORKERS = 2  # each has the model in memory,
LARGE_MODEL_BYTES = 500_000_000  # which only one has if it is larger


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said; `language` is a code (en), empty where nothing was."""

    language: str
    words: tuple[Word, ...]
    duration_s: float


class Transcriber:
    """Turns recordings into words; keeps its models in memory from one to the next."""

    def __init__(
        self,
        vad: VoiceActivity,
        config: SpeechConfig,
        models: ModelsConfig,
    ) -> None:
        self._vad, self._config = vad, config
        self._folder = models_path(models)
        self._opened: dict[Path, list[Whisper]] = {}
        self._hashes: dict[Path, str] = {}

    def transcribe(
        self,
        path: Path,
        *,
        language: str = "",
        folder: Path,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
    ) -> Transcript:
        """The words of an audio or video file, with times in seconds.

        `language` is a code or `auto`; empty: as configured. `reporter` hears of seconds of sound.
        What is finished is kept in `folder` under the content of the file, so that an interrupted
        or cancelled run goes on. Raises LoadError on a file without sound, Missing with the command
        that pulls a model.
        """
        wanted = language or self._config.language
        wanted = AUTO if wanted == AUTO else check_language(wanted)
        weights = [self._hash(model) for model in self._weights(wanted)]
        settings = (str(RECIPE), wanted, VAD_DEFAULTS.key(), *weights)
        kept = folder / f"{short_hash(file_hash(path), *settings)}.jsonl"
        with TranscriptJournal(kept) as journal:
            run = _Run(path, reporter, cancel)
            plan = journal.plan or journal.begin(self._plan(run, wanted))
            self._transcribe(run, plan, journal)
        words = tuple(word for n in range(len(plan.windows)) for word in journal.done[n])
        return Transcript(plan.language, words, plan.duration_s)

    def _plan(self, run: _Run, wanted: str) -> Plan:
        """Go through the file once: where somebody speaks, and in which language."""
        label, claimed_s = f"listening to {run.path.name}", probe(run.path).duration_s
        samples = 0

        def counted() -> Iterator[Samples]:
            nonlocal samples
            for block in run.blocks():
                samples += block.size
                done_s = samples // RATE_HZ
                run.reporter.progress(label, done_s, max(int(claimed_s), done_s))
                yield block

        spoken = speech_regions(counted(), self._vad)
        cut = speech_windows(spoken, samples / RATE_HZ)
        found = wanted
        if wanted == AUTO or not cut:
            found = self._language(run, cut) if cut else ""
        return Plan(found, round(samples / RATE_HZ, 3), tuple(cut))

    def _language(self, run: _Run, cut: Sequence[SpeechWindow]) -> str:
        """What is spoken, by a model that knows languages; English where there is none."""
        telling = [model for model in self._weights(AUTO) if is_multilingual(model)]
        if not telling:
            return ENGLISH
        fullest = sorted(cut[:SAMPLED_FROM], key=_length_s, reverse=True)[:SAMPLED_WINDOWS]
        engine = Whisper(telling[0], self._threads(), _mend(telling[0]))
        found = [engine.languages(sound) for sound in _sounds(run.blocks(), sorted(fullest))]
        means = {code: sum(each[code] for each in found) / len(found) for code in found[0]}
        likeliest = max(means, key=means.__getitem__)
        return likeliest if means[likeliest] >= SURE_LANGUAGE else ENGLISH

    def _transcribe(self, run: _Run, plan: Plan, journal: TranscriptJournal) -> None:
        """Every window that is not in the journal; on Ctrl-C those under way are finished."""
        left = [number for number in range(len(plan.windows)) if number not in journal.done]
        if not left:
            return
        total_s = sum(map(_length_s, plan.windows))
        ready = self._engines(self._model_for(plan.language))
        engines: SimpleQueue[Whisper] = SimpleQueue()
        for engine in ready:
            engines.put(engine)

        def transcribe(number: int, sound: Samples) -> None:
            engine = engines.get()
            try:
                run.cancel.check()
                words = engine.words(sound, plan.language, run.cancel)
            finally:
                engines.put(engine)
            journal.put(number, _placed(words, plan.windows[number]))

        def finish(future: Future[None]) -> None:
            future.result()
            done_s = sum(_length_s(plan.windows[number]) for number in list(journal.done))
            label = f"transcribing {run.path.name}"
            run.reporter.progress(label, round(done_s), round(total_s))

        pool, waiting = ThreadPoolExecutor(len(ready), "transcribe"), deque[Future[None]]()
        try:
            sounds = _sounds(run.blocks(), [plan.windows[number] for number in left])
            for number, sound in zip(left, sounds, strict=True):
                waiting.append(pool.submit(transcribe, number, sound))
                if len(waiting) > 2 * len(ready):  # sound that waits takes memory
                    finish(waiting.popleft())
            while waiting:
                finish(waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def _weights(self, language: str) -> list[Path]:
        """The files of the models that may be needed: the main one first."""
        main = model_path(self._config.model, self._folder)
        if language == ENGLISH:
            return [main]
        try:
            return [main, model_path(self._config.other_model, self._folder)]
        except Missing:
            if language == AUTO or is_multilingual(main):
                return [main]
            raise

    def _model_for(self, language: str) -> Path:
        main, *others = self._weights(language)
        return main if language == ENGLISH or is_multilingual(main) or not others else others[0]

    def _engines(self, path: Path) -> list[Whisper]:
        """The model, once for each worker."""
        there = self._opened.setdefault(path, [])
        large = path.stat().st_size > LARGE_MODEL_BYTES
        workers = 1 if large else min(self._threads(), MOST_WORKERS)
        threads = max(1, self._threads() // workers)
        while len(there) < workers:
            there.append(Whisper(path, threads, _mend(path)))
        return there

    def _threads(self) -> int:
        if hasattr(os, "sched_getaffinity"):
            return self._config.threads or len(os.sched_getaffinity(0))
        return self._config.threads or os.cpu_count() or 1

    def _hash(self, model: Path) -> str:
        if model not in self._hashes:
            self._hashes[model] = file_hash(model)
        return self._hashes[model]


def open_transcriber(config: SpeechConfig, models: ModelsConfig) -> Transcriber:
    """With the models of the settings; raises Missing with the command that pulls one."""
    model_path(config.model, models_path(models))
    return Transcriber(open_vad(models), config, models)


@dataclass(frozen=True, slots=True)
class _Run:
    """One recording on its way."""

    path: Path
    reporter: Reporter
    cancel: CancelToken

    def blocks(self) -> Iterator[Samples]:
        """Its sound from the beginning."""
        for block in decode(self.path):
            self.cancel.check()
            yield block


def _mend(model: Path) -> str:
    return f"dragtor models pull {model.parent.name}"


def _length_s(window: SpeechWindow) -> float:
    return sum(end - start for start, end in window)


def _sounds(blocks: Iterable[Samples], cut: Sequence[SpeechWindow]) -> Iterator[Samples]:
    """The samples of each window, its pieces joined; holds one window at a time."""
    import numpy as np

    stream, waiting = iter(blocks), np.zeros(0, np.float32)
    first = 0  # place of waiting[0]
    for window in cut:
        pieces = []
        for start_s, end_s in window:
            start, end = round(start_s * RATE_HZ), round(end_s * RATE_HZ)
            while first + waiting.size < end and (block := next(stream, None)) is not None:
                passed = min(max(0, start - first), waiting.size)
                waiting, first = np.concatenate((waiting[passed:], block)), first + passed
            pieces.append(waiting[max(0, start - first) : end - first])
        yield np.concatenate(pieces)


def _placed(words: Sequence[Word], window: SpeechWindow) -> list[Word]:
    """Words of a window at their times in the recording: in order, each in one piece, to 10 ms."""
    found: list[Word] = []
    latest = window[0][0]
    for word in words:
        middle, before_s = (word.start_s + word.end_s) / 2, 0.0
        for low, high in window:
            if middle < before_s + high - low:
                break
            before_s += high - low
        else:
            before_s -= high - low  # beyond the end is at the end
        latest = max(latest, low)
        start = min(max(low + word.start_s - before_s, latest), high)
        latest = min(max(low + word.end_s - before_s, start), high)
        found.append(Word(word.text, round(start, 2), round(latest, 2)))
    return found
