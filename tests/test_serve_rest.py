"""The REST routes over a real server and a real library: shapes, byte ranges, uploads, refusals."""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from jsonschema import Draft202012Validator
from serving import Reply, Served, serving
from test_load_file import article

from dragtor import Library, schema
from dragtor.config import load_config
from dragtor.serve import uploads
from dragtor.serve.guard import HEADERS
from dragtor.serve.uploads import picture_size, plain_name, upload_path
from dragtor.types import Document, Segment, Speaker, short_hash

API = "/api/v1"
CONFIG = {"embed": {"model": "all-minilm-l6-v2"}, "answer": {"reader": "none"}}
TEXT = "# Rest\n\nAn A2 pulley strain wants rest for two weeks, and then a slow return.\n"
SAID = "Rest your finger. Then climb again."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of a text, a PDF and a recording."""
    place = tmp_path_factory.mktemp("rest")
    (place / "rest.md").write_text(TEXT)
    (place / "pulleys.pdf").write_bytes(article(2))
    (place / "talk.wav").write_bytes(_wav())
    uri = (place / "talk.wav").as_uri()
    talk = Document(
        short_hash(uri), uri, "audio", "A talk", SAID,
        segments=(Segment(0, 17, start_s=0.0, end_s=1.0, speaker="SPEAKER_00"),
                  Segment(18, 35, start_s=1.0, end_s=2.0, speaker="SPEAKER_01")),
        speakers=(Speaker("SPEAKER_00"), Speaker("SPEAKER_01")),
    )  # fmt: skip
    config = load_config(ROOT / "config" / "params.yml", CONFIG)
    with Library(place / "library", config=config) as library:
        assert not library.add(place / "rest.md", place / "pulleys.pdf").failed
        with library.ingest() as ingest:
            ingest.add_document(talk)
    return place / "library"


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    config = load_config(ROOT / "config" / "params.yml", CONFIG)
    with serving(folder, config) as found:
        yield found


def _wav() -> bytes:
    sound = b"\x00\x01" * 8000
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(sound), b"WAVE", b"fmt ", 16, 1, 1,
                       8000, 16000, 2, 16, b"data", len(sound))  # fmt: skip
    return head + sound


def _documents(served: Served) -> dict[str, str]:
    """Title -> id."""
    found = served.ask("GET", f"{API}/documents").json["documents"]
    return {each["title"]: each["id"] for each in found}


def _error(reply: Reply, status: int, code: str) -> None:
    assert (reply.status, reply.json["code"]) == (status, code), reply.body
    Draft202012Validator(schema.ERROR_SCHEMA).validate(reply.json)
    assert reply.headers["content-type"] == "application/json"
    assert b"Traceback" not in reply.body


# Reading


def test_sources_and_documents_are_told_in_the_shapes_of_the_command_line(served: Served) -> None:
    sources = served.ask("GET", f"{API}/sources").json
    Draft202012Validator(schema.SOURCES_SCHEMA).validate(sources)
    assert [each["documents"] for each in sources["sources"]] == [1, 1, 1]
    assert set(_documents(served)) == {"Rest", "Pulleys", "A talk"}
    source = sources["sources"][0]["id"]
    found = served.ask("GET", f"{API}/documents?source={source}").json["documents"]
    assert [each["title"] for each in found] == ["Rest"]


def test_a_document_comes_with_its_text_and_places(served: Served) -> None:
    ids = _documents(served)
    talk = served.ask("GET", f"{API}/documents/{ids['A talk']}").json
    assert talk["text"] == SAID
    assert talk["kind"] == "audio"
    assert [talk["text"][s["start"] : s["end"]] for s in talk["segments"]] == [
        "Rest your finger.", "Then climb again.",
    ]  # fmt: skip
    pdf = served.ask("GET", f"{API}/documents/{ids['Pulleys']}").json
    assert [each["page"] for each in pdf["segments"]] == [1, 2]


def test_search_gives_hits(served: Served) -> None:
    found = served.ask("GET", f"{API}/search?q=how+long+rest+after+a+pulley+strain&k=2").json
    Draft202012Validator(schema.HITS_SCHEMA).validate(found)
    assert found["hits"][0]["title"] == "Rest"
    assert len(found["hits"]) == 2
    source = served.ask("GET", f"{API}/sources").json["sources"][2]["id"]
    only = served.ask("GET", f"{API}/search?q=rest&source={source}").json["hits"]
    assert {hit["title"] for hit in only} == {"A talk"}
    for query in ("", "q=", "q=%20", "q=a&k=-1", "q=a&k=x", "q=a&k=101", "q=a&k=٣", "q=a&kind=no",
                  "q=a&after=soon"):  # fmt: skip
        _error(served.ask("GET", f"{API}/search?{query}".encode().decode("latin-1")
                          .encode("ascii", "ignore").decode()), 400, "usage_error")  # fmt: skip


def test_pages_of_a_pdf_open_with_a_ticket(served: Served) -> None:
    ids = _documents(served)
    given = served.post(f"{API}/tickets", {"document": ids["Pulleys"]}).json
    assert given["seconds"] == 600
    path = f"{API}/documents/{ids['Pulleys']}/pages/1.png?ticket={given['ticket']}"
    page = served.ask("GET", path, token="")
    assert (page.status, page.headers["content-type"]) == (200, "image/png")
    assert page.body.startswith(b"\x89PNG")
    _error(served.ask("GET", path.replace("/1.png", "/9.png"), token=""), 400, "usage_error")
    _error(served.ask("GET", path.replace(ids["Pulleys"], ids["Rest"]), token=""), 401,
           "wrong_ticket")  # fmt: skip
    _error(served.post(f"{API}/tickets", {"document": "0" * 16}), 404, "not_found")
    text = served.ask("GET", f"{API}/documents/{ids['Pulleys']}").json["text"]
    start = text.index("hold the tendons")
    asked = f"{API}/documents/{ids['Pulleys']}/rects?start={start}&end={start + 16}"
    (found,) = served.ask("GET", asked).json
    assert found["page"] == 1
    assert all(0 <= side <= 1 for rect in found["rects"] for side in rect)


def test_sound_is_sent_in_ranges(served: Served) -> None:
    ids, whole = _documents(served), _wav()
    ticket = served.post(f"{API}/tickets", {"document": ids["A talk"]}).json["ticket"]
    path = f"{API}/media/{ids['A talk']}?ticket={ticket}"
    reply = served.ask("GET", path, token="")
    assert (reply.status, reply.headers["content-type"], reply.body) == (200, "audio/wav", whole)
    assert (
        reply.headers.items()
        >= (HEADERS | {"accept-ranges": "bytes", "cache-control": "private, max-age=600"}).items()
    )
    for asked, part in (("0-9", whole[:10]), ("100-", whole[100:]), ("-5", whole[-5:])):
        reply = served.ask("GET", path, token="", range=f"bytes={asked}")
        assert (reply.status, reply.body) == (206, part)
        assert reply.headers["content-range"].endswith(f"/{len(whole)}")
    assert served.ask("GET", path, token="", range=f"bytes={len(whole)}-").status == 416
    head = served.ask("HEAD", path, token="")
    assert (head.headers["content-length"], head.body) == (str(len(whole)), b"")
    _error(served.ask("GET", f"{API}/media/{ids['Rest']}"), 400, "usage_error")


def test_originals_of_pages_are_never_given_out(served: Served, folder: Path) -> None:
    """Of a library's files only sound, video and pictures of PDF pages leave, by type."""
    place = folder.parent
    (place / "evil.html").write_text("<p>A page with <script>alert(1)</script> and rest.</p>" * 9)
    (place / "evil.svg.md").write_text("<svg onload=alert(1)>\n\nRest well on this page.\n")
    with served.server.library() as library:  # type: ignore[union-attr]
        assert not library.add(place / "evil.html", place / "evil.svg.md").failed
    for document in _documents(served).values():
        for path in (f"{API}/media/{document}", f"{API}/documents/{document}/pages/1.png"):
            kind = served.ask("GET", path).headers["content-type"]
            assert kind in ("application/json", "image/png", "audio/wav")
        assert served.ask("GET", f"{API}/documents/{document}").headers["content-type"] == (
            "application/json"
        )


def test_a_recording_whose_file_is_swapped_or_gone(served: Served, folder: Path) -> None:
    ids, place = _documents(served), folder.parent
    talk = place / "talk.wav"
    talk.rename(place / "kept.wav")
    try:
        _error(served.ask("GET", f"{API}/media/{ids['A talk']}"), 422, "load_error")
        talk.mkdir()
        _error(served.ask("GET", f"{API}/media/{ids['A talk']}"), 422, "load_error")
        talk.rmdir()
        os.mkfifo(talk)
        _error(served.ask("GET", f"{API}/media/{ids['A talk']}"), 422, "load_error")
        talk.unlink()
    finally:
        (place / "kept.wav").rename(talk)
    pdf = place / "pulleys.pdf"
    whole = pdf.read_bytes()
    try:
        pdf.write_bytes(article(1))  # not what was read
        path = f"{API}/documents/{ids['Pulleys']}/rects?start=0&end=5"
        _error(served.ask("GET", path), 422, "load_error")
    finally:
        pdf.write_bytes(whole)


# Paths

ROUTES = (
    "/documents/{}", "/documents/{}/pages/1.png", "/documents/{}/rects?start=0&end=1",
    "/media/{}", "/documents?source={}",
)  # fmt: skip
TRAVERSALS = [
    "../etc/passwd", "..%2fetc%2fpasswd", "..%2Fetc%2Fpasswd", "%2e%2e/etc/passwd",
    "%2e%2e%2fetc%2fpasswd", "%252e%252e%252fetc", "..%252fetc", "..%c0%afetc", "..%c1%9cetc",
    "%c0%ae%c0%ae/etc", "..%5cetc", "..%255cetc", "..\\etc", "%5c..%5c..%5cetc", "....//etc",
    "..../etc", "....%2f%2fetc", "..;/etc", "..%3b/etc", "/etc/passwd", "%2fetc%2fpasswd",
    "//etc/passwd", "%2f%2fetc", "file:%2f%2f%2fetc%2fpasswd", "~%2f.ssh%2fid_rsa",
    "..%00/etc", "%00", "x%00.md", "..%0d%0a", "%2e", "%2e%2e", ".", "..", ".%2e/etc",
    "%2e./etc", "%u002e%u002e%u2215etc", "%ef%bc%8e%ef%bc%8e%ef%bc%8fetc", "..%e2%88%95etc",
    "%e2%80%a5%2fetc", "C:%5cWindows%5cwin.ini", "..%2f..%2f..%2f..%2fproc%2fself%2fenviron",
    ".htaccess", "%2ehidden",
]  # fmt: skip


def test_no_spelling_of_a_path_leaves_the_library(served: Served, folder: Path) -> None:
    assert len(set(TRAVERSALS)) >= 40
    before = sorted(str(path) for path in folder.parent.rglob("*"))
    for spelled in TRAVERSALS:
        for route in ROUTES:
            reply = served.ask("GET", API + route.format(spelled))
            assert reply.status in (400, 401, 404), (spelled, route, reply.status)
            assert b"root:" not in reply.body
            assert b"Traceback" not in reply.body
        page = served.ask("GET", f"/page/{spelled}", token="")
        assert page.status in (401, 404), (spelled, page.status)
        sent = served.ask("PUT", f"{API}/uploads/{spelled}", b"text")
        assert sent.status in (400, 401, 404), (spelled, sent.body)
        gone = served.ask("DELETE", f"{API}/sources/{spelled}")
        assert gone.status in (401, 404), (spelled, gone.status)
    after = sorted(str(path) for path in folder.parent.rglob("*") if path.name != "uploads")
    assert after == [path for path in before if not path.endswith("/uploads")]


@pytest.mark.parametrize(
    "name", ["a.txt", "Was tun? 50% mehr: Ruhe!.pdf", "日本語.md", "a b.mp3", "x"]
)
def test_a_name_may_be_any_name(name: str) -> None:
    assert plain_name(name) == name


# Uploads


def test_an_upload_is_kept_under_an_id_of_its_content(served: Served, tmp_path: Path) -> None:
    sent = served.ask("PUT", f"{API}/uploads/Notes%20of%20May.md", TEXT.encode())
    assert sent.status == 201
    told = sent.json
    assert (told["name"], told["bytes"]) == ("Notes of May.md", len(TEXT))
    assert served.ask("PUT", f"{API}/uploads/Notes%20of%20May.md", TEXT.encode()).json == told
    other = served.ask("PUT", f"{API}/uploads/other.md", TEXT.encode()).json
    assert other["upload"] != told["upload"]
    folder = served.server.uploads  # type: ignore[union-attr]
    assert upload_path(folder, told["upload"]).read_text() == TEXT
    for wrong in ("", "..", "0" * 16, "../library", told["upload"] + "/", told["upload"].upper()):
        with pytest.raises(uploads.UsageError):
            upload_path(folder, wrong)
    _error(served.ask("PUT", f"{API}/uploads/empty.md", b""), 400, "usage_error")
    _error(served.ask("PUT", f"{API}/uploads/{'a' * 300}.md", b"x"), 400, "usage_error")
    _error(served.ask("POST", f"{API}/uploads/a.md", b"x"), 405, "wrong_method")
    assert [each.name for each in folder.glob(".part-*")] == []


def test_a_removed_source_takes_its_upload_along(served: Served) -> None:
    text = b"# Warm up\n\nTen minutes of easy climbing warm the fingers up.\n"
    told = served.ask("PUT", f"{API}/uploads/warm.md", text).json
    folder = served.server.uploads  # type: ignore[union-attr]
    path = upload_path(folder, told["upload"])
    with served.server.library() as library:  # type: ignore[union-attr]
        assert not library.add(path).failed
    listed = served.ask("GET", f"{API}/sources").json["sources"]
    (source,) = (each for each in listed if each["uri"].endswith("/warm.md"))
    gone = served.ask("DELETE", f"{API}/sources/{source['id']}")
    assert gone.json == {"removed": source["id"]}
    assert not path.parent.exists()
    assert folder.exists()
    _error(served.ask("DELETE", f"{API}/sources/{source['id']}"), 404, "not_found")
    _error(served.ask("DELETE", f"{API}/sources/{source['id'][:6]}"), 404, "not_found")


def test_files_outside_are_not_removed_with_their_source(tmp_path: Path) -> None:
    sent, mine = tmp_path / "uploads", tmp_path / "mine" / ("a" * 16)
    for place in (sent, mine):
        place.mkdir(parents=True)
    (mine / "a.md").write_text("x")
    (sent / ("b" * 16)).symlink_to(mine)
    for path in (mine / "a.md", sent / ("b" * 16) / "a.md", sent / ".." / "mine" / "a.md", sent):
        uploads.remove_upload(sent, path)
    assert (mine / "a.md").exists()
    assert sent.exists()


def _png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"


def _jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03"
    return b"\xff\xd8\xff\xe0\x00\x10" + b"JFIF" + b"\0" * 10 + frame


PICTURES = {
    "a.png": _png, "a.jpg": _jpeg,
    "a.gif": lambda w, h: b"GIF89a" + struct.pack("<HH", w, h) + b"\0" * 20,
    "a.bmp": lambda w, h: b"BM" + b"\0" * 16 + struct.pack("<ii", w, -h) + b"\0" * 20,
    "x.webp": lambda w, h: b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0"
    + (w - 1).to_bytes(3, "little") + (h - 1).to_bytes(3, "little"),
    "l.webp": lambda w, h: b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f"
    + ((w - 1) | (h - 1) << 14).to_bytes(4, "little"),
    "y.webp": lambda w, h: b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a"
    + struct.pack("<HH", w, h),
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_too_many_pixels_is_refused(served: Served, name: str) -> None:
    make = PICTURES[name]
    assert picture_size(make(640, 480)) == (640, 480)
    assert served.ask("PUT", f"{API}/uploads/{name}", make(640, 480)).status == 201
    reply = served.ask("PUT", f"{API}/uploads/{name}", make(16000, 15000))
    _error(reply, 400, "usage_error")
    assert "240 million pixels" in reply.json["message"]
    for length in range(30):
        picture_size(make(640, 480)[:length])  # cut off: no error


def _zip(name: str, size: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(name, b"\0" * size)
    return made.getvalue()


def test_a_bomb_is_refused_and_a_book_is_not(served: Served) -> None:
    bomb = _zip("word/document.xml", 50_000_000)
    assert len(bomb) < 60_000
    for name in ("bomb.docx", "bomb.epub", "bomb.zip", "bomb.txt"):
        reply = served.ask("PUT", f"{API}/uploads/{name}", bomb)
        _error(reply, 400, "usage_error")
        assert "unpacks to 50 MB" in reply.json["message"]
    hidden = b"%PDF-1.4\n" + bomb  # an archive may begin with anything
    _error(served.ask("PUT", f"{API}/uploads/a.pdf", hidden), 400, "usage_error")
    end = b"PK\x05\x06" + b"\0" * 4 + b"\xff" * 4 + struct.pack("<IIH", 50_000_000, 0, 0)
    crowd = served.ask("PUT", f"{API}/uploads/crowd.zip", b"PK\x03\x04" + b"\0" * 99 + end)
    _error(crowd, 400, "usage_error")
    assert "too many files" in crowd.json["message"]
    assert served.ask("PUT", f"{API}/uploads/a.docx", _zip("a.xml", 5_000_000)).status == 201
    assert served.ask("PUT", f"{API}/uploads/b.docx", b"PK\x03\x04 damaged").status == 201
    assert served.ask("GET", f"{API}/sources").status == 200


# Speakers, calendars, settings, jobs, devices


def test_a_speaker_is_renamed(served: Served) -> None:
    path = f"{API}/documents/{_documents(served)['A talk']}/speakers"
    named = served.post(path, {"names": {"SPEAKER_00": "Ann <b>Lee</b>"}}).json
    assert named["speakers"][0]["name"] == "Ann <b>Lee</b>"
    talk = served.ask("GET", path.removesuffix("/speakers")).json
    assert [each["speaker"] for each in talk["segments"]] == ["Ann <b>Lee</b>", "SPEAKER_01"]
    assert served.post(path, {"names": {"SPEAKER_00": ""}}).json["speakers"][0]["name"] == ""
    for wrong in ({}, {"names": []}, {"names": {"SPEAKER_00": 3}}, {"names": {"SPEAKER_09": "x"}}):
        _error(served.post(path, wrong), 400, "usage_error")


def test_what_writes_while_another_does_is_told_soon(served: Served, folder: Path) -> None:
    source = served.ask("GET", f"{API}/sources").json["sources"][0]["id"]
    talk = f"{API}/documents/{_documents(served)['A talk']}/speakers"
    with Library(folder) as other, other.writer():
        begun = time.monotonic()
        for reply in (
            served.ask("DELETE", f"{API}/sources/{source}"),
            served.post(talk, {"names": {"SPEAKER_00": "Ann"}}),
        ):
            _error(reply, 423, "library_locked")
            assert "is writing to the library" in reply.json["message"]
            assert str(folder) not in reply.json["message"]
            assert reply.json["hint"].startswith("try again")
            assert int(reply.headers["retry-after"]) > 0
        assert served.ask("GET", f"{API}/sources").status == 200
        assert time.monotonic() - begun < 30  # and not the 60 seconds that a job waits, twice
    assert served.post(talk, {"names": {"SPEAKER_00": "Ann"}}).status == 200
    assert served.post(talk, {"names": {"SPEAKER_00": ""}}).status == 200


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"null", b'"x"', b"[" * 100_000, b"NaN"])
def test_a_body_that_is_no_object_is_refused(served: Served, body: bytes) -> None:
    for path in ("/tickets", "/events.ics", "/pair"):
        _error(served.ask("POST", f"{API}{path}", body), 400, "usage_error")


def test_events_ics_wants_a_text(served: Served) -> None:
    for wrong in ({}, {"text": ""}, {"text": " "}, {"text": 3}, {"text": "x", "tz": 3},
                  {"text": "x", "day_first": "yes"}, {"text": "x", "tz": "Nowhere"}):  # fmt: skip
        _error(served.post(f"{API}/events.ics", wrong), 400, "usage_error")


def test_events_ics_is_a_calendar(served: Served) -> None:
    asked = {
        "text": "Lunch with Yves on Friday at 1 pm", "now": "2026-11-20T09:00",
        "tz": "Europe/Berlin",
    }  # fmt: skip
    reply = served.post(f"{API}/events.ics", asked)
    if reply.status == 503:
        pytest.skip(reply.json["message"])  # no engine here
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"].startswith("text/calendar")
    assert b"BEGIN:VEVENT" in reply.body
    assert b"DTSTART;TZID=Europe/Berlin:202611" in reply.body


def test_models_and_settings_are_told(served: Served) -> None:
    models = served.ask("GET", f"{API}/models").json
    assert {"all-minilm-l6-v2"} <= {each["name"] for each in models["models"]}
    settings = served.ask("GET", f"{API}/settings").json
    assert settings["embed"]["model"] == "all-minilm-l6-v2"
    assert served.token not in json.dumps(settings)


def test_jobs_are_listed_and_unknown_ones_refused(served: Served) -> None:
    assert served.ask("GET", f"{API}/jobs").json == {"jobs": []}
    for method, path in (("DELETE", ""), ("POST", "/cancel"), ("POST", "/resume")):
        body = b"{}" if method == "POST" else None
        assert served.ask(method, f"{API}/jobs/none{path}", body).status in (400, 404)


def test_a_device_is_paired_listed_and_revoked(served: Served) -> None:
    shown = served.post(f"{API}/pairing").json
    assert shown["seconds"] == 120
    wrong = f"{(int(shown['code']) + 1) % 10**8:08d}"
    _error(served.post(f"{API}/pair", {"code": wrong}, token=""), 400, "usage_error")
    paired = served.post(f"{API}/pair", {"code": shown["code"]}, token="", user_agent="Phone")
    token = paired.json["token"]
    (device,) = served.ask("GET", f"{API}/devices").json["devices"]
    assert device["name"] == "Phone"
    assert device.keys() == {"id", "name", "paired"}
    assert served.ask("GET", f"{API}/sources", token=token).status == 200
    for method, path in (("GET", "/devices"), ("POST", "/pairing"),
                         ("DELETE", f"/devices/{device['id']}")):  # fmt: skip
        body = b"{}" if method == "POST" else None
        _error(served.ask(method, f"{API}{path}", body, token=token), 403, "forbidden")
    assert served.ask("DELETE", f"{API}/devices/{device['id']}").json == {"removed": device["id"]}
    _error(served.ask("GET", f"{API}/sources", token=token), 401, "wrong_token")
    _error(served.ask("DELETE", f"{API}/devices/{device['id']}"), 404, "not_found")


def test_the_front_page_and_its_welcome(served: Served) -> None:
    for accept in ("application/json", "application/json, text/plain, */*"):
        reply = served.ask("GET", "/", token="", accept=accept)
        assert reply.json == {"message": "Welcome to the API"}
    for more in ({"accept": "text/html,application/xhtml+xml"}, {"accept": "*/*"}, {}):
        page = served.ask("GET", "/", token="", headers=more)
        assert page.headers["content-type"].startswith("text/html")
        assert (
            page.headers.items()
            >= {k: v for k, v in HEADERS.items() if k != "cache-control"}.items()
        )
        assert served.token.encode() not in page.body


def test_an_empty_library_is_served_too(tmp_path: Path) -> None:
    with serving(tmp_path / "new" / "library") as empty:
        assert empty.ask("GET", f"{API}/sources").json == {"sources": []}
        assert empty.ask("GET", f"{API}/documents").json == {"documents": []}
        _error(empty.ask("GET", f"{API}/documents/{'0' * 16}"), 404, "not_found")
        _error(empty.ask("GET", f"{API}/search?q=x"), 500, "library_error")
        assert (tmp_path / "new" / "library" / "library.db").exists() is False


def _addresses(port: int) -> list[str]:
    """Ways to say this machine, or a file of it."""
    at = f":{port}/x"
    hosts = [
        "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.1",
        "127.0.1", "0", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]",
        "localhost.", "LOCALHOST", "me@127.0.0.1", "example.org@127.0.0.1",
        "example.org:80@localhost",
        "127.0.0.1%2f", "１２７.０.０.１", "ⓛocalhost", "127。0。0。1", "[64:ff9b::7f00:1]",
        "[fe80::1]", "10.0.0.1", "169.254.169.254", "router.local",
    ]  # fmt: skip
    files = [
        "file:///etc/passwd", "/etc/passwd", "file:/etc/passwd", "FILE:///etc/passwd", "~/.ssh",
        "../library.db", "gopher://127.0.0.1/", "ftp://127.0.0.1/x", "data:text/plain,x",
    ]  # fmt: skip
    return [f"http://{host}{at}" for host in hosts] + files


def test_no_address_leads_into_this_machine(served: Served) -> None:
    """Of a job `add` over the network; redirects and names that change: test_http.py."""
    jobs = served.server.jobs  # type: ignore[union-attr]
    before = served.ask("GET", f"{API}/sources").json
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.2)
        addresses = _addresses(inside.getsockname()[1])
        for number, address in enumerate(addresses):
            jobs.start(f"into-{number}", "add", {"what": [address]}, "test")
            deadline = time.monotonic() + 60
            while not jobs.row(f"into-{number}").ended and time.monotonic() < deadline:
                time.sleep(0.02)
            last = jobs.events(f"into-{number}")[-1]
            failed = last.data.get("result", {}).get("failed", [last.data])
            assert failed, (address, last)
            assert failed[0]["code"] in ("blocked_url", "load_error", "usage_error"), (
                address,
                last,
            )
        with pytest.raises(TimeoutError):
            inside.accept()  # nobody knocked
    assert served.ask("GET", f"{API}/sources").json == before
    listed = served.ask("GET", f"{API}/jobs").json["jobs"]
    assert len(listed) == len(addresses)
    assert listed[-1]["args"] == {"what": [addresses[0]]}
    for job in listed:
        assert served.ask("DELETE", f"{API}/jobs/{job['id']}").status == 200
    assert served.ask("GET", f"{API}/jobs").json == {"jobs": []}


MARKS = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)",
         "\"><svg onload=alert(1)>", "{{7*7}}", "</title><b>")  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
def test_what_clients_say_comes_back_as_json_only(served: Served, mark: str) -> None:
    from urllib.parse import quote

    quoted = quote(mark, safe="")
    replies: list[Any] = [
        served.ask("GET", f"{API}/documents/{quoted}"),
        served.ask("GET", f"{API}/search?q={quoted}&kind={quoted}"),
        served.ask("PUT", f"{API}/uploads/{quoted}", b"x"),
        served.post(f"{API}/pair", {"code": mark, "name": mark}, token=""),
        served.ask("DELETE", f"{API}/jobs/{quoted}"),
        served.ask("GET", f"/{quoted}"),
    ]
    for reply in replies:
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-content-type-options"] == "nosniff"
