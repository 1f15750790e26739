"""A trained model as one ONNX graph, checked against torch, and its int8 form.

The graph is what dragtor/encoder/ runs; see there for its inputs and outputs.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.encoder.heads import STATES
from dragtor.encoder.model import SHAPE_IDS
from dragtor.errors import DragtorError
from dragtor.extras import require
from dragtor.models import int8
from dragtor.models.disk import PARTS_FOLDER
from dragtor.models.heads import head_nodes
from dragtor.training import TRAIN_EXTRA
from dragtor.training.encoder.batches import HeadWindow, padded
from dragtor.training.encoder.model import HeadedModel
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    from torch import Tensor

OPSET = 17
TOLERANCE = 1e-3  # between the float32 graph and torch, of any number
PROBES = 24  # windows that are compared


def write_graph(model: HeadedModel, path: Path, probes: Sequence[HeadWindow], pad: int) -> float:
    """Write the float32 graph; gives the largest difference to torch over the probes.

    Raises DragtorError where that is above TOLERANCE: the tracer did not see what torch does.
    """
    torch = require("torch", extra=TRAIN_EXTRA)
    model.train(False)
    if hasattr(model.encoder, "set_attn_implementation"):
        model.encoder.set_attn_implementation("eager")  # what tracers and optimisers know
    names = _input_names(model)
    example = padded(_two(probes), pad)
    outputs = [STATES, *(head.name for head in model.heads)]
    axes = {name: {0: "batch", 1: "tokens"} for name in (*names, STATES)}
    of_tokens = [head.name for head in model.heads if head.kind in ("tokens", "span")]
    axes |= {name: {0: "batch", 1: "tokens"} for name in of_tokens}
    axes |= {name: {0: "batch"} for name in outputs if name not in axes}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's own, of what it takes for constants
        torch.onnx.export(
            _traced(model, names), tuple(example[name] for name in names), str(path), dynamo=False,
            input_names=list(names), output_names=outputs, dynamic_axes=axes, opset_version=OPSET,
        )  # fmt: skip
    worst = max((_difference(model, path, one, pad, names) for one in probes[:PROBES]), default=0.0)
    if worst > TOLERANCE:
        raise DragtorError(f"the graph of {type(model.encoder).__name__} is off by {worst:.2g}")
    return worst


def write_int8_graph(source: Path, target: Path, cancel: CancelToken = NEVER) -> None:
    """The int8 form, by the recipe of every encoder here; heads stay float32."""
    parts = target.parent / PARTS_FOLDER
    parts.mkdir(exist_ok=True)
    int8.quantize(source, target, cancel, _own_nodes(source))
    shutil.rmtree(parts)


def _own_nodes(path: Path) -> list[str]:
    """The nodes that the base does not have: of heads, and what reads the shapes of words."""
    onnx = require("onnx", extra=TRAIN_EXTRA)
    model = onnx.load(str(path), load_external_data=False)
    return head_nodes(model) + [n.name for n in model.graph.node if SHAPE_IDS in n.input]


def _input_names(model: HeadedModel) -> tuple[str, ...]:
    names = ["input_ids", "attention_mask"]
    if model.takes_types:
        names.append("token_type_ids")
    return (*names, SHAPE_IDS) if model.config.shapes else tuple(names)


def _two(probes: Sequence[HeadWindow]) -> list[HeadWindow]:
    """Two windows of different length, so that the trace holds padding."""
    order = sorted(probes, key=len)
    return [order[0], order[-1]]


def _traced(model: HeadedModel, names: Sequence[str]) -> Any:
    torch = require("torch", extra=TRAIN_EXTRA)

    class Graph(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.shapes = model.encoder, model.shapes
            self.heads = model.layers  # so that the tracer knows their weights

        def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
            batch = dict(zip(names, given, strict=True))
            states = model.states(batch, traced=True)
            mask = batch["attention_mask"]
            return (states, *(model.logits(head, states, mask) for head in model.heads))

    return Graph().eval()


def _difference(
    model: HeadedModel, path: Path, probe: HeadWindow, pad: int, names: Sequence[str]
) -> float:
    """Between torch and the graph, over all outputs of one window."""
    import numpy as np

    from dragtor.onnx import open_session

    torch = require("torch", extra=TRAIN_EXTRA)
    batch = padded([probe], pad)
    session = open_session(path, "")
    found = session.run(None, {name: batch[name].numpy() for name in names})
    with torch.no_grad():
        states = model.states(batch)
        mask = batch["attention_mask"]
        wanted = [states, *(model.logits(head, states, mask) for head in model.heads)]
    pairs = zip(found, wanted, strict=True)
    return max(float(np.abs(a - b.numpy()).max()) for a, b in pairs)
