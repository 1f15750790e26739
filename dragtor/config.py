"""Settings: config/params.yml and the environment become typed, frozen sections.

Order: command-line flag > environment (DRAGTOR_LLM_MODEL) > params.yml > preset > built-in.
A section holds its own kind only; functions receive theirs, never the whole. Knows no package.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from dragtor.errors import UsageError

PACKAGE_FOLDER = Path(__file__).resolve().parent
CHECKOUT_FOLDER = PACKAGE_FOLDER.parent
PRESETS = ("small", "default", "quality")
NO_DOMAIN = "none"
_SHOW = "dragtor config path"  # the hint: which file is read
AUTO = "auto"  # for a setting: chosen by what is installed, or by the domain

# Numbers are 0 or more, but of these at least 1,
_FROM_1 = """
    answer.passages embed.batch_tokens llm.answer_tokens load.feed.latest load.feed.max_episode_mb
    load.feed.requests_per_minute load.max_file_mb load.video.latest load.video.max_mb
    load.web.max_mb load.web.max_pages load.web.requests_per_minute research.hops research.page_mb
    research.pages research.quotes research.steps retrieve.candidates retrieve.k
    retrieve.rerank_depth
""".split()
# and these between two others.
RANGES: dict[str, tuple[float, float]] = dict.fromkeys(_FROM_1, (1, math.inf)) | {
    "answer.context_tokens": (50, math.inf),
    "embed.late_window_tokens": (16, math.inf),
    "llm.context_tokens": (256, math.inf),
    "llm.gpu_layers": (-2, math.inf),
    "llm.timeout_s": (0.1, math.inf),
    "load.web.timeout_s": (0.1, math.inf),
    "load.web.total_timeout_s": (0.1, math.inf),
    "models.timeout_s": (0.1, math.inf),
    "research.page_timeout_s": (0.1, math.inf),
    "research.seconds": (0.1, math.inf),
    "retrieve.dense_weight": (0, 1),
    "retrieve.floor": (-1, 1),
    "serve.port": (0, 65535),
    "split.semantic_percentile": (0, 100),
    "split.tokens": (16, math.inf),
}
# The first of each pair stays below the second.
BELOW = (
    ("split.overlap_tokens", "split.tokens"),
    ("embed.late_overlap_tokens", "embed.late_window_tokens"),
    ("llm.answer_tokens", "llm.context_tokens"),
)


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
class FeedConfig:
    """How feeds and podcasts are read."""

    latest: int = 3  # newest episodes taken of a podcast; of posts all are taken
    max_episode_mb: int = 2000  # megabytes; a larger episode is refused with a line
    requests_per_minute: int = 120  # per host; shows share hosts
    search_url: str = "https://itunes.apple.com/search"  # where shows are looked up by name


@dataclass(frozen=True, slots=True)
class VideoConfig:
    """How videos are read."""

    latest: int = 5  # newest videos taken of a channel or playlist
    languages: tuple[str, ...] = ()  # of captions, best first; empty: the spoken one, then en
    cookies_from_browser: str = ""  # firefox, chrome:PROFILE and so on; empty: none
    max_mb: int = 2000  # megabytes of one video's sound; larger is refused with a line


@dataclass(frozen=True, slots=True)
class PdfConfig:
    """How PDF files are read."""

    ocr: Literal["auto", "always", "never"] = "auto"  # auto: pages that have no text of their own


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """What is read from folders and the web."""

    # names left out of folders, gitignore style
    ignore: tuple[str, ...] = (".*", "__pycache__", "node_modules", "*.tmp", "~$*")
    max_file_mb: int = 200  # megabytes; larger files are refused with a line
    pdf: PdfConfig = field(default_factory=PdfConfig)
    web: WebConfig = field(default_factory=WebConfig)
    feed: FeedConfig = field(default_factory=FeedConfig)
    video: VideoConfig = field(default_factory=VideoConfig)


@dataclass(frozen=True, slots=True)
class OcrConfig:
    """What reads the words of pictures."""

    engine: Literal["paddle", "rapidocr", "tesseract"] = "paddle"
    model: Literal["auto", "tiny", "small"] = "auto"  # paddle: auto: small where letters are low
    languages: tuple[str, ...] = ("eng",)  # tesseract: which of its languages
    threads: int = 0  # paddle, rapidocr: 0: the machine's cores


@dataclass(frozen=True, slots=True)
class SpeechConfig:
    """Which models turn speech into words."""

    model: str = "whisper-base.en"  # for English; a name of config/models.yml, or a ggml file
    other_model: str = "whisper-tiny"  # tells the language and hears the others; multilingual
    language: str = "auto"  # en, de and so on; auto: heard, or English where other_model is absent
    threads: int = 0  # 0: the machine's cores


@dataclass(frozen=True, slots=True)
class DiarizeConfig:
    """How speakers are told apart."""

    engine: Literal["onnx", "pyannote", "none"] = "onnx"
    speakers: int = 0  # how many are heard; 0: not known
    min_speakers: int = 0  # at least so many, where that is not known; 0: no bound
    max_speakers: int = 0  # at most so many; 0: no bound
    threads: int = 0  # onnx: 0: the machine's cores
    model: str = "pyannote/speaker-diarization-community-1"  # pyannote: its name, or a folder
    token_env: str = "HF_TOKEN"  # environment variable that holds the hub's token
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"  # pyannote: where it runs


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """How documents become passages; sizes in the embedder's own tokens."""

    strategy: str = "recursive"  # recursive, paragraph, semantic, tokens
    tokens: int = 180  # tokens a passage aims at, at most
    overlap_tokens: int = 30  # tokens repeated from the passage before
    semantic_percentile: float = 90.0  # semantic: break below this similarity percentile


@dataclass(frozen=True, slots=True)
class EmbedConfig:
    """Which sentence encoder, and how it runs."""

    model: str = "gte-small"  # a name of config/models.yml, or hf:OWNER/REPO with the extra hf
    threads: int = 0  # 0: the machine's cores
    batch_tokens: int = 4096  # tokens of one batch of an hf: encoder; ONNX runs one text at a time
    late_chunking: bool = False  # pool token vectors of a long window over each passage
    late_window_tokens: int = 512  # tokens of that window, at most the encoder's own
    late_overlap_tokens: int = 128  # tokens that two windows share, at most half a window


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Where vectors are indexed."""

    url: str = ""  # a Chroma server; empty: a folder inside the library


@dataclass(frozen=True, slots=True)
class RetrieveConfig:
    """How passages are found and ranked."""

    k: int = 8  # hits returned
    candidates: int = 200  # taken from each of the dense and the lexical index
    dense_weight: float = 0.65  # weight of the dense score in the hybrid score, 0 to 1
    floor: float = -1.0  # cosine below which nothing relevant was found; -1: the encoder's own
    join_neighbours: bool = True  # touching passages of one document become one hit
    rerank: str = "tokens"  # tokens, none, llm, reader, or a name of config/models.yml
    rerank_depth: int = 20  # hits that are reranked, at most


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
    threads: int = 0  # 0: the cores free at load; 1 for files under 300 MB
    gpu_layers: int = -2  # -2: auto (all that fit), -1: all, 0: none
    timeout_s: float = 300.0  # seconds a server may be silent


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """What an answer shows."""

    reader: str = AUTO  # a name of config/models.yml or a folder; auto: reader, if here; or none
    style: Literal["prose", "quote", "auto"] = "prose"  # auto: quotes where one span says all
    quotes: int = 3  # verified quotes shown before the prose
    gate: bool = True  # refuse before a model is asked, where nothing seems to answer
    rewrite: bool = True  # look for a lay question again in the field's words
    passages: int = 16  # hits whose sentences are ranked for quotes and for the model
    context: Literal["sentences", "passage", "section", "document"] = "passage"  # what is read
    context_tokens: int = 300  # tokens of passages in the prompt, at most
    unsupported: Literal["quote", "drop", "mark"] = "quote"  # a sentence that no passage carries
    domain: str = "medicine"  # words of a subject: a file of config/domains, a .yml file, or none
    caution: str = AUTO  # the line on top where a question holds a red flag; auto: the domain's
    red_flags: tuple[str, ...] = (AUTO,)  # words in order; * ends a beginning; auto: the domain's


@dataclass(frozen=True, slots=True)
class WordLists:
    """Words that checks of claims and questions know, of a language with those of a domain.

    config/words/en.yml says what each list is for.
    """

    strong: tuple[str, ...] = ()
    hedges: tuple[str, ...] = ()
    opposites: tuple[str, ...] = ()
    comparatives: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    before_letters: tuple[str, ...] = ()
    red_flags: tuple[str, ...] = ()
    caution: str = ""


@dataclass(frozen=True, slots=True)
class ChatConfig:
    """How a conversation is carried on."""

    history_tokens: int = 1500  # tokens of earlier turns and their passages, oldest dropped first
    rewrite: bool = True  # follow-ups are rewritten to stand alone before retrieval


@dataclass(frozen=True, slots=True)
class TagsConfig:
    """How people, organisations, places and other names are found."""

    model: str = "tags"  # a name of config/models.yml, or a folder with model.onnx and heads.json
    threads: int = 0  # 0: the machine's cores
    auto: bool = False  # add, sync and index tag too


@dataclass(frozen=True, slots=True)
class ResearchConfig:
    """How far a research goes, and where it may look once it is allowed to."""

    providers: tuple[str, ...] = ("wikipedia", "searxng", "sites")  # and ddgs, an extra
    wikipedia_url: str = "https://en.wikipedia.org/w/api.php"
    searxng_url: str = ""  # of a SearXNG that gives JSON; empty: none
    sites: tuple[str, ...] = ()  # sitemaps, or front pages that have one
    steps: int = 8
    pages: int = 12  # fetched, at most
    hops: int = 2  # 2: empty sections are looked for again, by names in what was found
    seconds: float = 180.0
    quotes: int = 8  # of a section, at most
    page_timeout_s: float = 15.0  # seconds for a whole page
    page_mb: int = 3  # megabytes of one page


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """Where the server listens."""

    port: int = 8484  # 0: any that is free


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
    ocr: OcrConfig = field(default_factory=OcrConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    diarize: DiarizeConfig = field(default_factory=DiarizeConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    embed: EmbedConfig = field(default_factory=EmbedConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    retrieve: RetrieveConfig = field(default_factory=RetrieveConfig)
    llm: LLMConfig = field(default_factory=LLMConfig)
    answer: AnswerConfig = field(default_factory=AnswerConfig)
    chat: ChatConfig = field(default_factory=ChatConfig)
    tags: TagsConfig = field(default_factory=TagsConfig)
    research: ResearchConfig = field(default_factory=ResearchConfig)
    serve: ServeConfig = field(default_factory=ServeConfig)
    models: ModelsConfig = field(default_factory=ModelsConfig)
    # label -> texts like its passages; the label is one too
    topics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
    for small, large in BELOW:
        low, high = attrgetter(small)(config), attrgetter(large)(config)
        if low >= high:
            raise UsageError(f"setting {small} ({low}) must be below {large} ({high})", _SHOW)
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
        read = _section if is_dataclass(hints[key]) else _value
        values[key] = read(hints[key], value, full)
    return kind(**values)


def _unknown(full: str, key: str, names: list[str]) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(key, names, 1)
    guess = f"did you mean {near[0]}?" if near else f"known here: {', '.join(names)}"
    return UsageError(f"unknown setting {full}; {guess}", _SHOW)


def _examples(value: Any, name: str) -> Any:
    """Label -> texts; a text alone is a list of one, and nothing an empty list."""
    if not isinstance(value, Mapping):
        raise UsageError(f"setting {name} must hold labels with examples, not {value!r}", _SHOW)
    found = {}
    for label, texts in value.items():
        if not isinstance(label, str) or not label.strip():
            raise UsageError(f"setting {name}: a label must be text, not {label!r}", _SHOW)
        listed = [texts] if isinstance(texts, str) else [] if texts is None else texts
        found[label] = _value(tuple[str, ...], listed, f"{name}.{label}")
        if not all(text.strip() for text in found[label]):
            raise UsageError(f"setting {name}.{label} holds an example without text", _SHOW)
    return found


def _value(hint: Any, value: Any, name: str) -> Any:
    """The value as the setting's type, or a UsageError that names setting, type and range."""
    if get_origin(hint) is Mapping:
        return _examples(value, name)
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
