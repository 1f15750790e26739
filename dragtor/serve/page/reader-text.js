// A document's text with the quote marked and scrolled to. Text enters as text nodes only; of markup
// it knows headings and items of lists, which is all that the library keeps.
import { html, useLayoutEffect, useMemo, useRef } from "./lib.js";
import { marked, stretchOf } from "./offsets.js";

const HEADING = /^(#{1,6})\s+/;
const BULLET = /^[-*•]\s+/;

// [{from, to, level, item}]: paragraphs, items of lists, headings with their level, in order
function blocksOf(text) {
  const blocks = [];
  const gap = /\n[ \t]*\n\s*|\n(?=#{1,6} |[-*•] )|(?<=^#{1,6} [^\n]*)\n/gm;
  let from = 0;
  for (const found of [...text.matchAll(gap), { index: text.length, 0: "" }]) {
    if (found.index > from) {
      const opening = text.slice(from, Math.min(from + 8, found.index));
      const level = HEADING.exec(opening);
      const item = BULLET.exec(opening);
      const skipped = (level || item)?.[0].length || 0;
      blocks.push({ from: from + skipped, to: found.index, level: level ? level[1].length : 0, item: Boolean(item) });
    }
    from = found.index + found[0].length;
  }
  return blocks;
}

// Scrolls the marked stretch of `room` into the middle whenever the place changes.
export function useShown(room, place) {
  useLayoutEffect(() => {
    const found = room.current?.querySelector("mark.stretch");
    if (found) found.scrollIntoView({ block: "center" });
    else if (room.current) room.current.closest(".reader-body").scrollTop = 0;
  }, [place]);
}

export function TextView({ text, place }) {
  const room = useRef(null);
  const blocks = useMemo(() => blocksOf(text), [text]);
  const lit = useMemo(() => stretchOf(text, place), [text, place]);
  useShown(room, place);
  if (!text.trim()) return html`<p class="quiet">This document holds no text.</p>`;
  return html`<div class="reading" ref=${room} key=${`${place.start} ${place.end}`}>
    ${blocks.map(({ from, to, level, item }) =>
      level
        ? html`<h3 class=${`level-${Math.min(level, 3)}`}>${marked(text, from, to, lit)}</h3>`
        : html`<p class=${item ? "item" : ""}>${marked(text, from, to, lit)}</p>`)}
  </div>`;
}
