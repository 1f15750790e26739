"""Settings: config/params.yml and the environment become typed, frozen sections.

Order: command-line flag > environment (DRAGTOR_LLM_MODEL) > params.yml > preset > built-in.
Functions receive their section, never the whole configuration. Knows no room.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from dragtor.errors import UsageError

PACKAGE_FOLDER = Path(__file__).resolve().parent
CHECKOUT_FOLDER = PACKAGE_FOLDER.parent
PRESETS = ("small", "default", "quality")


@dataclass(frozen=True, slots=True)
class LibraryConfig:
    """Where the library lives and how long a writer waits."""

    path: str = ""  # folder; empty: the platform's data folder
    lock_timeout_s: float = 60.0  # seconds a second writer waits before exit code 5


@dataclass(frozen=True, slots=True)
class WebConfig:
    """How pages are read."""

    reader: Literal["auto", "jina", "local"] = "auto"
    jina_url: str = "https://r.jina.ai/"  # the Reader API; the page's URL is appended
    jina_key_env: str = "JINA_API_KEY"  # environment variable that holds the optional key
    timeout_s: float = 30.0  # seconds, to connect and between two bytes
    total_timeout_s: float = 120.0  # seconds for a whole response
    retries: int = 3  # tries after the first, on 429, 5xx and broken connections
    requests_per_minute: int = 20  # per host
    max_mb: int = 25  # megabytes of one response, after decompression
    max_pages: int = 2000  # pages taken from one sitemap
    allow_private: bool = False  # permit private and loopback addresses
    user_agent: str = "dragtor/0.1 (personal reader)"


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """What is read from folders and the web."""

    ignore: tuple[str, ...] = (".*", "__pycache__", "node_modules", "*.tmp", "~$*")  # gitignore style
    max_file_mb: int = 200  # megabytes; larger files are refused with a line
    web: WebConfig = field(default_factory=WebConfig)


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """How documents become passages; sizes in the embedder's own tokens."""

    strategy: str = "recursive"  # recursive, paragraph, semantic, tokens
    tokens: int = 180  # tokens a passage aims at, at most
    overlap_tokens: int = 30  # tokens repeated from the passage before
    semantic_percentile: float = 90.0  # semantic: break where similarity falls below this percentile


@dataclass(frozen=True, slots=True)
class EmbedConfig:
    """Which sentence encoder, and how it runs."""

    model: str = "gte-small"  # a name of config/models.yml, or hf:OWNER/REPO with the extra hf
    threads: int = 0  # 0: the machine's cores
    batch_tokens: int = 4096  # tokens of one batch, padding included
    late_chunking: bool = False  # pool token vectors of a long window over each passage
    late_window_tokens: int = 512  # tokens of that window, at most the encoder's own
    late_overlap_tokens: int = 128  # tokens that two windows share


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Where vectors are indexed."""

    url: str = ""  # a Chroma server; empty: a folder inside the library


@dataclass(frozen=True, slots=True)
class RetrieveConfig:
    """How passages are found and ranked."""

    k: int = 8  # hits returned
    candidates: int = 200  # taken from each of the dense and the lexical index
    dense_weight: float = 0.8  # weight of the dense score in the mix, 0 to 1
    floor: float = 0.8  # cosine below which nothing relevant was found; of the embedder
    join_neighbours: bool = True  # touching passages of one document become one hit


@dataclass(frozen=True, slots=True)
class LLMConfig:
    """Which language model answers, and how it runs."""

    engine: Literal["auto", "llama", "xllamacpp", "server"] = "auto"
    model: str = "auto"  # auto, a name of config/models.yml, or a path to a .gguf
    url: str = ""  # an OpenAI-compatible server, for example http://127.0.0.1:8080/v1
    api_key_env: str = "DRAGTOR_LLM_API_KEY"  # environment variable that holds its key
    context_tokens: int = 8192  # tokens the model is opened with, at most its own
    answer_tokens: int = 512  # tokens kept free for the answer
    temperature: float = 0.0
    seed: int = 7
    threads: int = 0  # 0: chosen from cores, load and model size
    gpu_layers: int = -2  # -2: auto (all that fit), -1: all, 0: none
    timeout_s: float = 300.0  # seconds a server may be silent


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """What an answer shows."""

    quotes: int = 3  # verified quotes shown before the prose
    passages: int = 6  # passages given to the model, at most


@dataclass(frozen=True, slots=True)
class ModelsConfig:
    """Where weights live and come from."""

    path: str = ""  # folder; empty: models/ of a checkout, else the platform's data folder
    hub_url: str = "https://huggingface.co"  # tried first; empty: package mirrors only
    timeout_s: float = 15.0  # seconds to connect and between two bytes


@dataclass(frozen=True, slots=True)
class Config:
    """All sections. `preset` sets the starting values of the others."""

    preset: str = "default"
    library: LibraryConfig = field(default_factory=LibraryConfig)
    load: LoadConfig = field(default_factory=LoadConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    embed: EmbedConfig = field(default_factory=EmbedConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    retrieve: RetrieveConfig = field(default_factory=RetrieveConfig)
    llm: LLMConfig = field(default_factory=LLMConfig)
    answer: AnswerConfig = field(default_factory=AnswerConfig)
    models: ModelsConfig = field(default_factory=ModelsConfig)


def packaged(name: str) -> Path:
    """A file of config/: beside the checkout's package, or inside an installed wheel."""
    checkout = CHECKOUT_FOLDER / "config" / name
    return checkout if checkout.exists() else PACKAGE_FOLDER / "assets" / "config" / name


def config_path() -> Path:
    """The params.yml in force: DRAGTOR_CONFIG, the user's own, or the packaged one."""
    if chosen := os.environ.get("DRAGTOR_CONFIG"):
        return Path(chosen).expanduser()
    from platformdirs import user_config_path

    own = user_config_path("dragtor") / "params.yml"
    return own if own.exists() else packaged("params.yml")


def load_config(path: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read the settings; `overrides` is a nested mapping that wins over everything.

    Raises UsageError on a file that is no mapping, an unknown key or a value of a wrong type.
    """
    path = path or config_path()
    own = _read(path)
    merged = _merge(own, _from_environment(Config, "DRAGTOR"))
    merged = _merge(merged, overrides or {})
    preset = merged.get("preset", "default")
    if preset not in PRESETS:
        raise UsageError(f"unknown preset {preset!r}", f"presets: {', '.join(PRESETS)}")
    base = _read(packaged(f"presets/{preset}.yml"))
    return _build(_merge(base, merged), path)


def _read(path: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(path.read_text("utf-8"), Loader=loader) or {}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise UsageError(f"{path} must hold a mapping of settings")
    return data


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _from_environment(section: Any, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in fields(section):
        name = f"{prefix}_{item.name.upper()}"
        nested = item.default_factory() if callable(item.default_factory) else None
        if is_dataclass(nested):
            if below := _from_environment(nested, name):
                found[item.name] = below
        elif name in os.environ:
            import yaml

            found[item.name] = yaml.safe_load(os.environ[name])
    return found


def _build(data: Mapping[str, Any], path: Path) -> Config:
    import dacite

    rules = dacite.Config(strict=True, cast=[tuple], type_hooks={float: _number})
    try:
        return dacite.from_dict(Config, data, config=rules)
    except dacite.UnexpectedDataError as error:
        raise UsageError(f"unknown setting: {error}", f"see {path}") from error
    except (dacite.DaciteError, TypeError, ValueError) as error:
        raise UsageError(f"wrong setting: {error}", f"see {path}") from error


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def library_path(config: LibraryConfig, flag: str | None = None) -> Path:
    """The library's folder: flag > DRAGTOR_HOME > config > platform data folder."""
    chosen = flag or os.environ.get("DRAGTOR_HOME") or config.path
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("dragtor")


def models_path(config: ModelsConfig) -> Path:
    """The weights' folder: DRAGTOR_MODELS_PATH > config > checkout > platform data folder."""
    if config.path:
        return Path(config.path).expanduser().absolute()
    if (CHECKOUT_FOLDER / "pyproject.toml").exists():
        return CHECKOUT_FOLDER / "models"
    from platformdirs import user_data_path

    return user_data_path("dragtor") / "models"
