"""Where an encoder's files lie: those of a model of the catalogue, or a folder that training wrote.

Opens none of them but heads.json.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.encoder.heads import GRAPH_FILE, HEADS_FILE, HeadSet
from dragtor.errors import Missing, UsageError

if TYPE_CHECKING:
    from dragtor.config import ModelsConfig
    from dragtor.models import ModelSpec

TOKENIZER_FILE = "tokenizer.json"


def find(name: str, models: ModelsConfig | None) -> tuple[Path, Path, HeadSet, str]:
    """The graph, the tokenizer, the heads, and the command that mends them.

    Raises UsageError for a name that nobody knows, Missing, CorruptModel.
    """
    from dragtor.config import load_config, models_path
    from dragtor.models import Catalogue, model_path

    place = Path(name).expanduser()
    spec = Catalogue.load().models.get(name)
    if spec is None and place.is_dir():
        mend = f"dragtor train encoder --out {place}"
        graph = _there(place / GRAPH_FILE, mend)
    else:
        mend = f"dragtor models pull {name}"
        if spec is not None and spec.kind not in ("heads", "encoder"):
            raise UsageError(f"{name} is no encoder", "dragtor models list")
        graph = model_path(name, models_path(models or load_config().models))
    heads = _heads(spec, graph.parent / HEADS_FILE, mend)
    return graph, _there(graph.parent / TOKENIZER_FILE, mend), heads, mend


def _heads(spec: ModelSpec | None, path: Path, mend: str) -> HeadSet:
    """What heads.json says; an encoder of the catalogue has none."""
    if spec is None or spec.kind == "heads":
        return HeadSet.read(_there(path, mend), mend)
    name, weights = spec.name, spec.fingerprint()
    return HeadSet(name, name, spec.pooling, spec.max_tokens, False, (), weights)


def _there(path: Path, mend: str) -> Path:
    if not path.is_file():
        raise Missing(f"{path} is not there", mend)
    return path
