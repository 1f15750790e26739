"""Settings: the file and the built-ins agree, the order of overrides, one line for each mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml
from conftest import ROOT

from dragtor import config as module
from dragtor.config import (
    PRESETS,
    Config,
    LibraryConfig,
    ModelsConfig,
    WordLists,
    config_path,
    library_path,
    load_config,
    load_words,
    models_path,
    packaged,
    unknown_variables,
)
from dragtor.errors import UsageError

PARAMS = ROOT / "config" / "params.yml"
SET_BY_PRESET = "set by the preset"


def leaves(kind: type[Any], name: str = "") -> dict[str, Any]:
    """Dotted name of every setting, with its type."""
    found: dict[str, Any] = {}
    for key, hint in get_type_hints(kind).items():
        full = f"{name}.{key}" if name else key
        found |= leaves(hint, full) if is_dataclass(hint) else {full: hint}  # type: ignore[arg-type]
    return found


def dotted(data: dict[str, Any], name: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in data.items():
        full = f"{name}.{key}" if name else key
        found |= dotted(value, full) if isinstance(value, dict) and value else {full: value}
    return found


def uncommented() -> dict[str, Any]:
    """params.yml with the settings that presets set switched on."""
    text = re.sub(r"^( *)#(\w+:)", r"\1\2", PARAMS.read_text("utf-8"), flags=re.M)
    return dotted(yaml.safe_load(text))


def write(folder: Path, text: str) -> Path:
    path = folder / "own.yml"
    path.write_text(text, "utf-8")
    return path


def test_params_file_equals_the_built_in_settings() -> None:
    assert load_config(PARAMS) == Config()
    built_in = dotted(asdict(Config()))
    in_file = {k: tuple(v) if isinstance(v, list) else v for k, v in uncommented().items()}
    assert in_file == built_in


def test_params_file_names_every_setting_and_nothing_else() -> None:
    assert uncommented().keys() == leaves(Config).keys()


def test_every_line_of_the_params_file_has_a_comment() -> None:
    lines = PARAMS.read_text("utf-8").splitlines()
    settings = [line for line in lines if re.match(r" *#?\w+: \S", line)]
    assert len(settings) == len(leaves(Config)) - 1  # load.ignore is a list
    assert [line for line in settings if "  # " not in line and " # " not in line] == []
    wide = [line for line in lines if len(line) > 110]
    assert wide == []


def test_settings_of_the_presets_are_commented_out_in_the_params_file() -> None:
    of_presets: set[str] = set()
    for preset in PRESETS:
        of_presets |= dotted(yaml.safe_load(packaged(f"presets/{preset}.yml").read_text())).keys()
    in_file = dotted(yaml.safe_load(PARAMS.read_text("utf-8")))
    active = {name for name, value in in_file.items() if value is not None}
    assert of_presets & active == set()
    assert of_presets | active == leaves(Config).keys()
    assert PARAMS.read_text("utf-8").count(f"# {SET_BY_PRESET};") == len(of_presets)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_load_and_differ_only_where_they_say(preset: str) -> None:
    said = dotted(yaml.safe_load(packaged(f"presets/{preset}.yml").read_text()))
    got = dotted(asdict(load_config(PARAMS, {"preset": preset})))
    assert got == dotted(asdict(Config())) | said | {"preset": preset}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("llm: {modle: x}", "unknown setting llm.modle; did you mean model?"),
        ("loud: true", "unknown setting loud; did you mean load?"),
        ("zzzz: 1", "unknown setting zzzz; known here: preset, library,"),
        ("1: 2", "unknown setting 1;"),
        ("load: {web: {readr: x}}", "unknown setting load.web.readr; did you mean reader?"),
        ("load: {web: {reader: fast}}", "must be one of auto, jina, local, not 'fast'"),
        ("load: {web: {reader: off}}", "setting load.web.reader must be one of"),
        ("llm: {threads: two}", "setting llm.threads must be a whole number, 0 or more, not 'two'"),
        ("llm: {threads: 2.5}", "setting llm.threads must be a whole number"),
        ("llm: {threads: true}", "setting llm.threads must be a whole number"),
        ("llm: {threads: -1}", "0 or more, not -1"),
        ("llm: {gpu_layers: -3}", "-2 or more, not -3"),
        ("llm: {model: 8}", "setting llm.model must be text, not 8"),
        ("llm: 8", "setting llm must hold settings of its own, not 8"),
        ("retrieve: {dense_weight: 1.5}", "a number, 0 to 1, not 1.5"),
        ("retrieve: {dense_weight: .nan}", "a number, 0 to 1, not nan"),
        ("load: {ignore: '*.tmp'}", "setting load.ignore must be a list of texts, not '*.tmp'"),
        ("load: {ignore: [1]}", "must be a list of texts"),
        ("load: {web: {allow_private: 1}}", "must be true or false, not 1"),
        ("split: {overlap_tokens: 180}", "split.overlap_tokens (180) must be below split.tokens"),
        ("preset: huge", "unknown preset 'huge'"),
        ("preset: [small]", "unknown preset ['small']"),
        ("- a\n- b", "must hold a mapping of settings"),
        ("false", "must hold a mapping of settings"),
        ("just words", "must hold a mapping of settings"),
        ("llm: {model: [", "is not valid YAML: while parsing"),
        ("a: &a [*a]\nb: !!python/object:os.system {}", "is not valid YAML"),
        ("a: \x00", "is not valid YAML"),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(write(tmp_path, text))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "latin.yml").write_bytes("llm: {model: caf\xe9}".encode("latin-1"))
    for path, words in (
        (tmp_path / "none.yml", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "latin.yml", "is not valid YAML"),
    ):
        with pytest.raises(UsageError, match=words) as caught:
            load_config(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing\n", "embed:\n  # model: x\nretrieve:\n", "{}"])
def test_an_empty_file_or_section_means_the_built_ins(tmp_path: Path, text: str) -> None:
    assert load_config(write(tmp_path, text)) == Config()


def test_a_byte_order_mark_and_whole_numbers_for_fractions_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_bytes(b"\xef\xbb\xbfretrieve: {floor: 0}\nload: {ignore: [a, b]}\n")
    loaded = load_config(path)
    assert loaded.retrieve.floor == 0.0
    assert isinstance(loaded.retrieve.floor, float)
    assert loaded.load.ignore == ("a", "b")


def test_order_flag_environment_file_preset_built_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_config(write(tmp_path, "")).retrieve.k == 8
    assert load_config(write(tmp_path, "preset: quality")).retrieve.k == 12
    path = write(tmp_path, "preset: quality\nretrieve: {k: 5}")
    loaded = load_config(path)
    assert (loaded.retrieve.k, loaded.retrieve.candidates) == (5, 400)
    monkeypatch.setenv("DRAGTOR_RETRIEVE_K", "6")
    assert load_config(path).retrieve.k == 6
    assert load_config(path, {"retrieve": {"k": 7}}).retrieve.k == 7
    monkeypatch.setenv("DRAGTOR_PRESET", "small")
    loaded = load_config(path)
    assert (loaded.preset, loaded.embed.model) == ("small", "all-minilm-l6-v2")
    assert load_config(path, {"preset": "default"}).embed.model == "gte-small"


def test_environment_reaches_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Mapping[str, tuple[str, ...]]
    given = {str: "yes", int: "300", float: "0.5", bool: "true", tuple[str, ...]: "[a, b]"}
    given[topics] = "{a: [b]}"
    wanted = {str: "yes", int: 300, float: 0.5, bool: True, tuple[str, ...]: ("a", "b")}
    wanted[topics] = {"a": ("b",)}
    special = {
        "preset": "small",
        "load.web.reader": "local",
        "load.pdf.ocr": "never",
        "ocr.engine": "tesseract",
        "ocr.model": "small",
        "diarize.engine": "pyannote",
        "diarize.device": "cpu",
        "llm.engine": "server",
        "answer.context": "section",
        "answer.unsupported": "mark",
        "answer.style": "auto",
        "split.overlap_tokens": "3",
        "embed.late_overlap_tokens": "4",
        "llm.answer_tokens": "5",
    }
    hints = leaves(Config)
    for name, hint in hints.items():
        variable = "DRAGTOR_" + name.replace(".", "_").upper()
        monkeypatch.setenv(variable, special.get(name) or given[hint])
    loaded = load_config(PARAMS)
    got = dotted(asdict(loaded)) | {"topics": loaded.topics}
    for name, hint in hints.items():
        assert str(got[name]) == special[name] if name in special else got[name] == wanted[hint]


def test_environment_text_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for raw in ("8", "no", "~", "[", "hf:a/b", "x: y", ""):
        monkeypatch.setenv("DRAGTOR_LLM_MODEL", raw)
        assert load_config(PARAMS).llm.model == raw
    monkeypatch.setenv("DRAGTOR_LOAD_WEB_ALLOW_PRIVATE", "true")
    assert load_config(PARAMS).load.web.allow_private is True


@pytest.mark.parametrize("raw", ["", "many", "[", "1.5", "true"])
def test_a_wrong_environment_variable_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, raw: str
) -> None:
    monkeypatch.setenv("DRAGTOR_LLM_THREADS", raw)
    with pytest.raises(UsageError, match=r"^setting llm\.threads must be a whole number"):
        load_config(PARAMS)


def test_every_range_and_pair_names_settings_that_exist() -> None:
    names = leaves(Config)
    assert module.RANGES.keys() <= names.keys()
    assert {names[name] for name in module.RANGES} <= {int, float}
    assert {name for pair in module.BELOW for name in pair} <= names.keys()


def test_config_path_takes_the_variable_then_the_users_own_then_the_packaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGTOR_CONFIG", "~/mine.yml")
    assert config_path() == Path.home() / "mine.yml"
    monkeypatch.delenv("DRAGTOR_CONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert config_path() == PARAMS
    from platformdirs import user_config_path

    own = user_config_path("dragtor") / "params.yml"
    assert own.is_relative_to(tmp_path)
    own.parent.mkdir(parents=True)
    own.write_text("retrieve: {k: 3}")
    assert config_path() == own
    assert load_config().retrieve.k == 3


def test_library_path_flag_home_config_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = LibraryConfig(path="~/from-config")
    monkeypatch.setenv("DRAGTOR_HOME", str(tmp_path / "home"))
    assert library_path(section, str(tmp_path / "flag")) == tmp_path / "flag"
    assert library_path(section) == tmp_path / "home"
    monkeypatch.delenv("DRAGTOR_HOME")
    assert library_path(section) == Path.home() / "from-config"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert library_path(LibraryConfig()).is_relative_to(tmp_path)
    assert library_path(LibraryConfig()).name == "dragtor"
    monkeypatch.chdir(tmp_path)
    assert library_path(LibraryConfig(), "here") == tmp_path / "here"


def test_models_path_environment_config_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRAGTOR_MODELS_PATH", raising=False)
    assert models_path(ModelsConfig()) == ROOT / "models"
    assert models_path(ModelsConfig(path=str(tmp_path))) == tmp_path
    path = write(tmp_path, f"models: {{path: {tmp_path / 'file'}}}")
    assert models_path(load_config(path).models) == tmp_path / "file"
    monkeypatch.setenv("DRAGTOR_MODELS_PATH", str(tmp_path / "variable"))
    assert models_path(load_config(path).models) == tmp_path / "variable"


def test_a_mistyped_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGTOR_LLM_API_KEY", "secret")
    assert unknown_variables(load_config()) == []
    monkeypatch.setenv("DRAGTOR_LLM_MODLE", "x")
    (line,) = unknown_variables(load_config())
    assert line == "unknown setting DRAGTOR_LLM_MODLE; did you mean DRAGTOR_LLM_MODEL?"


# Words of a domain


def test_a_domain_adds_its_words_to_the_general_ones(tmp_path: Path) -> None:
    general, medical = load_words("none"), load_words(Config().answer.domain)
    assert (general.caution, general.red_flags, general.before_letters) == ("", (), ())
    assert general.strong == medical.strong
    assert medical.opposites[: len(general.opposites)] == general.opposites
    assert "radial/ulnar" in medical.opposites
    assert "radial/ulnar" not in general.opposites
    own = write(tmp_path, "red_flags: [bloat*]\ncaution: Ask a vet.\n")
    assert load_words(str(own)).red_flags == ("bloat*",)
    assert load_words(str(own)).opposites == general.opposites


@pytest.mark.parametrize("list_name", [field for field in leaves(WordLists) if field != "caution"])
def test_no_word_stands_twice(list_name: str) -> None:
    words = getattr(load_words("medicine"), list_name)
    assert words
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("opposits: [a/b]", "unknown setting own.opposits; did you mean opposites?"),
        ("red_flags: numb", "setting own.red_flags must be a list of texts, not 'numb'"),
        ("caution: [a]", "setting own.caution must be text"),
        ("[a, b]", "must hold a mapping"),
    ],
)
def test_a_wrong_domain_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_words(str(write(tmp_path, text)))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_domain_lists_those_there_are() -> None:
    for name in ("astrology", "../gates", ""):
        with pytest.raises(UsageError, match="unknown domain") as caught:
            load_words(name)
        assert caught.value.hint == "answer.domain: medicine, none, or a .yml file"
