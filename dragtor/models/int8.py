"""The int8 form of an ONNX encoder, made from its verified fp32 file.

Owns the recipe's code; its text, which libraries remember, is catalogue.INT8_RECIPE. The work is
done by a process of its own (`python -m dragtor.models.int8 SOURCE TARGET`), which can be ended.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from dragtor.errors import CorruptModel
from dragtor.models import child
from dragtor.models.disk import PARTS_FOLDER
from dragtor.onnx import error_line
from dragtor.types import NEVER, CancelToken

OF_GEMM = "_MatMul"  # what onnxruntime adds to the name of a Gemm, which it first makes a MatMul


def quantize(
    source: Path, target: Path, cancel: CancelToken = NEVER, keep: Sequence[str] = ()
) -> None:
    """Write `target` whole or not at all; raises CorruptModel where it cannot be quantized.

    Nodes of the names `keep` stay as they are.
    """
    draft = _draft(target)
    command = [sys.executable, "-m", "dragtor.models.int8", str(source), str(draft), *keep]
    _make(source, command, cancel)
    draft.replace(target)


def add_heads(
    base: Path, adapter: Path, targets: tuple[Path, Path], cancel: CancelToken = NEVER
) -> None:
    """Write the int8 graph of a base with an adapter merged, and its heads.json; see quantize."""
    graph, heads = map(_draft, targets)
    merged = graph.with_suffix(".fp32")
    files = [str(path) for path in (base, adapter, merged, graph, heads)]
    _make(base, [sys.executable, "-m", "dragtor.models.heads", *files], cancel)
    for draft, target in zip((graph, heads), targets, strict=True):
        draft.replace(target)


def dequantise(source: Path, targets: tuple[Path, Path], cancel: CancelToken = NEVER) -> None:
    """Write the float32 weights of a BERT's int8 graph, and their config.json; see quantize."""
    drafts = [_draft(target) for target in targets]
    files = [str(path) for path in (source, *drafts)]
    _make(source, [sys.executable, "-m", "dragtor.models.dequantise", *files], cancel)
    for draft, target in zip(drafts, targets, strict=True):
        draft.replace(target)


def _draft(target: Path) -> Path:
    """Where a file lies until it is whole."""
    return target.parent / PARTS_FOLDER / f"{target.name}.part"


def _make(source: Path, command: Sequence[str], cancel: CancelToken) -> None:
    """Run a program that makes a file of `source`; raises CorruptModel with its last line."""
    log = source.parent / PARTS_FOLDER / "make.log"
    if code := child.run_child(command, log, cancel):
        said = log.read_text("utf-8", "replace").strip().splitlines()
        reason = said[-1][:200] if said else f"exit code {code}"
        if os.strerror(errno.ENOSPC) in reason:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise CorruptModel(f"{source} cannot be made int8: {reason}")


def write_int8(source: str, target: str, keep: Sequence[str] = ()) -> None:
    """Write the int8 form of `source`; nodes of the names `keep` stay as they are.

    A scale per channel keeps cosines with fp32 near 0.999 (gte-small; 0.988 with one per matrix)
    at the same speed. Seven-bit weights (`reduce_range`) cost 0.0002 of that, and keep x86
    processors without VNNI from overflowing their 16-bit sums.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    try:
        quantize_dynamic(
            Path(source),
            Path(target),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[*keep, *(f"{name}{OF_GEMM}" for name in keep)],
        )
    except Exception as error:  # noqa: BLE001  onnx raises whatever its parsers raise
        sys.exit(error_line(error))


if __name__ == "__main__":
    write_int8(sys.argv[1], sys.argv[2], sys.argv[3:])
