"""The reader: does this sentence, under its headings, state what is asked? A score, not a rule.

A small trained head (train.py) that aligns the tokens of question and sentence, as the library's
own encoder sees them; so it serves that one encoder. Does not know where sentences come from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.config import CHECKOUT_FOLDER, PACKAGE_FOLDER
from dragtor.errors import CorruptModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

# Of each text: its token ids and their vectors, (tokens,) and (tokens, hidden), special tokens too.
ReadTokens = Callable[[Sequence[str]], "Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]]"]

WEIGHTS = "reader.onnx"
TRAITS = "reader.json"
MAX_HEADING_WORDS = 24
MAX_TOKENS = 96  # of one text
_ERRORS_ONLY = 3  # ONNX Runtime's log level


class Reader:
    """Scores sentences for a question, one pair a run: a score never depends on its company."""

    def __init__(self, session: InferenceSession, fingerprint: str) -> None:
        self.fingerprint = fingerprint  # of the encoder whose token vectors it was trained on
        self._session = session

    @classmethod
    def open(cls, folder: Path) -> Reader:
        """Load reader.onnx and reader.json; raises CorruptModel where one cannot be read."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        path = folder / TRAITS
        try:
            fingerprint = str(json.loads(path.read_text("utf-8"))["fingerprint"])
            path = folder / WEIGHTS
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no base
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise CorruptModel(f"{path} is not readable: {reason}", "reinstall dragtor") from error
        return cls(session, fingerprint)

    def score(
        self, question: str, spans: Sequence[tuple[str, str]], read: ReadTokens
    ) -> list[float]:
        """Log-odds, about -6..6, that each (headings, sentence) states what is asked."""
        texts = [under(above, text) for above, text in spans]
        (asked, *seen) = read([question, *texts])
        return [self._one(asked, one) for one in seen]

    def _one(
        self,
        question: tuple[NDArray[np.int64], NDArray[np.float32]],
        sentence: tuple[NDArray[np.int64], NDArray[np.float32]],
    ) -> float:
        import numpy as np

        feed = {}
        for side, (ids, vectors) in (("question", question), ("sentence", sentence)):
            feed[f"{side}_ids"] = np.asarray(ids[:MAX_TOKENS], np.int64)
            feed[side] = np.asarray(vectors[:MAX_TOKENS], np.float32)
        try:
            score = float(self._session.run(None, feed)[0])
        except Exception as error:  # onnxruntime's errors share no base
            reason = " ".join(str(error).split())[:200]
            raise CorruptModel(f"the reader failed: {reason}", "reinstall dragtor") from error
        if not np.isfinite(score):
            raise CorruptModel("the reader gives no score", "reinstall dragtor")
        return score


def packaged_folder() -> Path:
    """The reader that comes with dragtor: inside an installed wheel, or in the checkout."""
    inside = PACKAGE_FOLDER / "assets" / "reader"
    return inside if inside.is_dir() else CHECKOUT_FOLDER / "assets" / "reader"


def under(above: str, text: str) -> str:
    """A sentence as the reader reads it: the first words of its headings before it."""
    headings = " ".join(above.split()[:MAX_HEADING_WORDS])
    return f"{headings}: {text}" if headings else text
