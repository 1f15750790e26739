"""A vision model of transformers, opened by name or folder, and the layers that are adapted.

Layers are found by their names, so that LLaVA, Qwen-VL and SmolVLM are all the same here. Knows no
data.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from dragtor.errors import UsageError
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA
from dragtor.training.lora import with_adapter

Part = Literal["attention", "mlp", "projector", "vision"]
PARTS: tuple[Part, ...] = get_args(Part)
# Names of modules: what joins the two models, and what is the one that sees (projectors stand
# inside of it in some).
_PROJECTOR = re.compile(r"(?:^|[._])(?:projector|projection|connector|merger|aligner)(?:[._]|$)")
_VISION = re.compile(r"(?:^|[._])(?:vision|visual|image_encoder)(?:[._]|$)")
_ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "qkv_proj", "qkv", "proj"}
_MLP = {"gate_proj", "up_proj", "down_proj", "gate_up_proj", "fc1", "fc2", "w1", "w2", "w3"}


def open_base_model(base: str | Path, *, half: bool) -> Any:
    """Any model of transformers that takes pictures and writes; `half`: in bfloat16."""
    transformers, torch = _quiet(), require("torch", extra=TRAIN_EXTRA)
    dtype = torch.bfloat16 if half else torch.float32
    try:
        return transformers.AutoModelForImageTextToText.from_pretrained(str(base), dtype=dtype)
    except (OSError, ValueError, KeyError) as error:
        raise _not_opened(base, error) from error


def open_processor(base: str | Path) -> Any:
    """What makes a model's inputs of pictures and text: Pillow does it where torchvision is absent.

    Models that take videos too want torchvision for them: without it, theirs takes pictures only.
    """
    transformers = _quiet()
    try:
        try:
            return transformers.AutoProcessor.from_pretrained(str(base))
        except (ImportError, OSError) as error:
            return _picture_processor(str(base), error)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise _not_opened(base, error) from error


def adapted_layers(model: Any, parts: Sequence[str]) -> list[str]:
    """Names of the linear layers of these parts; raises UsageError for a part that has none."""
    linear = require("torch", extra=TRAIN_EXTRA).nn.Linear
    found: dict[str, list[str]] = {part: [] for part in parts}
    for name, module in model.named_modules():
        if isinstance(module, linear) and (part := part_of(name)) in found:
            found[part].append(name)
    for part, names in found.items():
        if part not in PARTS:
            raise UsageError(f"there is no part {part!r}", f"parts: {', '.join(PARTS)}")
        if not names:
            raise UsageError(f"{type(model).__name__} has no layers that are its {part}")
    return [name for names in found.values() for name in names]


def part_of(name: str) -> str:
    """Which part a layer of that name is of; empty: of none, such as the one that writes."""
    leaf = name.rpartition(".")[2]
    if _PROJECTOR.search(name):
        return "projector"
    if leaf not in _ATTENTION | _MLP:
        return ""
    if _VISION.search(name):
        return "vision"
    return "attention" if leaf in _ATTENTION else "mlp"


def tuned_model(model: Any, parts: Sequence[str], rank: int, scale: float) -> Any:
    """The model frozen, as peft wraps it, with an adapter on each layer of these parts."""
    return with_adapter(model, adapted_layers(model, parts), rank, scale)


def _picture_processor(base: str, error: Exception) -> Any:
    """The processor of a model without its part for videos; `error` where it has none."""
    transformers = require("transformers", extra=TRAIN_EXTRA)
    mapping = require("transformers.models.auto.processing_auto", extra=TRAIN_EXTRA)
    kind = mapping.PROCESSOR_MAPPING[type(transformers.AutoConfig.from_pretrained(base))]
    known = inspect.signature(kind.__init__).parameters
    if "video_processor" not in known:
        raise error
    images = transformers.AutoImageProcessor.from_pretrained(base)
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    settings = {k: v for k, v in kind.get_processor_dict(base)[0].items() if k in known}
    for name in ("image_processor", "tokenizer", "video_processor"):
        settings.pop(name, None)
    settings.setdefault("chat_template", tokenizer.chat_template)

    def take(self: Any, image_processor: Any = None, tokenizer: Any = None, **rest: Any) -> None:
        kind.__init__(self, image_processor, tokenizer, None, **rest)

    own = {"__init__": take, "__module__": kind.__module__}
    return type(kind.__name__, (kind,), own)(images, tokenizer, **settings)


def _quiet() -> Any:
    transformers = require("transformers", extra=TRAIN_EXTRA)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    return transformers


def _not_opened(base: str | Path, error: Exception) -> UsageError:
    line = " ".join(str(error).split())[:200]
    return UsageError(f"{base} is no vision model that transformers opens: {line}")
