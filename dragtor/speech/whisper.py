"""whisper.cpp (through pywhispercpp's own binding): one window of samples -> words with times.

Owns how a model is opened and asked, and what of its output is believed. Knows no files, and
carries nothing from one window to the next: a window's words depend on its samples only.
"""

from __future__ import annotations

import math
import re
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from dragtor.errors import CorruptModel, GenerationError, UsageError
from dragtor.types import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.float32]

RATE_HZ = 16_000
BEAMS = 5  # of the second try
# A try has failed where its last tokens repeat (bits of 32 tokens) or are improbable (mean log).
LOOP_TOKENS, LOOP_ENTROPY, WORST_LOGPROB = 32, 2.4, -1.0
SOUND = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|♪[^♪]*♪?")  # [laughter], (music), *sighs*
LOOP_TIMES, LOOP_WORDS = 4, 12  # a phrase said so often, of so many words in all, is a loop
_ERROR_LEVEL = 4
_loading = Lock()  # the log's callback is one for the process


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a word; `text` may end within a character. Times are in the window's seconds."""

    text: bytes
    start_s: float
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

    @property
    def multilingual(self) -> bool:
        """Whether it knows other languages than English."""
        return bool(_binding().whisper_is_multilingual(self._context))

    def words(self, samples: Samples, language: str) -> list[Word]:
        """What is said in at most 30 s of 16 kHz mono, times from the window's start.

        Read greedily; where that loops or is improbable, a second time with beams.
        """
        segments = self._read(samples, language, beams=1)
        if _failed(segments):
            again = self._read(samples, language, beams=BEAMS)
            self._free()
            self._open()  # beams leave a memory behind in which the same sound reads otherwise
            if _score(again) > _score(segments):
                segments = again
        words = [word for segment in segments for word in _words(segment)]
        return without_loops(words)

    def _read(self, samples: Samples, language: str, beams: int) -> list[list[Token]]:
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
        params.temperature_inc = 0.0  # higher ones draw by chance, and not the same each time
        params.token_timestamps = True
        params.print_progress = False
        if binding.whisper_full(self._context, params, samples, samples.size):
            raise GenerationError("whisper.cpp failed at a window of speech")
        count = binding.whisper_full_n_segments(self._context)
        return [list(self._tokens(segment)) for segment in range(count)]

    def _tokens(self, segment: int) -> Iterator[Token]:
        binding = _binding()
        context, special = self._context, binding.whisper_token_eot(self._context)
        for place in range(binding.whisper_full_n_tokens(context, segment)):
            data = binding.whisper_full_get_token_data(context, segment, place)
            if data.id < special:
                text = binding.whisper_token_to_bytes(context, data.id)
                yield Token(text, data.t0 / 100, data.t1 / 100, data.plog)

    def languages(self, samples: Samples) -> dict[str, float]:
        """Probability of each language, by its code, from at most 30 s of sound."""
        import numpy as np

        binding = _binding()

        count = binding.whisper_lang_max_id() + 1
        found = np.zeros(count, np.float32)
        binding.whisper_pcm_to_mel(self._context, samples, samples.size, self._threads)
        binding.whisper_lang_auto_detect(self._context, 0, self._threads, found)
        return {binding.whisper_lang_str(i): float(found[i]) for i in range(count)}


def _load(path: Path, mend: str) -> Any:
    binding, complaints = _binding(), []

    def hear(level: int, text: str) -> None:
        if level == _ERROR_LEVEL:
            complaints.append(" ".join(text.partition(":")[2].split()))

    with _loading:
        binding.whisper_log_set(hear)
        try:
            params = binding.whisper_context_default_params()
            context = binding.whisper_init_from_file_with_params(str(path), params)
        finally:
            binding.whisper_log_set(None)  # one of Python's would crash as the process ends
    if complaints:
        raise CorruptModel(f"{path} is not readable by whisper.cpp: {complaints[0]}", mend)
    return context


def _binding() -> Any:
    """pywhispercpp's C++ part, which gives tokens; its Python part gives lines only."""
    import _pywhispercpp

    return _pywhispercpp


def check_language(code: str) -> str:
    """The code as whisper.cpp knows it (en, de), also of a name (german) or a tag (de-AT)."""
    binding = _binding()
    plain = code.strip().lower().replace("_", "-").partition("-")[0]
    number = binding.whisper_lang_id(plain)
    if number < 0:
        raise UsageError(f"unknown language {code!r}", "write it as en, de, fr and so on, or auto")
    return str(binding.whisper_lang_str(number))


def _words(tokens: Sequence[Token]) -> Iterator[Word]:
    """Tokens as words: one that opens with a space begins a word; sounds are no words."""
    groups: list[list[Token]] = []
    for token in tokens:
        if not groups or token.text.startswith(b" "):
            groups.append([])
        groups[-1].append(token)
    texts = [b"".join(t.text for t in group).decode("utf-8", "replace") for group in groups]
    sounds = [match.span() for match in SOUND.finditer("".join(texts))]
    place = 0
    for group, text in zip(groups, texts, strict=True):
        start, place = place, place + len(text)
        inside = any(low < place and start + 1 < high for low, high in sounds)
        if text.strip() and not inside:
            yield Word(text.strip(), group[0].start_s, max(group[-1].end_s, group[0].start_s))


def _failed(segments: Sequence[Sequence[Token]]) -> bool:
    tokens = [token for segment in segments for token in segment]
    return bool(tokens) and (_loops(tokens) or _score(segments) < WORST_LOGPROB)


def _loops(tokens: Sequence[Token]) -> bool:
    """whisper's own test: the last tokens are few different ones."""
    last = [token.text for token in tokens[-LOOP_TOKENS:]]
    shares = [count / len(last) for count in Counter(last).values()]
    entropy = -sum(share * math.log(share) for share in shares)
    return len(tokens) >= LOOP_TOKENS and entropy < LOOP_ENTROPY


def _score(segments: Sequence[Sequence[Token]]) -> float:
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
