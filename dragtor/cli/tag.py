"""Commands on single texts: names and classes in them, their vectors, how alike they are.

Each makes one call of the encoder and prints; knows no model and no page.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dragtor.cli.given import given_text, names_file
from dragtor.cli.output import (
    AS_JSON,
    load_settings,
    out,
    out_json,
    settings,
    style,
    warn,
    write_file,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.encoder import Encoder
    from dragtor.types import LabelledSpan, Tagged

MODEL = "tags"
BATCH_TEXTS = 128  # of which vectors are printed at once
SHOWN_CHARACTERS = 60  # characters of a sentence beside its row
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red")  # of labels, in their order
FROM = typer.Option(
    "", help=f"A model, or a folder; else {MODEL}, and for vectors the library's.", metavar="NAME"
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("tag")(tag)
    app.command("encode")(encode_lines)


def tag(
    given: list[str] = typer.Argument(
        None, help="Texts in quotes, or files of text; - reads stdin.", metavar="TEXT|FILE…"
    ),
    model: str = FROM,
    head: list[str] = typer.Option(
        [], help="Only this head; as often as you like.", metavar="NAME"
    ),
    html: Path | None = typer.Option(None, help="Write a page, too.", metavar="FILE"),
    similar: str = typer.Option(
        "", help="How alike the lines of this file are, instead.", metavar="FILE"
    ),
    plot: Path | None = typer.Option(
        None, help="With --similar: draw it as a picture, too.", metavar="FILE"
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Find people, organisations and places in texts, and the classes of the texts."""
    from dragtor.entities import predict_sentences
    from dragtor.errors import UsageError
    from dragtor.schema import tagged_json

    if similar:
        if given or html or head:
            raise UsageError("--similar reads one file, and has neither --head nor --html")
        _similar(similar, model, plot, as_json)
        return
    if plot is not None:
        raise UsageError("--plot needs --similar", "dragtor tag --similar FILE --plot FILE")
    texts, model = _texts(given or []), model or MODEL
    found = predict_sentences(_encoder(model), texts, head)
    if html is not None:
        from dragtor.cli.tag_page import tags_page

        write_file(html, tags_page(found, model), "dragtor tag FILE --html OTHER-FILE")
    if as_json:
        out_json(tagged_json(found, model))
        return
    for n, each in enumerate(found):
        if n:
            out()
        _out_tagged(each)


def encode_lines(
    file: str = typer.Argument(help="A text a line; - reads stdin.", metavar="FILE"),
    pooling: str = typer.Option("", help="mean, max or cls; else the model's.", metavar="HOW"),
    model: str = FROM,
) -> None:
    """Print the vector of each line: one JSON object a line, {"text", "vector"}."""
    from dragtor.schema import vector_json

    lines = _lines(file, "dragtor encode")
    encoder = _encoder(model or _library_model())
    for batch in _batches(lines):
        for text, vector in zip(batch, encoder.encode(batch, pooling), strict=True):
            out_json(vector_json(text, vector.tolist()))


def _encoder(model: str) -> Encoder:
    from dragtor.encoder import Encoder

    return Encoder.load(model, models=load_settings().models, cancel=settings.cancel)


def _library_model() -> str:
    """The encoder of the library: heads move vectors apart by what they tell, not by meaning."""
    return load_settings().embed.model


def _texts(given: list[str]) -> list[str]:
    """One text an argument; bare words without quotes are one."""
    from dragtor.errors import UsageError

    words = len(given) > 1 and not any(" " in word or names_file(word) for word in given)
    texts = [given_text(each, "dragtor tag") for each in ([" ".join(given)] if words else given)]
    if not any(text.strip() for text in texts):
        raise UsageError("the text is empty", 'dragtor tag "Alex Megos climbed in Céüse"')
    return texts


def _lines(file: str, command: str) -> list[str]:
    """The lines of a file or of stdin that hold anything."""
    from dragtor.errors import UsageError

    if file != "-" and not names_file(file):
        raise UsageError(f"there is no file {file}", f"{command} FILE")
    lines = [line.strip() for line in given_text(file, command).split("\n") if line.strip()]
    if not lines:
        raise UsageError(f"{file} holds no text", f"{command} FILE")
    return lines


def _batches(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(lines), BATCH_TEXTS):
        yield lines[first : first + BATCH_TEXTS]


# On the terminal


def _out_tagged(tagged: Tagged) -> None:
    many = len(tagged.spans) > 1
    for head, spans in tagged.spans.items():
        out((f"{head}: " if many else "") + _marked(tagged.text, spans))
    if not tagged.spans:
        out(tagged.text)
    for head, chances in tagged.classes.items():
        out(f"{style(head, bold=True)}: {_classes(chances)}")


def _marked(text: str, spans: Sequence[LabelledSpan]) -> str:
    """The text, its spans in colour, or between brackets where there is none."""
    labels = sorted({span.label for span in spans})
    coloured = style("x", bold=True) != "x"
    parts, at = [], 0
    for span in spans:
        inner, label = text[span.start : span.end], f"{span.label} {_share(span.probability)}"
        if coloured:
            colour = COLOURS[labels.index(span.label) % len(COLOURS)]
            made = f"{style(inner, fg=colour, bold=True)} {style(label, fg=colour, dim=True)}"
        else:
            made = f"[{inner} {label}]"
        parts += [text[at : span.start], made]
        at = span.end
    return "".join([*parts, text[at:]])


def _classes(chances: Mapping[str, float]) -> str:
    ranked = sorted(chances.items(), key=lambda each: -each[1])
    return ", ".join(f"{label} {_share(chance)}" for label, chance in ranked)


def _share(probability: float) -> str:
    """.98; certainty is 1.00."""
    return f"{probability:.2f}".removeprefix("0")


# Similarity


def _similar(file: str, model: str, plot: Path | None, as_json: bool) -> None:
    from dragtor.schema import similarity_json

    lines = _lines(file, "dragtor tag --similar")
    model = model or _library_model()
    vectors = _encoder(model).encode(lines)
    cosines = vectors @ vectors.T
    if plot is not None:
        _draw(lines, cosines, plot)
    if as_json:
        out_json(similarity_json(lines, cosines.tolist(), model))
        return
    wide = len(str(len(lines)))
    out(" " * wide + "".join(f" {n:>5}" for n in range(1, len(lines) + 1)))
    for n, (line, row) in enumerate(zip(lines, cosines, strict=True), 1):
        cells = "".join(f" {max(cosine, -1):5.2f}" for cosine in row)
        out(f"{n:>{wide}}{cells}  {textwrap.shorten(line, SHOWN_CHARACTERS, placeholder='…')}")


def _draw(lines: Sequence[str], cosines: NDArray[np.float32], path: Path) -> None:
    """A heat map; raises Missing without matplotlib, UsageError where it cannot be written."""
    from dragtor.errors import UsageError
    from dragtor.extras import require

    require("matplotlib", extra="train")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [
        f"{n}  {textwrap.shorten(line, 40, placeholder='…')}" for n, line in enumerate(lines, 1)
    ]
    side = min(3 + 0.35 * len(lines), 30)
    figure = Figure(figsize=(side + 1, side))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    image = axes.imshow(cosines, vmin=min(0.0, float(cosines.min())), vmax=1, cmap="viridis")
    axes.set_xticks(range(len(lines)), [str(n) for n in range(1, len(lines) + 1)])
    axes.set_yticks(range(len(lines)), names, parse_math=False)
    figure.colorbar(image, label="cosine", shrink=0.8)
    drawn = BytesIO()
    form = path.suffix.lstrip(".") or "png"
    try:
        figure.savefig(drawn, format=form, dpi=120, bbox_inches="tight", pad_inches=0.2)
        with path.expanduser().open("xb") as file:
            file.write(drawn.getvalue())
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot write {path}: {why}", "--plot OTHER-FILE.png") from error
    warn(f"written: {path}")
