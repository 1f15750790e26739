"""OpenAI's protocol, held to the official client over a real server with real models."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import numpy as np
import openai
import pytest
from markdown_it import MarkdownIt
from serving import Served, serving
from tiny import QUESTION, UNKNOWN, left, server_of, tiny, wait_until

from dragtor import Library, load_config
from dragtor.chat import prose, recalled_turns
from dragtor.prompt import NOT_IN_SOURCES
from dragtor.schema import ANSWER_SCHEMA, answer_json
from dragtor.serve import openai_shapes as shapes
from dragtor.serve.openai_shapes import RefusedRequest
from dragtor.types import Answer, Citation, Claim


def cited(n: int, quote: str, title: str = "Pulleys", url: str = "https://e.org/a") -> Citation:
    return Citation(n, quote, f"doc{n}", 0, len(quote), title, url)


def said(*claims: Claim, **more: Any) -> dict[str, Any]:
    citations = (cited(1, "Rest six weeks."), cited(2, "Tape does\nnot help."))
    made = Answer(QUESTION, "text", True, claims, citations, model="m", **more)
    return answer_json(made)


# Shapes


def test_markers_are_annotated() -> None:
    answer = said(Claim("Rest six weeks.", (1,)), Claim("Tape [3] is no help.", (1, 2)))
    text, annotations = shapes.markdown_of(answer)
    assert text.startswith("Rest six weeks. [1] Tape \\[3\\] is no help. [1] [2]\n\n> [1] “Rest")
    assert text.endswith("> [2] “Tape does not help.”  \n> [Pulleys](<https://e.org/a>)")
    spans = [a["url_citation"] for a in annotations]
    assert [text[s["start_index"] : s["end_index"]] for s in spans] == ["[1]", "[1]", "[2]"]
    assert {a["type"] for a in annotations} == {"url_citation"}
    assert {(s["title"], s["url"]) for s in spans} == {("Pulleys", "https://e.org/a")}


def test_quotes_are_annotated() -> None:
    answer = said(Claim("Rest six weeks.", (1,)), Claim("Tape does not help.", (2,)))
    text, annotations = shapes.markdown_of(answer | {"model": ""})
    spans = [a["url_citation"] for a in annotations]
    cut = [text[s["start_index"] : s["end_index"]] for s in spans]
    assert cut == ["Rest six weeks.", "Tape does not help."]
    assert text.startswith("> [1] “Rest six weeks.”")


def test_a_caution_comes_first_and_a_refusal_names_what_is_nearest() -> None:
    text, _ = shapes.markdown_of(said(Claim("Rest.", (1,)), caution="Go to a doctor."))
    assert text.startswith("**Go to a doctor.**\n\nRest. [1]\n\n")
    refused = Answer(
        QUESTION, NOT_IN_SOURCES, False, nearest=cited(1, "Nine hours."), why_not="says 9, not 6"
    )
    text, annotations = shapes.markdown_of(answer_json(refused))
    assert text.startswith(f"{NOT_IN_SOURCES} It says 9, not 6. Nearest:\n\n> [1] “Nine hours.”")
    assert annotations == []
    bare = Answer(QUESTION, NOT_IN_SOURCES, False)
    assert shapes.markdown_of(answer_json(bare)) == (NOT_IN_SOURCES, [])


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://evil.example/?q=1)",
        "[[x]](http://evil.example/)",
        "[x][y]\n\n[y]: http://evil.example/",
        "<img src=x onerror=alert(1)>",
        "<http://evil.example/>",
        "`` [x](http://evil.example) ``",
        "\\[x](http://evil.example/)",
        "<!-- a -->",
    ],
)
def test_what_a_page_says_brings_no_picture_link_or_tag(text: str) -> None:
    answer = Answer("q", "a", True, (Claim(text, (1,)),), (cited(1, text, text),), model="m")
    shown, _ = shapes.markdown_of(answer_json(answer))
    html = MarkdownIt("commonmark").render(shown)
    assert re.findall(r'(?:href|src)="([^"]*)"', html) == ["https://e.org/a"]
    assert set(re.findall(r"<(\w+)", html)) <= {"p", "blockquote", "a", "br"}


def test_addresses_stay_one_link() -> None:
    url = "file:///a b/<c>.md#:~:text=x"
    answer = Answer("q", "a", True, (Claim("A", (1,)),), (cited(1, "A", "T", url),))
    shown, _ = shapes.markdown_of(answer_json(answer))
    assert shown.endswith("[T](<file:///a%20b/%3Cc%3E.md#:~:text=x>)")


def test_an_answer_comes_back_as_what_it_said() -> None:
    answer = said(Claim("Rest [six] weeks.", (1,)), Claim("No tape.", (1, 2)))
    assert shapes.said_of(shapes.markdown_of(answer)[0]) == "Rest [six] weeks. No tape."
    quotes = shapes.markdown_of(answer | {"model": ""})[0]
    assert shapes.said_of(quotes) == "Rest six weeks. Tape does not help."
    assert shapes.said_of("Anybody's\n\nanswer.") == "Anybody's answer."


def test_history_is_of_answered_questions() -> None:
    messages = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "dropped"},
        {"role": "user", "content": [{"type": "text", "text": "Does tape help?"}]},
        {"role": "assistant", "content": "No. [1]\n\n> [1] “No.”  \n> [T](<u>)"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "content": "x", "tool_call_id": "1"},
        {"role": "user", "content": "why?"},
    ]
    asked = shapes.chat_request({"model": "dragtor-quotes", "messages": messages})
    assert asked.args == {
        "question": "why?",
        "quotes": True,
        "history": [["Does tape help?", "No."]],
        "keep": False,
    }
    assert not asked.stream


def test_recalled_turns_stand_alone_and_cite_nothing() -> None:
    turns = recalled_turns(
        [("Does tape help a pulley?", "No."), ("why?", "It slips.")], load_config().chat
    )
    assert [turn.query for turn in turns] == [
        "Does tape help a pulley?",
        "Does tape help a pulley? why?",
    ]
    assert [prose(turn.answer) for turn in turns] == ["No.", "It slips."]
    assert {c.document_id for turn in turns for c in turn.answer.citations} == {""}


@pytest.mark.parametrize(
    ("change", "param", "status"),
    [
        ({"model": "gpt-4o"}, "model", 404),
        ({"model": None}, "model", 404),
        ({"messages": []}, "messages", 400),
        ({"messages": "hi"}, "messages", 400),
        ({"messages": ["hi"]}, "messages", 400),
        ({"messages": [{"role": "user", "content": " "}]}, "messages", 400),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages", 400),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages[0].content",
            400,
        ),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", 400),
        ({"n": 2}, "n", 400),
        ({"logprobs": True}, "logprobs", 400),
        ({"response_format": {"type": "json_object"}}, "response_format", 400),
        ({"tool_choice": "required"}, "tool_choice", 400),
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, Any], param: str, status: int) -> None:
    body = {"model": "dragtor", "messages": [{"role": "user", "content": "q"}]}
    with pytest.raises(RefusedRequest) as caught:
        shapes.chat_request(body | change)
    assert (caught.value.param, caught.value.status) == (param, status)


@pytest.mark.parametrize("given", [None, [], "", " ", ["a", ""], [1, 2], [[1]], ["a"] * 2049, {}])
def test_texts_to_embed_must_be_texts(given: object) -> None:
    with pytest.raises(RefusedRequest, match="input"):
        shapes.embedded_texts({"input": given})


def test_errors_have_openais_shape() -> None:
    told = {"code": "missing", "message": "no model", "hint": "dragtor models pull x", "exit": 4}
    assert shapes.openai_error_json(told, shapes.status_of(told)) == {
        "error": {
            "message": "no model (try: dragtor models pull x)",
            "type": "server_error",
            "param": None,
            "code": "missing",
            "hint": "dragtor models pull x",
            "exit": 4,
        }
    }
    assert shapes.status_of({"code": "unheard_of"}) == 500


# Over a server


_CLIENTS: list[openai.OpenAI] = []  # of the test that runs: each keeps a connection


def openai_client(served: Served, key: str = "", **more: Any) -> openai.OpenAI:
    """The official client; it is closed with the test."""
    made = openai.OpenAI(base_url=f"{served.url}/v1", api_key=key or served.token, **more)
    _CLIENTS.append(made)
    return made


@pytest.fixture(autouse=True)
def _closed_clients() -> Iterator[None]:
    yield
    while _CLIENTS:
        _CLIENTS.pop().close()


@pytest.fixture(scope="module")
def served(sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served") / "library"
    shutil.copytree(sample_library, folder)
    with serving(folder, tiny()) as found:
        yield found


def asked(question: str, *before: str) -> list[Any]:
    roles = ["user", "assistant"] * len(before)
    said = [{"role": role, "content": text} for role, text in zip(roles, before, strict=False)]
    return [*said, {"role": "user", "content": question}]


def check_whole(content: str, annotations: list[Any], answer: dict[str, Any]) -> None:
    """Content, annotations and the object of dragtor say the same."""
    jsonschema.validate(answer, ANSWER_SCHEMA)
    assert (content, annotations) == shapes.markdown_of(answer)
    for each in annotations:
        spot = each["url_citation"]
        cut = content[spot["start_index"] : spot["end_index"]]
        assert spot["url"] in {c["url"] for c in answer["citations"]}
        assert re.fullmatch(r"\[\d+\]", cut) or cut in {
            shapes.markdown_text(c["quote"]) for c in answer["citations"]
        }


def test_models(served: Served) -> None:
    client = openai_client(served)
    assert [model.id for model in client.models.list()] == ["dragtor", "dragtor-quotes"]
    assert client.models.retrieve("dragtor").owned_by == "dragtor"
    with pytest.raises(openai.NotFoundError, match="there is no model 'gpt-4o'"):
        client.models.retrieve("gpt-4o")


def test_a_wrong_key_is_refused(served: Served) -> None:
    with pytest.raises(openai.AuthenticationError):
        openai_client(served, "x").models.list()


@pytest.mark.parametrize("model", ["dragtor", "dragtor-quotes"])
def test_an_answer_at_once(served: Served, model: str) -> None:
    made = openai_client(served).chat.completions.create(model=model, messages=asked(QUESTION))
    message: Any = made.choices[0].message
    answer: dict[str, Any] = made.dragtor  # type: ignore[attr-defined]
    assert (made.model, made.object, made.choices[0].finish_reason) == (
        model,
        "chat.completion",
        "stop",
    )
    check_whole(message.content, [a.model_dump() for a in message.annotations], answer)
    assert made.usage is not None
    if model == "dragtor-quotes":
        assert answer["grounded"]
        assert made.usage.total_tokens == 0
        assert message.annotations
    else:
        assert made.usage.prompt_tokens > 100
        assert made.usage.completion_tokens > 0
        assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens


@pytest.mark.parametrize("model", ["dragtor", "dragtor-quotes"])
def test_an_answer_as_it_grows(served: Served, model: str) -> None:
    chunks: list[Any] = list(
        openai_client(served).chat.completions.create(
            model=model,
            messages=asked(QUESTION),
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    *pieces, last = chunks
    assert last.choices == []
    assert last.usage is not None
    assert len({chunk.id for chunk in chunks}) == 1
    assert pieces[0].choices[0].delta.role == "assistant"
    assert [p.choices[0].finish_reason for p in pieces[:-1]] == [None] * (len(pieces) - 1)
    end = pieces[-1]
    assert end.choices[0].finish_reason == "stop"
    content = "".join(p.choices[0].delta.content or "" for p in pieces)
    check_whole(content, getattr(end.choices[0].delta, "annotations", []), end.dragtor)
    early = next(p.dragtor for p in pieces if hasattr(p, "dragtor"))
    assert early["citations"]
    assert early["citations"][0]["quote"] in {c["quote"] for c in early["citations"]}


def test_a_caution_opens_the_stream(served: Served) -> None:
    question = "My finger is numb and cold after the fall, can I climb?"
    chunks: list[Any] = list(
        openai_client(served).chat.completions.create(
            model="dragtor-quotes", messages=asked(question), stream=True
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    answer = chunks[-1].dragtor
    assert text == shapes.markdown_of(answer)[0]
    assert text.startswith(f"**{answer['caution']}**")


def test_the_clients_own_stream_gathers_it(served: Served) -> None:
    client = openai_client(served)
    with client.chat.completions.stream(model="dragtor-quotes", messages=asked(QUESTION)) as stream:
        for _ in stream:
            pass
        message: Any = stream.get_final_completion().choices[0].message
    assert message.content.startswith("> [1] “")
    assert [a.url_citation.url for a in message.annotations]


def test_what_is_not_in_the_sources_is_refused(served: Served) -> None:
    made = openai_client(served).chat.completions.create(model="dragtor", messages=asked(UNKNOWN))
    answer: dict[str, Any] = made.dragtor  # type: ignore[attr-defined]
    assert not answer["grounded"]
    content = made.choices[0].message.content or ""
    assert content.startswith(NOT_IN_SOURCES)
    assert made.choices[0].message.annotations == []


def test_a_follow_up_is_understood(served: Served) -> None:
    client = openai_client(served)

    def quotes(*messages: str) -> dict[str, Any]:
        made: Any = client.chat.completions.create(
            model="dragtor-quotes", messages=asked(*messages)
        )
        found: dict[str, Any] = made.dragtor
        return found

    first = client.chat.completions.create(
        model="dragtor-quotes", messages=asked("What helps golfer's elbow?")
    )
    before = ("What helps golfer's elbow?", first.choices[0].message.content or "")
    assert quotes("how long?", *before)["question"] == "how long?"
    titles = {c["title"] for c in quotes("how long?", *before)["citations"]}
    assert any("lbow" in title for title in titles)


def test_filters_narrow(served: Served) -> None:
    with server_of(served).library() as library:
        source = library.sources()[0]
    made: Any = openai_client(served).chat.completions.create(
        model="dragtor-quotes",
        messages=asked(QUESTION),
        extra_body={"filters": {"after": "2999"}},
    )
    assert not made.dragtor["grounded"]
    with pytest.raises(openai.BadRequestError, match="no date"):
        openai_client(served).chat.completions.create(
            model="dragtor-quotes",
            messages=asked(QUESTION),
            stream=True,
            extra_body={"filters": {"after": "soon", "source": source.id}},
        )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_request(served: Served, body: bytes) -> None:
    headers = {"authorization": f"Bearer {served.token}"}
    for path in ("chat/completions", "embeddings"):
        answer = httpx.post(f"{served.url}/v1/{path}", content=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert answer.headers["x-should-retry"] == "false"


def test_a_body_too_large_or_never_sent(served: Served) -> None:
    headers = {"authorization": f"Bearer {served.token}"}
    answer = httpx.post(
        f"{served.url}/v1/embeddings",
        content=(b"x" * 100_000 for _ in range(20)),
        headers=headers,
    )
    assert answer.status_code == 413
    assert "too large" in answer.json()["error"]["message"]


def test_no_library_and_no_model_are_told(
    sample_library: Path, tmp_path: Path, own_folders: Path
) -> None:
    with (
        serving(tmp_path / "none", tiny()) as served,
        pytest.raises(openai.APIStatusError, match="there is no library") as caught,
    ):
        openai_client(served).chat.completions.create(model="dragtor", messages=asked(QUESTION))
    assert caught.value.status_code == 503
    shutil.copytree(sample_library, own_folders)
    config = tiny()
    lacking = replace(config, llm=replace(config.llm, model="llama-3.1-8b"))
    with serving(own_folders, lacking) as served:
        quotes = list(
            openai_client(served).chat.completions.create(
                model="dragtor-quotes", messages=asked(QUESTION), stream=True
            )
        )
        assert quotes
        stream = openai_client(served).chat.completions.create(
            model="dragtor", messages=asked(QUESTION), stream=True
        )
        with pytest.raises(openai.APIError, match="dragtor models pull"):  # after the quotes
            list(stream)


@pytest.mark.parametrize("stream", [True, False])
def test_hanging_up_ends_the_generation(
    sample_library: Path, own_folders: Path, stream: bool
) -> None:
    shutil.copytree(sample_library, own_folders)
    config = tiny()
    config = replace(config, llm=replace(config.llm, answer_tokens=1000, temperature=1.0))
    with serving(own_folders, config) as served:
        client = openai_client(served, max_retries=0)
        client.chat.completions.create(model="dragtor-quotes", messages=asked(QUESTION))
        wait_until(lambda: not left(served))
        body = {"model": "dragtor", "messages": asked(QUESTION), "stream": stream}
        headers = {"authorization": f"Bearer {served.token}"}
        url = f"{served.url}/v1/chat/completions"
        with httpx.Client(timeout=60) as http:
            if stream:
                with http.stream("POST", url, json=body, headers=headers) as answer:
                    next(answer.iter_lines())
            else:
                with pytest.raises(httpx.ReadTimeout):
                    http.post(url, json=body, headers=headers, timeout=0.3)
        wait_until(lambda: not left(served))  # it was running, and is over and forgotten
        assert not [t for t in threading.enumerate() if t.name.startswith("job ")]


def test_nothing_is_kept(served: Served) -> None:
    wait_until(lambda: not left(served))
    with Library(server_of(served).path) as library:
        assert library.history() == []


# Vectors


def test_vectors_are_the_librarys_own(served: Served) -> None:
    texts = ["Rest an A2 pulley.", "Bach wrote fugues."]
    client = openai_client(served)
    made = client.embeddings.create(model="dragtor", input=texts)  # asks for base64, by itself
    plain = client.embeddings.create(model=made.model, input=texts, encoding_format="float")
    with Library(server_of(served).path, config=server_of(served).config) as library:
        own = library.embedder.embed_queries(texts)
    assert [row.index for row in made.data] == [0, 1]
    np.testing.assert_allclose([row.embedding for row in made.data], own, atol=1e-6)
    np.testing.assert_allclose([row.embedding for row in plain.data], own, atol=1e-6)
    assert made.usage.prompt_tokens == made.usage.total_tokens > 8
    one = client.embeddings.create(model="dragtor", input=texts[0], dimensions=own.shape[1])
    np.testing.assert_allclose(one.data[0].embedding, own[0], atol=1e-6)
    long = client.embeddings.create(model="dragtor", input="pulley " * 5000)
    assert len(long.data[0].embedding) == own.shape[1]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"model": "text-embedding-3-small"}, openai.NotFoundError),
        ({"dimensions": 7}, openai.BadRequestError),
        ({"input": []}, openai.BadRequestError),
        ({"input": [[1, 2]]}, openai.BadRequestError),
        ({"encoding_format": "int8"}, openai.BadRequestError),
    ],
)
def test_vectors_that_are_not_to_be_had(
    served: Served, given: dict[str, Any], kind: type[openai.APIStatusError]
) -> None:
    with pytest.raises(kind):
        openai_client(served).embeddings.create(**{"model": "dragtor", "input": "a", **given})


def test_hanging_up_ends_the_embedding(served: Served) -> None:
    texts = [f"pulley {n} " + "rest " * 200 for n in range(600)]
    with pytest.raises(openai.APITimeoutError):
        openai_client(served, max_retries=0, timeout=1.0).embeddings.create(
            model="dragtor", input=texts
        )
    begun = time.perf_counter()
    openai_client(served).embeddings.create(model="dragtor", input="a")
    assert time.perf_counter() - begun < 5
