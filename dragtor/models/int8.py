"""The int8 form of an ONNX encoder, made from its verified fp32 file.

Owns the recipe's code; its text, which libraries remember, is catalogue.INT8_RECIPE. The work is
done by a process of its own (`python -m dragtor.models.int8 SOURCE TARGET`), which can be ended.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from dragtor.errors import CorruptModel
from dragtor.models import child
from dragtor.models.disk import PARTS_FOLDER
from dragtor.onnx import error_line
from dragtor.types import NEVER, CancelToken


def quantize(source: Path, target: Path, cancel: CancelToken = NEVER) -> None:
    """Write `target` whole or not at all; raises CorruptModel where it cannot be quantized."""
    draft, log = (target.parent / PARTS_FOLDER / f"{target.name}.{end}" for end in ("part", "log"))
    command = [sys.executable, "-m", "dragtor.models.int8", str(source), str(draft)]
    if code := child.run_child(command, log, cancel):
        said = log.read_text("utf-8", "replace").strip().splitlines()
        reason = said[-1][:200] if said else f"exit code {code}"
        if os.strerror(errno.ENOSPC) in reason:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise CorruptModel(f"{source} cannot be made int8: {reason}")
    draft.replace(target)


def write_int8(source: str, target: str) -> None:
    """Write the int8 form of `source`.

    A scale per channel keeps cosines with fp32 near 0.999 (gte-small; 0.988 with one per matrix)
    at the same speed. Seven-bit weights (`reduce_range`) cost 0.0002 of that, and keep x86
    processors without VNNI from overflowing their 16-bit sums.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    weights, draft = Path(source), Path(target)
    try:
        quantize_dynamic(
            weights, draft, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
        )
    except Exception as error:  # noqa: BLE001  onnx raises whatever its parsers raise
        sys.exit(error_line(error))


if __name__ == "__main__":
    write_int8(*sys.argv[1:])
