"""The sections of the settings, with their built-in values and their ranges.

Each is frozen and holds its own kind only; how they are read is the package's own file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

AUTO = "auto"  # for a setting: chosen by what is installed, or by the domain

# Numbers are 0 or more, except:
RANGES: dict[str, tuple[float, float]] = {
    "answer.context_tokens": (50, math.inf),
    "answer.passages": (1, math.inf),
    "embed.batch_tokens": (1, math.inf),
    "embed.late_window_tokens": (16, math.inf),
    "llm.answer_tokens": (1, math.inf),
    "llm.context_tokens": (256, math.inf),
    "llm.gpu_layers": (-2, math.inf),
    "llm.timeout_s": (0.1, math.inf),
    "load.feed.latest": (1, math.inf),
    "load.feed.max_episode_mb": (1, math.inf),
    "load.feed.requests_per_minute": (1, math.inf),
    "load.max_file_mb": (1, math.inf),
    "load.video.latest": (1, math.inf),
    "load.video.max_mb": (1, math.inf),
    "load.web.max_mb": (1, math.inf),
    "load.web.max_pages": (1, math.inf),
    "load.web.requests_per_minute": (1, math.inf),
    "load.web.timeout_s": (0.1, math.inf),
    "load.web.total_timeout_s": (0.1, math.inf),
    "models.timeout_s": (0.1, math.inf),
    "retrieve.candidates": (1, math.inf),
    "retrieve.dense_weight": (0, 1),
    "retrieve.floor": (-1, 1),
    "retrieve.k": (1, math.inf),
    "retrieve.rerank_depth": (1, math.inf),
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
class LoadConfig:
    """What is read from folders and the web."""

    # names left out of folders, gitignore style
    ignore: tuple[str, ...] = (".*", "__pycache__", "node_modules", "*.tmp", "~$*")
    max_file_mb: int = 200  # megabytes; larger files are refused with a line
    web: WebConfig = field(default_factory=WebConfig)
    feed: FeedConfig = field(default_factory=FeedConfig)
    video: VideoConfig = field(default_factory=VideoConfig)


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
    rerank: str = "tokens"  # tokens, none, llm, or a name of config/models.yml
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
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    diarize: DiarizeConfig = field(default_factory=DiarizeConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    embed: EmbedConfig = field(default_factory=EmbedConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    retrieve: RetrieveConfig = field(default_factory=RetrieveConfig)
    llm: LLMConfig = field(default_factory=LLMConfig)
    answer: AnswerConfig = field(default_factory=AnswerConfig)
    chat: ChatConfig = field(default_factory=ChatConfig)
    models: ModelsConfig = field(default_factory=ModelsConfig)
