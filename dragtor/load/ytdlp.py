"""yt-dlp kept in hand: silent, unconfigured, asking checked addresses, failing in one line.

Owns its options and what its failures are called. Knows nothing of captions and of what is kept.
"""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

from dragtor.config import VideoConfig, WebConfig
from dragtor.errors import DragtorError, LibraryError, LoadError
from dragtor.load.address import shown
from dragtor.load.http import causes, failure_words
from dragtor.load.video_info import choose_sound, is_media, site_of
from dragtor.sockets import Connect, Sockets, pools
from dragtor.types import NEVER, CancelToken

COOKIES = (
    "DRAGTOR_LOAD_VIDEO_COOKIES_FROM_BROWSER=firefox dragtor add …"
    " (lasting: load.video.cookies_from_browser: firefox)"
)
LATER = "dragtor add … again when it is over"
NEWER = "python -m pip install --upgrade yt-dlp (sites change, and it follows them)"
BUSY = "wait an hour: the site has had too many requests"
BROWSER = "load.video.cookies_from_browser: firefox, chrome, chrome:PROFILE and so on; empty: none"
HINTS = (  # what yt-dlp says, what helps; the first that fits
    (
        r"live event|premieres? in|will begin|is live\b|not currently live|is upcoming|offline",
        LATER,
    ),
    (r"rate-limited|too many requests|\b429\b", BUSY),
    (r"your (?:country|location|region)|geo.?restrict|\bdrm\b", ""),
    (
        r"sign in|log ?in|not a bot|captcha|members|subscri|private|confirm your age|age.restrict"
        r"|inappropriate|registered|authenticat|cookies|password|premium|\b40[13]\b",
        COOKIES,
    ),
    (r"no video formats|format is not available|po token|javascript|nsig|ffmpeg", NEWER),
)
NO_FORMATS = re.compile(r"No video formats found|Requested format is not available")
SAID_BEFORE = re.compile(r"^(?:(?:ERROR|WARNING):\s*)*(?:\[[\w:.+-]+\]\s+(?:[^\s:]+:\s+)?)?")
WHAT = re.compile(r"^(?:\[download\] )?(?:Got error|Unable to download [\w ]{1,30}): ", re.I)
CUT_SHORT = re.compile(r"(\d+) bytes read, (\d+) more expected")
ADVICE = re.compile(  # to those who call yt-dlp themselves
    r"[;.,]?\s*(?:please report this issue|confirm you are on the latest|use -|see\s+https"
    r"|also see|you might want to use a vpn|for more information|it is recommended to use).*",
    re.I | re.S,
)
CAUSE = re.compile(r" \(caused by .*", re.S)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WRITING = re.compile(r"unable to (?:write data|open for writing): \[Errno (\d+)\]")
DISK = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.EEXIST, errno.ENOTDIR, errno.EIO),
}
OWN_DOWNLOADERS = ("HttpFD", "HlsFD", "DashSegmentsFD", "F4mFD", "IsmFD")
OUTSIDE = "a stream that only ffmpeg or another program could fetch is not read"
MESSAGE_CHARS = 240
SAYS_NOTHING = logging.CRITICAL + 1  # a level that nothing reaches


def open_ytdlp(
    url: str,
    video: VideoConfig,
    web: WebConfig,
    folder: Path,
    check: Callable[[str], object],
    watch: Callable[[dict[str, Any]], None],
    items: str = "",
    connect: Connect | None = None,
    cancel: CancelToken = NEVER,
) -> Any:
    """A YoutubeDL to read `url` with, to be closed after; `items` are the entries of a list.

    `check` is asked before every request to a new host, a redirect's too; it raises on one that
    must not be asked. `connect` opens the connections, so that a name cannot lead elsewhere than
    it did when it was checked; behind a proxy names are the proxy's. `watch` hears the state of a
    download. `folder` gets yt-dlp's cache. `cancel` is asked before each request, and ends those
    under way.
    """
    options = _options(url, video, web, folder)
    options |= {"progress_hooks": [watch]} | ({"playlist_items": items} if items else {})
    with failures(url, cancel):
        return _guarded(check, connect, cancel)(options)


def _guarded(check: Callable[[str], object], connect: Connect | None, cancel: CancelToken) -> Any:
    """A YoutubeDL whose every request passes `check`, and that starts no other program."""
    from yt_dlp import YoutubeDL
    from yt_dlp.downloader import get_suitable_downloader
    from yt_dlp.networking.exceptions import NoSupportingHandlers
    from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor

    class Guarded(YoutubeDL):  # type: ignore[misc]
        def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
            return super().build_request_director(_handlers(check, connect, cancel), preferences)

        def urlopen(self, req: Any) -> Any:
            try:
                return super().urlopen(req)
            except NoSupportingHandlers as error:
                for cause in error.unexpected_errors:
                    if isinstance(cause, DragtorError):
                        raise cause from error
                raise

        def dl(self, name: str, info: Any, subtitle: bool = False, test: bool = False) -> Any:
            place = str(info.get("url") or "")
            chosen = get_suitable_downloader(info, self.params) if place else None
            if place and getattr(chosen, "__name__", "") not in OWN_DOWNLOADERS:
                raise LoadError(f"{OUTSIDE}: {shown(place)}")
            token = FFmpegPostProcessor._ffmpeg_location.set(f"{os.devnull}/none")
            try:
                return super().dl(name, info, subtitle, test)
            finally:
                FFmpegPostProcessor._ffmpeg_location.reset(token)

    return Guarded


def _handlers(
    check: Callable[[str], object], connect: Connect | None, cancel: CancelToken
) -> list[Any]:
    """What sends yt-dlp's requests; others that it knows follow redirects unseen."""
    from yt_dlp.networking._requests import RequestsRH
    from yt_dlp.networking._urllib import UrllibRH

    checked: set[str] = set()
    begun: WeakSet[Any] = WeakSet()  # answers; one that is left midway holds its socket
    sockets, undo = Sockets(), ExitStack()
    undo.enter_context(cancel.calling(sockets.end))

    class CheckedRH(RequestsRH):  # type: ignore[misc]
        def _create_instance(self, **settings: Any) -> Any:
            session = super()._create_instance(**settings)
            if connect:
                classes = pools(lambda connection: sockets.add(connection, connect(connection)))
                for adapter in session.adapters.values():
                    adapter.poolmanager.pool_classes_by_scheme = classes
            send = session.send  # is called for every hop

            def checked_send(request: Any, **options: Any) -> Any:
                cancel.check()
                place = "/".join(request.url.split("/")[:3])
                if place not in checked:
                    check(request.url)
                    checked.add(place)
                response = send(request, **options)
                begun.add(response)
                return response

            session.send = checked_send
            return session

        def close(self) -> None:
            for response in list(begun):
                response.close()
            undo.close()
            sockets.close()
            super().close()

    class DataRH(UrllibRH):  # type: ignore[misc]
        _SUPPORTED_URL_SCHEMES = ("data",)

    return [CheckedRH, DataRH]


def _options(url: str, video: VideoConfig, web: WebConfig, folder: Path) -> dict[str, Any]:
    options: dict[str, Any] = {
        "logger": logging.Logger("yt-dlp", SAYS_NOTHING),  # its failures come as exceptions too
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "cachedir": str(folder / "yt-dlp"),
        "socket_timeout": web.timeout_s,
        "retries": web.retries,
        "fragment_retries": web.retries,
        "extractor_retries": web.retries,
        "skip_unavailable_fragments": False,  # no transcript with holes
        "hls_prefer_native": True,
        "geo_bypass": False,  # tells a site no false address
        "noplaylist": True,
        "extract_flat": "in_playlist",
        "format": lambda found: filter(None, [choose_sound(found["formats"])]),
        "extractor_args": {"youtubetab": {"approximate_date": [""]}},  # dates in lists
    }
    if is_media(url) and not site_of(url):
        options["allowed_extractors"] = ["generic", "html5"]  # saves asking 1,800 of them
    if video.cookies_from_browser:
        browser, _, profile = video.cookies_from_browser.partition(":")
        options["cookiesfrombrowser"] = (browser, profile or None)
    return options


def extractor_of(url: str) -> Any:
    """The extractor class for an address of a known video site, None elsewhere."""
    from yt_dlp.extractor import gen_extractor_classes

    site = site_of(url)
    named = (ie for ie in gen_extractor_classes() if ie.ie_key().lower().startswith(site))
    return next((ie for ie in named if ie.suitable(url)), None) if site else None


# Failures


@contextmanager
def failures(url: str, cancel: CancelToken = NEVER) -> Iterator[None]:
    """What goes wrong inside becomes one clear line about `url`, or Cancelled."""
    try:
        yield
    except DragtorError:
        raise
    except Exception as error:  # 1,800 extractors, each with errors of its own
        cancel.check()
        if isinstance(error, OSError):
            raise _of_disk(error.errno or 0, url) from error
        raise failure(error, url) from error


def failure(error: BaseException, url: str) -> DragtorError:
    """The error that says what yt-dlp's one means, with what helps."""
    inner = error.__context__ if hasattr(error.__context__, "orig_msg") else error
    text = str(getattr(inner, "orig_msg", "") or error)
    if match := WRITING.search(text):
        return _of_disk(int(match[1]), url)
    if type(error.__context__).__name__ == "CookieLoadError":
        why = reason(text).partition(" in ")[0]  # the folders that were searched
        return LoadError(f"no cookies from the browser: {why}", BROWSER)
    if not type(error).__module__.startswith("yt_dlp"):
        return LoadError(f"yt-dlp fails with {type(error).__name__}: {shown(url)}", NEWER)
    if "ffmpeg could not be found" in text:
        return LoadError(f"{OUTSIDE}: {shown(url)}")
    said = _broken(inner) or reason(text)
    fits = (hint for pattern, hint in HINTS if re.search(pattern, said, re.I))
    expected = getattr(inner, "expected", True)
    return LoadError(f"{said}: {shown(url)}", next(fits, "" if expected else NEWER))


def reason(text: str) -> str:
    """yt-dlp's message without its prefix, colours, causes and advice on its own options."""
    text = WHAT.sub("", SAID_BEFORE.sub("", COLOUR.sub("", text).strip()))
    if text.startswith("Unsupported URL"):
        return "no video and no sound is found here"
    text = CUT_SHORT.sub(r"cut off: \1 bytes came, \2 are missing", CAUSE.sub("", text))
    text = " ".join(ADVICE.sub("", text).split())
    return shown(text.rstrip(" .:;"), MESSAGE_CHARS) or "yt-dlp fails without a reason"


def _broken(error: BaseException | None) -> str:
    """A failed connection in a few words; empty: it was something else."""
    kinds = {kind.__name__ for each in causes(error) for kind in type(each).__mro__}
    return failure_words(error) if kinds & {"TransportError", "ContentTooShortError"} else ""


def _of_disk(number: int, url: str) -> DragtorError:
    words = os.strerror(number) if number else "no connection"
    if number in DISK:
        hint = "make room, and see that the library's folder can be written"
        return LibraryError(f"cannot write the download of {shown(url)}: {words}", hint)
    return LoadError(f"{words}: {shown(url)}")
