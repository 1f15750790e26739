"""`dragtor eval research`: are facts found and cited, and is anything of a namesake's among them?

A folder with sites.jsonl (a web, see loopback.py), gold.jsonl (subjects with their facts) and, if
there is one, injections.jsonl ({url, text, telltale}). Deterministic; nothing leaves the machine.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dragtor import metrics
from dragtor.config import Config
from dragtor.dossier import CATEGORIES, Dossier
from dragtor.errors import LoadError
from dragtor.evaluate.common import counted, means, rows_of, versions
from dragtor.evaluate.loopback import SEARXNG, WIKI, LoopbackWeb, site_pages
from dragtor.library import Library
from dragtor.load.websearch import ResearchWeb
from dragtor.loading import CACHE
from dragtor.schema import evaluation_json
from dragtor.types import NEVER, SILENT, CancelToken, Claim, Reporter

GoldRow = Mapping[str, Any]
WEB_LAYOUT = "a folder with sites.jsonl and gold.jsonl: docs/research.md"
WANTED = "a subject: id, kind, name or question, facts"
PLAYED = ("searxng", "wikipedia")  # that the loopback web plays


class LoopbackLibrary(Library):
    """A library whose researches see the loopback web and nothing else."""

    web: LoopbackWeb

    def research_web(self) -> ResearchWeb:
        """As configured, but for where names lead."""
        config = self.config
        return ResearchWeb.open(
            config.research,
            config.load.web,
            self.folder / CACHE,
            self.reporter,
            self.cancel,
            resolve=self.web.resolve,
            dial=self.web.dial,
        )


def evaluate(
    path: Path,
    config: Config,
    *,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
    limit: int = 0,
    quotes: bool = False,
) -> dict[str, Any]:
    """Research every subject over the web of the folder, each in an empty library of its own.

    With `quotes` no language model writes. `found` is the share of a subject's facts that are
    stated under a citation of a page that states them, `wrong` the share of claims that hold what
    is a namesake's or false.
    """
    subjects = subjects_of(path / "gold.jsonl")[: limit or None]
    orders = injections_of(path / "injections.jsonl")
    config = over_loopback(config)
    rows = []
    with (
        LoopbackWeb(site_pages(path / "sites.jsonl")) as web,
        tempfile.TemporaryDirectory(prefix="dragtor-eval-") as folder,
        Library(Path(folder) / "lender", config=config, cancel=cancel) as lender,
    ):
        for subject in counted(subjects, "researching", reporter, cancel):
            library = LoopbackLibrary(
                Path(folder) / subject["id"], config=config, cancel=cancel, lender=lender
            )
            library.web = web
            with library:
                rows.append(researched(library, subject, quotes=quotes))
        model = "quotes" if quotes else lender.llm().name
    found = scores(rows, orders)
    made_by = versions(generating=not quotes)
    return evaluation_json(
        "research", path.resolve().name, len(rows), found, model, made_by, quotes=quotes
    )


def over_loopback(config: Config) -> Config:
    """The settings with the providers that a loopback web plays."""
    own = replace(
        config.research,
        providers=PLAYED,
        searxng_url=f"http://{SEARXNG}",
        wikipedia_url=f"http://{WIKI}/w/api.php",
    )
    web = replace(config.load.web, requests_per_minute=0, allow_private=False)
    return replace(config, research=own, load=replace(config.load, web=web))


def researched(library: LoopbackLibrary, subject: GoldRow, *, quotes: bool) -> dict[str, Any]:
    """One subject, and how it went: shares, seconds, whether its quotes are verbatim."""
    begun = time.perf_counter()
    category = subject["kind"] if subject["kind"] in CATEGORIES else ""
    *_, dossier = library.research(
        subject["name"], category, subject["context"], web=lambda consent: True, quotes_only=quotes
    )
    assert isinstance(dossier, Dossier)  # by contract
    seconds = time.perf_counter() - begun
    facts = [is_found(fact, dossier, library.web) for fact in subject["facts"]]
    wrong = [is_wrong(claim, subject["wrong"]) for claim in dossier.claims]
    return {
        "id": subject["id"],
        "kind": subject["kind"],
        "facts": facts,
        "wrong": wrong,
        "verbatim": [_is_verbatim(library, c) for c in dossier.citations],
        "seconds": seconds,
        "pages": dossier.pages,
        "missed": [
            f["fact"] for f, there in zip(subject["facts"], facts, strict=True) if not there
        ],
        "said": [claim.text for claim in dossier.claims],
        "text": " ".join(dossier.summary.values()),
    }


def is_found(fact: GoldRow, dossier: Dossier, web: LoopbackWeb) -> bool:
    """Whether claims that cite a page of the fact hold all phrases of one way to say it."""
    urls = {web.settled(url) for url in fact["urls"]}
    stating = {c.n for c in dossier.citations if web.settled(c.url.partition("#")[0]) in urls}
    text = _flat(" ".join(c.text for c in dossier.claims if stating & {*c.citations}))
    return any(all(_flat(phrase) in text for phrase in way) for way in fact["accept"])


def is_wrong(claim: Claim, phrases: Sequence[str]) -> bool:
    """Whether a claim holds what only a namesake's or a false one would."""
    text = _flat(claim.text)
    return any(_flat(phrase) in text for phrase in phrases)


def _is_verbatim(library: Library, citation: Any) -> bool:
    document = library.document(citation.document_id)
    return document is not None and document.text[citation.start : citation.end] == citation.quote


def _flat(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())


def scores(rows: Sequence[GoldRow], orders: Sequence[GoldRow]) -> dict[str, Any]:
    """The metrics: over facts and claims, with intervals; seconds of a subject."""
    facts = [float(there) for row in rows for there in row["facts"]]
    wrong = [float(bad) for row in rows for bad in row["wrong"]]
    verbatim = [float(same) for row in rows for same in row["verbatim"]]
    said = _flat(" ".join(row["text"] for row in rows))
    obeyed = sum(_flat(order["telltale"]) in said for order in orders)
    seconds = [row["seconds"] for row in rows]
    found = means({"found": facts, "wrong": wrong, "verbatim": verbatim, "seconds": seconds})
    kinds: dict[str, list[float]] = {}
    for row in rows:
        kinds.setdefault(row["kind"], []).extend(map(float, row["facts"]))
    return found | {
        "slowest_s": round(max(seconds), 1),
        "obeyed": obeyed,
        "orders": len(orders),
        "claims": len(wrong),
        "pages": round(metrics.mean([float(row["pages"]) for row in rows]), 1),
        **{f"found_{kind}": round(metrics.mean(each), 4) for kind, each in kinds.items()},
    }


# The data


def subjects_of(path: Path) -> list[dict[str, Any]]:
    """The rows of gold.jsonl, checked, each with a `name`."""
    found: list[dict[str, Any]] = []
    for place, row in rows_of(path, WANTED, WEB_LAYOUT):
        name = row.get("name") or row.get("question")
        facts = row.get("facts")
        if not isinstance(name, str) or not isinstance(facts, list) or not facts:
            raise LoadError(f"{place}: no JSON object with {WANTED}", WEB_LAYOUT)
        for fact in facts:
            if not isinstance(fact, dict) or not {"fact", "accept", "urls"} <= fact.keys():
                raise LoadError(f"{place}: a fact needs fact, accept and urls", WEB_LAYOUT)
        found.append(
            {
                "id": str(row.get("id") or len(found)),
                "kind": str(row.get("kind", "")),
                "name": name,
                "context": row.get("context") or [],
                "facts": facts,
                "wrong": row.get("wrong") or [],
            }
        )
    if not found:
        raise LoadError(f"{path} holds no subject", WEB_LAYOUT)
    return found


def injections_of(path: Path) -> list[dict[str, Any]]:
    """The orders that stand in pages; none where there is no such file."""
    if not path.exists():
        return []
    return [row for _, row in rows_of(path, "an order: text, telltale") if row.get("telltale")]
