"""Labelled texts as one page of HTML that needs nothing else, for light and dark screens.

Knows neither models nor files; every text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from dragtor.types import LabelledSpan, Tagged

HUES = (205, 140, 35, 300, 265, 0, 85, 175)  # of labels, in their order
STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1d2228; --pale: #667; --line: #dde1e6;
  --fill: 88%; --edge: 38%; }
@media (prefers-color-scheme: dark) { :root { --page: #15181c; --ink: #e4e7ea; --pale: #99a1aa;
  --line: #31373f; --fill: 20%; --edge: 72%; } }
body { background: var(--page); color: var(--ink); margin: 0 auto; max-width: 46rem;
  padding: 2.5rem 1.25rem 4rem; font: 1.05rem/1.75 system-ui, sans-serif; }
h1 { font-size: 1.35rem; line-height: 1.35; margin: 0; }
header p, .classes, footer { color: var(--pale);
  font-size: .85rem; margin: .3rem 0 0; }
.legend { display: flex; flex-wrap: wrap; gap: .5rem .8rem; padding: .8rem 0;
  border-bottom: 1px solid var(--line); font-size: .85rem; }
article { padding: 1.2rem 0; border-bottom: 1px solid var(--line); }
article p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
mark { background: hsl(var(--hue) 65% var(--fill)); color: inherit; border-radius: .3rem;
  padding: .08em .3em; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
mark small { color: hsl(var(--hue) 60% var(--edge)); font-size: .7em; font-weight: 600;
  margin-left: .35em; letter-spacing: .02em; white-space: nowrap; }
.head { color: var(--pale); font-size: .8rem; }
.bar { display: inline-block; width: 6rem; height: .5rem; border-radius: .25rem;
  background: var(--line); overflow: hidden; vertical-align: .05em; margin: 0 .4em; }
.bar i { display: block; height: 100%; background: hsl(205 60% 50%); }
"""


def tags_page(found: Sequence[Tagged], model: str) -> str:
    """The page of these texts, as `model` reads them."""
    spans = [span for each in found for own in each.spans.values() for span in own]
    counts = {label: sum(s.label == label for s in spans) for label in _labels(spans)}
    hues = {label: HUES[n % len(HUES)] for n, label in enumerate(counts)}
    legend = "".join(
        f'<span><mark style="--hue:{hues[label]}">{escape(label)}</mark> {count}</span>'
        for label, count in counts.items()
    )
    title = _title(found)
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
    )
    number = f"{len(found)} text{'s' * (len(found) != 1)}"
    top = (
        f"<header><h1>{escape(title)}</h1><p>{number}, {len(spans)} spans, read by "
        f"{escape(model)}</p></header>" + (f'<div class="legend">{legend}</div>' if legend else "")
    )
    body = "".join(_article(each, hues) for each in found)
    page = f'<!doctype html><html lang="en"><head>{head}</head><body>{top}{body}</body></html>\n'
    return page.encode("utf-8", "replace").decode("utf-8")


def _title(found: Sequence[Tagged]) -> str:
    """The first words of the first text."""
    words = " ".join(each for tagged in found[:1] for each in tagged.text[:400].split())
    return words if len(words) <= 70 else f"{words[:70].rsplit(' ', 1)[0]} …"


def _labels(spans: Iterable[LabelledSpan]) -> list[str]:
    return sorted({span.label for span in spans})


def _article(tagged: Tagged, hues: dict[str, int]) -> str:
    parts = [
        (f'<div class="head">{escape(head)}</div>' if len(tagged.spans) > 1 else "")
        + f"<p>{_marked(tagged.text, spans, hues)}</p>"
        for head, spans in tagged.spans.items()
    ] or [f"<p>{escape(tagged.text)}</p>"]
    for head, chances in tagged.classes.items():
        told = " ".join(_chance(label, chance) for label, chance in chances.items())
        parts.append(f'<div class="classes">{escape(head)}: {told}</div>')
    return f"<article>{''.join(parts)}</article>"


def _marked(text: str, spans: Sequence[LabelledSpan], hues: dict[str, int]) -> str:
    parts, at = [], 0
    for span in spans:
        label = f"{escape(span.label)} {span.probability:.2f}"
        parts += [
            escape(text[at : span.start]),
            f'<mark style="--hue:{hues[span.label]}">{escape(text[span.start : span.end])}'
            f"<small>{label}</small></mark>",
        ]
        at = span.end
    return "".join([*parts, escape(text[at:])])


def _chance(label: str, chance: float) -> str:
    bar = f'<span class="bar"><i style="width:{100 * chance:.0f}%"></i></span>'
    return f"{escape(label)}{bar}{chance:.2f}"
