"""Dates and times in English text, found and resolved against a moment by rules.

`mentions` reads a text, `recurrence` a phrase as an RFC 5545 rule, `minutes` a duration.
"""

from dragtor.dates.lengths import minutes
from dragtor.dates.resolve import mentions
from dragtor.dates.rrule import recurrence
from dragtor.dates.values import Mention, Value

__all__ = ["Mention", "Value", "mentions", "minutes", "recurrence"]
