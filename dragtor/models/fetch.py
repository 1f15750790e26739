"""Pulling a model: hub first, then each mirror; what is kept is what has the official hash.

Survives being killed: finished files are renamed into place, everything else lies in .parts/
and is taken up by the next pull. One process pulls a model at a time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dragtor.config import ModelsConfig, asset, config_path
from dragtor.errors import CorruptModel, LibraryLocked, Missing
from dragtor.models import child, disk
from dragtor.models.catalogue import HUB_PREFIX, ModelFile, ModelSpec
from dragtor.models.progress import RouteFailed
from dragtor.types import NEVER, SILENT, CancelToken, Reporter

Drafts = Iterator[tuple[ModelFile, Path]]


def pull(
    name: str,
    config: ModelsConfig,
    models_dir: Path,
    *,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> Path:
    """Have the model on this disk, verified; the path that `model_path` gives.

    What is here and right is not fetched again. Raises UsageError for an unknown name, Missing
    where no route delivers, CorruptModel where one delivered wrong bytes, LibraryError where
    the disk is full or read-only; each names the routes and their reasons in one line. Cancelled,
    it leaves its parts to the next pull.
    """
    if disk.verify(name, models_dir, cancel) != "ok":
        spec = _spec(name, config, models_dir, cancel)
        folder = disk.model_folder(spec, models_dir)
        with disk.writing(folder), _turn(folder, reporter, cancel):
            _Pull(spec, folder, config, models_dir, reporter, cancel).run()
    return disk.model_path(name, models_dir)


def _spec(name: str, config: ModelsConfig, models_dir: Path, cancel: CancelToken) -> ModelSpec:
    """What to fetch; sizes and hashes that nobody wrote down are those that the hub states."""
    if name.startswith(HUB_PREFIX):
        return _ask(name, name, config, cancel)
    spec = disk.known_spec(name, models_dir)
    files = (
        file
        if file.sha256
        else replace(
            _ask(f"{HUB_PREFIX}{spec.hub}/{file.path}", name, config, cancel).files[0],
            name=file.name,
        )
        for file in spec.files
    )
    return replace(spec, files=tuple(files))


def _ask(address: str, name: str, config: ModelsConfig, cancel: CancelToken) -> ModelSpec:
    """What the hub states of one file, for the model `name`."""
    from dragtor.models import hub

    if not config.hub_url:
        raise Missing(
            f"{name} is on the hub only, and models.hub_url is empty", "dragtor config path"
        )
    try:
        return hub.stated_by_hub(address, config, cancel)
    except RouteFailed as failed:
        raise Missing(
            f"{name} could not be had: {config.hub_url} {failed}", f"dragtor models pull {name}"
        ) from failed


@contextmanager
def _turn(folder: Path, reporter: Reporter, cancel: CancelToken) -> Iterator[None]:
    """Hold the model's lock, waiting for another process with a note."""
    told = False
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(disk.pull_lock(folder))
                break
            except LibraryLocked:
                if not told:
                    reporter.note(f"another process is pulling {folder.name}: waiting for it")
                told = True
            cancel.wait(child.CHILD_POLL_S)
        yield


@dataclass(frozen=True)
class _Pull:
    """One model on its way, under its lock."""

    spec: ModelSpec
    folder: Path
    config: ModelsConfig
    models_dir: Path
    reporter: Reporter
    cancel: CancelToken

    def run(self) -> None:
        """Fetch what is not right, make what is derived, write the manifest."""
        spec, folder, cancel = self.spec, self.folder, self.cancel
        if spec.kind != "file" and disk.verify(spec.name, self.models_dir, cancel) == "ok":
            return  # another process did it while this one waited
        parts = folder / disk.PARTS_FOLDER
        parts.mkdir(parents=True, exist_ok=True)
        for stale in parts.glob(f"{disk.TEMPORARY}*"):
            shutil.rmtree(stale)
        made = disk.derived(spec, self.models_dir)
        if not all(disk.is_right(folder / file.name, file, cancel) for file in made):
            made = []
        sources = spec.files[1:] if made else spec.files
        wanted = [file for file in sources if not disk.is_right(folder / file.name, file, cancel)]
        disk.need_room(folder, sum(file.bytes for file in wanted) - disk.size(parts))
        self._fetch(wanted)
        files = spec.files
        if spec.derive:
            files = (*(made or self._derive()), *spec.files[1:])
        hashes = {file.name: file.sha256 for file in spec.files}
        disk.write_manifest(folder, disk.Manifest(spec.name, files, hashes, spec.recipe))
        if spec.derive:
            (folder / spec.files[0].name).unlink(missing_ok=True)
        shutil.rmtree(parts)

    def _fetch(self, wanted: list[ModelFile]) -> None:
        """Try each route for the files still wanted; all are in place after it."""
        reasons: list[str] = []
        wrong_bytes = False
        for route, drafts in self._routes(wanted):
            if not wanted:
                return
            if reasons:
                self.reporter.note(f"{reasons[-1]}: going on to {route}")
            try:
                for file, draft in drafts:
                    if disk.is_right(draft, file, self.cancel):
                        draft.replace(self.folder / file.name)
                        wanted.remove(file)
                    else:
                        draft.unlink()
                        wrong_bytes = True
                        reasons.append(f"{route} gave wrong bytes for {file.name}")
            except RouteFailed as failed:
                reasons.append(f"{route} {failed}")
        if wanted:
            name, error = self.spec.name, CorruptModel if wrong_bytes else Missing
            told = "; ".join(reasons) or "no route is known"
            raise error(f"model {name} could not be had: {told}", f"dragtor models pull {name}")

    def _routes(self, wanted: list[ModelFile]) -> Iterator[tuple[str, Drafts]]:
        """Each route's name, and the drafts it gives of what is wanted by then."""
        from dragtor.models import hub, mirror

        parts, told = self.folder / disk.PARTS_FOLDER, (self.reporter, self.cancel)
        if self.spec.hub and self.config.hub_url:
            drafts = hub.fetch_from_hub(self.spec, list(wanted), parts, self.config, *told)
            yield self.config.hub_url, drafts
        for one in self.spec.mirrors:
            yield one.label, mirror.fetch_from_mirror(one, list(wanted), parts, *told)

    def _derive(self) -> list[ModelFile]:
        """Make what is made of a verified file: its int8 form, with or without heads, or fp32."""
        from dragtor.models import int8

        spec, source = self.spec, self.folder / self.spec.files[0].name
        self.reporter.note(f"making {spec.main_file} of {spec.name}")
        targets = [self.folder / name for name in spec.made]
        if spec.derive == "dequantised":
            int8.dequantise(source, (targets[0], targets[1]), self.cancel)
        elif spec.adapter:
            int8.add_heads(source, self._adapter(), (targets[0], targets[1]), self.cancel)
        else:
            int8.quantize(source, targets[0], self.cancel)
        return [ModelFile(t.name, t.stat().st_size, disk.sha256(t)) for t in targets]

    def _adapter(self) -> Path:
        """The adapter's file, verified: the user's own beside models.yml, or the packaged one."""
        own = config_path().parent / self.spec.adapter
        path = own if own.is_file() else asset(self.spec.adapter)
        if not path.is_file():
            raise Missing(f"{self.spec.name} needs {self.spec.adapter}, which is not at {path}")
        if disk.sha256(path) != self.spec.adapter_sha256:
            raise CorruptModel(f"{path} is not the adapter that {self.spec.name} names")
        return path
