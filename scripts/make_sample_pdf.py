"""Makes assets/sample_library/shoulder-pain.pdf; its text lives here.

The same bytes come out of every run: fixed date, built-in fonts, no compression.
Needs fpdf2, which dragtor itself does not: pip install fpdf2==2.8.9
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "assets/sample_library/shoulder-pain.pdf"
TITLE = "Shoulder pain in climbers: subacromial pain, SLAP tears and the AC joint"
AUTHOR = "The dragtor authors"
PUBLISHED = datetime(2026, 5, 30, 12, tzinfo=UTC)

# One string a page, so that no sentence crosses a page; "# " opens a heading.
PAGES = (
    """
This sheet is information, not medical advice. The red flags at its end need a clinician.

# Three different pains

Shoulder pain in climbers has three common patterns. Pain at the outside of the upper arm when the
arm is lifted is mostly subacromial pain. A deep pain with clicks, after a wrenching move, may be a
tear of the upper labrum (SLAP). Pain at the top of the shoulder, where a fingertip can point to
it, is mostly the acromioclavicular (AC) joint.

# Subacromial pain, formerly called impingement

The rotator cuff tendons and a bursa lie under the roof of the shoulder. Overload of the cuff is
now considered more important than a lack of space. The typical sign is the painful arc: lifting
the arm sideways hurts between 60 and 120 degrees and less above and below. The Hawkins-Kennedy
test, turning the arm inwards with shoulder and elbow at 90 degrees, reproduces the pain.

Exercise is the first treatment of subacromial pain, for at least 12 weeks. Begin with external
rotation against a band, elbow at the side, 3 sets of 15 on most days; add rows and push-ups
in the second week, and overhead work from about week 6. Keep climbing below the painful height and
leave out wide gastons and long static lock-offs. Pain of up to 4 out of 10 is acceptable if it has
settled by the next day.

Surgery that shaves bone from the roof of the shoulder has been compared with placebo surgery in
two good trials, and was not noticeably better.
""",
    """
# SLAP tears

A SLAP tear is a tear of the superior labrum, front to back, at the anchor of the long biceps
tendon. Climbers get it from a cut-loose with a straight arm or a dynamic gaston. The signs are
deep pain, clicks and weakness. O'Brien's active compression test is the best known: the straight
arm, 90 degrees forward and slightly across the body, is pressed down first with the thumb down and
then with the palm up; pain that is clearly less with the palm up is a positive result. No single
test for SLAP tears is reliable.

Imaging needs care: among people of 45 to 60 years without any shoulder pain, more than half had a
SLAP tear on magnetic resonance imaging. Three months of rehabilitation come before surgery in most
cases. In a placebo-controlled trial, labral repair and biceps tenodesis were no better than sham
surgery for pain and function. After a SLAP repair, easy climbing usually starts after 4 to 6
months, and full climbing after 6 to 12 months.

# The AC joint

The AC joint joins the collarbone to the roof of the shoulder. It is sprained by a fall on the
shoulder and irritated by deep dips, wide push-ups and mantles. Cross-body adduction, pulling the
arm across the chest, hurts on top of the shoulder (scarf test). Sprains are sorted into six
Rockwood types.

Rockwood types I and II are treated with a sling for 1 to 2 weeks and early movement; most climbers
pull again after 3 to 6 weeks. Type III, in which the collarbone stands up by up to its own
thickness, is mostly treated without surgery first, and opinions differ. Types IV to VI are usually
operated on.

# Back to the wall

Return to overhead climbing when the arm lifts fully without pain, external rotation reaches 80
percent of the other side, and a 20-second two-arm hang with engaged shoulders is painless. Start
on vertical walls; then slight overhangs, then roofs; gastons, dynamic moves and one-arm hangs come
last. Give each step about 2 weeks. These numbers are clinical habit, not the result of trials.

# Red flags

Have the shoulder examined on the same day after a dislocation, with a numb or cold arm, or when
the shape of the shoulder has changed. An arm that cannot be lifted after a fall may have a torn
rotator cuff, which is best repaired within weeks. Pain in the left shoulder with tightness of the
chest or breathlessness is an emergency: call an ambulance.
""",
)


def blocks(page: str) -> list[str]:
    """The headings and paragraphs of one page, each on one line."""
    return [" ".join(block.split()) for block in page.strip().split("\n\n")]


def main() -> None:
    """Write the PDF: A4, a title, a running head and a page number."""
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_compression(False)
    pdf.set_creation_date(PUBLISHED)
    pdf.set_producer("dragtor sample library")
    pdf.set_title(TITLE)
    pdf.set_author(AUTHOR)
    pdf.set_lang("en")
    pdf.set_margins(25, 25, 25)
    for number, page in enumerate(PAGES, start=1):
        pdf.add_page()
        if number == 1:
            pdf.set_font("Helvetica", "B", 18)
            pdf.multi_cell(0, 9, TITLE, align="L", new_x="LMARGIN", new_y="NEXT")
            pdf.set_font("Helvetica", "I", 11)
            pdf.cell(0, 10, f"{AUTHOR}, {PUBLISHED:%Y-%m-%d}", new_x="LMARGIN", new_y="NEXT")
        for block in blocks(page):
            heading = block.startswith("# ")
            pdf.set_font("Helvetica", "B" if heading else "", 14 if heading else 11)
            text = block.removeprefix("# ")
            pdf.multi_cell(0, 8 if heading else 6, text, align="L", new_x="LMARGIN", new_y="NEXT")
            pdf.ln(1 if heading else 3)
        pdf.set_auto_page_break(False)
        pdf.set_xy(25, 280)
        pdf.set_font("Helvetica", "", 9)
        pdf.cell(0, 5, f"Page {number} of {len(PAGES)}", align="C")
        pdf.set_auto_page_break(True, 20)
    pdf.output(str(TARGET))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, {pdf.page_no()} pages")


if __name__ == "__main__":
    main()
