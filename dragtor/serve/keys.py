"""Who may come in: the owner's token, paired devices, one-time codes, tickets for single documents.

Owns `serve-keys.json` beside library.db, readable by the owner only; of a device it holds the hash
of its token. Knows nothing of HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dragtor.errors import UsageError

OWNER = "owner"  # the client that holds the owner's token
TOKEN_BYTES = 32
CODE_DIGITS = 8
CODE_LIFE_S = 120.0
CODE_TRIES = 5
TICKET_LIFE_S = 600
MAX_DEVICES = 32
DEVICE_NAME = 60  # characters


@dataclass(frozen=True, slots=True)
class Device:
    """A paired device; `digest` is the SHA-256 of its token, `paired` is ISO 8601, UTC."""

    id: str
    name: str
    paired: str
    digest: str


@dataclass(slots=True)
class _Code:
    digits: str
    until: float  # of time.monotonic
    tries: int = CODE_TRIES


class Keys:
    """Tokens, codes and tickets of one library's server; any thread may ask.

    `file` keeps them over a restart, so that an open page goes on; None: they end with the process.
    """

    def __init__(self, file: Path | None = None, *, renew: bool = False) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._code: _Code | None = None
        kept = {} if renew else _read(file)
        self.owner: str = kept.get("token") or secrets.token_urlsafe(TOKEN_BYTES)
        self._devices = [Device(**each) for each in kept.get("devices", ())]
        if not kept:
            self._write()

    # Tokens

    def client_of(self, token: str, *, local: bool = True) -> str:
        """The client that a token belongs to: owner, a device's id, or empty.

        The owner's token opens nothing that came from another machine (`local` is off): it would
        travel unencrypted.
        """
        given = token.encode("utf-8", "replace")
        owner = hmac.compare_digest(given, self.owner.encode())
        digest = _digest(given)
        device = ""
        for each in self.devices():
            if hmac.compare_digest(digest, each.digest):
                device = each.id
        return OWNER if owner and local else device

    def holds(self, client: str) -> bool:
        """Whether a client that came in is still welcome."""
        return client == OWNER or client in [each.id for each in self.devices()]

    def devices(self) -> list[Device]:
        """All paired devices, oldest first."""
        with self._lock:
            return list(self._devices)

    def revoke(self, device_id: str) -> bool:
        """Forget a device, whose token opens nothing from now on; False where there is none."""
        with self._lock:
            left = [each for each in self._devices if each.id != device_id]
            gone = len(left) < len(self._devices)
            self._devices = left
            self._write()
        return gone

    # Pairing

    def new_code(self) -> str:
        """A code that pairs one device, once; the one before is void."""
        digits = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        with self._lock:
            self._code = _Code(digits, time.monotonic() + CODE_LIFE_S)
        return digits

    def pair(self, digits: str, name: str) -> str:
        """The token of a device that knows the code; raises UsageError, the same for every reason.

        A wrong guess counts against the code, whoever made it.
        """
        with self._lock:
            code = self._code
            if code is None or time.monotonic() > code.until or code.tries < 1:
                self._code = None
                raise _refused()
            code.tries -= 1
            given = digits.strip().encode("utf-8", "replace")
            if not hmac.compare_digest(given, code.digits.encode()):
                raise _refused()
            self._code = None
            if len(self._devices) >= MAX_DEVICES:
                raise UsageError(f"there are {MAX_DEVICES} devices already", "remove one")
            return self._paired(name)

    def _paired(self, name: str) -> str:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        shown = " ".join("".join(c for c in name if c.isprintable()).split())[:DEVICE_NAME]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        device = Device(secrets.token_hex(8), shown or "device", now, _digest(token.encode()))
        self._devices.append(device)
        self._write()
        return token

    # Tickets

    def ticket(self, document_id: str, now: float | None = None) -> str:
        """What opens the pages or the sound of one document for TICKET_LIFE_S seconds."""
        expires = int(time.time() if now is None else now) + TICKET_LIFE_S
        return f"{expires}.{self._signed(document_id, expires)}"

    def ticket_opens(self, ticket: str, document_id: str) -> bool:
        """Whether a ticket is ours, for this document, and in time."""
        expires, _, signature = ticket.partition(".")
        if not (expires.isascii() and expires.isdigit() and len(expires) < 12):
            return False
        signed = self._signed(document_id, int(expires)).encode()
        ours = hmac.compare_digest(signature.encode("utf-8", "replace"), signed)
        return ours and time.time() < int(expires)

    def _signed(self, document_id: str, expires: int) -> str:
        message = f"ticket\n{document_id}\n{expires}".encode("utf-8", "replace")
        return hmac.new(self.owner.encode(), message, hashlib.sha256).hexdigest()

    def _write(self) -> None:
        """Keep what there is; where the folder cannot be written, it ends with the process."""
        if self._file is None:
            return
        data = {"token": self.owner, "devices": [asdict(each) for each in self._devices]}
        new = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                new.unlink()
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(data, file)
            new.replace(self._file)


def _read(file: Path | None) -> dict[str, Any]:
    """What was kept; nothing where there is no such file or others could have read it."""
    try:
        if file is None or file.stat().st_mode & 0o077:
            return {}
        kept = json.loads(file.read_text("utf-8"))
        [Device(**each) for each in kept["devices"]]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return kept if isinstance(kept["token"], str) else {}


def _digest(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()


def _refused() -> UsageError:
    return UsageError("this code is wrong, used or too old", "dragtor serve --lan shows a new one")
