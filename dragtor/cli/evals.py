"""Commands that measure dragtor on anybody's data, and the history of what was measured.

Each makes one library call and prints; knows no data format and no measure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dragtor.cli.output import (
    AS_JSON,
    TerminalReporter,
    load_settings,
    out,
    out_json,
    plural,
    settings,
    style,
    warn,
)
from dragtor.cli.proposals import eval_propose

if TYPE_CHECKING:
    from dragtor.config import Config
    from dragtor.types import SavedRun

SAVE = typer.Option(False, "--save", help="Keep the result for `dragtor eval history`.")
COMPARE = typer.Option(
    [],
    "--compare",
    help="Measure this configuration besides, on the same items; give it as often as you like.",
    metavar="SETTING=VALUE[,SETTING=VALUE…]",
)
DOCUMENTS = typer.Option(
    None, help="Folder of documents, or of a library; else the library.", metavar="FOLDER"
)

eval_app = typer.Typer(
    help="Measure dragtor on data of your own.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (
        *(eval_retrieval, eval_chunking, eval_answers, eval_injection, eval_chat),
        *(eval_transcription, eval_diarization, eval_events, eval_encoder),
        *(eval_entities, eval_research),
        *(eval_propose, eval_history),
    ):
        eval_app.command(command.__name__.removeprefix("eval_"))(command)
    app.add_typer(eval_app, name="eval")


def eval_retrieval(
    path: Path = typer.Argument(help="corpus.jsonl, queries.jsonl, qrels/ (BEIR).", exists=True),
    split: str = typer.Option("test", help="Which qrels file.", metavar="NAME"),
    compare: list[str] = COMPARE,
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Find the right documents: nDCG, recall, MRR and latency on a BEIR folder."""
    from dragtor.evaluate.retrieval import evaluate

    others = _configurations(compare)
    _measure(evaluate, path, others, as_json=as_json, save=save, split=split, compare=others)


def eval_chunking(
    path: Path = typer.Argument(help="corpora/*.md and questions_df.csv.", exists=True),
    compare: list[str] = COMPARE,
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Find the right spans: recall, precision and IoU of the first five passages."""
    from dragtor.evaluate.chunking import evaluate

    others = _configurations(compare)
    _measure(evaluate, path, others, as_json=as_json, save=save, compare=others)


def eval_answers(
    path: Path = typer.Argument(
        help="JSONL: question, answerable, reference, must_contain, relevant.", exists=True
    ),
    documents: Path | None = DOCUMENTS,
    limit: int = typer.Option(0, help="Only the first N questions; 0: all.", metavar="N", min=0),
    calibrate: bool = typer.Option(
        False, "--calibrate", help="Fit the gate that decides whether anything was found."
    ),
    judge: bool = typer.Option(
        False, "--judge", help="Faithfulness and correctness by the language model, besides."
    ),
    quotes: bool = typer.Option(
        False, "--quotes", help="Of the quotes that come first; needs no language model."
    ),
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Answer questions: correctness, citations, refusals, seconds."""
    from dragtor.evaluate.answers import evaluate

    _measure(
        evaluate,
        path,
        as_json=as_json,
        save=save,
        documents=_documents(documents),
        calibrate=calibrate,
        limit=limit,
        judge=judge,
        quotes=quotes,
    )


def eval_injection(
    path: Path = typer.Argument(help="Folder of contexts and attacks.", exists=True),
    n: int = typer.Option(300, "--n", help="Contexts with an attack to draw.", min=1),
    seed: int = typer.Option(7, help="Draws the same ones again.", min=0),
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Withstand instructions hidden in what is read."""
    from dragtor.evaluate.injection import evaluate

    _measure(evaluate, path, as_json=as_json, save=save, n=n, seed=seed)


def eval_chat(
    path: Path = typer.Argument(help="JSONL of two-turn conversations.", exists=True),
    documents: Path | None = DOCUMENTS,
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Understand follow-ups: is the right document found for the second question?"""
    from dragtor.evaluate.chat import evaluate

    _measure(evaluate, path, as_json=as_json, save=save, documents=_documents(documents))


def eval_transcription(
    path: Path = typer.Argument(help="{file, reference} a line (JSON).", exists=True),
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Hear the right words: word error rate, and seconds of work per second of sound."""
    from dragtor.evaluate.transcription import evaluate

    _measure(evaluate, path, as_json=as_json, save=save)


def eval_diarization(
    path: Path = typer.Argument(help="Folder of NAME.wav, .rttm and .uem.", exists=True),
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Tell who speaks when: diarization error rate with its parts, and speed."""
    from dragtor.evaluate.diarization import evaluate

    _measure(evaluate, path, as_json=as_json, save=save)


def eval_events(
    path: Path = typer.Argument(help="{event_text, output} a line (JSON).", exists=True),
    baseline: bool = typer.Option(
        False, "--baseline", help="Have the model without its training read them, besides."
    ),
    adapter: Path | None = typer.Option(
        None, help="One of your own training.", exists=True, metavar="FILE"
    ),
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Read events out of texts: records and fields that are right, and patterns of errors."""
    from dragtor.config import load_config
    from dragtor.evaluate.events import BASELINE, evaluate

    others = {BASELINE: load_config()} if baseline else {}
    _measure(evaluate, path, others, as_json=as_json, save=save, baseline=baseline, adapter=adapter)


def eval_encoder(
    task: list[Path] = typer.Option(
        help="CSV or JSONL text,label or a,b,label; CoNLL; SQuAD. As often as you like.",
        exists=True,
        metavar="FILE",
    ),
    head: str = typer.Option("", help="Which head; else the one of that kind.", metavar="NAME"),
    model: str = typer.Option("tags", help="Head set of the catalogue, or a folder."),
    mapping: str = typer.Option(
        "", "--map", help="Coarse names of labels; O: none.", metavar="FINE=COARSE,…"
    ),
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Label words and texts: accuracy, F1 of spans, calibration of the probabilities."""
    from dragtor.encoder.data import parse_mapping
    from dragtor.evaluate.encoder import evaluate

    named = parse_mapping(mapping)
    _measure(evaluate, task, as_json=as_json, save=save, head=head, model=model, mapping=named)


def eval_entities(
    path: Path = typer.Argument(
        help="Folder of gold.jsonl: image, people, companies; or such a file.", exists=True
    ),
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Find people and companies in pictures: recall, precision, what is split and merged."""
    from dragtor.evaluate.entities import evaluate

    _measure(evaluate, path, as_json=as_json, save=save)


def eval_research(
    path: Path = typer.Argument(help="Folder with sites.jsonl and gold.jsonl.", exists=True),
    limit: int = typer.Option(0, help="Only the first N subjects; 0: all.", metavar="N", min=0),
    quotes: bool = typer.Option(False, "--quotes", help="Quotes only; no language model."),
    as_json: bool = AS_JSON,
    save: bool = SAVE,
) -> None:
    """Research subjects over a web of your own making: facts found and cited, namesakes, orders."""
    from dragtor.evaluate.research import evaluate

    _measure(evaluate, path, as_json=as_json, save=save, limit=limit, quotes=quotes)


def eval_history(as_json: bool = AS_JSON) -> None:
    """Compare the runs that were saved, newest last."""
    from dragtor.evaluate.record import results_folder, saved_runs
    from dragtor.schema import runs_json

    runs, damaged = saved_runs()
    for name in damaged:
        warn(f"left out, not a saved run: {results_folder() / name}")
    if as_json:
        out_json(runs_json(runs))
        return
    if not runs:
        warn("no run is saved yet")
        warn("  try: dragtor eval retrieval FOLDER --save")
    for kind in dict.fromkeys(run.kind for run in runs):
        _out_history([run for run in runs if run.kind == kind])


def _documents(given: Path | None) -> Path | None:
    """What to ask about: --documents, else --library, else None for the usual library."""
    return given or (Path(settings.library) if settings.library else None)


def _measure(
    evaluate: Callable[..., Mapping[str, Any]],
    path: Path | Sequence[Path],
    others: Mapping[str, Config] | None = None,
    *,
    as_json: bool,
    save: bool,
    **options: Any,
) -> None:
    """Evaluate the settings in force, print the result, and keep it where that is wanted.

    `others` are the configurations that it is compared with, by their labels.
    """
    config = load_settings()
    with TerminalReporter() as reporter:
        result = evaluate(path, config, reporter=reporter, cancel=settings.cancel, **options)
    for left_out in ("unreadable", "without_reference"):
        for each in result.get(left_out, ()):
            name, why = (each, "no reference") if isinstance(each, str) else each.values()
            warn(f"left out: {why if why.startswith(name) else f'{name}: {why}'}")
    if as_json:
        out_json(result)
    else:
        _out_result(result)
        _out_errors(result.get("errors", ()))
    if save:
        from dragtor.evaluate import record

        place = record.save(result, config, others or {})
        if not settings.quiet:
            warn(f"saved: {place}")


def _configurations(texts: list[str]) -> dict[str, Config]:
    """Each `--compare` as the whole configuration it stands for."""
    from dragtor.config import load_config

    return {text: load_config(overrides=_overrides(text)) for text in texts}


def _overrides(text: str) -> dict[str, Any]:
    """`retrieve.k=8,embed.model=x` as {"retrieve": {"k": 8}, "embed": {"model": "x"}}."""
    from dragtor.config import Config, scalar
    from dragtor.errors import UsageError

    found: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        *sections, key = name.strip().split(".")
        if not equals or not sections:
            raise UsageError(f"--compare {part!r} is no SETTING=VALUE", "retrieve.dense_weight=0.5")
        place: Any = found
        built_in: Any = Config()
        for section in sections:
            place = place.setdefault(section, {}) if isinstance(place, dict) else None
            built_in = getattr(built_in, section, None)
        if not isinstance(place, dict) or key in place:
            raise UsageError(
                f"--compare {part!r} does not go with what is set before it",
                "name each setting once",
            )
        as_text = isinstance(getattr(built_in, key, None), str)
        place[key] = value.strip() if as_text else scalar(value)
    return found


# Printing


def _out_result(result: Mapping[str, Any]) -> None:
    out(f"{result['n']} items of {result['path']}, {result['model']}")
    if gate := result.get("gate"):
        out(f"gate: {gate['from']}, threshold {_short(gate['threshold'])}")
    metrics = dict(_numbers(result["metrics"]))
    if others := result.get("compared"):
        _out_compared(result, list(metrics), others)
        return
    wide = max(map(len, metrics), default=0)
    for name, value in metrics.items():
        out(f"  {name:<{wide}}  {_short(value):>7}{_bounds(result['metrics'], name)}")


def _out_errors(errors: Sequence[Mapping[str, Any]]) -> None:
    """Kinds of errors, and one example of each."""
    for each in errors:
        example = each["examples"][0]
        out(style(f"{each['pattern']}, {plural(each['n'], 'time')}", bold=True))
        out(f"  {example['text']}")
        out(f"  said: {example['said']}   wanted: {example['wanted']}")


def _out_compared(result: Mapping[str, Any], names: list[str], others: Any) -> None:
    """Under each metric a line for every configuration, with what it gains on the first."""
    first = {"settings": "as configured", "metrics": result["metrics"], "difference": {}}
    wide = max(len(each["settings"]) for each in (first, *others))
    for name in names:
        out(style(name, bold=True))
        for each in (first, *others):
            numbers = dict(_numbers(each["metrics"]))
            line = f"  {each['settings']:<{wide}}  {_short(numbers.get(name)):>7}"
            if name in each["difference"]:
                line += f"  {each['difference'][name]:+.4f}"
            out(line + _bounds(each["difference"] or each["metrics"], name))
    out("The others with their difference to the first and its paired 95 % interval.")


def _bounds(metrics: Mapping[str, Any], name: str) -> str:
    if f"{name}_ci" not in metrics:
        return ""
    low, high = metrics[f"{name}_ci"]
    return f"  ({low:.4f} to {high:.4f})"


def _numbers(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float | None]]:
    """Every number by its name, those of parts as PART.NAME; None where nothing was measured."""
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{name}.")
        elif value is None or isinstance(value, int | float):
            yield f"{prefix}{name}", value


def _out_history(runs: list[SavedRun]) -> None:
    """One table: date, data, metrics, and the settings that are not the same in all runs."""
    from dragtor.evaluate.record import differing

    shown = [dict(_numbers(run.metrics)) for run in runs]
    columns = list(dict.fromkeys(name for numbers in shown for name in numbers if "." not in name))
    differ = differing(runs)
    head = ["date", "data", "n", *columns, "settings" if differ else ""]
    rows = [
        [
            run.date[:16].replace("T", " "),
            run.path,
            str(run.n),
            *(_short(numbers.get(name)) for name in columns),
            ", ".join(
                f"{key}={_setting(run.settings[key])}" for key in differ if key in run.settings
            ),
        ]
        for run, numbers in zip(runs, shown, strict=True)
    ]
    wide = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    out(style(runs[0].kind, bold=True))
    for date, data, *numbers, settled in (head, *rows):
        cells = [number.rjust(width) for number, width in zip(numbers, wide[2:-1], strict=True)]
        out("  ".join((date.ljust(wide[0]), data.ljust(wide[1]), *cells, settled)).rstrip())
    out()


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) and abs(value) < 10 else f"{value:.0f}"


def _setting(value: Any) -> str:
    """As it is written; of the name and hash of a model, the hash's beginning."""
    name, space, hashed = str(value).partition(" ")
    return f"{name}{space}{hashed[:8]}"
