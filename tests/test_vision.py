"""A vision model by name: llama.cpp and servers, what it answers, and what of that counts.

llama.cpp runs a real small model behind a projector with random weights (tiny_gguf.py); the server
is llama.cpp's own over TCP, or a loopback one that says what a test wants.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fakes import ListTagger, Notes
from tiny_gguf import write_projector
from typer.testing import CliRunner

from dragtor import Library
from dragtor.cli import app
from dragtor.config import LLMConfig, ModelsConfig, VisionConfig, load_config, models_path
from dragtor.entities import find_entities, last_said, names_in_text
from dragtor.errors import Cancelled, GenerationError, Missing, UsageError
from dragtor.llm.base import GenerationOptions
from dragtor.llm.vision import (
    LISTS,
    MOST_SIDE,
    as_url,
    entities_answer,
    entities_schema,
    named_in,
    open_vision,
    projector_beside,
    vision_config,
)
from dragtor.models import model_path
from dragtor.prompt import PICTURE_ENTITIES
from dragtor.types import CancelToken, Document, LabelledSpan

SMALL = "smollm2-135m"
WIDTH = 576  # of its states
LLM = LLMConfig(context_tokens=1024, threads=1, gpu_layers=0, timeout_s=60)
MAIL = "From: Ana Ek <ana@zeta.example>\nHello Bo,\nlunch with Zeta Robotics?\nAna\n"


def picture(colour: str = "white", size: tuple[int, int] = (60, 40)) -> Any:
    return pytest.importorskip("PIL.Image").new("RGB", size, colour)


# What a model writes


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ('{"people": ["Ana Ek", "Bo"], "companies": ["Zeta"]}',
         [("Ana Ek", "person"), ("Bo", "person"), ("Zeta", "company")]),
        ('Sure!\n```json\n{"people" : [ "Ana" ],\n"companies":[]}\n```', [("Ana", "person")]),
        ('{"people": ["Ana", "Ana", " Ana\\n"], "companies": ["Ana"]}',
         [("Ana", "person"), ("Ana", "company")]),
        ('{"people": ["Zo\\u00eb \\"Z\\" Ek", "Bo L', [('Zoë "Z" Ek', "person")]),
        ('{"companies": ["A\\x"]}', [("A\\x", "company")]),
        ('{"people": [], "companies": []}', []),
        ('{"people": [{"name": "Ana"}]}', []),
    ],
)  # fmt: skip
def test_names_are_read_out_of_an_answer(answer: str, named: list[tuple[str, str]]) -> None:
    assert named_in(answer) == named


@pytest.mark.parametrize("answer", ["", "I see two people.", "[]", '{"people": "Ana"}'])
def test_an_answer_without_a_list_is_told(answer: str) -> None:
    with pytest.raises(GenerationError, match="no list of names"):
        named_in(answer)


def test_what_training_teaches_keeps_to_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    answer = entities_answer(["Zoë <image>"], [])
    jsonschema.validate(json.loads(answer), entities_schema())
    assert named_in(answer) == [("Zoë <image>", "person")]
    assert all(f'"{key}"' in PICTURE_ENTITIES for key in LISTS)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"people": [1], "companies": []}, entities_schema())


def test_a_picture_is_sent_as_png_no_larger_than_needed() -> None:
    image = pytest.importorskip("PIL.Image")
    wide = image.new("RGBA", (4000, 1000), (255, 0, 0, 128))
    head, _, data = as_url(wide).partition(",")
    assert head == "data:image/png;base64"
    assert image.open(io.BytesIO(base64.b64decode(data))).size == (MOST_SIDE, MOST_SIDE // 4)
    assert wide.size == (4000, 1000)


# What of it counts


@pytest.mark.parametrize(
    ("name", "category", "found"),
    [
        ("Ana Ek", "person", ["Ana Ek"]),
        ("ana  ek", "person", ["Ana Ek"]),
        ("Ana", "person", ["Ana", "Ana"]),
        ("An", "person", []),
        ("Zeta Robotics", "company", ["Zeta\nRobotics"]),
        ("Conan O'Brien", "person", ["O’Brien, Conan"]),
        ("Robotics Zeta", "company", []),
        ("Nobody", "person", []),
        ("", "person", []),
        ("!!", "company", []),
        (".*", "person", []),
    ],
)
def test_only_what_the_text_holds_counts(name: str, category: str, found: list[str]) -> None:
    text = "Ana Ek and Ana of Zeta\nRobotics met O’Brien, Conan"
    seen = names_in_text(text, [(name, category)])
    assert [text[span.start : span.end] for span in seen.spans] == found
    assert seen.dropped == (not found)


def test_of_names_that_overlap_the_longest_stays() -> None:
    seen = names_in_text("Ana Ek, Ek AG, Ana", [("Ek", "person"), ("Ana", "person"),
                         ("Ana Ek", "person"), ("Ek AG", "company"), ("Bo", "person")])  # fmt: skip
    assert [(s.start, s.end, s.label) for s in seen.spans] == [
        (0, 6, "person"), (8, 13, "organisation"), (15, 18, "person"),
    ]  # fmt: skip
    assert seen.dropped == 1


def test_what_is_seen_comes_last_and_adds_to_what_rules_say() -> None:
    document = Document("d", "", "file", "", MAIL)
    asked: list[str] = []

    def seen() -> tuple[LabelledSpan, ...]:
        asked.append("seen")
        names = [("Bo", "person"), ("Zeta Robotics", "company"), ("Ana", "person")]
        return names_in_text(MAIL, names).spans

    plain = last_said(find_entities(document))
    stream = find_entities(document, ListTagger({"nobody": "person"}).tag, seen)
    assert next(stream).name == "Ana Ek"
    assert asked == []
    found = last_said([plain[0], *stream])
    assert asked == ["seen"]
    assert {(e.name, e.category) for e in found} == {
        ("Ana Ek", "person"), ("Bo", "person"), ("Zeta Robotics", "company"),
    }  # fmt: skip
    assert all(MAIL[m.start : m.end] == m.text for e in found for m in e.mentions)
    assert last_said(find_entities(document, None, lambda: ())) == plain


# Which model


def test_off_by_default_and_chosen_by_name_or_address() -> None:
    config = VisionConfig()
    assert load_config().vision == config
    assert vision_config("", config) == config
    assert vision_config("http://x:1/v1", VisionConfig("m", "p")).url == "http://x:1/v1"
    assert vision_config("a.gguf", VisionConfig("b.gguf", "b", "http://x")) == VisionConfig(
        "a.gguf"
    )
    assert vision_config("a.gguf", VisionConfig("", "p")) == VisionConfig("a.gguf", "p")
    with pytest.raises(UsageError, match="no vision model"):
        open_vision(config, LLM, ModelsConfig())
    with pytest.raises(UsageError, match="unknown model 'seer'") as unknown:
        open_vision(VisionConfig("seer"), LLM, ModelsConfig())
    assert "mmproj" in unknown.value.hint  # not the names of models that are blind


def test_a_projector_is_found_beside_its_model(tmp_path: Path) -> None:
    model = tmp_path / "see.gguf"
    model.write_bytes(b"GGUF")
    with pytest.raises(Missing, match=r"no projector .* beside see\.gguf"):
        projector_beside(model)
    one = tmp_path / "mmproj-see-f16.gguf"
    one.write_bytes(b"GGUF")
    assert projector_beside(model) == one
    other = tmp_path / "see.mmproj.gguf"
    other.write_bytes(b"GGUF")
    with pytest.raises(UsageError, match="several projectors"):
        projector_beside(model)


def test_a_model_is_had_by_a_name_of_ones_own(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    for path, name in zip(pair, ("see.gguf", "mmproj-see.gguf"), strict=True):
        place = tmp_path / "models" / "seer" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)
        files.append({"name": name, "bytes": path.stat().st_size, "sha256": "0" * 64})
    told = {"seer": {"kind": "llm", "licence": "MIT", "files": files}}
    (tmp_path / "models.yml").write_text(json.dumps(told))
    (tmp_path / "params.yml").write_text("vision: {model: seer}\n")
    monkeypatch.setenv("DRAGTOR_CONFIG", str(tmp_path / "params.yml"))
    found = open_vision(load_config().vision, LLM, ModelsConfig(str(tmp_path / "models")))
    assert found.name == "see"
    found.close()
    with pytest.raises(Missing, match="not installed"):
        open_vision(VisionConfig("seer"), LLM, ModelsConfig(str(tmp_path)))


# llama.cpp


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small language model, and a way for it to see."""
    pytest.importorskip("xllamacpp")
    model = model_path(SMALL, models_path(ModelsConfig()))
    projector = tmp_path_factory.mktemp("eyes") / "mmproj.gguf"
    write_projector(projector, WIDTH)
    return model, projector


@pytest.fixture(scope="module")
def reader(pair: tuple[Path, Path]) -> Iterator[Any]:
    model, projector = pair
    found = open_vision(VisionConfig(str(model), str(projector)), LLM, ModelsConfig())
    yield found
    found.close()


def test_llama_cpp_shows_the_model_the_picture(reader: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("dragtor.llm.vision.NAMES_TOKENS", 60)
    said = set()
    for colour in ("white", "red", "black", "blue"):
        seen = reader._eyes.look("Which colour?", as_url(picture(colour)), GenerationOptions(8))
        said.add("".join(seen))
        assert seen.prompt_tokens > 16  # of the picture's patches
    assert len(said) > 1  # nothing else differs
    named = reader.entities(picture())
    assert all(category in LISTS.values() for _, category in named)
    assert reader.name == model_path(SMALL, models_path(ModelsConfig())).stem


def test_the_answer_keeps_to_the_schema(reader: Any) -> None:
    name = {"type": "string", "minLength": 1, "maxLength": 8}
    names = {"type": "array", "items": name, "maxItems": 2}
    schema = {**entities_schema(), "properties": dict.fromkeys(LISTS, names)}
    options = GenerationOptions(200, json_schema=schema)
    answer = "".join(reader._eyes.look(PICTURE_ENTITIES, as_url(picture()), options))
    assert list(json.loads(answer)) == [*LISTS]


def test_a_projector_of_another_model_or_none_is_one_line(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    model, _ = pair
    other = tmp_path / "mmproj-other.gguf"
    for write in (lambda: write_projector(other, 64), lambda: other.write_bytes(b"GGUFno")):
        write()
        with pytest.raises(Missing) as caught:
            open_vision(VisionConfig(str(model), str(other)), LLM, ModelsConfig())
        assert "\n" not in str(caught.value)
        assert other.name in caught.value.hint


def test_llama_cpps_own_server_is_asked_the_same(pair: tuple[Path, Path]) -> None:
    import xllamacpp

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    params = xllamacpp.CommonParams()
    params.model.path, params.mmproj.path = map(str, pair)
    params.mmproj_use_gpu = False
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_ctx, params.n_gpu_layers, params.verbosity = 1024, 0, -1
    params.n_batch = params.n_ubatch = 512
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup, params.ui = False, False
    server = xllamacpp.Server(params)
    found = open_vision(VisionConfig(url=f"http://127.0.0.1:{port}"), LLM, ModelsConfig())
    schema = {"type": "object", "properties": {"people": {"type": "array", "maxItems": 0}},
              "required": ["people"]}  # fmt: skip
    options = GenerationOptions(30, json_schema=schema)
    answer = "".join(found._eyes.look(PICTURE_ENTITIES, as_url(picture()), options))  # type: ignore[attr-defined]
    assert named_in(answer) == []
    found.close()
    del server


# A server


class Seer:
    """A loopback server with one vision model, which answers what it is told to."""

    def __init__(self, answer: str, wait: threading.Event | None = None) -> None:
        self.bodies: list[dict[str, Any]] = []
        seer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                models = {"data": [{"id": "seer-7b"}]} if self.path == "/v1/models" else {}
                self._reply(200 if models else 404, json.dumps(models))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path != "/v1/chat/completions":
                    return self._reply(404, "{}")
                seer.bodies.append(body)
                if wait:
                    wait.wait(20)
                chunks = [{"delta": {"content": answer}}, {"delta": {}, "finish_reason": "stop"}]
                lines = [f"data: {json.dumps({'choices': [chunk]})}\n\n" for chunk in chunks]
                self._reply(200, "".join(lines) + "data: [DONE]\n\n")

            def _reply(self, code: int, text: str) -> None:
                data = text.encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self) -> Seer:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_a_server_is_shown_the_picture_under_a_schema() -> None:
    with Seer('{"people": ["Ana"], "companies": []}') as seer:
        model = open_vision(VisionConfig(url=seer.url), LLM, ModelsConfig())
        assert model.entities(picture()) == [("Ana", "person")]
        assert model.name == "seer-7b"
        model.close()
        model.close()
    (body,) = seer.bodies
    shown, asked = body["messages"][0]["content"]
    assert shown["image_url"]["url"].startswith("data:image/png;base64,")
    assert asked == {"type": "text", "text": PICTURE_ENTITIES}
    assert body["response_format"]["json_schema"]["schema"] == entities_schema()
    assert body["model"] == "seer-7b"


def test_a_server_that_is_not_there_or_says_no_json_is_one_line() -> None:
    with Seer("I see nobody.") as seer:
        model = open_vision(VisionConfig("own", url=seer.url), LLM, ModelsConfig())
        with pytest.raises(GenerationError, match="no list of names"):
            model.entities(picture())
        model.close()
        assert seer.bodies[0]["model"] == "own"
    with pytest.raises(GenerationError, match="no server answers") as refused:
        open_vision(VisionConfig(url=seer.url), LLM, ModelsConfig())
    assert "--mmproj" in refused.value.hint


def test_a_server_that_thinks_is_left_when_that_is_asked() -> None:
    hold, token = threading.Event(), CancelToken()
    with Seer("{}", hold) as seer:
        model = open_vision(VisionConfig(url=seer.url), LLM, ModelsConfig(), token)
        threading.Timer(0.3, token.cancel).start()
        with pytest.raises(Cancelled):
            model.entities(picture())
        hold.set()
        model.close()


# Whole


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """A picture of a mail, whose words the real OCR reads."""
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("faster_paddle")
    from PIL import ImageDraw, ImageFont

    drawn = image.new("RGB", (900, 420), "white")
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(30)
    for n, line in enumerate(MAIL.splitlines()):
        pen.text((40, 40 + 80 * n), line, "black", font)
    path = tmp_path / "mail.png"
    drawn.save(path)
    return path


ANSWER = entities_answer(["Ana Ek", "Bo", "Napoleon"], ["Zeta Robotics", "Acme"])


def open_library(folder: Path, url: str = "", **told: Any) -> Library:
    config = replace(load_config(), vision=VisionConfig(url=url))
    library = Library(folder / "lib", config=config, **told)
    vars(library)["tagger"] = ListTagger({"nobody": "person"})  # the model alone is at work
    return library


def test_names_that_the_picture_lacks_are_left_out_and_counted(tmp_path: Path, mail: Path) -> None:
    notes = Notes()
    with Seer(ANSWER) as seer, open_library(tmp_path, reporter=notes) as library:
        without = {e.name for e in last_said(library.extract_entities(mail))}
        assert seer.bodies == []
        found = last_said(library.extract_entities(mail, seer.url))
        names = {(e.name, e.category) for e in found}
        assert names >= {("Ana Ek", "person"), ("Bo", "person"), ("Zeta Robotics", "company")}
        assert without <= {name for name, _ in names}
        assert not {"Napoleon", "Acme"} & {name for name, _ in names}
        assert all(mention.box for entity in found for mention in entity.mentions)
        assert notes.notes == [
            "2 of 5 names that seer-7b gave are not among the picture's words: left out"
        ]
        with pytest.raises(UsageError, match="looks at pictures only"):
            list(library.extract_entities(MAIL, seer.url))
    with Seer(ANSWER) as seer, open_library(tmp_path, seer.url) as library:
        assert {e.name for e in library.extract_entities(mail)} >= {"Bo"}
        list(library.extract_entities(MAIL))  # a text is no picture: it is not asked
        assert len(seer.bodies) == 1


def test_the_command_takes_a_model_by_name(tmp_path: Path, mail: Path) -> None:
    with Seer(ANSWER) as seer:
        place = ["--library", str(tmp_path / "lib"), "extract", "entities", str(mail)]
        shown = CliRunner().invoke(app, [*place, "--vision", seer.url, "--json"])
        assert shown.exit_code == 0, shown.output
        assert "Zeta Robotics" in shown.stdout
        assert "Napoleon" not in shown.stdout
        assert "2 of 5 names" in shown.stderr
    absent = CliRunner().invoke(app, [*place, "--vision", str(tmp_path / "none.gguf")])
    assert isinstance(absent.exception, Missing)
    assert "no model file" in str(absent.exception)
