"""Sound out of files: every container the test can write, damaged ones, and those of others."""

from __future__ import annotations

import logging
import os
import tracemalloc
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from conftest import shared

from dragtor.errors import LoadError
from dragtor.speech.decode import BLOCK_S, RATE_HZ, decode, probe
from dragtor.types import Chapter

TONE_HZ = 440.0


def tone(seconds: float, rate: int = RATE_HZ, hertz: float = TONE_HZ) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype("f4")


def write(
    path: Path,
    channels: Sequence[np.ndarray],
    rate: int = RATE_HZ,
    codec: str = "pcm_s16le",
    container: str | None = None,
    layout: str = "",
    chapters: Sequence[Any] = (),
    picture: bool = False,
    **tags: str,
) -> Path:
    """Encode the channels; `container` where the suffix shall not say which."""
    layout = layout or {1: "mono", 2: "stereo", 8: "7.1"}[len(channels)]
    with av.open(str(path), "w", format=container) as out:
        out.metadata.update(tags)
        if chapters:
            out.set_chapters(list(chapters))
        if picture:
            video = out.add_stream("mpeg4", rate=10, width=64, height=48, pix_fmt="yuv420p")
        stream = out.add_stream(codec, rate=rate, layout=layout)
        packed = np.stack(channels, axis=1).astype("f4").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format.name, layout, rate, stream.frame_size or 0)
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            out.mux(stream.encode(piece))
        if picture:
            for _ in range(10):
                out.mux(video.encode(av.VideoFrame(64, 48, "yuv420p")))
            out.mux(video.encode(None))
    return path


def whole(path: Path, **options: Any) -> np.ndarray:
    return np.concatenate(list(decode(path, **options)))


def pitch(sound: np.ndarray) -> float:
    """The loudest frequency."""
    return float(np.abs(np.fft.rfft(sound)).argmax() * RATE_HZ / sound.size)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.wav", "pcm_s16le", 44_100),
        ("a.wav", "pcm_u8", 8_000),
        ("a.wav", "pcm_f32le", 96_000),
        ("a.aiff", "pcm_s16be", 22_050),
        ("a.flac", "flac", 48_000),
        ("a.mp3", "libmp3lame", 44_100),
        ("a.m4a", "aac", 44_100),
        ("a.ogg", "libopus", 48_000),
        ("a.webm", "libopus", 48_000),
        ("a.mka", "ac3", 48_000),
        ("a.mov", "alac", 44_100),
    ],
)
def test_every_container_gives_the_same_tone(
    tmp_path: Path, name: str, codec: str, rate: int
) -> None:
    path = write(tmp_path / name, [tone(2, rate)], rate, codec)
    sound = whole(path)
    assert sound.dtype == np.float32
    assert sound.size / RATE_HZ == pytest.approx(2, abs=0.1)
    assert pitch(sound) == pytest.approx(TONE_HZ, abs=2)
    assert 0.4 < np.abs(sound[RATE_HZ // 2 : RATE_HZ]).max() < 0.6
    assert probe(path).duration_s == pytest.approx(2, abs=0.1)


def test_sound_of_a_video_is_found_beside_the_picture(tmp_path: Path) -> None:
    path = write(tmp_path / "talk.mp4", [tone(1, 44_100)], 44_100, "aac", picture=True)
    assert pitch(whole(path)) == pytest.approx(TONE_HZ, abs=2)


def test_channels_are_mixed_evenly(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", [tone(1), np.zeros(RATE_HZ, "f4")])
    assert np.abs(whole(path)).max() == pytest.approx(0.25, abs=0.01)


def test_eight_channels_at_96_khz_with_a_strange_name(tmp_path: Path) -> None:
    voices = [tone(0.5, 96_000, 200 + 100 * n) for n in range(8)]
    path = write(tmp_path / "Gespräch №8 — 日本: a?b=c.wav", voices, 96_000)
    sound = whole(path)
    loud = np.sort(np.abs(np.fft.rfft(sound)).argsort()[-8:]) * RATE_HZ / sound.size
    assert loud == pytest.approx([200 + 100 * n for n in range(8)], abs=3)  # all, the bass too


def test_a_name_that_is_no_text_is_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    write(tmp_path / "a.wav", [tone(0.5)]).rename(path)
    assert whole(path).size == RATE_HZ // 2


def test_suffixes_do_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "really-flac.mp3", [tone(1)], codec="flac", container="flac")
    assert pitch(whole(path)) == pytest.approx(TONE_HZ, abs=2)
    assert whole(write(tmp_path / "none", [tone(1)], container="wav")).size == RATE_HZ


def test_one_sample_is_sound_and_none_is_not(tmp_path: Path) -> None:
    assert whole(write(tmp_path / "one.wav", [tone(1)[:1]])).size == 1
    path = tmp_path / "none.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
    with pytest.raises(LoadError, match=r"^none\.wav holds no sound$"):
        whole(path)


@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s16le"), ("a.mp3", "libmp3lame")])
def test_a_cut_off_file_gives_what_is_there(tmp_path: Path, name: str, codec: str) -> None:
    path = write(tmp_path / name, [tone(4)], codec=codec)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    sound = whole(path)
    assert sound.size / RATE_HZ == pytest.approx(2, abs=0.2)
    assert pitch(sound) == pytest.approx(TONE_HZ, abs=2)


def test_a_damaged_middle_costs_the_middle_only(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", [tone(10)], codec="libmp3lame")
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + 2000] = os.urandom(2000)
    path.write_bytes(data)
    sound = whole(path)
    assert sound.size / RATE_HZ == pytest.approx(10, abs=1.5)
    assert pitch(sound[-4 * RATE_HZ :]) == pytest.approx(TONE_HZ, abs=2)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "x.mp3 is empty"),
        (b"no sound at all, only text\n" * 50, "x.mp3 is no audio"),
        (b"\x00" * 5000, "x.mp3"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n", "x.mp3"),
        (b"ffconcat version 1.0\nfile a.wav\n", "x.mp3"),
    ],
)
def test_what_is_no_sound_is_one_clear_line(tmp_path: Path, data: bytes, words: str) -> None:
    write(tmp_path / "a.wav", [tone(1)])  # which no playlist may lead to
    path = tmp_path / "x.mp3"
    path.write_bytes(data)
    with pytest.raises(LoadError) as caught:
        whole(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read_are_one_clear_line(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.mp3", "No such file"), (tmp_path, "Is a directory")):
        for read in (whole, probe):
            with pytest.raises(LoadError, match=words):
                read(path)


def test_sound_that_begins_late_keeps_its_time(tmp_path: Path) -> None:
    path = tmp_path / "late.mka"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for begin_s in (0, 3):  # a second each, two of nothing between them
            samples = (tone(1) * 32767).astype("i2")[None]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, begin_s * RATE_HZ
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    sound = whole(path)
    assert sound.size == pytest.approx(4 * RATE_HZ, abs=100)
    loud = [np.abs(second).max() > 0.1 for second in np.array_split(sound, 4)]
    assert loud == [True, False, False, True]


def test_tags_and_chapters_are_told(tmp_path: Path) -> None:
    base = {"time_base": Fraction(1, 1000)}
    chapters = [
        {**base, "id": 1, "start": 0, "end": 1500, "metadata": {"title": "Intro"}},
        {**base, "id": 2, "start": 1500, "end": 3000, "metadata": {"title": "Fingers"}},
    ]
    tags = {"title": "EP 237", "artist": "Steven Dimmitt", "date": "2024-05-06", "comment": "Notes"}
    path = write(tmp_path / "a.mp3", [tone(3)], codec="libmp3lame", chapters=chapters, **tags)
    media = probe(path)
    assert (media.title, media.author) == ("EP 237", "Steven Dimmitt")
    assert (media.published, media.description) == ("2024-05-06", "Notes")
    assert media.chapters == (Chapter("Intro", 0.0), Chapter("Fingers", 1.5))


@pytest.mark.parametrize(
    ("tag", "day"),
    [
        ("2024-05-06T10:00:00Z", "2024-05-06"),
        ("20240506", "2024-05-06"),
        ("2024:05", "2024-05"),
        ("1999", "1999"),
        ("2024-13-01", ""),
        ("6 May 2024", ""),
        ("1970-01-01T00:00:00", ""),
    ],
)
def test_dates_of_tags_are_iso_dates(tmp_path: Path, tag: str, day: str) -> None:
    sound = [tone(1, 48_000)]
    path = write(tmp_path / "a.ogg", sound, 48_000, "libopus", date=tag, artist="Ann")
    media = probe(path)
    assert (media.author, media.published) == ("Ann", day)


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", [tone(200)], codec="flac")
    tracemalloc.start()
    try:
        blocks = sum(1 for _ in decode(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert blocks >= 200 / BLOCK_S / 2
    assert peak < 8 * BLOCK_S * RATE_HZ * 4  # the whole is 40 blocks


def test_odd_and_broken_files_of_others(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Each is decoded or refused in one line; nothing is written anywhere."""
    folder = shared("bad_inputs") / "audio"
    decoded, refused = [], {}
    with caplog.at_level(logging.DEBUG):
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            try:
                probe(path)
                sound = whole(path)
            except LoadError as error:
                refused[path.name] = str(error)
                continue
            decoded.append(path.name)
            assert np.isfinite(sound).all()
            assert np.abs(sound).max() <= 1
    assert len(decoded) + len(refused) == 121
    assert len(decoded) >= 81
    assert all(name in line and "\n" not in line for name, line in refused.items())
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
