"""Dates and times in English text, found and resolved against a moment by rules.

`mentions` reads a text, `recurrence` a phrase as an RFC 5545 rule
that begins at its `opening`, `minutes` a duration,
`zone_info` the zone of a mention. Imports nothing else of dragtor.
"""

from dragtor.dates.quantities import minutes
from dragtor.dates.resolve import Mention, Value, mentions
from dragtor.dates.series import opening, recurrence
from dragtor.dates.zones import zone_info

__all__ = ["Mention", "Value", "mentions", "minutes", "opening", "recurrence", "zone_info"]
