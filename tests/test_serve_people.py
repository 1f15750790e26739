"""People over HTTP and as tasks: real libraries, pictures that are drawn here, a real server."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from serving import Reply, Served, serving
from test_serve_seed import PATIENCE_S, library_of_gravelle, mail, png
from websockets.asyncio.client import connect

from dragtor import schema
from dragtor.errors import LoadError, UsageError
from dragtor.serve.journal import JobEvent
from dragtor.serve.pictures import picture_png
from dragtor.serve.uploads import picture_size

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
API = "/api/v1"
WANTED = {"name": "Yves Gravelle", "category": "person", "context": ["Halden"]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(*library_of_gravelle(tmp_path_factory.mktemp("people"))) as found:
        yield found


def send(served: Served, name: str, data: bytes) -> str:
    reply = served.ask("PUT", f"{API}/uploads/{name}", data)
    assert reply.status == 201, reply.body
    return str(reply.json["upload"])


def followed(served: Served, task: str, **args: Any) -> list[JobEvent]:
    """All events of a job."""
    assert served.server
    jobs, job = served.server.jobs, f"j{len(served.server.jobs.rows())}"
    jobs.start(job, task, args, "me")

    async def all_of_it() -> list[JobEvent]:
        async with asyncio.timeout(PATIENCE_S):
            return [event async for event in jobs.follow(job)]

    return asyncio.run(all_of_it())


def items(events: Sequence[JobEvent], kind: str) -> list[Any]:
    found = [event.data for event in events if event.type == "item"]
    return [each["value"] for each in found if each["kind"] == kind]


def refused(reply: Reply, status: int) -> str:
    Draft202012Validator(schema.ERROR_SCHEMA).validate(reply.json)
    assert reply.status == status, reply.body
    return str(reply.json["message"])


# Who is in a picture


def test_entities_of_a_picture_come_with_boxes(served: Served) -> None:
    upload = send(served, "mail.png", mail("Ann Lee", "Yves Gravelle"))
    events = followed(served, "entities", upload=upload)
    assert events[-1].type == "done", events[-1].data
    (picture,) = items(events, "picture")
    assert picture == {"size": [[900, 120]], "turned": []}
    result = events[-1].data["result"]
    assert result["size"] == [[900, 120]]
    Draft202012Validator(schema.FOUND_ENTITIES_SCHEMA).validate({"entities": result["entities"]})
    told = items(events, "entity")
    assert [each["name"] for each in result["entities"]] == ["Ann Lee", "Yves Gravelle"]
    assert {each["name"] for each in told} >= {"Ann Lee", "Yves Gravelle"}
    for each in result["entities"]:
        left, top, right, bottom = each["mentions"][0]["box"]
        assert 0 <= left < right <= 900
        assert 0 <= top < bottom <= 120


def test_entities_of_a_text_and_of_a_document(served: Served) -> None:
    said = followed(served, "entities", text="From: Ann Lee <ann@example.org>\n\nHi Yves,\n")
    assert said[-1].data["result"]["entities"][0]["name"] == "Ann Lee"
    assert items(said, "picture") == []
    document = served.ask("GET", f"{API}/documents").json["documents"][0]["id"]
    assert followed(served, "entities", document=document)[-1].type == "done"
    for wrong in ({}, {"upload": "none"}, {"upload": 3}, {"document": "none"}, {"text": " "}):
        last = followed(served, "entities", **wrong)[-1]
        assert (last.type, last.data["code"]) == ("error", "usage_error"), wrong


def test_a_picture_that_cannot_be_read_is_one_clear_line(served: Served) -> None:
    pytest.importorskip("faster_paddle", reason="no reader of pictures is installed here")
    for name, data in (("cut.png", png(90, 90)[:60]), ("blank.png", png(300, 200)),
                       ("a.png", b"no picture")):  # fmt: skip
        last = followed(served, "entities", upload=send(served, name, data))[-1]
        assert (last.type, last.data["code"]) == ("error", "load_error"), last.data
        assert name in last.data["message"]


def test_a_sent_picture_is_given_back_upright_to_who_has_the_token(served: Served) -> None:
    upload = send(served, "mail.png", mail("Ann Lee"))
    path = f"{API}/uploads/{upload}/picture"
    reply = served.ask("GET", path)
    assert (reply.status, reply.headers["content-type"]) == (200, "image/png")
    assert picture_size(reply.body) == (900, 120)
    assert picture_size(served.ask("GET", f"{path}?turned=90").body) == (120, 900)
    assert served.ask("GET", f"{path}?turned=45").status == 200
    assert served.ask("GET", path, token="").status == 401
    assert "no such upload" in refused(served.ask("GET", f"{API}/uploads/none/picture"), 400)
    text = send(served, "a.txt", b"no picture")
    assert served.ask("GET", f"{API}/uploads/{text}/picture").status == 422


def test_a_picture_is_turned_clockwise_and_has_its_pages() -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed here")
    picture = image.new("RGB", (4, 2), "white")
    picture.putpixel((0, 0), (255, 0, 0))
    file = io.BytesIO()
    picture.save(file, "PNG")
    turned = image.open(io.BytesIO(picture_png(file.getvalue(), 1, 90)))
    assert turned.size == (2, 4)
    assert turned.getpixel((1, 0)) == (255, 0, 0)
    with pytest.raises(UsageError, match="no page 2"):
        picture_png(file.getvalue(), 2)
    with pytest.raises(LoadError):
        picture_png(b"none", 1)


def test_a_picture_of_the_library_is_a_page_with_lines_and_rectangles(served: Served) -> None:
    upload = send(served, "kept.png", mail("Ann Lee"))
    assert followed(served, "add", upload=[upload])[-1].data["result"]["added"] == 1
    rows = served.ask("GET", f"{API}/documents").json["documents"]
    path = f"{API}/documents/{next(row['id'] for row in rows if row['kind'] == 'image')}"
    document = served.ask("GET", path).json
    assert picture_size(served.ask("GET", f"{path}/pages/1.png").body) == (900, 120)
    lines = served.ask("GET", f"{path}/pages/1/lines").json["lines"]
    assert [line["text"] for line in lines] == document["text"].split("\n")
    start = document["text"].index("Ann Lee")
    (page,) = served.ask("GET", f"{path}/rects?start={start}&end={start + 7}").json
    (left, top, right, bottom) = page["rects"][0]
    assert (page["page"], lines[0]["box"][1], lines[0]["box"][3]) == (1, top, bottom)
    assert lines[0]["box"][0] < left < right < 1


# Who is in the library, and who somebody is


def test_nobody_is_known_before_names_are_looked_for(served: Served) -> None:
    assert served.ask("GET", f"{API}/people").json == {"people": []}
    assert served.ask("GET", f"{API}/people/Yves").json == {"people": []}
    assert served.ask("GET", f"{API}/people", token="").status == 401


def test_a_research_tells_steps_and_sections_and_is_kept(served: Served) -> None:
    events = followed(served, "research", **WANTED)
    steps = [event.data for event in events if event.type == "step" and event.data["max_steps"]]
    assert [each["step"] for each in steps] == list(range(1, len(steps) + 1))
    sections = [event.data for event in events if event.type == "section"]
    result = events[-1].data["result"]
    Draft202012Validator(schema.DOSSIER_SCHEMA).validate(result)
    assert sections == result["sections"]
    assert any("Halden" in each["text"] for each in sections)
    kept = served.ask("GET", f"{API}/dossiers").json["dossiers"]
    assert [each["id"] for each in kept] == [result["id"]]
    assert served.ask("DELETE", f"{API}/sources/{result['id']}").status == 200
    assert served.ask("GET", f"{API}/dossiers").json == {"dossiers": []}


def test_nothing_goes_out_before_a_client_says_so(served: Served) -> None:
    """Asked over the websocket; what was refused is not searched, and the library still is."""

    others: list[Any] = []

    async def run() -> list[Any]:
        url = f"ws://127.0.0.1:{served.port}/api/v1/ws"
        async with connect(url, subprotocols=["dragtor.v1"], proxy=None) as connection:  # type: ignore[list-item]

            async def say(**frame: Any) -> None:
                await connection.send(json.dumps(frame))

            await say(type="hello", v=1, token=served.token)
            await say(type="start", id="w", task="research", args=WANTED | {"web": True})
            told: list[Any] = []
            while not told or told[-1]["type"] not in ("done", "error"):
                async with asyncio.timeout(PATIENCE_S):
                    frame = json.loads(await connection.recv())
                if frame.get("job") == "none":
                    others.append(frame)
                    continue
                told.append(frame)
                if told[-1]["type"] == "consent":
                    await say(type="answer", job="w", answer=False)
                    await say(type="answer", job="none", answer=True)
            return told

    told = asyncio.run(run())
    (consent,) = [each["data"] for each in told if each["type"] == "consent"]
    assert any("Yves Gravelle" in query for query in consent["queries"])
    assert consent["pages"] > 0
    assert consent["providers"]
    assert told[-1]["type"] == "done"
    assert told[-1]["data"]["result"]["pages"] == 0
    assert any("not allowed" in each["data"].get("text", "") for each in told if "data" in each)
    assert [each["data"]["message"] for each in others] == ["the job none waits for no answer"]
    served.ask("DELETE", f"{API}/sources/{told[-1]['data']['result']['id']}")


@pytest.mark.parametrize(
    "wrong",
    [{}, {"name": ""}, {"name": " "}, {"name": 3}, {"name": "A", "category": "place"},
     {"name": "A", "context": "Halden"}, {"name": "A", "web": "yes"}, {"name": "…"}],
)  # fmt: skip
def test_a_research_that_is_none(served: Served, wrong: Any) -> None:
    last = followed(served, "research", **wrong)[-1]
    assert (last.type, last.data["code"]) == ("error", "usage_error")


def test_a_stopped_research_keeps_what_it_has(served: Served) -> None:
    assert served.server
    jobs = served.server.jobs
    jobs.start("stopped", "research", WANTED | {"web": True}, "me")

    async def run() -> list[JobEvent]:
        events = []
        async for event in jobs.follow("stopped"):
            events.append(event)
            if event.type == "consent":
                jobs.cancel("stopped")
        return events

    events = asyncio.run(asyncio.wait_for(run(), PATIENCE_S))
    assert events[-1].type == "cancelled"
    (dossier,) = items(events, "dossier")
    assert dossier["stopped"] == "cancelled"
    kept = served.ask("GET", f"{API}/dossiers").json["dossiers"]
    assert [each["stopped"] for each in kept] == ["cancelled"]


def test_people_of_a_library_that_was_tagged(served: Served) -> None:
    from browser import needs_model

    needs_model("tags")
    assert served.server
    with served.server.library() as library:
        library.index(tags=True)
    people = served.ask("GET", f"{API}/people").json
    Draft202012Validator(schema.PEOPLE_SCHEMA).validate(people)
    assert "Yves Gravelle" in [each["name"] for each in people["people"]]
    (one,) = served.ask("GET", f"{API}/people/Yves%20Gravelle").json["people"]
    assert one["appearances"][0]["citation"]["title"] == "Yves Gravelle"
    assert served.ask("GET", f"{API}/people/Nobody%20Else").json == {"people": []}
