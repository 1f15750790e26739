"""The language models: one protocol, three engines by name, the choice of a model.

Engines: `llama` (llama-cpp-python), `xllamacpp` (prebuilt wheels), `server` (any
OpenAI-compatible address). Knows no prompt: that is prompt.py.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from dragtor.config import LLMConfig, ModelsConfig, models_path
from dragtor.errors import CorruptModel, Missing, UsageError
from dragtor.extras import engine_command
from dragtor.llm.base import LLM, GenerationOptions, Stream, Usage
from dragtor.types import NEVER, CancelToken

__all__ = [
    "ENGINES",
    "LLM",
    "GenerationOptions",
    "Stream",
    "Usage",
    "choose_engine",
    "choose_model",
    "open_llm",
]

ENGINES = ("llama", "xllamacpp", "server")
LARGE, MEDIUM, SMALL = "llama-3.1-8b", "qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b"
LARGE_MEMORY_BYTES = 15_000_000_000  # a machine sold with 16 GB shows a little less
LARGE_GPU_BYTES = 7_000_000_000  # its 4.9 GB of weights, 8,192 tokens of context, buffers
MEDIUM_MEMORY_BYTES = 3_700_000_000  # sold with 4 GB


def open_llm(
    config: LLMConfig,
    models: ModelsConfig,
    adapter: Path | None = None,
    cancel: CancelToken = NEVER,
) -> LLM:
    """Load the model that the settings name; raises Missing with the command that gets it.

    `adapter` is put over it; UsageError where the engine is a server, which cannot take one.
    Where `cancel` asks, loading, reading a prompt and writing end at once with Cancelled.
    """
    engine = choose_engine(config)
    if engine == "server":
        from dragtor.llm.server import open_server

        if adapter is not None:
            raise UsageError("a server takes no adapter", "set llm.engine to llama or xllamacpp")
        return open_server(config, cancel)
    from dragtor.models import model_path

    folder = models_path(models)
    name = choose_model(config, folder, *machine())
    path = model_path(name, folder)
    hint = f"get {name} again" if path == Path(name).expanduser() else f"dragtor models pull {name}"
    if engine == "llama":
        from platformdirs import user_cache_path

        from dragtor.llm.llama import open_llama

        prefixes = user_cache_path("dragtor") / "prefix"
        return open_llama(path, config, hint, prefixes, adapter, cancel)
    from dragtor.llm.xllamacpp import open_xllamacpp

    return open_xllamacpp(path, config, hint, adapter, cancel)


def choose_engine(config: LLMConfig) -> str:
    """The engine's name; `auto`: a server where `url` is set, else what is installed."""
    if config.engine != "auto":
        if config.engine not in ENGINES:
            raise UsageError(
                f"unknown engine {config.engine!r}", f"engines: auto, {', '.join(ENGINES)}"
            )
        if config.engine == "server" and not config.url:
            raise UsageError("the engine `server` needs llm.url", "http://127.0.0.1:8080/v1")
        return config.engine
    if config.url:
        return "server"
    for engine, module in (("llama", "llama_cpp"), ("xllamacpp", "xllamacpp")):
        if find_spec(module) is not None:
            return engine
    raise Missing("no language model engine is installed", engine_command())


def choose_model(config: LLMConfig, models_dir: Path, memory_bytes: int, gpu_bytes: int = 0) -> str:
    """A catalogue name or a path. `auto`: the best of those on the disk that the machine carries.

    Never names a model that is not there: raises Missing with the command that gets one.
    """
    from dragtor.models import Catalogue, model_path

    if config.model != "auto":
        catalogue = Catalogue.load()
        if config.model in catalogue.models and config.model not in catalogue.names("llm"):
            known = ", ".join(catalogue.names("llm"))
            raise UsageError(f"{config.model} is no language model", f"language models: {known}")
        return config.model

    carries_large = memory_bytes >= LARGE_MEMORY_BYTES or gpu_bytes >= LARGE_GPU_BYTES
    for name in (LARGE, MEDIUM, SMALL):
        if name == LARGE and not carries_large:
            continue
        try:
            model_path(name, models_dir)
        except CorruptModel:
            raise
        except Missing:
            continue
        return name
    wanted = MEDIUM if memory_bytes >= MEDIUM_MEMORY_BYTES else SMALL
    raise Missing("no language model is on this machine", f"dragtor models pull {wanted}")


def machine() -> tuple[int, int]:
    """Memory of the machine and free memory of its NVIDIA GPUs, in bytes."""
    import psutil

    return int(psutil.virtual_memory().total), _gpu_bytes()


def _gpu_bytes() -> int:
    import shutil
    import subprocess

    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    query = [tool, "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(int(line) * 2**20 for line in done.stdout.split() if line.isdigit())
