"""Which windows are run together: those of about one length, so that little is padding.

Pure; knows no graph.
"""

from __future__ import annotations

from collections.abc import Sequence

RUN_TOKENS = 256  # of a run; what is longer costs no less a token
LIKE_SHARE = 0.8  # of the longest window's tokens, that a window beside it has


def run_groups(lengths: Sequence[int]) -> list[list[int]]:
    """Numbers of the windows of each run, longest first; every window is in one."""
    groups: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        longest = lengths[groups[-1][0]] if groups else 0
        fits = groups and longest * (len(groups[-1]) + 1) <= RUN_TOKENS
        if fits and lengths[number] >= LIKE_SHARE * longest:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups
