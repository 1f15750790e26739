"""Who is who in one text: names and addresses of people, joined where they are one person's.

By an address beside a name, by a full name, by a first name or nickname that one person bears, by
who signs a message that has one sender. A wrong merge is worse than a split. Knows no model.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dragtor.entities.addresses import Address
from dragtor.entities.clusters import Clusters
from dragtor.entities.people import PeopleNamed, merge_people
from dragtor.entities.spelling import SHORT_FORMS, PersonName, person_name, plain

LEAST_STEM = 3  # letters that a nickname shares with the name it is short for
LETTERS_CUT = 3  # letters that it is shorter, at least: Dan is not Dana, nor Paul Paula
LEAST_SURNAME = 4  # letters of a surname in an address such as kmcdani@
_PET = re.compile(
    r"(?P<stem>\w+(?P<twice>\w)(?=(?P=twice))|\w{4,}?)\w?(?:ie|y|i)$"
)  # Debbie, Kathy
_GENERATION = re.compile(r"\bI[Il1|]{1,2}\b")  # III, as it is misread
Identity = tuple[str, ...]


class NameAt(NamedTuple):
    """A person's name at `start` of a text."""

    start: int
    name: str


@dataclass(frozen=True, slots=True)
class TextNames:
    """What one text shows of people, before they are told apart."""

    names: Sequence[NameAt]
    addresses: Sequence[Address]
    pairs: Sequence[tuple[int, int]] = ()  # starts of a name and its address
    signed: Mapping[int, int] = field(
        default_factory=dict
    )  # start of a signature -> sender's start


def tell_apart(people: TextNames) -> dict[int, int]:
    """Start of each name and address -> number of the person, in the order of the text."""
    return _Roster(people).numbers()


class _Roster:
    def __init__(self, people: TextNames) -> None:
        self._people = people
        self._name_at = {each.start: each.name for each in people.names}
        self._address_at = {each.start: each for each in people.addresses}
        counts = Counter(_compared(each.name) for each in people.names)
        implied = {name for a in people.addresses if (name := implied_name(a))}
        said = dict(counts) | {name: counts.get(name, 0) + 1 for name in implied}
        self._keys = {n: k for (_, n), k in merge_people({"": PeopleNamed(said)}).items()}
        self._sets: Clusters[Identity] = Clusters(
            [*self._keys.values(), *(_node(a) for a in people.addresses)]
        )
        self._forms = {  # of everybody who is called in full
            key: PersonName(key[1], key[2:-2], key[-2], key[-2], key[-1])
            for key in self._keys.values()
            if key[0] == "full"
        }
        self._spelt: dict[Identity, str] = {}  # names that only addresses spell
        self._visible = {self._keys[name] for name in counts}  # not of addresses alone

    def numbers(self) -> dict[int, int]:
        self._join_addresses()
        self._join_turned()
        self._join_nicknamed()
        self._join_bare_addresses()
        self._join_alone()
        self._join_by_message()
        starts = sorted([*self._name_at, *self._address_at])
        order = dict.fromkeys(self._sets.of(self._node_at(start)) for start in starts)
        number = {node: n for n, node in enumerate(order)}
        return {start: number[self._sets.of(self._node_at(start))] for start in starts}

    def _node_at(self, start: int) -> Identity:
        if start in self._address_at:
            return _node(self._address_at[start])
        return self._keys[_compared(self._name_at[start])]

    def _join(self, one: Identity, other: Identity) -> None:
        if self._sets.of(one) != self._sets.of(other):
            self._sets.join(one, other)

    def _join_addresses(self) -> None:
        for address in self._people.addresses:
            if not (name := implied_name(address)):
                continue
            key = self._keys[name]  # of addresses alone only those are one's that spell one name
            if key in self._visible or self._spelt.setdefault(key, plain(name)) == plain(name):
                self._join(_node(address), key)
        for start, beside in self._people.pairs:
            if start in self._name_at and beside in self._address_at:
                self._join(self._node_at(beside), self._node_at(start))

    def _by_last(self) -> Mapping[str, list[Identity]]:
        found: dict[str, list[Identity]] = defaultdict(list)
        for key, form in self._forms.items():
            found[form.last].append(key)
        return found

    def _join_turned(self) -> None:
        """Thompson Debra is Debra Thompson, and Robert Kilmer III is Robert Kilmer."""
        for key, form in self._forms.items():
            same = {
                self._sets.of(other)
                for other, full in self._forms.items()
                if (full.first, full.last) == (form.last, form.first)
                or (form.generation and (full.first, full.last) == (form.first, form.last))
            } - {self._sets.of(key)}
            if len(same) == 1 and key in self._visible:
                self._join(key, same.pop())

    def _join_nicknamed(self) -> None:
        """Bill Brown is William E. Brown where no other Brown could be."""
        for keys in self._by_last().values():
            for key in keys:
                form = self._forms[key]
                full = {
                    self._sets.of(other)
                    for other in keys
                    if other != key
                    and {key, other} & self._visible
                    and _calls(form.first, self._forms[other], whole=True)
                }
                if len(full) == 1:
                    self._join(key, full.pop())

    def _join_bare_addresses(self) -> None:
        """k..allen@ and mfoster@ are of the one person here whose name they cut short."""
        for address in self._people.addresses:
            node = _node(address)
            if implied_name(address) or self._has_form(node):
                continue
            fits = {
                self._sets.of(key)
                for key, form in self._forms.items()
                if key in self._visible and _is_short_for(address, form)
            }
            if ".." in address.local:  # who has another address there is somebody else
                fits -= {
                    self._sets.of(_node(a)) for a in self._people.addresses if a[3] == address[3]
                }
            if len(fits) == 1:
                self._join(node, fits.pop())

    def _has_form(self, node: Identity) -> bool:
        return any(self._sets.of(key) == self._sets.of(node) for key in self._forms)

    def _join_alone(self) -> None:
        """A name alone that the rules of a library leave open: Kim is Kimberly, Kay Mary Kay."""
        for name, key in list(self._keys.items()):
            if key[0] != "own" or self._has_form(key):
                continue
            form = person_name(name)
            called = {
                self._sets.of(other)
                for other, full in self._forms.items()
                if form.is_alone and _calls(form.last, full)
            }
            if len(called) == 1:
                self._join(key, called.pop())

    def _join_by_message(self) -> None:
        """Whoever signs a message is its sender, where the name does not say otherwise."""
        senders: dict[Identity, set[Identity]] = defaultdict(set)
        for start, sender in self._people.signed.items():
            if start in self._name_at and not self._has_form(self._node_at(start)):
                who = self._sets.of(self._node_at(sender))
                if self._may_be(self._name_at[start], who):
                    senders[self._node_at(start)].add(who)
        for node, whose in senders.items():
            if len(whose) == 1:
                self._join(node, whose.pop())

    def _may_be(self, name: str, who: Identity) -> bool:
        form = person_name(name)
        forms = [f for key, f in self._forms.items() if self._sets.of(key) == who]
        if is_initials(name):
            return any(_initials_fit(name, f) for f in forms)
        if forms:
            initial, _, last = form.first.partition(" ")  # H. Drummond-Lyle
            return any(
                _calls(form.last, f)
                if form.is_alone
                else (initial[0], last) == (f.first[0], f.last)
                for f in forms
            )
        locals_ = [plain(a.local) for a in self._people.addresses if self._sets.of(_node(a)) == who]
        return any(local[:1] == plain(name)[:1] for local in locals_)


def implied_name(address: Address) -> str:
    """The full name that a local part spells out: doug leach; empty where it is none."""
    words = address.implied
    if len(words) < 2 or len(words) > 4 or min(len(words[0]), len(words[-1])) < 2:
        return ""
    return " ".join(words)


def _compared(name: str) -> str:
    return _GENERATION.sub("III", name)


def _node(address: Address) -> Identity:
    return ("address", plain(re.sub(r"\s", "", address.local)), address.domain.casefold())


def _calls(short: str, full: PersonName, *, whole: bool = False) -> bool:
    """Whether somebody of this full name may be called so: Kim, Debbie, Kay of Mary Kay."""
    firsts = (full.first, *full.middles)
    if short in full.middles:
        return True
    if short == full.first:
        return not whole
    if any(first in SHORT_FORMS.get(short, ()) for first in firsts):
        return True
    if full.first.startswith(short) and len(short) >= LEAST_STEM:
        return len(full.first) >= len(short) + LETTERS_CUT
    pet = _PET.match(short)
    if not pet or len(pet["stem"]) < LEAST_STEM:
        return False
    return full.first.startswith(pet["stem"]) and len(full.first) >= len(short) - 1


def _is_short_for(address: Address, form: PersonName) -> bool:
    """Whether an address cuts a full name short: k..allen, mfoster, kmcdani, fosterm."""
    words = [plain(re.sub(r"['’]", "", word)) for word in address.implied]
    if not words:  # 1..2@
        return False
    initials = {name[0] for name in (form.first, *form.middles)}
    if ".." in address.local:  # a first name left out before the middle initial
        return words[-1] == form.last
    if len(words) >= 2:
        if words[-1] != form.last:
            return False
        return all(len(w) == 1 and w in initials for w in words[:-1])
    local = "".join(words)
    if len(local) <= LEAST_SURNAME:
        return False
    initial, rest = local[0], local[1:]
    if initial == form.first[0] and (
        rest == form.last or (len(rest) >= LEAST_SURNAME + 2 and form.last.startswith(rest))
    ):
        return True
    return local in (form.last + form.first[0], form.first + form.last, form.last + form.first)


def is_initials(name: str) -> bool:
    """Whether a signature is letters only: SPR."""
    return name.isupper() and 1 < len(name) <= 3


def _initials_fit(name: str, form: PersonName) -> bool:
    letters = [word[0] for word in (form.first, *form.middles, form.last)]
    own = plain(name)
    if own[0] != letters[0]:
        return False
    return own[-1] == letters[-1] or list(own) == letters[: len(own)]


def name_words(people: Iterable[str]) -> tuple[set[str], set[str]]:
    """First names of full names and names alone, and last names; in plain letters."""
    found, lasts = set(), set()
    for name in people:
        form = person_name(_compared(name))
        found.add(form.first if form.is_full else form.last)
        found.update(form.middles if form.is_full else ())
        lasts.add(form.last)
    return {name for name in found if len(name) > 1}, lasts
