"""Makes assets/sample_library/load-deload-and-sleep.epub; its text lives here.

Standard library only. The same bytes come out of every run: fixed dates, members stored as is.
"""

from __future__ import annotations

import zipfile
from html import escape
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "assets/sample_library/load-deload-and-sleep.epub"
TITLE = "Load, deload and sleep for climbers"
AUTHOR = "The dragtor authors"
PUBLISHED = "2026-08-11"
MEMBER_TIME = (2026, 8, 11, 0, 0, 0)

# (file name, heading, paragraphs)
CHAPTERS = (
    (
        "load.xhtml",
        "Counting load",
        """
Health caution: this booklet is information, not medical advice. Pain that grows from week to week,
tiredness that lasts for more than two weeks in spite of rest, or loud snoring with daytime
sleepiness should be discussed with a clinician.

Training load is what you did and how hard it felt. The simplest measure is session RPE: multiply
the minutes of the session by the effort from 0 to 10, asked about 30 minutes after the end. A
session of 90 minutes at effort 6 counts 540 units. It needs no equipment; for short, hard
bouldering it has hardly been studied.

The acute:chronic workload ratio divides the load of the last 7 days by the weekly average of the
last 28 days. In team sports a ratio of 0.8 to 1.3 was called the sweet spot, and injuries were
more frequent above 1.5. The ratio has been criticised for good reasons: the last week is part of
both numbers, results change with the way of counting, and the limits were never tested in
climbers. Use it as a smoke alarm that says "this week is unusual", not as a forecast of injury.

The 10 percent rule says that weekly load should grow by no more than 10 percent. It is a habit,
not a finding. In a trial with 532 novice runners, a programme that kept to the 10 percent rule led
to as many injuries (about 21 percent) as a steeper one (about 20 percent). A better guide for
climbers is to change one thing at a time, volume or intensity or grip type, and to hold each new
level for 2 to 3 weeks, since tendons answer more slowly than muscles.
""",
    ),
    (
        "deload.xhtml",
        "Deload weeks",
        """
A deload is a planned easy week. A common rhythm is one deload after every 3 to 5 weeks of hard
training. In a deload week, cut the number of sets and climbs by 40 to 60 percent, keep the
intensity of the few that remain, and stop every session while you still feel fresh. Strength is
not lost in a week; it takes about 3 weeks without training before maximum strength drops
noticeably.

Take an unplanned deload when two or more of these hold for three days: finger joints are stiff in
the morning, the resting pulse is 7 or more beats above normal, sleep is poor, motivation is gone,
or the usual warm-up boulder feels hard. Evidence for deload weeks is thin. In one trial, trainees
who stopped entirely for a week in the middle of a nine-week programme gained nothing from it, and
their leg strength improved slightly less.

After an illness with fever, wait until a full day without symptoms has passed, and then take as
many easy days as you had days of fever. After two weeks without climbing, begin at about half of
the former volume.
""",
    ),
    (
        "sleep.xhtml",
        "Sleep",
        """
Adults need 7 to 9 hours of sleep, teenagers 8 to 10. Among 112 adolescent athletes, those who
slept less than 8 hours a night were 1.7 times as likely to have been injured. That is an
association: short sleep may cause injuries, or busy schedules may cause both. Basketball players
who stretched their nights towards 10 hours sprinted faster and shot better, but there were only 11
of them and no control group.

Practical steps have better support than gadgets. Get up at the same time every day, also at
weekends. Keep the bedroom dark, quiet and at about 18 degrees Celsius. Stop caffeine at least 6
hours before bed: 400 mg taken 6 hours before bedtime shortened sleep by about one hour in a
laboratory study. A nap of 20 to 30 minutes before 3 pm makes up for part of a short night.

Sleeplessness on three nights a week for three months is called chronic insomnia. The first
treatment is a form of talking therapy, cognitive behavioural therapy for insomnia, and not a pill.
""",
    ),
)

CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles>
    <rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/>
  </rootfiles>
</container>
"""

PACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
  <metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
    <dc:identifier id="id">urn:dragtor:sample:load-deload-and-sleep</dc:identifier>
    <dc:title>{title}</dc:title>
    <dc:creator>{author}</dc:creator>
    <dc:language>en</dc:language>
    <dc:date>{date}</dc:date>
    <dc:rights>MIT</dc:rights>
    <meta property="dcterms:modified">{date}T00:00:00Z</meta>
  </metadata>
  <manifest>
    <item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
{items}
  </manifest>
  <spine>
{refs}
  </spine>
</package>
"""

PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en">
<head><title>{title}</title></head>
<body>
{body}
</body>
</html>
"""


def chapter(heading: str, text: str) -> str:
    """One chapter as XHTML; blank lines of `text` part the paragraphs."""
    paragraphs = (escape(" ".join(p.split()), quote=False) for p in text.strip().split("\n\n"))
    body = "\n".join(f"<p>{p}</p>" for p in paragraphs)
    return PAGE.format(title=escape(heading), body=f"<h1>{escape(heading)}</h1>\n{body}")


def navigation() -> str:
    """The table of contents."""
    rows = "\n".join(f'<li><a href="{name}">{escape(head)}</a></li>' for name, head, _ in CHAPTERS)
    body = f'<nav epub:type="toc"><h1>{escape(TITLE)}</h1>\n<ol>\n{rows}\n</ol></nav>'
    return PAGE.format(title=escape(TITLE), body=body)


def package() -> str:
    """The OPF file: metadata, manifest and reading order."""
    ids = [(name.partition(".")[0], name) for name, _, _ in CHAPTERS]
    items = "\n".join(
        f'    <item id="{key}" href="{name}" media-type="application/xhtml+xml"/>'
        for key, name in ids
    )
    refs = "\n".join(f'    <itemref idref="{key}"/>' for key, _ in ids)
    return PACKAGE.format(
        title=escape(TITLE), author=escape(AUTHOR), date=PUBLISHED, items=items, refs=refs
    )


def main() -> None:
    """Write the EPUB; `mimetype` stands first, as the format asks."""
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": package(),
        "OEBPS/nav.xhtml": navigation(),
    }
    members |= {f"OEBPS/{name}": chapter(head, text) for name, head, text in CHAPTERS}
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_STORED) as archive:
        for name, text in members.items():
            info = zipfile.ZipInfo(name, MEMBER_TIME)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, text)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, {len(CHAPTERS)} chapters")


if __name__ == "__main__":
    main()
