"""The command line as its contract says: stdout, stderr, JSON, exit codes. Real models."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, Cli, digest, index_ids

from dragtor.models import Catalogue
from dragtor.store import Store, Writer
from dragtor.types import Document, Segment, Source, Speaker

DEMO = "When may I climb again after an A2 pulley strain?"
TINY_LLM = {"DRAGTOR_LLM_MODEL": "smollm2-135m", "DRAGTOR_LLM_ANSWER_TOKENS": "60"}


@pytest.fixture
def library(sample_library: Path, own_folders: Path) -> Path:
    """A copy of the sample library that the test may change."""
    shutil.copytree(sample_library, own_folders)
    return own_folders


@pytest.fixture
def tiny_llm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TINY_LLM.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "crimp.md").write_text("# Crimping\n\nHalf crimp loads the pulley less.\n")
    (folder / "rest.txt").write_text("Rest days matter: sleep nine hours before a hard session.\n")
    return folder


def test_plain_dragtor_shows_help(cli: Cli) -> None:
    run = cli()
    assert "Usage: dragtor" in run.out + run.err
    for name in "add load index sync sources search ask models doctor config eval".split():
        assert f"  {name} " in run.out + run.err


def test_version_and_help_of_every_command(cli: Cli) -> None:
    assert cli("--version").out.startswith("dragtor 0.")
    for words in ("add", "load", "index", "sync", "sources", "sources show", "sources rm", "search",
                  "ask", "models list", "models pull", "models path", "models rm", "doctor",
                  "config show", "config path", "eval retrieval"):  # fmt: skip
        run = cli(*words.split(), "--help")
        assert run.code == 0
        assert f"Usage: dragtor {words}" in run.out


@pytest.mark.parametrize("line", ["nonsense", "search", "add --nope x", "models pull nosuch"])
def test_wrong_usage_exits_2(cli: Cli, line: str) -> None:
    run = cli(*line.split())
    assert run.code == 2
    assert run.err
    assert "Traceback" not in run.err


def test_add_search_show_remove(cli: Cli, notes: Path) -> None:
    added = cli("add", notes)
    assert (added.code, added.out) == (0, "")
    assert "2 added" in added.err
    hits = cli("search", "--json", "how long to sleep").json
    assert hits["query"] == "how long to sleep"
    first = hits["hits"][0]
    assert set(first) == {
        "rank", "score", "passage_id", "document_id", "title", "url", "text", "start", "end",
        "start_s", "end_s", "speaker",
    }  # fmt: skip
    assert first["rank"] == 1
    assert "sleep nine hours" in first["text"]
    (source,) = cli("sources", "--json").json["sources"]
    assert source["documents"] == 2
    assert "Crimping" in cli("sources", "show", source["id"][:6]).out
    assert cli("sources", "rm", source["id"]).code == 0
    assert cli("sources", "--json").json == {"sources": []}
    assert cli("search", "--json", "sleep").json["hits"] == []


def test_load_then_index(cli: Cli, notes: Path) -> None:
    assert cli("load", notes).code == 0
    assert cli("search", "--json", "sleep").json["hits"] == []
    assert "2 passages indexed" in cli("index").err
    assert cli("search", "--json", "sleep").json["hits"]


def test_stdin_is_a_source(cli: Cli) -> None:
    assert cli("add", "-", stdin=b"Tape does not prevent pulley injuries.").code == 0
    (hit,) = cli("search", "--json", "tape").json["hits"]
    assert hit["url"].startswith("stdin:")
    assert "1 unchanged" in cli("add", "-", stdin=b"Tape does not prevent pulley injuries.").err
    assert cli("sources", "rm", hit["url"]).code == 0
    assert cli("sources", "--json").json == {"sources": []}


def test_sources_tell_which_episodes_were_chosen(cli: Cli, own_folders: Path) -> None:
    chosen = {"match": "A2", "latest": 3, "episode": "max hangs"}
    with Writer.open(own_folders) as writer:
        writer.put_source(Source("abcd1234", "https://e.org/feed", "feed", "", chosen))
    assert "feed  --match A2  --latest 3  --episode 'max hangs'\n" in cli("sources").out
    (listed,) = cli("sources", "--json").json["sources"]
    assert listed.items() >= chosen.items()


def test_a_long_label_and_a_text_as_it_is(cli: Cli, own_folders: Path) -> None:
    text = "soft\xadhyphen, \u200fright to left, \x07 bell."
    said = Segment(0, len(text), start_s=0, end_s=2, speaker="Professor Long-Name")
    talk = Document(
        "d1234", "https://e.org/a.mp3", "audio", "Talk", text, segments=(said,),
        speakers=(Speaker("Professor Long-Name", "Ann"), Speaker("SPEAKER_01")),
    )  # fmt: skip
    with Writer.open(own_folders) as writer:
        writer.put_pending("s", talk.uri, "", talk)
    shown = cli("speakers", "d1234").out
    assert "  Professor Long-Name Ann (" in shown
    assert "  SPEAKER_01  no name" in shown
    told = cli("export", "d1234").out
    assert "soft\xadhyphen, \u200fright to left, \ufffd bell." in told


def test_what_fits_one_argument_only_costs_the_others_nothing(cli: Cli, notes: Path) -> None:
    run = cli("add", notes, notes / "rest.txt", "--latest", "3", "--quiet")
    assert (run.code, run.err.count("failed: ")) == (2, 2)
    assert cli("add", notes, "--latest", "3").code == 2


def test_a_failure_is_one_line_and_exit_1(cli: Cli, notes: Path) -> None:
    (notes / "bad.pdf").write_bytes(b"%PDF-1.7 nothing more")
    run = cli("add", notes, notes / "absent.md")
    assert run.code == 1
    failed = [line for line in run.err.splitlines() if line.startswith("failed:")]
    assert len(failed) == 2
    assert "2 added" in run.err
    assert cli("search", "--json", "sleep").json["hits"]


def test_quiet_prints_nothing_but_failures(cli: Cli, notes: Path) -> None:
    assert cli("add", notes, "--quiet").err == ""
    assert cli("--quiet", "sync").err == ""
    assert cli("add", notes / "absent", "--quiet").err != ""


def test_quotes_need_no_language_model(
    cli: Cli, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", "/nowhere/at/all.gguf")
    run = cli("ask", "--quotes", DEMO)
    assert run.code == 0
    assert "From your sources" in run.out
    assert "a2-pulley-strain.md#:~:text=" in run.out
    answer = cli("ask", "--quotes", "--json", DEMO).json
    assert answer["grounded"] is True
    with Store.open(library) as store:
        for citation in answer["citations"]:
            document = store.document(citation["document_id"])
            assert document is not None
            assert document.text[citation["start"] : citation["end"]] == citation["quote"]
    missing = cli("ask", DEMO)
    assert missing.code == 4
    assert "try: dragtor models" in missing.err


def test_ask_json_keeps_its_contract(cli: Cli, library: Path, tiny_llm: None) -> None:
    answer = cli("ask", "--json", DEMO).json
    assert set(answer) - {"nearest"} == {  # that is where a tiny model fails
        "question", "answer", "grounded", "claims", "citations", "model", "timings", "tokens",
    }  # fmt: skip
    assert answer["question"] == DEMO
    assert set(answer["timings"]) == {"retrieve_s", "first_quote_s", "first_token_s", "total_s"}
    assert answer["tokens"]["prompt"] > 100
    assert answer["tokens"]["completion"] > 0
    assert "SmolLM2" in answer["model"]
    numbers = {c["n"] for c in answer["citations"]}
    assert all(set(claim["citations"]) <= numbers for claim in answer["claims"])
    with Store.open(library) as store:
        for citation in answer["citations"]:
            document = store.document(citation["document_id"])
            assert document is not None
            assert document.text[citation["start"] : citation["end"]] == citation["quote"]


def test_ask_streams_quotes_before_prose(cli: Cli, library: Path, tiny_llm: None) -> None:
    run = cli("ask", DEMO)
    assert run.code == 0
    quotes, _, prose = run.out.partition("\nAnswer\n")
    assert quotes.startswith("From your sources")
    assert prose or "\nNot in your sources. The quotes above" in quotes  # a tiny model may fail
    assert "first quote" in run.err


@pytest.mark.parametrize(
    "question", ["What is the capital of Peru?", "How do I sort a Python list?"]
)
def test_not_in_your_sources(cli: Cli, library: Path, question: str) -> None:
    run = cli("ask", question)
    assert run.code == 0
    assert run.out.startswith("Not in your sources.\n  Nearest: ")
    assert cli("ask", "--json", question).json["grounded"] is False
    assert cli("ask", "--strict", question).code == 3


def test_no_library_is_not_an_empty_one(cli: Cli, notes: Path, own_folders: Path) -> None:
    for line in (["search", "x"], ["ask", DEMO], ["ask", "--quotes", DEMO]):
        run = cli(*line)
        assert (run.code, run.out) == (1, "")
        assert f"there is no library in {own_folders}" in run.err
        assert "try: dragtor add" in run.err
    assert "No sources yet" in cli("sources").out
    assert cli("sync").code == 0
    assert not own_folders.exists()
    cli("add", notes)
    cli("sources", "rm", cli("sources", "--json").json["sources"][0]["id"])
    assert cli("ask", DEMO).out.strip() == "Not in your sources."
    assert cli("search", "--json", "x").json == {"query": "x", "hits": []}


def test_hints_name_the_library_of_this_run(cli: Cli, tmp_path: Path) -> None:
    place = tmp_path / "my library"
    assert f"try: dragtor --library '{place}' add" in cli("--library", place, "search", "x").err


def test_an_empty_query_and_an_unknown_kind_are_usage_errors(cli: Cli, library: Path) -> None:
    for line in (["search", " "], ["ask", ""], ["search", "x", "--kind", "bogus"]):
        assert cli(*line).code == 2


def test_what_waits_to_be_indexed_is_said(cli: Cli, library: Path, notes: Path) -> None:
    cli("load", notes)
    assert "wait to be indexed: 2" in cli("search", "sleep").err


def test_a_locked_library_exits_5_and_readers_go_on(cli: Cli, library: Path, notes: Path) -> None:
    with Writer.open(library):
        run = cli("add", notes, "--lock-timeout", "0")
        assert run.code == 5
        assert "is writing to" in run.err
        assert cli("search", "--json", "pulley").json["hits"]
    assert cli("add", notes, "--lock-timeout", "0").code == 0


def test_another_embedder_is_refused_until_rebuilt(
    cli: Cli, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("add", notes)
    monkeypatch.setenv("DRAGTOR_EMBED_MODEL", "all-minilm-l6-v2")
    for line in (
        ["search", "sleep"],
        ["add", str(notes / "crimp.md")],
        ["ask", "--quotes", "sleep"],
    ):
        run = cli(*line)
        if line[0] != "add":
            assert run.code == 5
            assert "try: dragtor index --rebuild" in run.err
    assert cli("index", "--rebuild").code == 0
    assert cli("search", "--json", "sleep").json["hits"]


def test_the_library_option_may_stand_anywhere(cli: Cli, notes: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert cli("add", notes, "--library", other).code == 0
    assert len(cli("--library", other, "sources", "--json").json["sources"]) == 1
    assert len(cli("sources", "--json", f"--library={other}").json["sources"]) == 1
    assert cli("sources", "--json").json["sources"] == []


def test_config_show_and_path(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGTOR_RETRIEVE_K", "3")
    assert cli("config", "show", "--json").json["retrieve"]["k"] == 3
    assert "  k: 3" in cli("config", "show").out
    assert cli("config", "path").out.strip() == str(ROOT / "config" / "params.yml")
    monkeypatch.setenv("DRAGTOR_RETRIEVE_K", "many")
    assert cli("search", "x").code == 2


def test_models_list_and_path(cli: Cli) -> None:
    models = {m["name"]: m["state"] for m in cli("models", "list", "--json").json["models"]}
    assert models["gte-small"] == "here"
    assert Path(cli("models", "path", "gte-small").out.strip()).is_file()
    run = cli("models", "path", "llama-3.1-8b")
    assert (run.code, run.out) == (4, "")
    assert "try: dragtor models pull llama-3.1-8b" in run.err


def test_models_of_every_kind_are_listed_before_they_are_here(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DRAGTOR_MODELS_PATH", str(tmp_path / "models"))
    models = cli("models", "list", "--json").json["models"]
    assert {m["name"]: m["state"] for m in models} == dict.fromkeys(Catalogue.load().names(), "-")
    assert "speech" in {m["kind"] for m in models}
    assert cli("models", "list").out.count("\n") == len(models)


def test_a_search_by_speaker_shows_what_they_say(cli: Cli, own_folders: Path) -> None:
    turns = [
        ("S0", "Who are you?"), ("S1", "Max hangs build strength."), ("S0", "Say more."),
        ("S1", "Hang for ten seconds."), ("S1", "Then rest."), ("S0", "Thanks."),
    ]  # fmt: skip
    text, segments = "", []
    for second, (who, line) in enumerate(turns):
        end = len(text) + len(line)
        segments.append(Segment(len(text), end, start_s=second, end_s=second + 1, speaker=who))
        text += f"{line}\n"
    talk = Document(
        "d1234", "https://e.org/a.mp3", "audio", "Talk", text, segments=tuple(segments),
        speakers=(Speaker("S1", "Yves Gravelle"),),
    )  # fmt: skip
    with Writer.open(own_folders) as writer:
        writer.put_pending("s", talk.uri, "", talk)
    assert cli("index").code == 0
    words = ["search", "how long do I hang?"]
    run = cli(*words, "--speaker", "yves")
    heading, said = run.out.splitlines()[:2]
    assert heading.startswith(" 1  Talk, 0:01, Yves Gravelle")
    assert said == "    Max hangs build strength. […] Hang for ten seconds. Then rest."
    (hit,) = cli(*words, "--speaker", "yves", "--json").json["hits"]
    assert hit["text"] == text[hit["start"] : hit["end"]]
    assert hit["text"].startswith("Who are you?")
    assert "Who are you? Max hangs" in cli(*words).out


def test_doctor_on_a_sound_library(cli: Cli, library: Path, tiny_llm: None) -> None:
    run = cli("doctor", "--offline", "--json")
    found = {(f["what"], f["state"]) for f in run.json["findings"]}
    assert run.code == 0, run.out
    assert {("index", "ok"), ("library", "ok"), ("models", "ok")} <= found


def test_doctor_names_what_mends(cli: Cli, library: Path, tiny_llm: None) -> None:
    with Writer.open(library) as writer:
        ids = sorted(index_ids(writer.store))
        writer.store.index().delete(ids[:2])
    run = cli("doctor", "--offline")
    assert run.code == 1
    assert "dragtor index --rebuild" in run.out
    before = digest(library)
    assert cli("index", "--rebuild").code == 0
    after = digest(library)
    assert after["passages"] == before["passages"]
    assert cli("doctor", "--offline").code == 0


def test_ctrl_c_exits_130_and_the_next_run_finishes(tmp_path: Path) -> None:
    notes, library = tmp_path / "many", tmp_path / "lib"
    notes.mkdir()
    for number in range(400):
        (notes / f"{number}.txt").write_text(f"Note {number} speaks of tendon {number}. " * 20)
    line = [sys.executable, "-m", "dragtor", "--library", str(library), "add", str(notes)]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (library / "library.db").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    again = subprocess.run(line, capture_output=True, text=True, check=True)
    assert "400" in again.stderr or "unchanged" in again.stderr
    with Store.open(library) as store:
        assert store.counts()["documents"] == 400
        assert store.counts()["pending"] == 0


def test_no_colour_and_no_control_characters(cli: Cli, notes: Path) -> None:
    (notes / "evil.md").write_text("Evil \x1b[2J\x1b]0;title\x07 sleep text that clears screens.")
    cli("add", notes)
    run = cli("search", "evil sleep text")
    assert "\x1b" not in run.out


def test_a_closed_pipe_is_quiet(library: Path) -> None:
    line = f"{sys.executable} -m dragtor search pulley | head -1"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=os.environ, check=True
    )
    assert "Traceback" not in done.stderr
    assert done.stdout
