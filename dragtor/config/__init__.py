"""Settings: config/params.yml and the environment become typed, frozen sections.

Order: command-line flag > environment (DRAGTOR_LLM_MODEL) > params.yml > preset > built-in.
Functions receive their section, never the whole configuration. Knows no room.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from dragtor.config.sections import (
    AUTO,
    BELOW,
    RANGES,
    AnswerConfig,
    ChatConfig,
    Config,
    DiarizeConfig,
    EmbedConfig,
    FeedConfig,
    LibraryConfig,
    LLMConfig,
    LoadConfig,
    ModelsConfig,
    RetrieveConfig,
    SpeechConfig,
    SplitConfig,
    StoreConfig,
    VideoConfig,
    WebConfig,
    WordLists,
)
from dragtor.errors import UsageError

PACKAGE_FOLDER = Path(__file__).resolve().parent.parent
CHECKOUT_FOLDER = PACKAGE_FOLDER.parent
PRESETS = ("small", "default", "quality")
NO_DOMAIN = "none"
_SHOW = "dragtor config path"  # the hint: which file is read

__all__ = [
    "AUTO",
    "CHECKOUT_FOLDER",
    "PACKAGE_FOLDER",
    "AnswerConfig",
    "ChatConfig",
    "Config",
    "DiarizeConfig",
    "EmbedConfig",
    "FeedConfig",
    "LLMConfig",
    "LibraryConfig",
    "LoadConfig",
    "ModelsConfig",
    "RetrieveConfig",
    "SpeechConfig",
    "SplitConfig",
    "StoreConfig",
    "VideoConfig",
    "WebConfig",
    "WordLists",
    "asset",
    "config_path",
    "library_path",
    "load_config",
    "load_words",
    "models_path",
    "packaged",
    "scalar",
    "unknown_variables",
]


def packaged(name: str) -> Path:
    """A file of config/: inside an installed wheel, or beside the checkout's package."""
    inside = PACKAGE_FOLDER / "assets" / "config" / name
    return inside if inside.exists() else CHECKOUT_FOLDER / "config" / name


def asset(name: str) -> Path:
    """A file of assets/: inside an installed wheel, or beside the checkout's package."""
    inside = PACKAGE_FOLDER / "assets" / name
    return inside if inside.exists() else CHECKOUT_FOLDER / "assets" / name


def config_path() -> Path:
    """The params.yml in force: DRAGTOR_CONFIG, the user's own, or the packaged one."""
    if chosen := os.environ.get("DRAGTOR_CONFIG"):
        return Path(chosen).expanduser()
    from platformdirs import user_config_path

    own = user_config_path("dragtor") / "params.yml"
    return own if own.exists() else packaged("params.yml")


def load_config(path: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read the settings; `overrides` is a nested mapping that wins over everything.

    Raises UsageError on a file that is no mapping, an unknown key, or a value of a wrong type
    or out of its range.
    """
    merged = _merge(_read(path or config_path()), _from_environment(Config, "DRAGTOR"))
    merged = _merge(merged, overrides or {})
    preset = merged.setdefault("preset", "default")
    if preset not in PRESETS:
        raise UsageError(f"unknown preset {preset!r}", f"presets: {', '.join(PRESETS)}")
    config: Config = _section(Config, _merge(_read(packaged(f"presets/{preset}.yml")), merged), "")
    _check_pairs(config)
    return config


def load_words(domain: str) -> WordLists:
    """General English words and those of a domain: a name of config/domains, a .yml file, or none.

    Raises UsageError on an unknown name, an unknown list, or a list that is none.
    """
    general: WordLists = _section(WordLists, _read(packaged("words/en.yml")), "en")
    if domain == NO_DOMAIN:
        return general
    path = Path(domain).expanduser()
    if path.suffix != ".yml":
        path = packaged(f"domains/{domain}.yml")
        names = sorted(file.stem for file in packaged("domains").glob("*.yml"))
        if domain not in names:
            hint = f"answer.domain: {', '.join(names)}, {NO_DOMAIN}, or a .yml file"
            raise UsageError(f"unknown domain {domain!r}", hint)
    own = _section(WordLists, _read(path), path.stem)
    added = {f.name: getattr(general, f.name) + getattr(own, f.name) for f in fields(WordLists)}
    return WordLists(**added)


def unknown_variables(config: Config) -> list[str]:
    """One line for each DRAGTOR_ variable that is no setting; a newer dragtor may know it."""
    keys = {"DRAGTOR_HOME", "DRAGTOR_CONFIG", config.llm.api_key_env, config.load.web.jina_key_env}
    known = sorted(keys.union(_variables(Config, "DRAGTOR")))
    strange = sorted(n for n in os.environ if n.startswith("DRAGTOR_") and n not in known)
    return [str(_unknown(name, name, known)) for name in strange]


def _variables(kind: type[Any], prefix: str) -> Iterator[str]:
    for name, hint in get_type_hints(kind).items():
        variable = f"{prefix}_{name.upper()}"
        if is_dataclass(hint):
            yield from _variables(hint, variable)  # type: ignore[arg-type]
        else:
            yield variable


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        text = path.read_text("utf-8-sig")
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", _SHOW) from error
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise UsageError(f"{path} must hold a mapping of settings", _SHOW)
    return data


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """`high` over `low`; a section with nothing in it (all its lines commented) says nothing."""
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        if not isinstance(below, Mapping):
            merged[key] = value
        elif value is not None:
            merged[key] = _merge(below, value) if isinstance(value, Mapping) else value
    return merged


def _from_environment(kind: type[Any], prefix: str) -> dict[str, Any]:
    """Settings named like DRAGTOR_LLM_MODEL; text is taken as it is, the rest read as YAML."""
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        variable = f"{prefix}_{name.upper()}"
        if is_dataclass(hint):
            if below := _from_environment(hint, variable):  # type: ignore[arg-type]
                found[name] = below
        elif variable in os.environ:
            raw = os.environ[variable]
            found[name] = raw if hint is str or get_origin(hint) is Literal else scalar(raw)
    return found


def scalar(raw: str) -> Any:
    """What YAML makes of a setting; where that is nothing, the text, which no type check passes."""
    import yaml

    try:
        return yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError, KeyError, AttributeError, RecursionError):
        return raw  # the last four: dates and tags that are none, as 2020-99-99


def _section(kind: type[Any], data: Any, name: str) -> Any:
    """One dataclass from a mapping; `name` is its dotted path, empty for the whole."""
    if data is None:
        data = {}
    if not isinstance(data, Mapping):
        raise UsageError(f"setting {name} must hold settings of its own, not {data!r}", _SHOW)
    hints = get_type_hints(kind)
    values = {}
    for key, value in data.items():
        full = f"{name}.{key}" if name else str(key)
        if key not in hints:
            raise _unknown(full, str(key), list(hints))
        nested = is_dataclass(hints[key])
        values[key] = (
            _section(hints[key], value, full) if nested else _value(hints[key], value, full)
        )
    return kind(**values)


def _unknown(full: str, key: str, names: list[str]) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(key, names, 1)
    guess = f"did you mean {near[0]}?" if near else f"known here: {', '.join(names)}"
    return UsageError(f"unknown setting {full}; {guess}", _SHOW)


def _value(hint: Any, value: Any, name: str) -> Any:
    """The value as the setting's type, or a UsageError that names setting, type and range."""
    if get_origin(hint) is Literal:
        fits, wanted = value in get_args(hint), f"one of {', '.join(get_args(hint))}"
    elif get_origin(hint) is tuple:
        fits = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        value, wanted = tuple(value) if fits else value, "a list of texts"
    elif hint in (int, float):
        low, high = RANGES.get(name, (0, math.inf))
        value = float(value) if hint is float and type(value) is int else value
        fits = type(value) is hint and low <= value <= high
        above = f"{low} to {high}" if high < math.inf else f"{low} or more"
        wanted = f"a {'whole ' if hint is int else ''}number, {above}"
    else:
        fits, wanted = type(value) is hint, {str: "text", bool: "true or false"}[hint]
    if not fits:
        raise UsageError(f"setting {name} must be {wanted}, not {value!r}", _SHOW)
    return value


def _check_pairs(config: Config) -> None:
    for small, large in BELOW:
        low, high = attrgetter(small)(config), attrgetter(large)(config)
        if low >= high:
            raise UsageError(f"setting {small} ({low}) must be below {large} ({high})", _SHOW)


def library_path(config: LibraryConfig, flag: str | None = None) -> Path:
    """The library's folder: flag > DRAGTOR_HOME > config > platform data folder."""
    chosen = flag or os.environ.get("DRAGTOR_HOME") or config.path
    if not chosen:
        from platformdirs import user_data_path

        return user_data_path("dragtor")
    folder = Path(chosen).expanduser().absolute()
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise UsageError(f"the library's folder needs a name in UTF-8: {folder}") from None
    if "\0" in str(folder):
        raise UsageError("the library's folder cannot hold a null character")
    return folder


def models_path(config: ModelsConfig) -> Path:
    """The weights' folder: DRAGTOR_MODELS_PATH > config > checkout > platform data folder."""
    if config.path:
        return Path(config.path).expanduser().absolute()
    if (CHECKOUT_FOLDER / "pyproject.toml").exists():
        return CHECKOUT_FOLDER / "models"
    from platformdirs import user_data_path

    return user_data_path("dragtor") / "models"
