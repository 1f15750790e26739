"""A model that is shown a picture and lists whom and what it names, by llama.cpp or a server.

Answers are JSON under a schema. Such a model may say what is not there: what stands in the picture
is decided by its words (`entities.seen`). Knows no OCR and no catalogue beyond a file's name.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from dragtor.config import LLMConfig, ModelsConfig, VisionConfig, models_path
from dragtor.errors import GenerationError, Missing, UsageError
from dragtor.llm.base import GenerationOptions, Stream
from dragtor.prompt import PICTURE_ENTITIES
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    from PIL.Image import Image

Category = Literal["person", "company"]
LISTS: dict[str, Category] = {"people": "person", "companies": "company"}
MOST_SIDE = 1600  # pixels of the longer side that a model is shown
MOST_NAMES = 60  # of a list
MOST_LETTERS = 80  # of a name
NAMES_TOKENS = 1024
PROJECTOR = "*mmproj*.gguf"  # as llama.cpp's converter names it
NAME_HINT = "--vision FILE.gguf (its mmproj beside it), http://HOST:PORT or a name in models.yml"
SERVER_HINT = "llama-server -m MODEL.gguf --mmproj PROJECTOR.gguf --port 8080"
_ITEM = re.compile(r'[\s,]*("(?:[^"\\]|\\.)*")')


class VisionModel(Protocol):
    """Lists the people and companies of a picture. One thread uses it at a time."""

    name: str

    def entities(self, picture: Image) -> list[tuple[str, Category]]:
        """Names as the model claims to read them, each once, in its order.

        Raises GenerationError where its answer holds no list, Cancelled when that is asked.
        """
        ...

    def close(self) -> None:
        """Free the memory; closing twice is harmless."""
        ...


class Eyes(Protocol):
    """An engine whose model sees."""

    name: str

    def look(self, prompt: str, picture: str, options: GenerationOptions) -> Stream:
        """Answer a prompt about a picture, which is a data: URL."""
        ...

    def close(self) -> None:
        """Free the memory; closing twice is harmless."""
        ...


def vision_config(name: str, config: VisionConfig) -> VisionConfig:
    """The settings with another model: a name, a file, or a server's address (`--vision NAME`)."""
    if not name:
        return config
    if re.match(r"https?://", name):
        return replace(config, url=name, model="")
    own = config.projector if config.model in ("", name) else ""
    return replace(config, model=name, url="", projector=own)


def open_vision(
    config: VisionConfig, llm: LLMConfig, models: ModelsConfig, cancel: CancelToken = NEVER
) -> VisionModel:
    """The model that the settings name; raises UsageError where they name none.

    Raises Missing where a file, the engine or the server is absent.
    """
    if config.url:
        from dragtor.llm.server import START_HINT, open_server

        named = replace(llm, engine="server", url=config.url, model=config.model or "auto")
        try:
            return SeeingModel(open_server(named, cancel))
        except GenerationError as error:
            error.hint = SERVER_HINT if error.hint == START_HINT else error.hint
            raise
    if not config.model:
        raise UsageError("no vision model is named", "set vision.model or vision.url")
    from dragtor.llm.xllamacpp import open_xllamacpp
    from dragtor.models import Catalogue, model_path

    folder = models_path(models)
    Catalogue.load()  # what is wrong with it is told as it is
    try:
        path = model_path(config.model, folder)
    except UsageError as error:  # its hint lists models, and those are blind
        raise UsageError(str(error), NAME_HINT) from error
    own = config.projector
    projector = model_path(own, folder) if own else projector_beside(path)
    hint = f"get {path.name} and {projector.name} again"
    return SeeingModel(open_xllamacpp(path, llm, hint, cancel=cancel, projector=projector))


def projector_beside(model: Path) -> Path:
    """The mmproj file in the folder of a model."""
    found = [path for path in sorted(model.parent.glob(PROJECTOR)) if path != model]
    if not found:
        where = f"no projector (mmproj .gguf) beside {model.name}"
        raise Missing(f"{where}: it cannot see", "put it there, or set vision.projector")
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UsageError(f"several projectors beside {model.name}: {names}", "vision.projector")
    return found[0]


class SeeingModel:
    """See VisionModel: an engine, asked with one prompt under one schema."""

    def __init__(self, eyes: Eyes) -> None:
        self.name = eyes.name
        self._eyes = eyes

    def entities(self, picture: Image) -> list[tuple[str, Category]]:
        """See VisionModel."""
        options = GenerationOptions(NAMES_TOKENS, json_schema=entities_schema())
        with self._eyes.look(PICTURE_ENTITIES, as_url(picture), options) as stream:
            return named_in("".join(stream))

    def close(self) -> None:
        """See VisionModel."""
        self._eyes.close()


def entities_schema() -> dict[str, Any]:
    """The JSON Schema of an answer."""
    name = {"type": "string", "minLength": 1, "maxLength": MOST_LETTERS}
    names = {"type": "array", "items": name, "maxItems": MOST_NAMES}
    return {
        "type": "object",
        "properties": dict.fromkeys(LISTS, names),
        "required": [*LISTS],
        "additionalProperties": False,
    }


def entities_answer(people: list[str], companies: list[str]) -> str:
    """What a model should write of these names; `named_in` reads it."""
    lists = zip(LISTS, (people, companies), strict=True)
    return json.dumps(dict(lists), ensure_ascii=False)


def named_in(answer: str) -> list[tuple[str, Category]]:
    """The names of an answer, each once; those of one that was cut off or has words around it, too.

    Raises GenerationError where there is no list.
    """
    places = {key: re.search(rf'"{key}"\s*:\s*\[', answer) for key in LISTS}
    if not any(places.values()):
        raise GenerationError("the vision model wrote no list of names", "try another model")
    found: dict[tuple[str, Category], None] = {}
    for key, place in places.items():
        for name in _items(answer, place.end()) if place else ():
            found[name, LISTS[key]] = None
    return list(found)


def _items(answer: str, at: int) -> Iterator[str]:
    """The texts of a JSON list that begins at `at`, as far as it goes."""
    while item := _ITEM.match(answer, at):
        try:
            name = json.loads(item[1], strict=False)
        except ValueError:  # an escape that is none
            name = item[1][1:-1]
        if name := " ".join(name.split()):
            yield name
        at = item.end()


def as_url(picture: Image) -> str:
    """A picture as a data: URL: PNG, no side longer than a model needs."""
    small = picture.convert("RGB")
    small.thumbnail((MOST_SIDE, MOST_SIDE))
    held = io.BytesIO()
    small.save(held, "PNG")
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()
