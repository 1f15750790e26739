"""Any sentence encoder of the transformers library, with the extra hf: torch is imported here only.

Reads a model folder or the hub's cache, never the network; never runs a model's own code.
Pooling, prefixes and length come from the folder's sentence-transformers files where it has any.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from dragtor.embed.base import HF_PREFIX, Ids, TokenEmbedder, Traits
from dragtor.errors import CorruptModel, Missing, UsageError
from dragtor.extras import require
from dragtor.types import NEVER, CancelToken, short_hash

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from dragtor.config import EmbedConfig

T = TypeVar("T")

DEFAULT_MAX_TOKENS = 512

_QUERY_PROMPTS = ("query", "search_query", "retrieval.query", "s2p_query")
_PASSAGE_PROMPTS = ("passage", "document", "search_document", "retrieval.passage")
_FLAG = "pooling_mode_"
_POOLING = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
_CACHED_BLOB = re.compile(r"[0-9a-f]{64}")  # the hub's cache names weights by their SHA-256


class TransformersEmbedder(TokenEmbedder):
    """An Embedder; vectors depend on batch mates by rounding only (below 1e-5)."""

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        traits: Traits,
        config: EmbedConfig,
        dense: Sequence[Any] = (),
        cancel: CancelToken = NEVER,
    ) -> None:
        """`model` is a transformers encoder, `dense` the torch layers after its pooling."""
        super().__init__(tokenizer, traits, config, cancel)
        self._model = model
        self._dense = dense
        self._batch_tokens = config.batch_tokens

    @classmethod
    def open(
        cls, name: str, config: EmbedConfig, cancel: CancelToken = NEVER
    ) -> TransformersEmbedder:
        """Load `hf:FOLDER` or `hf:OWNER/REPO`; raises Missing, CorruptModel, UsageError."""
        torch = require("torch", extra="hf")
        transformers = require("transformers", extra="hf")
        if config.threads:
            torch.set_num_threads(config.threads)
        folder, mend = _folder(name.removeprefix(HF_PREFIX))
        modules = _modules(folder, mend)
        encoder = folder / modules[0]["path"] if modules else folder
        model, fast = _load(transformers, torch, encoder, mend)
        dense = _dense_layers(torch, folder, mend)
        longest = _longest(encoder, mend, model, fast)
        traits = _traits(name, folder, mend, model.config.hidden_size, longest, dense)
        model.to(_device(torch))
        return cls(model, fast.backend_tokenizer, traits, config, dense, cancel)

    def _encode(
        self, sequences: Sequence[Ids], reduce: Callable[[int, NDArray[np.float32]], T]
    ) -> list[T]:
        import torch

        done: dict[int, T] = {}
        for batch in batches([len(ids) for ids in sequences], self._batch_tokens):
            self._cancel.check()
            ids = torch.zeros((len(batch), len(sequences[batch[0]])), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, i in enumerate(batch):
                ids[row, : len(sequences[i])] = torch.tensor(sequences[i])
                mask[row, : len(sequences[i])] = 1
            ids, mask = ids.to(self._model.device), mask.to(self._model.device)
            with torch.inference_mode():
                hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
            vectors = hidden.float().cpu().numpy()
            for row, i in enumerate(batch):
                done[i] = reduce(i, vectors[row, : len(sequences[i])])
        return [done[i] for i in range(len(sequences))]

    def _project(self, pooled: NDArray[np.float32]) -> NDArray[np.float32]:
        if not self._dense:
            return pooled
        import torch

        with torch.inference_mode():
            rows = torch.from_numpy(pooled)
            for layer in self._dense:
                rows = layer(rows)
            projected: NDArray[np.float32] = rows.numpy()
        return projected


def batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indexes grouped longest first; a group's count times its longest is at most `budget`."""
    groups: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if groups and (len(groups[-1]) + 1) * lengths[groups[-1][0]] <= budget:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _folder(place: str) -> tuple[Path, str]:
    """The model's folder and the command that fetches it."""
    local = Path(place).expanduser()
    if place and local.is_dir():
        return local, f"put the model's files into {local} again"
    if place.count("/") != 1 or place.startswith((".", "/", "~")):
        raise Missing(f"no model folder at {place or 'an empty path'}", "name it hf:OWNER/REPO")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    mend = f"hf download {place}"
    try:
        return Path(snapshot_download(place, local_files_only=True)), mend
    except LocalEntryNotFoundError as error:
        raise Missing(f"{place} is not in the hub's cache", mend) from error
    except HFValidationError as error:
        raise UsageError(f"not a repository name: {place!r}", "write it hf:OWNER/REPO") from error


def _load(transformers: Any, torch: Any, folder: Path, mend: str) -> tuple[Any, Any]:
    """Model and fast tokenizer; weights that the file lacks are an error, not random."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        fast = transformers.AutoTokenizer.from_pretrained(folder, **options)
        model, info = transformers.AutoModel.from_pretrained(
            folder, dtype=torch.float32, output_loading_info=True, **options
        )
    except Exception as error:  # three libraries' loaders, no common base
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        if "trust_remote_code" in reason:
            raise UsageError(f"{folder} needs code of its own, which is never run") from error
        raise CorruptModel(f"{folder} cannot be loaded: {reason}", mend) from error
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key)
    if missing:
        raise CorruptModel(f"{folder} lacks the weights {missing[0]} ({len(missing)} in all)", mend)
    if not hasattr(fast, "backend_tokenizer"):
        raise UsageError(f"{folder} has no fast tokenizer, so no token has a place in its text")
    return model.eval(), fast


def _traits(
    name: str, folder: Path, mend: str, hidden: int, max_tokens: int, dense: Sequence[Any]
) -> Traits:
    prompts = _json(folder / "config_sentence_transformers.json", mend)
    pooling = _pooling(folder, mend)
    query, passage = _prompt(prompts, _QUERY_PROMPTS), _prompt(prompts, _PASSAGE_PROMPTS)
    dimension = dense[-1][0].out_features if dense else hidden
    parts = (*_weight_hashes(folder), pooling, query, passage, str(dimension))
    return Traits(
        name=name,
        fingerprint=short_hash(*parts),
        dimension=dimension,
        max_tokens=max_tokens,
        pooling=pooling,
        prefix_query=query,
        prefix_passage=passage,
        mend=mend,
    )


def _pooling(folder: Path, mend: str) -> Literal["mean", "cls"]:
    places = [m["path"] for m in _modules(folder, mend) if m["type"].endswith(".Pooling")]
    stated = _json(folder / (places[0] if places else "1_Pooling") / "config.json", mend)
    chosen = {_POOLING.get(key, key) for key in stated if key.startswith(_FLAG) and stated[key]}
    if "pooling_mode" in stated:
        chosen = {str(stated["pooling_mode"])}
    if not stated.get("include_prompt", True):
        raise UsageError(f"{folder} pools without its prompt, which is not known here")
    if chosen <= {"mean"}:
        return "mean"
    if chosen == {"cls"}:
        return "cls"
    raise UsageError(f"{folder} pools by {', '.join(sorted(chosen))}: only mean and cls are known")


def _prompt(stated: dict[str, Any], names: Sequence[str]) -> str:
    prompts = stated.get("prompts") or {}
    for name in (*names, stated.get("default_prompt_name")):
        if name in prompts:
            return str(prompts[name])
    return ""


def _longest(folder: Path, mend: str, model: Any, fast: Any) -> int:
    """Tokens of one text: the smallest of what folder, tokenizer and position table allow."""
    limits = [_json(folder / "sentence_bert_config.json", mend).get("max_seq_length")]
    limits.append(fast.model_max_length)
    if positions := getattr(model.config, "max_position_embeddings", None):
        table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
        padding = getattr(table, "padding_idx", None)  # RoBERTa counts positions from there
        limits.append(positions - (0 if padding is None else padding + 1))
    sane = [int(limit) for limit in limits if limit and 0 < limit < 1_000_000]
    return min(sane, default=DEFAULT_MAX_TOKENS)


def _dense_layers(torch: Any, folder: Path, mend: str) -> list[Any]:
    """The linear layers after pooling, as modules.json lists them; refuses what it knows not."""
    kinds = [(m["type"].rpartition(".")[2], folder / m["path"]) for m in _modules(folder, mend)]
    for kind, _ in kinds:
        if kind not in ("Transformer", "Pooling", "Normalize", "Dense"):
            raise UsageError(f"{folder} has a {kind} layer, which is not known here")
    return [_dense(torch, path, mend) for kind, path in kinds if kind == "Dense"]


def _dense(torch: Any, folder: Path, mend: str) -> Any:
    safetensors = require("safetensors.torch", extra="hf")
    stated = _json(folder / "config.json", mend)
    activation = str(stated.get("activation_function", "Tanh")).rpartition(".")[2]
    activations = {"Identity": torch.nn.Identity, "Tanh": torch.nn.Tanh}
    if activation not in activations:
        raise UsageError(f"{folder} has the activation {activation}, which is not known here")
    try:
        bias = bool(stated.get("bias", True))
        linear = torch.nn.Linear(stated["in_features"], stated["out_features"], bias=bias)
        weights = safetensors.load_file(folder / "model.safetensors")
        weights = {key.removeprefix("linear."): value for key, value in weights.items()}
        linear.load_state_dict(weights)
    except Exception as error:  # three libraries' errors, no common base
        raise CorruptModel(f"{folder} holds no readable linear layer", mend) from error
    return torch.nn.Sequential(linear, activations[activation]()).eval()


def _modules(folder: Path, mend: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = _json(folder / "modules.json", mend) or []
    return found


def _json(path: Path, mend: str) -> Any:
    """The file's content; an empty mapping where there is no such file."""
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CorruptModel(f"{path} is not readable as JSON", mend) from error


def _weight_hashes(folder: Path) -> list[str]:
    files = sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("pytorch_model*.bin"))
    return [_weight_hash(file) for file in files]


def _weight_hash(path: Path) -> str:
    blob = path.resolve().name
    if _CACHED_BLOB.fullmatch(blob):
        return blob
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
