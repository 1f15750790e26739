"""What a user means by "now", by a time without a zone, and by 10/12.

Owns how zones, moments and locales are named, and what the machine says of them. Knows no event.
"""

from __future__ import annotations

import contextlib
import os
import re
from datetime import datetime, tzinfo

from dragtor.errors import UsageError

# Who writes the month first in 10/12; everybody else the day.
MONTH_FIRST_COUNTRIES = ("PH", "US")
MONTH_FIRST_LANGUAGES = ("hu", "ja", "ko", "zh")


def open_zone(name: str = "") -> tzinfo:
    """A time zone by its name, such as Europe/Berlin; empty: the machine's.

    Raises UsageError on a name that nobody knows.
    """
    from zoneinfo import ZoneInfo, available_timezones

    if not name:
        return _zone_here()
    known = {zone.casefold(): zone for zone in available_timezones()}
    if name.casefold() in known:
        return ZoneInfo(known[name.casefold()])
    from difflib import get_close_matches

    near = get_close_matches(name.casefold(), known, 1, 0.75)
    raise UsageError(f"unknown time zone {name!r}", f"--tz {known[near[0]] if near else 'UTC'}")


def _zone_here() -> tzinfo:
    import tzlocal

    try:
        zone: tzinfo = tzlocal.get_localzone()
    except (LookupError, ValueError, OSError) as error:
        raise UsageError(f"this machine's time zone cannot be told: {error}", "--tz UTC") from error
    return zone


def read_now(stamp: str, zone: tzinfo) -> datetime:
    """An ISO 8601 date or time, in `zone` unless it says its own; raises UsageError."""
    try:
        now = datetime.fromisoformat(stamp.strip())
        return now.astimezone(zone) if now.tzinfo else now.replace(tzinfo=zone)
    except (ValueError, OverflowError) as error:
        hint = "--now 2026-11-20T09:00"
        raise UsageError(f"--now {stamp!r} is no date or time of ISO 8601", hint) from error


def reads_day_first(locale: str = "") -> bool:
    """Whether people of a locale such as en_US or de put the day first in 10/12.

    Empty: the machine's locale, or whatever stands in its place. One without a country is its
    language's; C and POSIX are day first, as the model's own training data is. Raises UsageError
    on what is no locale.
    """
    if not locale:
        here = (os.environ.get(name, "") for name in ("LC_ALL", "LC_TIME", "LANG"))
        with contextlib.suppress(UsageError):  # nobody asked for it now
            return reads_day_first(next(filter(None, here), "C"))
        return True
    plain = re.split(r"[.@]", locale.strip())[0].replace("-", "_")
    if plain in ("C", "POSIX"):
        return True
    found = re.fullmatch(r"([a-zA-Z]{2,3})(?:_[a-zA-Z]{4})?(?:_([a-zA-Z]{2}|\d{3}))?", plain)
    if not found:
        raise UsageError(f"{locale!r} is no locale", "--locale en_GB")
    language, country = found[1].lower(), (found[2] or "").upper()
    if language in MONTH_FIRST_LANGUAGES:
        return False
    return country not in MONTH_FIRST_COUNTRIES
