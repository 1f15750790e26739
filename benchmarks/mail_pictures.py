"""Pictures of mail and chat with their people and companies, drawn by seed.

    python benchmarks/mail_pictures.py FOLDER --n 24

writes PNG and gold.jsonl (id, image, text, people, companies: aliases each). All names are made up.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIRST = """Adaeze Anouk Arjun Beatriz Caspian Chiara Dmitri Elif Fergus Fiona Gareth Giulia Hana
Henrik Imani Ioana Jasper Jun Katarzyna Kwame Leila Linus Magnus Marisol Nadia Nikolai Odile Oscar
Paloma Piotr Quentin Rosalind Ruth Samir Sigrid Tamsin Theo Uma Viktor Wanda Yusuf Zainab Peter
Laura Marcus Helen Diane Craig Megan Trevor Jill""".split()
LAST = """Abernathy Agbaje Bergqvist Blackwood Castellanos Czarnecki Demirel Dufresne Eriksen
Fairweather Gallardo Grimaldi Hashimoto Haverkamp Iversen Jankowski Kaplan Kowalczyk Lindholm
Mbeki Montague Nakagawa Novotny Okonkwo Ostrowski Pemberton Petrov Quiroga Rasmussen Rowntree
Sandoval Schaefer Thistlewood Tremblay Ueda Vasquez Verhoeven Whitlock Yilmaz Zimmerman""".split()
FIRM = """Bluefern Castlegate Dunmore Elmsworth Fjordline Glenbrook Havelock Ironbark Jutland
Kestrelby Larkmoor Marrowfield Northpeak Oakhollow Pinecrest Quarrystone Redwater Silverton
Thornhill Umbrafell Velden Westmark Yarrow Zephyria""".split()
BRANCH = ["Logistics", "Analytics", "Energy", "Media", "Robotics", "Foods", "Capital", "Labs"]
FORM = ["GmbH", "Ltd", "Inc.", "LLC", "AG", "AB", "S.A.", "LLP"]
ROLES = """Head of Procurement|Sales Manager|Senior Engineer|Account Director|Office Manager|
Legal Counsel|Product Designer|Chief of Staff""".replace("\n", "").split("|")
CLOSINGS = ["Thanks,", "Best regards,", "Cheers,", "Kind regards,", "Many thanks", "Sincerely,"]
GREETINGS = ["Hi {},", "Hello {},", "Dear {},", "{},", "Good morning {},", "Hey {} -"]
SAYINGS = """the draft for {firm} is ready and {third} has checked the figures twice.
could you ask {third} whether {firm} signed the order before the end of June?
{third} from {firm} will join us in Rotterdam, so please book one more seat.
I spoke to {third} this morning. {firm} wants to move the launch to April.
the invoice of {firm} is still open; {third} says the bank needs another week.
we met {third} at the fair in Gdansk, and {firm} would like a demo of Falcon next month.
{firm} has agreed to the new terms. {third} and I think this is fine.
please send the annex to {third} today, or {firm} will not release the goods.
can we talk about the offer that {firm} made? {third} was not in favour of it.
thank you for the slides. I showed them to {third}, and {firm} liked the second part best.""".split(
    "\n"
)
SUBJECTS = """Annual review|Offer for the spring fair|Delivery dates|Minutes of Monday|
Open invoices|New terms|Budget draft|Travel to Oslo|Release plan|Site visit in May""".replace(
    "\n", ""
).split("|")
MENUS = ["Inbox", "Starred", "Sent", "Drafts 3", "Archive", "Spam", "Trash"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody made up; `turned` has the last name first."""

    first: str
    last: str
    domain: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def turned(self) -> str:
        return f"{self.last}, {self.first}"

    @property
    def address(self) -> str:
        return f"{self.first}.{self.last}@{self.domain}".lower()


@dataclass(slots=True)
class Scene:
    """What is drawn, and whom it shows."""

    size: tuple[int, int]
    dark: bool
    drawn: list[tuple[float, float, str, int]] = field(default_factory=list)  # x, y, text, px
    bubbles: list[tuple[float, float, float, float]] = field(default_factory=list)

    def put(self, x: float, y: float, text: str, px: int = 16) -> float:
        """Draw a line of text; gives where the next one begins."""
        self.drawn.append((x, y, text, px))
        return y + px * 1.35


class Cast:
    """People and firms of one picture, and the spellings that were used of them."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.firms = [self._firm(name) for name in rng.sample(FIRM, 3)]
        firsts, lasts = rng.sample(FIRST, 6), rng.sample(LAST, 6)
        self.people = [
            Person(a, b, f"{rng.choice(self.firms)[0].lower()}.example")
            for a, b in zip(firsts, lasts, strict=True)
        ]

    def _firm(self, name: str) -> tuple[str, str]:
        rng = self.rng
        full = name
        if rng.random() < 0.5:
            full += f" {rng.choice(BRANCH)}"
        if rng.random() < 0.6:
            full += f" {rng.choice(FORM)}"
        return name, full

    def firm_of(self, person: Person) -> str:
        return next(f for n, f in self.firms if person.domain.startswith(n.lower() + "."))


def draw(scene: Scene, path: Path, font: str | None = None) -> None:
    """Write a scene as PNG."""
    from PIL import Image, ImageDraw, ImageFont

    back, ink = ((24, 26, 30), (230, 230, 230)) if scene.dark else ((255, 255, 255), (25, 25, 25))
    picture = Image.new("RGB", scene.size, back)
    pen = ImageDraw.Draw(picture)
    for bubble in scene.bubbles:
        pen.rounded_rectangle(bubble, 14, fill=(52, 60, 76) if scene.dark else (228, 234, 245))
    for x, y, text, px in scene.drawn:
        face = ImageFont.truetype(font, px) if font else ImageFont.load_default(px)
        pen.text((x, y), text, ink, font=face)
    picture.save(path)


def wrapped(text: str, letters: int) -> list[str]:
    """Lines of at most so many letters."""
    import textwrap

    return textwrap.wrap(text, letters) or [""]


# Layouts


def _body(
    scene: Scene, cast: Cast, x: float, y: float, who: tuple[Person, Person], letters: int
) -> float:
    rng, (sender, reader) = cast.rng, who
    y = scene.put(x, y, rng.choice(GREETINGS).format(reader.first)) + 8
    for _ in range(rng.randint(1, 2)):
        third = rng.choice([p for p in cast.people if p not in who])
        named = third.name if rng.random() < 0.6 else third.first
        firm = rng.choice(cast.firms)
        said = rng.choice(SAYINGS).format(firm=firm[rng.random() < 0.6], third=named)
        for line in wrapped(said[0].upper() + said[1:], letters):
            y = scene.put(x, y, line)
        y += 8
    y = scene.put(x, y, rng.choice(CLOSINGS))
    y = scene.put(x, y, rng.choice([sender.name, sender.first, sender.name]))
    if rng.random() < 0.5:
        if scene.drawn[-1][2] == sender.first:
            y = scene.put(x, y + 8, sender.name)
        role, firm = rng.choice(ROLES), cast.firm_of(sender)
        for line in rng.choice([[f"{role}, {firm}"], [role, firm], [f"{role} at {firm}"]]):
            y = scene.put(x, y, line, 14)
    return y


def webmail(cast: Cast, dark: bool) -> Scene:
    """A thread beside a menu; the time of each message at the right."""
    scene, rng = Scene((1160, 820), dark), cast.rng
    for n, entry in enumerate(["Compose", *MENUS]):
        scene.put(20, 30 + 32 * n, entry, 15)
    y = scene.put(230, 20, rng.choice(SUBJECTS), 22) + 20
    one, other = cast.people[:2]
    for sender, reader in ((one, other), (other, one)):
        scene.put(230, y, sender.first[0] + sender.last[0], 18)
        scene.put(1080, y, f"{rng.randint(8, 18)}:{rng.randint(10, 59)}", 14)
        y = scene.put(270, y, rng.choice([sender.name, f"{sender.name} <{sender.address}>"]))
        y = scene.put(270, y, f"to {reader.first}, cc {cast.people[2].name}", 14) + 12
        y = _body(scene, cast, 270, y, (sender, reader), 90) + 30
    return scene


def panes(cast: Cast, dark: bool) -> Scene:
    """Folders, a list of mails, and one of them."""
    scene, rng = Scene((1280, 640), dark), cast.rng
    for n, entry in enumerate(["Favourites", *MENUS]):
        scene.put(12, 40 + 30 * n, entry, 15)
    sender, reader = cast.people[:2]
    listed = [
        sender.turned,
        cast.people[2].name,
        cast.firms[2][1],
        cast.people[3].turned,
        "Grafana",
    ]
    for n, entry in enumerate(listed):
        scene.put(170, 40 + 58 * n, entry, 16)
        scene.put(420, 42 + 58 * n, rng.choice(["10:02", "09:15", "Mon", "Tue"]), 14)
        scene.put(170, 62 + 58 * n, rng.choice(SUBJECTS), 14)
    y = scene.put(500, 36, rng.choice(SUBJECTS), 20) + 8
    y = scene.put(540, y, sender.turned)
    y = scene.put(540, y, f"To: {reader.turned}", 14)
    y = scene.put(540, y, f"Cc: {cast.people[4].turned}", 14) + 14
    _body(scene, cast, 500, y, (sender, reader), 85)
    return scene


def phone(cast: Cast, dark: bool) -> Scene:
    """A mail on a phone."""
    scene, rng = Scene((800, 1300), dark), cast.rng
    scene.put(30, 20, "9:41", 26)
    scene.put(690, 20, "5G 80%", 26)
    scene.put(30, 90, "< Inbox", 28)
    one, other = cast.people[:2]
    scene.put(680, 160, "10:12", 24)
    y = scene.put(120, 160, one.name, 28)
    y = scene.put(120, y, f"To: {other.name}, {cast.people[2].name}", 24) + 14
    y = scene.put(30, y, rng.choice(SUBJECTS), 32) + 16
    before = len(scene.drawn)
    _body(scene, cast, 30, y / 1.7, (one, other), 42)
    scene.drawn[before:] = [
        (x, 1.7 * top, text, round(px * 1.7)) for x, top, text, px in scene.drawn[before:]
    ]
    return scene


def classic(cast: Cast, dark: bool) -> Scene:
    """Headers with or without colons over the text, and the mail that is answered below."""
    scene, rng = Scene((900, 900), dark), cast.rng
    colon = ":" if rng.random() < 0.5 else ""
    one, other = cast.people[:2]
    turned = rng.random() < 0.5
    y = 20.0
    for n, (sender, reader) in enumerate(((one, other), (other, one))):
        if n:
            y = scene.put(20, y, rng.choice(["-----Original Message-----", "Original Message"])) + 8
        form: Callable[[Person], str] = (
            (lambda p: p.turned) if turned and colon else (lambda p: f"{p.name} <{p.address}>")
        )
        y = scene.put(20, y, f"From{colon} {form(sender)}")
        if n or not turned:
            y = scene.put(20, y, f"Sent{colon or ':'} Monday, May 4, 2026 10:1{n} AM")
        readers = [reader, *cast.people[2 : 2 + rng.randint(0, 2)]]
        y = scene.put(
            20,
            y,
            f"To{colon} " + ("; " if turned and colon else ", ").join(map(form, readers))[:100],
        )
        y = scene.put(20, y, f"Subject{colon} RE: {rng.choice(SUBJECTS)}") + 12
        y = _body(scene, cast, 20, y, (sender, reader), 95) + 20
    return scene


def bubbles(cast: Cast, dark: bool) -> Scene:
    """A chat of two, the name of one above it."""
    scene, rng = Scene((820, 1000), dark), cast.rng
    other = cast.people[0]
    scene.put(90, 24, other.name, 30)
    scene.put(90, 62, "online", 22)
    y = 130.0
    for n in range(4):
        third = cast.people[1 + n]
        firm = rng.choice(cast.firms)[rng.random() < 0.5]
        said = rng.choice(SAYINGS).format(firm=firm, third=rng.choice([third.first, third.name]))
        lines = wrapped(said[0].upper() + said[1:], 36)
        x = 40 if n % 2 else 220
        scene.bubbles.append((x - 16, y - 12, x + 560, y + 36 * len(lines) + 12))
        for line in lines:
            scene.put(x, y, line, 26)
            y += 36
        y += 50
    return scene


def channel(cast: Cast, dark: bool) -> Scene:
    """A channel with those who write, and direct messages at the left."""
    scene, rng = Scene((1000, 620), dark), cast.rng
    scene.put(14, 14, cast.firms[0][1], 16)
    for n, entry in enumerate(["# general", "# random", "# releases", "# support"]):
        scene.put(14, 46 + 28 * n, entry, 15)
    scene.put(14, 170, "Direct messages", 15)
    for n, person in enumerate(cast.people[:4]):
        scene.put(14, 198 + 28 * n, person.name, 15)
    y = scene.put(260, 14, "# releases", 20) + 20
    for n in range(4):
        person = cast.people[n]
        scene.put(236, y + 4, person.first[0] + person.last[0], 15)
        y = scene.put(284, y, f"{person.name} {rng.randint(8, 11)}:{rng.randint(10, 59)} AM", 16)
        third = cast.people[4 + n % 2]
        named = rng.choice([third.name, "@" + third.first])
        said = rng.choice(SAYINGS).format(
            firm=rng.choice(cast.firms)[rng.random() < 0.5], third=named
        )
        for line in wrapped(said[0].upper() + said[1:], 80):
            y = scene.put(284, y, line, 16)
        y += 18
    return scene


def invitation(cast: Cast, dark: bool) -> Scene:
    """An invitation to a meeting."""
    scene, rng = Scene((780, 560), dark), cast.rng
    y = scene.put(30, 30, f"{rng.choice(SUBJECTS)} with {cast.firms[0][1]}", 24) + 10
    y = scene.put(30, y, "Thursday 7 May 2026, 14:00 - 15:30")
    y = scene.put(30, y, "Room Kepler, 3rd floor") + 14
    y = scene.put(30, y, f"Organizer: {cast.people[0].name}")
    y = scene.put(30, y, f"Guests: {', '.join(p.name for p in cast.people[1:4])}") + 14
    third = cast.people[4]
    said = rng.choice(SAYINGS).format(firm=cast.firms[1][1], third=third.name)
    for line in wrapped(said[0].upper() + said[1:], 75):
        y = scene.put(30, y, line)
    scene.put(30, y + 30, "Yes")
    scene.put(110, y + 30, "No")
    scene.put(190, y + 30, "Maybe")
    return scene


def notes(cast: Cast, dark: bool) -> Scene:
    """Mail that is forwarded as text, with the sender's place behind the name."""
    scene, rng = Scene((960, 820), dark), cast.rng
    one, other, third = cast.people[:3]
    place = rng.choice(["HOU/ECT@ECT", "NA/Corp@Corp", "LON/BU@BU"])
    y = scene.put(16, 20, f"From: {one.address}")
    y = scene.put(16, y, f"To: {other.address}, {third.address}")
    y = scene.put(16, y, f"Subject: FW: {rng.choice(SUBJECTS)}")
    y = _body(scene, cast, 16, y + 8, (one, other), 100) + 8
    y = scene.put(16, y, f"---- Forwarded by {one.name}/{place} on 04/16/2026 09:13 AM ----")
    y = scene.put(16, y, third.name)
    y = scene.put(16, y, "04/13/2026 10:56 AM")
    y = scene.put(16, y, f"To: {one.name}/{place}")
    y = scene.put(16, y, f"cc: {cast.people[3].name}/{place}, {cast.people[4].name}/{place}")
    y = scene.put(16, y, f"Subject: {rng.choice(SUBJECTS)}") + 8
    _body(scene, cast, 16, y, (third, one), 100)
    return scene


LAYOUTS = (webmail, panes, phone, classic, bubbles, channel, invitation, notes)


def gold_of(scene: Scene, cast: Cast) -> dict[str, Any]:
    """Whom the drawn text shows, with the spellings that stand in it."""
    text = "\n".join(line for _, _, line, _ in scene.drawn)
    flat = " ".join(text.split())
    people = []
    for person in cast.people:
        forms = [person.name, person.turned, person.address, person.first]
        if seen := [form for form in forms if form in flat]:
            people.append(seen)
    companies = []
    for name, full in cast.firms:
        if seen := [
            form for form in dict.fromkeys((full, name)) if form in flat.replace(".example", "")
        ]:
            companies.append(seen)
    free = [f"{name.lower()}.example" for name, _ in cast.firms]
    return {"text": text, "people": people, "companies": companies, "optional_companies": free}


def make(
    folder: Path, n: int, seed: int = 7, fonts: list[str] | None = None
) -> list[dict[str, Any]]:
    """Draw `n` pictures with their gold rows into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(n):
        rng = random.Random(seed * 1000 + number)
        cast, layout = Cast(rng), LAYOUTS[number % len(LAYOUTS)]
        scene = layout(cast, dark=rng.random() < 0.3)
        name = f"{number:02}_{layout.__name__}"
        draw(scene, folder / f"{name}.png", rng.choice(fonts) if fonts else None)
        rows.append({"id": name, "image": f"{name}.png", **gold_of(scene, cast)})
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "gold.jsonl").write_text("".join(lines), "utf-8")
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--font", action="append")
    given = parser.parse_args()
    make(given.folder, given.n, given.seed, given.font)
