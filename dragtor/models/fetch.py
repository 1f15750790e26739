"""Pulling a model: hub first, then each mirror; what is kept is what has the official hash.

Survives being killed: finished files are renamed into place, everything else lies in .parts/
and is taken up by the next pull. One process pulls a model at a time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dragtor.config import ModelsConfig
from dragtor.errors import CorruptModel, LibraryLocked, Missing
from dragtor.models import disk
from dragtor.models.catalogue import HUB_PREFIX, INT8_FILE, INT8_RECIPE, ModelFile, ModelSpec
from dragtor.models.progress import Progress, RouteFailed

Drafts = Iterator[tuple[ModelFile, Path]]


def pull(name: str, config: ModelsConfig, models_dir: Path, progress: Progress) -> Path:
    """Have the model on this disk, verified; the path that `model_path` gives.

    What is here and right is not fetched again. Raises UsageError for an unknown name, Missing
    where no route delivers, CorruptModel where one delivered wrong bytes, LibraryError where
    the disk is full or read-only; each names the routes and their reasons in one line.
    """
    if disk.verify(name, models_dir) != "ok":
        spec = _spec(name, config, models_dir)
        folder = disk.model_folder(spec, models_dir)
        with disk.writing(folder), _turn(folder, progress):
            _fill(spec, folder, config, models_dir, progress)
    return disk.model_path(name, models_dir)


def _spec(name: str, config: ModelsConfig, models_dir: Path) -> ModelSpec:
    """What to fetch; sizes and hashes that nobody wrote down are those that the hub states."""
    if name.startswith(HUB_PREFIX):
        return _ask(name, name, config)
    spec = disk.known_spec(name, models_dir)
    files = (
        file
        if file.sha256
        else replace(
            _ask(f"{HUB_PREFIX}{spec.hub}/{file.path}", name, config).files[0], name=file.name
        )
        for file in spec.files
    )
    return replace(spec, files=tuple(files))


def _ask(address: str, name: str, config: ModelsConfig) -> ModelSpec:
    """What the hub states of one file, for the model `name`."""
    from dragtor.models import hub

    if not config.hub_url:
        raise Missing(
            f"{name} is on the hub only, and models.hub_url is empty", "dragtor config path"
        )
    try:
        return hub.ask(address, config)
    except RouteFailed as failed:
        raise Missing(
            f"{name} could not be had: {config.hub_url} {failed}", f"dragtor models pull {name}"
        ) from failed


@contextmanager
def _turn(folder: Path, progress: Progress) -> Iterator[None]:
    """Hold the model's lock, waiting for another process with a note."""
    try:
        with disk.locked(folder, timeout_s=0):
            yield
            return
    except LibraryLocked:
        progress.note(f"another process is pulling {folder.name}: waiting for it")
    with disk.locked(folder):
        yield


def _fill(
    spec: ModelSpec, folder: Path, config: ModelsConfig, models_dir: Path, progress: Progress
) -> None:
    """Under the lock: fetch what is not right, make what is derived, write the manifest."""
    if spec.kind != "file" and disk.verify(spec.name, models_dir) == "ok":
        return  # another process did it while this one waited
    parts = folder / disk.PARTS
    parts.mkdir(parents=True, exist_ok=True)
    for stale in parts.glob(f"{disk.TEMPORARY}*"):
        shutil.rmtree(stale)
    made = disk.derived(spec, models_dir)
    if made and not disk.is_right(folder / made.name, made):
        made = None
    sources = spec.files[1:] if made else spec.files
    wanted = [file for file in sources if not disk.is_right(folder / file.name, file)]
    disk.need_room(folder, sum(file.bytes for file in wanted) - disk.size(parts))
    _fetch(spec, wanted, folder, config, progress)
    files = spec.files
    if spec.derive:
        files = (made or _derive(spec, folder, progress), *spec.files[1:])
    hashes = {file.name: file.sha256 for file in spec.files}
    recipe = INT8_RECIPE if spec.derive else ""
    disk.write_manifest(folder, disk.Manifest(spec.name, files, hashes, recipe))
    if spec.derive:
        (folder / spec.files[0].name).unlink(missing_ok=True)
    shutil.rmtree(parts)


def _fetch(
    spec: ModelSpec, wanted: list[ModelFile], folder: Path, config: ModelsConfig, progress: Progress
) -> None:
    """Try each route for the files still wanted; all are in place after it."""
    reasons: list[str] = []
    wrong_bytes = False
    for route, drafts in _routes(spec, wanted, folder / disk.PARTS, config, progress):
        if not wanted:
            return
        if reasons:
            progress.note(f"{reasons[-1]}: going on to {route}")
        try:
            for file, draft in drafts:
                if not _accept(file, draft, folder, wanted):
                    wrong_bytes = True
                    reasons.append(f"{route} gave wrong bytes for {file.name}")
        except RouteFailed as failed:
            reasons.append(f"{route} {failed}")
    if wanted:
        error = CorruptModel if wrong_bytes else Missing
        told = "; ".join(reasons) or "no route is known"
        raise error(
            f"model {spec.name} could not be had: {told}", f"dragtor models pull {spec.name}"
        )


def _accept(file: ModelFile, draft: Path, folder: Path, wanted: list[ModelFile]) -> bool:
    if not disk.is_right(draft, file):
        draft.unlink()
        return False
    draft.replace(folder / file.name)
    wanted.remove(file)
    return True


def _routes(
    spec: ModelSpec, wanted: list[ModelFile], parts: Path, config: ModelsConfig, progress: Progress
) -> Iterator[tuple[str, Drafts]]:
    """Each route's name, and the drafts it gives of what is wanted by then."""
    from dragtor.models import hub, mirror

    if spec.hub and config.hub_url:
        yield config.hub_url, hub.fetch(spec, list(wanted), parts, config, progress)
    for one in spec.mirrors:
        yield one.label, mirror.fetch(one, list(wanted), parts, progress)


def _derive(spec: ModelSpec, folder: Path, progress: Progress) -> ModelFile:
    """Make the int8 file of an encoder whose fp32 file has been verified."""
    from dragtor.models import int8

    progress.note(f"making {INT8_FILE} of {spec.name}")
    target = folder / INT8_FILE
    int8.quantize(folder / spec.files[0].name, target)
    return ModelFile(INT8_FILE, target.stat().st_size, disk.sha256(target))
