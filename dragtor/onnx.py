"""ONNX graphs and their tokenizers: opened, checked, and run one text a core on the CPU.

Knows neither encoders nor rerankers. Neither library has a base for its errors.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dragtor.errors import CorruptModel
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

T = TypeVar("T")
Given = TypeVar("Given")

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_ERRORS_ONLY = 3  # ONNX Runtime's log level


def open_session(path: Path, mend: str) -> InferenceSession:
    """The graph, one core a run; raises CorruptModel with the command that mends it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # runs go side by side; starting a pool also costs 30 ms
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base
        raise CorruptModel(f"{path} is not readable as ONNX: {error_line(error)}", mend) from error


def open_tokenizer(path: Path, mend: str) -> Tokenizer:
    """The tokenizer.json; raises CorruptModel with the command that mends it."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing narrower
        raise CorruptModel(f"{path} is not readable: {error_line(error)}", mend) from error


def input_names(
    session: InferenceSession, name: str, mend: str, own: Sequence[str] = ()
) -> list[str]:
    """What the graph is fed; raises CorruptModel where that is not what a tokenizer gives.

    `own` are inputs that the caller makes besides.
    """
    names = [item.name for item in session.get_inputs()]
    if unknown := set(names).difference(_INPUTS, own):
        wanted = ", ".join(sorted(unknown))
        raise CorruptModel(f"{name} wants inputs that no text has: {wanted}", mend)
    return names


def each(
    one: Callable[[Given], T],
    items: Sequence[Given],
    threads: int,
    name: str,
    cancel: CancelToken = NEVER,
) -> list[T]:
    """`one` of each item, in order; as many at once as `threads`, or with 0 the cores.

    Cancelled, it ends with the items under way.
    """

    def run(item: Given) -> T:
        cancel.check()
        return one(item)

    workers = min(threads or _cores(), len(items))
    if workers < 2:
        return [run(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(workers, name)
    try:
        return list(pool.map(run, items))
    finally:
        pool.shutdown(cancel_futures=True)  # on Ctrl-C, do not finish the queue first


def error_line(error: Exception) -> str:
    """What a library says, in a line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
