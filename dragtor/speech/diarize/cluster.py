"""Voices of windows become speakers, and their activity becomes turns. No model, no sound.

Windows overlap; in each up to three local speakers are active in frames. Voices are clustered by
cosine (linkage.py), each window's local speakers are given to different clusters, and activities
are added up over windows, as pyannote.audio's pipeline does (Bredin 2023).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dragtor.speech.diarize import linkage
from dragtor.types import SpeakerTurn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LOCALS = 3  # speakers that a window tells apart, two at once
NOBODY = -1

SAME_VOICE = 0.6  # mean cosine distance below which two clusters are one voice
APART = 1.0  # added between two speakers of one window: they are never one
MAX_CLUSTERED = 3000  # voices that make the clusters; pairs need memory
MIN_SECONDS = 0.5  # of voice alone, for those
MIN_SHARE, MIN_VOICES = 30, 6  # a cluster has 1 of 30 voices, 6 are always enough

# Chosen on ten extracts of meetings; `make bench ONLY=diarization FULL=1` tells what that is worth
# on extracts left out. Far below one half: quiet people, laughter and overlap score low.
SPEECH = 0.35  # share of belief that anybody speaks
SECOND = 0.15  # that two speak at once
THIRD_VOICE = 0.2  # activity of a third voice while two speak
MIN_TURN_S = 0.1  # shorter ones are dropped
MAX_GAP_S = 0.2  # shorter pauses inside a turn are filled
EDGE = 90  # frames at both ends of a window that count less, the outermost least


@dataclass(frozen=True, slots=True)
class LocalVoice:
    """What a local speaker of a window sounds like; `seconds` alone, 0 where always overlapped."""

    window: int
    local: int
    vector: Floats  # length 1
    seconds: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many speakers there may be; 0: not known."""

    exactly: int = 0
    at_least: int = 0
    at_most: int = 0

    def nearest(self, count: int) -> int:
        """The permitted number next to `count`."""
        if self.exactly:
            return self.exactly
        return max(min(count, self.at_most or count), self.at_least, 1)


def speakers_of(
    voices: Sequence[LocalVoice], windows: int, bounds: Bounds
) -> tuple[NDArray[np.int64], Floats]:
    """(windows, LOCALS) speaker of each local speaker, or NOBODY, and (speakers, size) centres."""
    import numpy as np

    who = np.full((windows, LOCALS), NOBODY, dtype=np.int64)
    if not voices:
        return who, np.zeros((0, 0), np.float32)
    vectors = np.stack([voice.vector for voice in voices])
    centres = _centres(voices, vectors, bounds)
    likeness = vectors @ centres.T
    for rows in _by_window(voices):
        for place, speaker in linkage.best_assignment(likeness[rows]):
            voice = voices[rows[place]]
            who[voice.window, voice.local] = speaker
    return who, centres


def _by_window(voices: Sequence[LocalVoice]) -> Iterator[list[int]]:
    """Indices of each window's voices; `voices` are in the order of windows."""
    rows: list[int] = []
    for index, voice in enumerate(voices):
        if rows and voice.window != voices[rows[-1]].window:
            yield rows
            rows = []
        rows.append(index)
    if rows:
        yield rows


def _centres(voices: Sequence[LocalVoice], vectors: Floats, bounds: Bounds) -> Floats:
    """The mean voice of each cluster, of length 1."""
    import numpy as np

    chosen = [i for i, voice in enumerate(voices) if voice.seconds >= MIN_SECONDS]
    if len(chosen) < max(bounds.exactly, bounds.at_least, 1):
        by_length = sorted(range(len(voices)), key=lambda i: -voices[i].seconds)
        chosen = sorted(by_length[: max(bounds.exactly, bounds.at_least, 1)])
    if len(chosen) > MAX_CLUSTERED:
        even = np.linspace(0, len(chosen) - 1, MAX_CLUSTERED).round().astype(int)
        chosen = [chosen[i] for i in even]
    labels = _labels([voices[i].window for i in chosen], vectors[chosen], bounds)
    centres = np.stack(
        [vectors[chosen][labels == label].mean(0) for label in np.unique(labels[labels >= 0])]
    )
    found: Floats = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    return found


def _labels(windows: Sequence[int], vectors: Floats, bounds: Bounds) -> NDArray[np.int64]:
    """The cluster of each voice, NOBODY for those in clusters too small to count."""
    import numpy as np

    count = len(vectors)
    tree = linkage.average(_distances(windows, vectors))
    enough = min(MIN_VOICES, max(1, count // MIN_SHARE))
    labels = _large(linkage.below(tree, SAME_VOICE), enough)
    found = len(np.unique(labels[labels >= 0]))
    wanted = min(bounds.nearest(found), count)
    if found == wanted:
        return labels
    cut = wanted  # into more clusters, until so many of them count
    while True:
        labels = _large(linkage.at_most(tree, cut), enough, wanted)
        if len(np.unique(labels[labels >= 0])) == wanted:
            return labels
        cut += 1
        if cut > count:
            return _large(linkage.at_most(tree, wanted), 1, wanted)


def _distances(windows: Sequence[int], vectors: Floats) -> NDArray[np.float64]:
    """(n, n) cosine distances; speakers of one window are kept apart."""
    import numpy as np

    of_length_1 = vectors.astype(np.float64)
    of_length_1 /= np.linalg.norm(of_length_1, axis=1, keepdims=True)
    distances: NDArray[np.float64] = 1.0 - of_length_1 @ of_length_1.T
    for first in range(len(vectors)):
        for second in range(first + 1, min(first + LOCALS, len(vectors))):
            if windows[first] == windows[second]:
                distances[first, second] += APART
                distances[second, first] += APART
    return distances


def _large(labels: NDArray[np.int64], enough: int, most: int = 0) -> NDArray[np.int64]:
    """Only the clusters of at least `enough` voices, at most `most` of them; never none."""
    import numpy as np

    names, sizes = np.unique(labels, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    kept = [names[i] for i in order if sizes[i] >= enough][: most or None] or [names[order[0]]]
    return np.where(np.isin(labels, kept), labels, NOBODY)


@dataclass(slots=True)
class Belief:
    """What the windows believe, added up by frame while they come: (frames,) each."""

    speech: Floats
    overlap: Floats
    weight: Floats  # of the windows that cover the frame

    @classmethod
    def empty(cls) -> Belief:
        """Of no sound yet."""
        import numpy as np

        return cls(*(np.zeros(0, np.float32) for _ in range(3)))

    def add(self, start: int, speech: Floats, overlap: Floats) -> None:
        """A window's probabilities from frame `start` on.

        They are averaged as squares: a window that is sure says more than one that is not.
        """
        import numpy as np

        end, weights = start + len(speech), edged(len(speech))
        if end > len(self.weight):
            room = max(end, 2 * len(self.weight)) - len(self.weight)
            for name in ("speech", "overlap", "weight"):
                setattr(self, name, np.pad(getattr(self, name), (0, room)))
        self.speech[start:end] += weights * speech**2
        self.overlap[start:end] += weights * overlap**2
        self.weight[start:end] += weights

    def speaking(self) -> NDArray[np.int64]:
        """How many speak in each frame: none, one, or two and perhaps more."""
        import numpy as np

        covered = np.maximum(self.weight, 1e-6)
        anybody = np.sqrt(self.speech / covered) > SPEECH
        two = anybody & (np.sqrt(self.overlap / covered) > SECOND)
        return anybody.astype(np.int64) + two


def activity(
    activities: Sequence[NDArray[np.uint8]],
    starts: Sequence[int],
    who: NDArray[np.int64],
    speakers: int,
    belief: Belief,
) -> NDArray[np.bool_]:
    """(frames, speakers): the most active speakers of each frame, as many as speak there.

    `activities` are (frames, LOCALS) of each window, 0 to 255, from frame `starts` on.
    """
    import numpy as np

    total = np.zeros((len(belief.weight), speakers), np.float32)
    for active, start, row in zip(activities, starts, who, strict=True):
        for local in np.flatnonzero(row != NOBODY):
            share = active[:, local] / np.float32(255)
            total[start : start + len(active), row[local]] += edged(len(active)) * share
    total /= np.maximum(belief.weight, 1e-6)[:, None]
    speaking = belief.speaking()
    ranks = np.argsort(np.argsort(-total, axis=1, kind="stable"), axis=1, kind="stable")
    chosen: NDArray[np.bool_] = (ranks < speaking[:, None]) & (total > 0)
    chosen |= (ranks == LOCALS - 1) & (total > THIRD_VOICE) & (speaking > 1)[:, None]
    return chosen


def edged(frames: int) -> Floats:
    """Weights of a window's frames: near its ends it lacks what was before or comes after."""
    import numpy as np

    places = np.arange(1, frames + 1, dtype=np.float32)
    return np.minimum(np.minimum(places, places[::-1]) / np.float32(EDGE), np.float32(1))


def speaker_turns(
    active: NDArray[np.bool_], frame_s: float, offset_s: float, end_s: float
) -> list[SpeakerTurn]:
    """Runs of activity as turns, by speaker number; frame i begins at `offset_s + i * frame_s`."""
    import numpy as np

    turns = []
    for speaker in range(active.shape[1]):
        edges = np.diff(active[:, speaker].astype(np.int8), prepend=0, append=0)
        begins = np.flatnonzero(edges == 1) * frame_s + offset_s
        ends = np.flatnonzero(edges == -1) * frame_s + offset_s
        joined: list[list[float]] = []
        for begin, end in zip(begins, ends, strict=True):
            if joined and begin - joined[-1][1] <= MAX_GAP_S:
                joined[-1][1] = float(end)
            else:
                joined.append([float(begin), float(end)])
        turns += [
            SpeakerTurn(str(speaker), round(max(0.0, begin), 3), round(min(end, end_s), 3))
            for begin, end in joined
            if min(end, end_s) - begin >= MIN_TURN_S
        ]
    return turns
