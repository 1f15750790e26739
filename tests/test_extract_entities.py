"""People and companies with the real tagger and the real reader of pictures."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import jsonschema
import pytest
from conftest import ROOT, Cli, shared

from dragtor import Library
from dragtor.entities import last_said
from dragtor.errors import LoadError, Missing
from dragtor.schema import FOUND_ENTITIES_SCHEMA, found_entities_json
from dragtor.types import FoundEntity

sys.path.append(str(ROOT / "benchmarks"))
from mail_pictures import LAYOUTS, make

MAIL = """From: Sofia Hartwell <sofia.hartwell@brindlecove.example>
To: Mateo Ortega

Mateo, I spoke to Karin Lindqvist in Rotterdam this morning. She left Quillbank in May.
Best regards,
Sofia
"""


def found(library: Library, what: Path | str | bytes) -> list[FoundEntity]:
    return last_said(library.extract_entities(what))


def by_name(entities: list[FoundEntity]) -> dict[str, set[str]]:
    return {entity.name: set(entity.aliases) for entity in entities}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each layout, drawn."""
    pytest.importorskip("PIL", reason="pictures need the extra ocr")
    pytest.importorskip("faster_paddle", reason="pictures need the extra ocr")
    folder = tmp_path_factory.mktemp("pictures")
    make(folder, len(LAYOUTS))
    return folder


def test_headers_signatures_and_sentences(tmp_path: Path) -> None:
    with Library(tmp_path / "none") as library:
        names = by_name(found(library, MAIL))
    assert names["Sofia Hartwell"] == {"Sofia", "sofia.hartwell@brindlecove.example"}
    assert names["Mateo Ortega"] == {"Mateo"}
    assert "Karin Lindqvist" in names
    assert "Rotterdam" not in names
    assert not (tmp_path / "none").exists()  # nothing is kept


def test_a_text_a_file_bytes_and_a_document_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "mail.txt"
    file.write_text(MAIL)
    with Library(tmp_path / "library") as library:
        library.add(file)
        (facts,) = library.documents()
        expected = by_name(found(library, MAIL))
        for what in (file, file.read_bytes(), facts["id"]):
            assert by_name(found(library, what)) == expected
        assert found(library, str(file)) == []  # a str is a text, and no file is opened by it


def test_what_the_library_knows(tmp_path: Path) -> None:
    talk = tmp_path / "talk.md"
    talk.write_text(
        "# A talk\n\nKarin Lindqvist lifts more than all. Karin Lindqvist trains in May.\n"
    )
    with Library(tmp_path / "library") as library:
        library.add(talk)
        library.index(tags=True)
        known = {entity.name: entity.known for entity in found(library, MAIL)}
    karin = known["Karin Lindqvist"]
    assert karin is not None
    assert (karin.kind, karin.mentions) == ("person", 2)
    assert known["Sofia Hartwell"] is None


def test_without_the_tagger_headers_still_speak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Absent:
        def tag(self, texts: object) -> None:
            raise Missing("the model tags is not here", "dragtor models pull tags")

    heard: list[str] = []
    with Library(tmp_path / "none") as library:
        monkeypatch.setitem(library.__dict__, "tagger", Absent())
        monkeypatch.setattr(library.reporter, "note", heard.append, raising=False)
        names = by_name(found(library, f"{MAIL}\nAnn Berg\n"))
    assert "Mateo Ortega" in names
    assert "Karin Lindqvist" not in names
    assert len(heard) == 1


def test_json_is_as_its_schema_says(tmp_path: Path) -> None:
    with Library(tmp_path / "none") as library:
        data = json.loads(json.dumps(found_entities_json(found(library, MAIL))))
    jsonschema.validate(data, FOUND_ENTITIES_SCHEMA)
    mention = data["entities"][0]["mentions"][0]
    assert MAIL[mention["start"] : mention["end"]] == mention["text"]


def test_from_the_command_line(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "mail.txt"
    file.write_text(MAIL)
    shown = cli("extract", "entities", str(file))
    assert shown.code == 0
    assert "person   Sofia Hartwell" in shown.out
    data = json.loads(cli("extract", "entities", str(file), "--json").out)
    assert {e["category"] for e in data["entities"]} <= {"person", "company"}


def test_one_line_says_what_is_wrong(cli: Cli, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    for arguments, code in (
        (("nowhere.png",), 2),
        ((str(broken),), 1),
        ((str(tmp_path),), 2),
        (("",), 2),
    ):
        said = cli("extract", "entities", *arguments)
        assert said.code == code, said.err
        assert "Traceback" not in said.err
        assert said.out == ""


@pytest.mark.parametrize("given", [b"", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_wrong_with_stdin_is_said_of_stdin(cli: Cli, given: bytes) -> None:
    said = cli("extract", "entities", "-", stdin=given)
    assert said.code == 1
    assert said.err.startswith("error: stdin is ")  # and no hash of it


def test_nobody_in_it_is_said(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "empty.txt"
    file.write_text("It rains.\n")
    said = cli("extract", "entities", str(file))
    assert (said.code, said.out) == (0, "")
    assert "no person" in said.err


def test_pictures_of_every_layout(pictures: Path) -> None:
    from dragtor.config import load_config
    from dragtor.evaluate.entities import evaluate

    result = evaluate(pictures, load_config())
    assert result["n"] == len(LAYOUTS)
    assert result["metrics"]["f1"] >= 0.85, result["wrong"]
    assert result["metrics"]["invented"] == 0
    assert result["metrics"]["merged"] == 0


def test_a_name_by_itself_is_a_spelling_and_what_is_none_is_told(tmp_path: Path) -> None:
    from dragtor.evaluate.entities import gold_entities, gold_rows

    row = {"text": "Ann of Acme", "people": [["Ann"]], "companies": ["Acme"]}
    (tmp_path / "gold.jsonl").write_text(json.dumps(row))
    ((_, read),) = gold_rows(tmp_path)
    assert [(each.name, each.spellings) for each in gold_entities(read, "company")] == [
        ("Acme", ("acme",))
    ]
    for wrong in ([7], [[]], [{"mentions": []}], [[""]]):
        (tmp_path / "gold.jsonl").write_text(json.dumps(row | {"people": wrong}))
        with pytest.raises(LoadError, match="line 1"):
            list(gold_rows(tmp_path))


def test_what_an_evaluation_leaves_out_is_named_once(cli: Cli, pictures: Path) -> None:
    gold = pictures / "some.jsonl"
    absent = {"id": "a", "image": "absent.png", "people": [["Ann Lee"]], "companies": []}
    gold.write_text(json.dumps(absent) + "\n")
    said = cli("eval", "entities", str(gold))
    assert said.code == 1
    assert "no picture that can be read: " in said.err
    assert said.err.count("absent.png") == 1
    first = (pictures / "gold.jsonl").read_text("utf-8").splitlines()[0]
    gold.write_text(f"{json.dumps(absent)}\n{first}\n")
    said = cli("eval", "entities", str(gold))
    assert said.code == 0, said.err
    assert said.err.count("absent.png") == 1


def test_people_of_pictures_in_a_library_are_those_of_each_picture(
    pictures: Path, tmp_path: Path
) -> None:
    rows = map(json.loads, (pictures / "gold.jsonl").read_text("utf-8").splitlines())
    full = {aliases[0] for row in rows for aliases in row["people"]}
    with Library(tmp_path / "library") as library:
        library.add(pictures)
        library.index(tags=True)
        names = {person.name for person in library.people(n=0)}
    assert len(names & full) >= 0.9 * len(full)
    assert len(names - full) <= 4  # no entries of menus, no two lines in one name


def test_names_are_marked_on_the_picture(cli: Cli, pictures: Path, tmp_path: Path) -> None:
    from PIL import Image, ImageChops

    source = next(pictures.glob("*classic.png"))
    said = cli("extract", "entities", str(source), "--draw", str(tmp_path / "out.png"))
    assert said.code == 0, said.err
    with Image.open(source) as before, Image.open(tmp_path / "out.png") as after:
        changed = ImageChops.difference(before.convert("RGB"), after.convert("RGB")).getbbox()
    assert changed is not None
    assert cli("extract", "entities", str(source), "--draw", str(tmp_path / "out.doc")).code == 2


def test_boxes_of_another_page_are_not_drawn_on_the_first(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("faster_paddle", reason="pictures need the extra ocr")
    from PIL import Image, ImageChops, ImageDraw, ImageFont

    pages = [Image.new("RGB", (700, 160), "white") for _ in range(2)]
    pen = ImageDraw.Draw(pages[1])
    pen.text((40, 60), "From: Sofia Hartwell <sofia@brindlecove.example>", "black",
             ImageFont.load_default(24))  # fmt: skip
    source, target = tmp_path / "fax.tif", tmp_path / "out.png"
    pages[0].save(source, save_all=True, append_images=pages[1:])
    with Library(tmp_path / "none") as library:
        assert {m.page for e in found(library, source) for m in e.mentions} == {2}
    said = cli("extract", "entities", str(source), "--draw", str(target))
    assert said.code == 0, said.err
    assert "only the first page is drawn; on others: 2 mentions" in said.err
    with Image.open(target) as drawn:
        assert ImageChops.difference(drawn, pages[0]).getbbox() is None


def test_a_picture_on_its_side_is_drawn_upright(cli: Cli, pictures: Path, tmp_path: Path) -> None:
    from PIL import Image, ImageChops

    with Image.open(next(pictures.glob("*classic.png"))) as upright:
        straight = upright.convert("RGB")
    source, target = tmp_path / "side.png", tmp_path / "out.png"
    straight.rotate(90, expand=True).save(source)
    assert cli("extract", "entities", str(source), "--draw", str(target)).code == 0
    with Image.open(target) as drawn:
        assert drawn.size == straight.size
        marks = ImageChops.difference(drawn.convert("RGB"), straight)
    assert marks.getbbox()
    assert sum(marks.convert("L").histogram()[1:]) < 0.1 * straight.width * straight.height


def test_drawing_wants_a_picture(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "mail.txt"
    file.write_text(MAIL)
    said = cli("extract", "entities", str(file), "--draw", str(tmp_path / "out.png"))
    assert said.code == 2
    assert f"on a picture, and {file} is none" in said.err


def test_a_picture_without_words_is_no_crash(pictures: Path, tmp_path: Path) -> None:
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(data, "PNG")
    with Library(tmp_path / "none") as library, pytest.raises(LoadError):
        found(library, data.getvalue())


def test_the_real_pictures(tmp_path: Path) -> None:
    pytest.importorskip("faster_paddle", reason="pictures need the extra ocr")
    from dragtor.config import load_config
    from dragtor.evaluate.entities import evaluate

    folder = shared("email_screenshots")
    rows = (folder / "gold.jsonl").read_text("utf-8").splitlines()[:3]
    for name in {json.loads(row)["image"].split("/")[0] for row in rows}:
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "gold.jsonl").write_text("\n".join(rows))
    result = evaluate(tmp_path, load_config())
    assert result["metrics"]["people"]["recall"] >= 0.8
