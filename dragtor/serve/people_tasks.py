"""Tasks about people: who stands in a picture, and what can be found out about somebody.

Each is a few lines over the library. What a research would send to the web is shown to the client
first, and goes out only when it says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dragtor import schema
from dragtor.errors import UsageError
from dragtor.schema import Json
from dragtor.serve.arguments import (
    filters_argument,
    flag_argument,
    text_argument,
    texts_argument,
)
from dragtor.serve.jobs import TaskContext
from dragtor.serve.uploads import upload_path

if TYPE_CHECKING:
    from dragtor.dossier import Consent
    from dragtor.types import Document


def entities_task(context: TaskContext) -> Json:
    """{upload | document | text}: an item `picture`, an item `entity` each; all at the end.

    An entity that shares a mention with earlier ones stands in their place.
    """
    from dragtor.entities import last_said

    document = _document_meant(context)
    picture = {"size": document.meta.get("size", []), "turned": document.meta.get("turned", [])}
    if picture["size"]:
        context.reporter.item("picture", picture)
    found = []
    for entity in context.cancel.checked(context.library.extract_entities(document)):
        context.reporter.item("entity", schema.found_entity_json(entity))
        found.append(entity)
    return schema.found_entities_json(last_said(found)) | picture


def _document_meant(context: TaskContext) -> Document:
    """The document of a file that was sent, of the library, or of a text."""
    from dragtor.loading import file_loader, read_document
    from dragtor.types import Document, short_hash

    library, args = context.library, context.args
    if upload := text_argument(args, "upload", ""):
        files = file_loader(library.config, context.reporter, context.cancel)
        return read_document(files, upload_path(context.uploads, upload))
    if identity := text_argument(args, "document", ""):
        found = library.document(identity) if library.exists() else None
        if found is None:
            raise UsageError("there is no such document")
        return found
    text = text_argument(args, "text")
    return Document(short_hash(text), "", "file", "", text)


def research_task(context: TaskContext) -> Json:
    """{name, category?, context?, web?, quotes?, filters?}: steps, sections, the dossier.

    Without a category `name` is a question. With `web` it asks `consent` before anything goes out,
    and goes on without the web unless it is answered with true. An item `dossier` is told where it
    ends early.
    """
    from dragtor.dossier import Dossier, ResearchStep, SectionFound

    args = context.args
    events = context.library.research(
        text_argument(args, "name"),
        text_argument(args, "category", ""),
        texts_argument(args, "context"),
        web=_consent_asked(context) if flag_argument(args, "web") else None,
        quotes_only=flag_argument(args, "quotes"),
        filters=filters_argument(args),
    )
    result: Json = {}
    for event in events:
        context.library.give_back()  # others have the language model between two sections
        match event:
            case ResearchStep():
                context.emit("step", schema.research_step_json(event))
            case SectionFound():
                context.emit("section", schema.section_json(event))
            case Dossier():
                result = schema.dossier_json(event)
                if event.stopped:
                    context.reporter.item("dossier", result)
    return result


def _consent_asked(context: TaskContext) -> Callable[[Consent], bool]:
    """Asks the client whether just this may go out."""

    def granted(consent: Consent) -> bool:
        return context.ask("consent", schema.consent_json(consent)) is True

    return granted
