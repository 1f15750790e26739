"""The transformer and its heads in torch: opened, given heads, frozen, tuned whole or by adapters.

Knows neither data nor steps. Any encoder of transformers will do.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.encoder.heads import Head, Pooling
from dragtor.encoder.shapes import SHAPES
from dragtor.errors import UsageError
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA
from dragtor.training.lora import with_adapter

if TYPE_CHECKING:
    from torch import Tensor

FREEZABLE = ("encoder", "embeddings", "layers:N", "head:NAME")
SPAN_LOGITS = 2  # of each token: an answer starts here, ends here


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """How the model is made of its base."""

    pooling: Pooling = "mean"
    shapes: bool = True  # whether it is told how words are written
    dropout: float = 0.1  # of the heads
    freeze: tuple[str, ...] = ()  # of FREEZABLE
    rank: int = 0  # of adapters on the encoder's linear layers; 0: all its weights are tuned
    scale: float = 2.0  # of the adapters' product


class HeadedModel:
    """An encoder, an embedding of word shapes that begins at zero, and a small MLP a head."""

    def __init__(self, encoder: Any, heads: Sequence[Head], config: ModelConfig, seed: int) -> None:
        torch = require("torch", extra=TRAIN_EXTRA)
        torch.manual_seed(seed)
        self.encoder, self.config = encoder, config
        self.heads = tuple(heads)
        hidden = int(encoder.config.hidden_size)
        self.shapes = torch.nn.Embedding(SHAPES, hidden)
        torch.nn.init.zeros_(self.shapes.weight)
        self.layers = torch.nn.ModuleDict(
            {_key(head.name): _mlp(hidden, _width(head), config.dropout) for head in self.heads}
        )
        self._accepted = set(inspect.signature(encoder.forward).parameters)
        embeddings = getattr(encoder, "embeddings", None)
        # RoBERTa and its kin count positions from the padding's on
        self._positions_after = int(getattr(embeddings, "padding_idx", None) or 0)
        if config.rank:
            self.encoder = _adapted(encoder, config.rank, config.scale)
        self._freeze()

    @property
    def most_tokens(self) -> int:
        """What the encoder reads at once; 0 where it has no limit."""
        positions = int(getattr(self.encoder.config, "max_position_embeddings", 0) or 0)
        after = self._positions_after
        return positions - after - 1 if positions and after else positions

    @property
    def takes_types(self) -> bool:
        """Whether the encoder is told which of two texts a token is of."""
        return "token_type_ids" in self._accepted

    def states(self, batch: Mapping[str, Tensor], *, traced: bool = False) -> Tensor:
        """(batch, tokens, hidden) of input_ids, attention_mask, token_type_ids and shape_ids.

        `traced`: positions are given, since a tracer takes those that the encoder slices off a
        buffer for constants.
        """
        torch = require("torch", extra=TRAIN_EXTRA)
        embedded = self.encoder.get_input_embeddings()(batch["input_ids"])
        if self.config.shapes:
            embedded = embedded + self.shapes(batch["shape_ids"])
        given = {"inputs_embeds": embedded, "attention_mask": batch["attention_mask"]}
        if self.takes_types:
            given["token_type_ids"] = batch["token_type_ids"]
        if traced and "position_ids" in self._accepted:
            mask = batch["attention_mask"]
            counted = torch.cumsum(mask, 1)
            pad = self._positions_after
            given["position_ids"] = counted * mask + pad if pad else (counted - 1).clamp(min=0)
        found: Tensor = self.encoder(**given).last_hidden_state
        return found

    def pooled(self, states: Tensor, mask: Tensor) -> Tensor:
        """(batch, hidden): one vector a text, of the tokens that `mask` has as 1."""
        torch = require("torch", extra=TRAIN_EXTRA)
        if self.config.pooling == "cls":
            return states[:, 0]
        own = mask.unsqueeze(-1).to(states.dtype)
        if self.config.pooling == "max":  # a new tensor: the states stay as they are
            lowest = torch.finfo(states.dtype).min
            highest: Tensor = torch.where(own > 0, states, lowest).amax(1)
            return highest
        total: Tensor = (states * own).sum(1) / own.sum(1).clamp(min=1)
        return total

    def logits(self, head: Head, states: Tensor, mask: Tensor) -> Tensor:
        """(batch, labels) of a text's head; (…, labels) of whatever states a token's head gets."""
        of_texts = head.kind in ("sentence", "pair")
        given = self.pooled(states, mask) if of_texts else states
        found: Tensor = self.layers[_key(head.name)](given.float())
        return found

    def tensors(self, *, frozen: bool = False) -> dict[str, Tensor]:
        """What training changes, by name, or `frozen` all weights; the very tensors."""
        named = {
            f"{part}.{name}": value
            for part, module in self._parts()
            for name, value in module.named_parameters()
        }
        return {name: value for name, value in named.items() if frozen or value.requires_grad}

    def learns(self, head: str) -> bool:
        """Whether the loss of that head changes anything: its weights, or any that all share."""
        own = f"heads.{_key(head)}."
        return any(name.startswith(own) or name[:6] != "heads." for name in self.tensors())

    def train(self, on: bool) -> None:
        """Dropout on or off."""
        for _, module in self._parts():
            module.train(on)

    def merged(self) -> None:
        """Put adapters into the weights, for good."""
        if self.config.rank:
            self.encoder = self.encoder.merge_and_unload()

    def _parts(self) -> list[tuple[str, Any]]:
        parts = [("encoder", self.encoder), ("heads", self.layers)]
        return [*parts, ("shapes", self.shapes)] if self.config.shapes else parts

    def _freeze(self) -> None:
        for what in self.config.freeze:
            for module in self._meant(what):
                for value in module.parameters():
                    value.requires_grad_(False)
        if not self.tensors():
            raise UsageError("all is frozen, nothing learns", "leave out one --freeze")

    def _meant(self, what: str) -> list[Any]:
        """The modules that a word of FREEZABLE names."""
        kind, _, which = what.partition(":")
        bare = self.encoder.base_model.model if self.config.rank else self.encoder
        if what == "encoder":
            return [self.encoder, self.shapes]
        if what == "embeddings":
            return [bare.embeddings]
        if kind == "layers" and which.isdigit():
            layers = _layers(bare)
            if int(which) > len(layers):
                raise UsageError(f"--freeze {what}: the encoder has {len(layers)} layers")
            return [bare.embeddings, *layers[: int(which)]]
        if kind == "head" and which in {head.name for head in self.heads}:
            return [self.layers[_key(which)]]
        known = ", ".join((*FREEZABLE[:3], *(f"head:{head.name}" for head in self.heads)))
        raise UsageError(f"--freeze {what} names nothing here", f"one of {known}")


def open_encoder(base: str | Path) -> Any:
    """Any encoder of transformers, float32: a folder, or a name of the public hub."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")  # tqdm's own, in a notebook
        transformers = require("transformers", extra=TRAIN_EXTRA)
    torch = require("torch", extra=TRAIN_EXTRA)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    try:
        found = transformers.AutoModel.from_pretrained(str(base), dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        line = " ".join(str(error).split())[:200]
        raise UsageError(f"{base} is no encoder that transformers opens: {line}") from error
    if getattr(found.config, "is_encoder_decoder", False):
        raise UsageError(f"{base} is no encoder, it also writes: {found.config.model_type}")
    return found


def _key(head: str) -> str:
    """The name of a head's module: torch keeps some names, such as `train`, for itself."""
    taken = hasattr(require("torch", extra=TRAIN_EXTRA).nn.ModuleDict, head)
    return f"head_{head}" if taken else head


def _mlp(hidden: int, width: int, dropout: float) -> Any:
    nn = require("torch", extra=TRAIN_EXTRA).nn
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, width),
    )


def _width(head: Head) -> int:
    return SPAN_LOGITS if head.kind == "span" else len(head.labels)


def _layers(encoder: Any) -> Any:
    """The encoder's list of layers, the longest list of modules that it holds."""
    nn = require("torch", extra=TRAIN_EXTRA).nn
    lists = [module for module in encoder.modules() if isinstance(module, nn.ModuleList)]
    if not lists:
        raise UsageError(f"{type(encoder).__name__} has no list of layers to adapt or freeze")
    return max(lists, key=len)


def _adapted(encoder: Any, rank: int, scale: float) -> Any:
    """The encoder frozen, with an adapter (LoRA, Hu et al. 2021) on each linear layer's layers."""
    nn = require("torch", extra=TRAIN_EXTRA).nn
    inside = {id(module) for module in _layers(encoder).modules()}
    targets = [
        name
        for name, module in encoder.named_modules()
        if isinstance(module, nn.Linear) and id(module) in inside
    ]
    return with_adapter(encoder, targets, rank, scale)
