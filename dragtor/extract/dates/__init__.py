"""Dates and times in English text, found and resolved against a moment by rules.

`mentions` reads a text, `recurrence` a phrase as an RFC 5545 rule, `minutes` a duration.
"""

from dragtor.extract.dates.lengths import minutes
from dragtor.extract.dates.resolve import mentions
from dragtor.extract.dates.rrule import recurrence
from dragtor.extract.dates.values import Mention, Value

__all__ = ["Mention", "Value", "mentions", "minutes", "recurrence"]
