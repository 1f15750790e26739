"""whisper.cpp (through pywhispercpp's own binding): one window of samples -> words with times.

Owns how a model is opened and asked, and what of its output is believed. Knows no files, and
carries nothing from one window to the next: a window's words depend on its samples only.
"""

from __future__ import annotations

import atexit
import math
import re
import struct
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Any, TypeAlias

from dragtor.errors import CorruptModel, GenerationError, UsageError
from dragtor.speech.decode import RATE_HZ
from dragtor.types import NEVER, CancelToken, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.float32]

FRAMES_PER_S = 50  # of the encoder, which reads 30 s,
SPARE_FRAMES = 50  # or no more than the window and a second, where that lasts
READ_WHOLE_S = 20.0  # so long: of short ones read so, words get lost and phrases loop
BEAMS = 5  # of the second try
# A try has failed where its last tokens repeat (bits of 32 tokens) or are improbable (mean log).
LOOP_TOKENS, LOOP_ENTROPY, WORST_LOGPROB = 32, 2.4, -1.0
SOUND_TAG = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|♪[^♪]*♪?")  # [laughter], (music), *sighs*
LOOP_TIMES, LOOP_WORDS = 4, 12  # a phrase said so often, of so many words in all, is a loop
LONGEST_S, LETTER_S = 0.25, 0.1  # of a word: more is a silence before it
ENGLISH_VOCABULARY = 51864  # tokens; other models have more
_ERROR_LEVEL = 4
_said = local()  # `errors`: whisper.cpp's lines in this thread; its log is kept off stderr


@dataclass(frozen=True, slots=True)
class WhisperToken:
    """A piece of a word; `text` may end within a character. `end_s` is the window's second."""

    text: bytes
    end_s: float
    logprob: float


class Whisper:
    """A ggml file in memory, for one caller at a time; computing, it lets other threads run.

    Raises CorruptModel, with `mend`, the command that mends it, on a file that is no such model.
    """

    def __init__(self, path: Path, threads: int, mend: str) -> None:
        self._path, self._threads, self._mend = path, threads, mend
        self._open()

    def _open(self) -> None:
        self._context = _load(self._path, self._mend)
        self._free = weakref.finalize(self, _binding().whisper_free, self._context)

    def words(self, samples: Samples, language: str, cancel: CancelToken = NEVER) -> list[Word]:
        """What is said in at most 30 s of 16 kHz mono, times from the window's start.

        Read greedily; where that loops or is improbable, a second time with beams. Cancelled, it
        ends with the encoder's run or the token under way.
        """
        segments = self._read(samples, language, 1, cancel)
        if _failed(segments):
            again = self._read(samples, language, BEAMS, cancel)
            self._reopen()  # beams leave a memory behind in which the same sound reads otherwise
            if _score(again) > _score(segments):
                segments = again
        return without_loops(_words(segments))

    def _reopen(self) -> None:
        self._free()
        self._open()

    def _read(
        self, samples: Samples, language: str, beams: int, cancel: CancelToken
    ) -> list[list[WhisperToken]]:
        """Tokens of each segment."""
        import numpy as np

        binding = _binding()
        strategies = binding.whisper_sampling_strategy
        greedy = strategies.WHISPER_SAMPLING_GREEDY
        params = binding.whisper_full_default_params(
            greedy if beams == 1 else strategies.WHISPER_SAMPLING_BEAM_SEARCH
        )
        if beams > 1:
            params.beam_search = {"beam_size": beams, "patience": -1.0}
        short = max(0, RATE_HZ - samples.size)  # less than 0.1 s is refused
        samples = np.pad(samples, (0, short)) if short else samples
        params.n_threads = self._threads
        params.language = language
        if samples.size >= READ_WHOLE_S * RATE_HZ:
            frames = math.ceil(samples.size * FRAMES_PER_S / RATE_HZ) + SPARE_FRAMES
            params.audio_ctx = min(frames, 30 * FRAMES_PER_S)
        params.temperature_inc = 0.0  # higher ones draw by chance, and not the same each time
        # One reading a window: a second one, of what little is left, costs as much as the first,
        # invents words in silence, and where it is of 0.1 s ends the process in the alignment.
        params.single_segment = True
        params.print_progress = False
        params.set_abort_callback(lambda *_: cancel.cancelled)
        if binding.whisper_full(self._context, params, samples, samples.size):
            if cancel.cancelled:
                self._reopen()  # what was cut off leaves a memory behind too
                cancel.check()
            raise GenerationError("whisper.cpp failed at a window of speech")
        return list(self._segments())

    def _segments(self) -> Iterator[list[WhisperToken]]:
        """What was just read, split where the model set times."""
        binding, context = _binding(), self._context
        text_ends, times_begin = (
            binding.whisper_token_eot(context),
            binding.whisper_token_beg(context),
        )
        tokens: list[WhisperToken] = []
        for segment in range(binding.whisper_full_n_segments(context)):
            for place in range(binding.whisper_full_n_tokens(context, segment)):
                data = binding.whisper_full_get_token_data(context, segment, place)
                if data.id < text_ends:
                    text = binding.whisper_token_to_bytes(context, data.id)
                    tokens.append(WhisperToken(text, data.t_dtw / 100, data.plog))
                elif data.id > times_begin and tokens:
                    yield tokens
                    tokens = []
        if tokens:
            yield tokens

    def languages(self, samples: Samples) -> dict[str, float]:
        """Probability of each language, by its code, from at most 30 s of sound.

        Of a model that has read no words yet: they leave a shorter reading behind.
        """
        import numpy as np

        binding = _binding()
        count = binding.whisper_lang_max_id() + 1
        found = np.zeros(count, np.float32)
        binding.whisper_pcm_to_mel(self._context, samples, samples.size, self._threads)
        binding.whisper_lang_auto_detect(self._context, 0, self._threads, found)
        return {binding.whisper_lang_str(i): float(found[i]) for i in range(count)}


def _load(path: Path, mend: str) -> Any:
    """The file as whisper.cpp's context, which also aligns words with the sound.

    Alignment (dynamic time warping of some heads' attention) costs a seventh, and sets every word
    of two neighbouring clips to its own; whisper.cpp's cheaper guess missed one in twenty.
    """
    binding = _binding()
    params = binding.whisper_context_default_params()
    params.flash_attn = False  # which keeps no attention to align by
    params.dtw_token_timestamps = True
    name = _heads(path)
    params.dtw_aheads_preset = getattr(binding, f"WHISPER_AHEADS_{name}")
    params.dtw_n_top = 2 if name == "N_TOP_MOST" else -1
    _said.errors = []
    context = binding.whisper_init_from_file_with_params(str(path), params)
    if _said.errors:
        raise CorruptModel(f"{path} is not readable by whisper.cpp: {_said.errors[0]}", mend)
    return context


def _heads(path: Path) -> str:
    """Which heads align words, by the sizes at the file's start; any top ones of other models."""
    vocabulary, layers, text_layers = _sizes(path)
    if text_layers != layers:
        return "LARGE_V3_TURBO" if (layers, text_layers) == (32, 4) else "N_TOP_MOST"
    size = {4: "TINY", 6: "BASE", 12: "SMALL", 24: "MEDIUM", 32: "LARGE"}.get(layers, "")
    kinds = (
        {ENGLISH_VOCABULARY: "_EN", 51865: "", 51866: ""}
        if size != "LARGE"
        else {51865: "_V2", 51866: "_V3"}
    )
    return f"{size}{kinds[vocabulary]}" if size and vocabulary in kinds else "N_TOP_MOST"


def is_multilingual(path: Path) -> bool:
    """Whether the ggml file knows other languages than English."""
    return _sizes(path)[0] > ENGLISH_VOCABULARY


def _sizes(path: Path) -> tuple[int, int, int]:
    """Tokens it knows, layers of encoder and decoder; zeros where the file is too short."""
    with path.open("rb") as file:
        numbers = struct.unpack("<10i", file.read(40).ljust(40, b"\0"))
    return numbers[1], numbers[5], numbers[9]


@cache
def _binding() -> Any:
    """pywhispercpp's C++ part, which gives tokens; its Python part gives lines only."""
    import _pywhispercpp

    def keep(level: int, text: str) -> None:
        if level == _ERROR_LEVEL and hasattr(_said, "errors"):
            _said.errors = [*_said.errors[-4:], " ".join(text.partition(":")[2].split())]

    _pywhispercpp.whisper_log_set(keep)
    atexit.register(_pywhispercpp.whisper_log_set, None)  # one of Python's would crash after this
    return _pywhispercpp


def check_language(code: str) -> str:
    """The code as whisper.cpp knows it (en, de), also of a name (german) or a tag (de-AT)."""
    binding = _binding()
    plain = code.strip().lower().replace("_", "-").partition("-")[0]
    number = binding.whisper_lang_id(plain)
    if number < 0:
        raise UsageError(f"unknown language {code!r}", "write it as en, de, fr and so on, or auto")
    return str(binding.whisper_lang_str(number))


def _words(segments: Sequence[Sequence[WhisperToken]]) -> list[Word]:
    """Tokens as words: one that opens with a space, or a segment, begins a word.

    A word lasts from the token before it to its last letter. Sounds are no words.
    """
    found, before_s = [], 0.0
    for segment in segments:
        groups: list[list[WhisperToken]] = []
        for token in segment:
            if not groups or token.text.startswith(b" "):
                groups.append([])
            groups[-1].append(token)
        texts = [b"".join(t.text for t in group).decode("utf-8", "replace") for group in groups]
        sounds = [match.span() for match in SOUND_TAG.finditer("".join(texts))]
        place = 0
        for group, text in zip(groups, texts, strict=True):
            start, place = place, place + len(text)
            if text.strip() and not any(low < place and start + 1 < high for low, high in sounds):
                found.append(_timed(text.strip(), group, before_s))
            before_s = max(before_s, group[-1].end_s)
    return found


def _timed(text: str, group: Sequence[WhisperToken], before_s: float) -> Word:
    spoken = [token for token in group if re.search(rb"[^\W_]|[\x80-\xff]", token.text)]
    end_s = max((spoken or group)[-1].end_s, before_s)
    return Word(text, max(before_s, end_s - LONGEST_S - LETTER_S * len(text)), end_s)


def _failed(segments: Sequence[Sequence[WhisperToken]]) -> bool:
    tokens = [token for segment in segments for token in segment]
    return bool(tokens) and (_loops(tokens) or _score(segments) < WORST_LOGPROB)


def _loops(tokens: Sequence[WhisperToken]) -> bool:
    """whisper's own test: the last tokens are few different ones."""
    last = [token.text for token in tokens[-LOOP_TOKENS:]]
    shares = [count / len(last) for count in Counter(last).values()]
    entropy = -sum(share * math.log(share) for share in shares)
    return len(tokens) >= LOOP_TOKENS and entropy < LOOP_ENTROPY


def _score(segments: Sequence[Sequence[WhisperToken]]) -> float:
    """Mean log probability of the tokens; a loop is worse than anything."""
    tokens = [token for segment in segments for token in segment]
    if not tokens:
        return -math.inf
    mean = sum(token.logprob for token in tokens) / len(tokens)
    return mean - 100 if _loops(tokens) else mean


def without_loops(words: Sequence[Word]) -> list[Word]:
    """The words, of a phrase that is repeated on and on its first saying only."""
    plain = [re.sub(r"\W", "", word.text).casefold() for word in words]
    found: list[Word] = []
    place = 0
    while place < len(words):
        size, times = _repeated(plain, place)
        found += words[place : place + size]
        place += size * times
    return found


def _repeated(plain: Sequence[str], place: int) -> tuple[int, int]:
    """Words of the phrase that loops from here on and how often it is said; (1, 1) for none."""
    for size in range(1, (len(plain) - place) // LOOP_TIMES + 1):
        phrase, times = plain[place : place + size], 1
        while plain[place + size * times : place + size * (times + 1)] == phrase:
            times += 1
        if times >= LOOP_TIMES and size * times >= LOOP_WORDS:
            return size, times
    return 1, 1
