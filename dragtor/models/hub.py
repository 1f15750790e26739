"""Files from the public hub over HTTP: what it states about one, and resumable download.

Gives unverified drafts: the caller compares hashes. Knows no package mirrors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from dragtor.config import ModelsConfig
from dragtor.models.catalogue import ModelFile, ModelSpec, hub_parts
from dragtor.models.disk import is_right
from dragtor.models.progress import Meter, RouteFailed
from dragtor.sockets import cancellable_session
from dragtor.types import CancelToken, Reporter

if TYPE_CHECKING:
    import requests

CONNECT_S = 3.05  # for each of the hub's addresses: where it is blocked, go on soon
FRUITLESS_TRIES = 3  # downloads in a row that bring no byte
HUB_REDIRECTS = 5
AS_IT_IS = {"Accept-Encoding": "identity"}
Get = Callable[[int], "requests.Response"]  # the answer from that byte on
_CHUNK_BYTES = 1 << 16  # at most this much is lost at a cut
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def fetch_from_hub(
    spec: ModelSpec,
    wanted: list[ModelFile],
    parts: Path,
    config: ModelsConfig,
    reporter: Reporter,
    cancel: CancelToken,
) -> Iterator[tuple[ModelFile, Path]]:
    """Download each wanted file into `parts`, going on where an earlier try was cut off.

    Raises RouteFailed at the first file that the hub does not give.
    """
    with _session(cancel) as http, _reasons(cancel):
        for file in filter(lambda file: file.path, wanted):
            draft = parts / f"{file.name}.part"
            resumed = draft.exists()
            get = _getter(http, _url(config, spec.hub, file.path), config)
            _download(get, draft, file, reporter, cancel)
            if resumed and not is_right(draft, file, cancel):
                draft.unlink()
                _download(get, draft, file, reporter, cancel)
            yield file, draft
    if lacking := [file.name for file in wanted if not file.path]:
        raise RouteFailed(f"does not have {', '.join(lacking)}")


def stated_by_hub(name: str, config: ModelsConfig, cancel: CancelToken) -> ModelSpec:
    """What the hub states about `hf:OWNER/REPO/FILE`: size and hash, not the bytes.

    Raises RouteFailed where it is out of reach, has no such file or states no hash.
    """
    hub, path = hub_parts(name)
    url = _url(config, hub, path)
    with _session(cancel) as http, _reasons(cancel):
        for _ in range(HUB_REDIRECTS):
            answer = http.head(
                url, headers=AS_IT_IS, allow_redirects=False, timeout=_timeout(config)
            )
            stated = answer.headers.get("X-Linked-Etag")
            onward = urljoin(url, answer.headers.get("Location", ""))
            if stated or not answer.is_redirect or urlsplit(onward)[:2] != urlsplit(url)[:2]:
                break
            url = onward  # a renamed repository
    if not stated and answer.status_code != 200:
        raise _refused(answer)
    digest = (stated or answer.headers.get("ETag", "")).removeprefix("W/").strip('"')
    size = answer.headers.get("X-Linked-Size") or answer.headers.get("Content-Length", "")
    if not _DIGEST.fullmatch(digest) or not size.isdecimal():
        raise RouteFailed("states no hash or size")
    file = ModelFile(path.rpartition("/")[2], int(size), digest, path)
    return ModelSpec(name, "file", "as the hub says", (file,), hub)


def _url(config: ModelsConfig, hub: str, path: str) -> str:
    return f"{config.hub_url.rstrip('/')}/{quote(hub)}/resolve/main/{quote(path)}"


def _timeout(config: ModelsConfig) -> tuple[float, float]:
    return min(CONNECT_S, config.timeout_s), config.timeout_s


def _getter(http: requests.Session, url: str, config: ModelsConfig) -> Get:
    def get(start: int) -> requests.Response:
        headers = AS_IT_IS | ({"Range": f"bytes={start}-"} if start else {})
        return http.get(url, headers=headers, stream=True, timeout=_timeout(config))

    return get


def _session(cancel: CancelToken) -> AbstractContextManager[requests.Session]:
    """Retries what may pass, and waits between two tries no longer than `cancel` lets it."""
    from urllib3.util import Retry

    class Patience(Retry):
        def sleep(self, response: Any = None) -> None:
            told_s = self.get_retry_after(response) if response else None
            cancel.wait(told_s or self.get_backoff_time())

    retry = Patience(
        total=3,
        connect=0,
        read=1,
        backoff_factor=0.3,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
        retry_after_max=30,
    )
    return cancellable_session(cancel, max_retries=retry)


def _download(
    get: Get, draft: Path, file: ModelFile, reporter: Reporter, cancel: CancelToken
) -> None:
    """Fill `draft` up to the file's size; each cut is resumed while bytes keep coming."""
    with Meter(reporter, file.name, file.bytes) as meter:
        _fill(get, draft, file, meter, cancel)


def _fill(get: Get, draft: Path, file: ModelFile, meter: Meter, cancel: CancelToken) -> None:
    import requests

    fruitless = 0
    if _size(draft) > file.bytes:
        draft.unlink()
    while (before := _size(draft)) != file.bytes:
        try:
            _stream(get, draft, file, meter, cancel)
        except requests.RequestException:
            cancel.check()
            if not meter.started:
                raise
        fruitless = 0 if _size(draft) > before else fruitless + 1
        if fruitless == FRUITLESS_TRIES:
            raise RouteFailed(f"breaks off at {before:,} of {file.bytes:,} bytes")
        if fruitless:
            cancel.wait(0.2 * 2**fruitless)


def _stream(get: Get, draft: Path, file: ModelFile, meter: Meter, cancel: CancelToken) -> None:
    """One request, from where the draft ends; a cut in the middle raises RequestException."""
    done = _size(draft)
    with get(done) as answer:
        if answer.status_code == 416:  # the file in there is a shorter one now
            draft.unlink()
            return
        if answer.status_code not in (200, 206):
            raise _refused(answer)
        if answer.status_code == 200:
            done = 0
        _check_size(answer, done, file)
        meter.reach(done)
        with draft.open("ab" if done else "wb") as out:
            for chunk in answer.iter_content(_CHUNK_BYTES):
                done += len(chunk)
                if done > file.bytes:
                    raise RouteFailed(f"sends more than {file.bytes:,} bytes")
                out.write(chunk)
                meter.reach(done)
                cancel.check()


def _refused(answer: requests.Response) -> RouteFailed:
    closed = " (absent, gated or private)" if answer.status_code in (401, 403) else ""
    return RouteFailed(f"answers HTTP {answer.status_code}{closed}")


def _check_size(answer: requests.Response, done: int, file: ModelFile) -> None:
    """Spot an error page or another file before it is downloaded whole."""
    length = answer.headers.get("Content-Length", "")
    if length.isdecimal() and done + int(length) != file.bytes:
        raise RouteFailed(f"states {done + int(length):,} bytes, not {file.bytes:,}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextmanager
def _reasons(cancel: CancelToken) -> Iterator[None]:
    import requests

    try:
        yield
    except requests.RequestException as error:
        cancel.check()
        if isinstance(error, requests.Timeout):
            told = "does not answer in time"
        elif isinstance(error, requests.exceptions.SSLError):
            told = "has a certificate that this machine does not trust"
        elif isinstance(error, requests.ConnectionError):
            told = "cannot be reached"
        else:
            told = f"cannot be asked: {error}"
        raise RouteFailed(told) from error
