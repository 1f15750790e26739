"""A Recording becomes a Document: its words, who says them, their names, and text with times.

Composes this package's parts in their order; each is opened when it is first needed. Knows neither
where recordings come from nor where documents go.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dragtor.errors import LoadError, Missing, UsageError
from dragtor.speech.align import align_words
from dragtor.speech.roles import roles
from dragtor.transcript import spoken, words_of
from dragtor.types import (
    NEVER,
    SILENT,
    CancelToken,
    Chapter,
    Document,
    Recording,
    Reporter,
    Speaker,
    SpeakerTurn,
    Word,
    short_hash,
)

if TYPE_CHECKING:
    from dragtor.speech.decode import Media, Samples
    from dragtor.speech.diarize import Diarization, Diarizer
    from dragtor.speech.transcribe import Transcriber, Transcript

SAME_SPEAKER = 0.6  # cosine of two voice prints from here on: one person
KNOWN_AGAIN = 0.85  # confidence in the name of a voice that was known before
MEASURED = ("language", "duration_s", "voices")  # what is noted of a sound beside its words
LABEL = re.compile(r"[\x00-\x7f]\Z|speaker[_ ]", re.I)  # of a speaker whom nobody named
NOTES_HEADING = "Notes"  # heading of what was written about a recording, after what is said


class TranscribePipeline:
    """Makes documents of recordings.

    `voices` gives the speakers known by their voice in a show, for an engine of diarization.
    `folder` keeps the words and turns of each sound, finished or under way, under its content:
    whatever else changes about it, what is transcribed once need not be again. An empty file beside
    them, SOURCE.DOCUMENT.for, says for whom they are kept.
    """

    def __init__(
        self,
        transcriber: Callable[[], Transcriber],
        diarizer: Callable[[], Diarizer | None],
        folder: Path,
        *,
        voices: Callable[[str, str], Sequence[Speaker]] = lambda show, engine: (),
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
    ) -> None:
        self._transcriber, self._diarizer = transcriber, diarizer
        self._folder, self._voices = folder, voices
        self._reporter, self._cancel = reporter, cancel

    def document(
        self, recording: Recording, source_id: str = "", before: Document | None = None
    ) -> Document:
        """The document of what is said; raises LoadError and Missing.

        Of a recording without words and sound it is what was said `before`, with what is written
        about it now.
        """
        prints: Mapping[str, tuple[float, ...]] = {}
        if recording.audio is not None and not recording.words:
            recording, prints = self._transcribed(recording, recording.audio, source_id)
        elif not recording.words and before is not None:
            recording, prints = _again(recording, before)
        document, words = recording.document, recording.words
        title = document.title or unquote(PurePosixPath(urlsplit(document.uri).path).stem)
        if not words and not document.text.strip():
            raise LoadError(f"{title}: nobody speaks in it")
        document = replace(document, title=title)
        document = replace(document, speakers=self._speakers(document, words, prints))
        return _written(document, words, recording.chapters)

    def forget(self, source_id: str = "*", document_id: str = "*") -> None:
        """Drop what is kept for a source, or for one of its documents, and for nobody else."""
        for mark in self._folder.glob(f"*/{source_id}.{document_id}.for"):
            with suppress(OSError):
                mark.unlink()
            if not any(mark.parent.glob("*.for")):
                shutil.rmtree(mark.parent, ignore_errors=True)

    def _transcribed(
        self, recording: Recording, audio: Path, source_id: str
    ) -> tuple[Recording, Mapping[str, tuple[float, ...]]]:
        """The recording with the words that are said in it, and a voice print of each speaker."""
        from dragtor.speech.decode import probe

        document = recording.document
        kept = self._kept(audio, f"{source_id}.{document.id}")
        transcript = self._transcriber().transcribe(
            audio,
            language=_known_language(recording.language),
            folder=kept,
            reporter=self._reporter,
            cancel=self._cancel,
        )
        words, prints, engine = self._told_apart(audio, transcript, kept)
        told = {"language": transcript.language, "duration_s": transcript.duration_s}
        meta = {**document.meta, **told} | ({"voices": engine} if engine else {})
        if engine and document.uri.startswith("file:"):  # its folder stands for a show
            meta.setdefault("show", document.uri.rpartition("/")[0])
        media = probe(audio)
        document = replace(_filled(document, media), meta=meta)
        chapters = recording.chapters or media.chapters
        return replace(recording, document=document, words=words, chapters=chapters), prints

    def _kept(self, audio: Path, whose: str) -> Path:
        """Where the words of this sound are kept, marked as `whose`."""
        from dragtor.speech.decode import file_hash

        place = self._folder / file_hash(audio)[:16]
        with suppress(OSError):  # whoever writes words there tells of it
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{whose}.for").touch()
        return place

    def _told_apart(
        self, audio: Path, transcript: Transcript, kept: Path
    ) -> tuple[tuple[Word, ...], Mapping[str, tuple[float, ...]], str]:
        """The words with speakers, a voice print for each, and the engine that took it."""
        words = transcript.words
        try:
            diarizer = self._diarizer() if words else None
        except Missing as error:  # the words are worth having without their speakers
            self._reporter.note(f"speakers are not told apart: {error} ({error.hint})")
            diarizer = None
        if diarizer is None:
            return words, {}, ""
        path = kept / f"{short_hash(diarizer.engine)}.turns.json"
        found = _read_turns(path)
        if found is None:
            found = self._diarized(audio, diarizer, transcript)
            _write_turns(path, found)
        return align_words(words, found.turns), found.voices, diarizer.engine

    def _diarized(self, audio: Path, diarizer: Diarizer, transcript: Transcript) -> Diarization:
        from dragtor.speech.decode import RATE_HZ, decode

        label = f"telling speakers apart in {audio.name}"
        total = max(1, int(transcript.duration_s))

        def counted() -> Iterator[Samples]:
            samples = 0
            for block in decode(audio):
                self._cancel.check()
                samples += block.size
                yield block
                self._reporter.progress(label, min(samples // RATE_HZ, total), total)

        return diarizer.diarize(counted(), self._cancel)

    def _speakers(
        self,
        document: Document,
        words: Sequence[Word],
        prints: Mapping[str, tuple[float, ...]],
    ) -> tuple[Speaker, ...]:
        """Everybody who speaks, with role and name where something tells."""
        show = str(document.meta.get("show", ""))
        found = roles(
            words,
            title=document.title,
            author=document.author,
            show="" if show.startswith("file:") else show,
            notes=document.text,
        )
        known = self._voices(show, str(document.meta.get("voices", ""))) if show and prints else ()
        speakers = []
        for label, role in found.items():
            voice = prints.get(label, ())
            name, confidence = role.name, role.name_confidence
            if not prints and not LABEL.match(label):  # captions that name their speakers
                name, confidence = label, 1.0
            elif again := _known_again(voice, known):
                name, confidence = again.name, max(confidence, KNOWN_AGAIN)
            speakers.append(
                Speaker(label, name, role.role, role.role_confidence, confidence, voice)
            )
        return tuple(speakers)


def _read_turns(path: Path) -> Diarization | None:
    from dragtor.speech.diarize import Diarization

    try:
        kept = json.loads(path.read_text("utf-8"))
        turns = tuple(SpeakerTurn(*turn) for turn in kept["turns"])
        return Diarization(turns, {name: tuple(voice) for name, voice in kept["voices"].items()})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write_turns(path: Path, found: Diarization) -> None:
    """Whole or not at all; where nothing can be written, nothing is."""
    turns = [(turn.speaker, turn.start_s, turn.end_s) for turn in found.turns]
    part = path.with_suffix(".part")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps({"turns": turns, "voices": dict(found.voices)}), "utf-8")
        part.replace(path)


def _known_language(code: str) -> str:
    """The language that a feed names, or empty where no model is told of it."""
    from dragtor.speech.whisper import check_language

    with suppress(UsageError):
        return check_language(code) if code else ""
    return ""


def as_named(document: Document, before: Document) -> Document:
    """`document` with the names that the user gave to those who speak in `before`.

    A voice print tells who is who; where there is none the label does, unless others were
    labelled anew.
    """
    given = [s for s in before.speakers if s.name_confidence == 1 and s.name not in ("", s.label)]
    if not given:
        return document
    labels = dict.fromkeys(s.speaker for s in document.segments if s.speaker)
    speakers = {label: Speaker(label) for label in labels}
    speakers |= {speaker.label: speaker for speaker in document.speakers}
    same_engine = document.meta.get("voices") == before.meta.get("voices")
    voices = {s.label for s in before.speakers if s.voice}
    free = [s for s in document.speakers if s.voice] if same_engine else []
    as_before = (
        same_engine
        and voices == {s.label for s in free}
        and all(
            (match := _known_again(s.voice, free)) and match.label == s.label
            for s in before.speakers
            if s.voice
        )
    )
    for old in given:
        found = _known_again(old.voice, free) if old.voice else None
        if not old.voice and as_before:
            found = speakers.get(old.label)
        if found is not None:
            free = [s for s in free if s.label != found.label]
            speakers[found.label] = replace(found, name=old.name, name_confidence=1.0)
    return replace(document, speakers=tuple(speakers.values()))


def _known_again(voice: Sequence[float], known: Sequence[Speaker]) -> Speaker | None:
    """The known speaker whose voice is nearest, if it is near enough."""

    def likeness(speaker: Speaker) -> float:
        if len(speaker.voice) != len(voice):
            return -1.0
        return sum(a * b for a, b in zip(speaker.voice, voice, strict=True))

    if not voice or not known:
        return None
    nearest = max(known, key=likeness)
    return nearest if likeness(nearest) >= SAME_SPEAKER else None


def _again(
    recording: Recording, before: Document
) -> tuple[Recording, Mapping[str, tuple[float, ...]]]:
    """The recording with the words and the voice prints of its document `before`."""
    words, chapters = words_of(before)
    meta = {name: before.meta[name] for name in MEASURED if name in before.meta}
    document = _filled(recording.document, before)
    document = replace(document, meta={**document.meta, **meta})
    chapters = recording.chapters or chapters
    again = replace(recording, document=document, words=words, chapters=chapters)
    return again, {s.label: s.voice for s in before.speakers if s.voice}


def _filled(document: Document, known: Media | Document) -> Document:
    """The document with title, author and date, where it had none."""
    return replace(
        document,
        title=document.title or known.title,
        author=document.author or known.author,
        published=document.published or known.published,
    )


def _written(document: Document, words: Sequence[Word], chapters: Sequence[Chapter]) -> Document:
    """What is said, with its segments, and after it what was written about it."""
    text, segments = spoken(words, chapters)
    if notes := document.text.strip():
        text = f"{text}\n\n## {NOTES_HEADING}\n\n{notes}" if text else notes
    return replace(document, text=text, segments=segments)
