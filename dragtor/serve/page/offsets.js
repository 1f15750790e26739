// Places in a text: offsets of the library count code points, strings of a browser count UTF-16 units.
// Knows nothing of documents but their text and their segments.
import { html, useMemo } from "./lib.js";

const ASTRAL = /[\u{10000}-\u{10ffff}]/u;

// offset in code points -> offset in the string
export function offsetsOf(text) {
  if (!ASTRAL.test(text)) return (offset) => offset;
  const starts = []; // in code points, of each character that takes two units
  let count = 0;
  for (const character of text) {
    if (character.length === 2) starts.push(count);
    count += 1;
  }
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return offset + low;
  };
}

// {from, to, within}: a place's stretch in the string, and the part of it that answers.
export function stretchOf(text, place) {
  const at = offsetsOf(text);
  if (place.end == null || place.end <= place.start) return null;
  const within = place.span ? [at(place.span[0]), at(place.span[1])] : null;
  return { from: at(place.start), to: at(place.end), within };
}

// Segments with `from` and `to` in the string; where offsets are not given they follow from the texts.
export function useSegments(found) {
  return useMemo(() => {
    const at = offsetsOf(found.text);
    let cursor = 0;
    return (found.segments || []).map((segment) => {
      const from = segment.start != null ? at(segment.start) : Math.max(cursor, found.text.indexOf(segment.text, cursor));
      const to = segment.end != null ? at(segment.end) : from + segment.text.length;
      cursor = to;
      return { ...segment, from, to };
    });
  }, [found]);
}

// text[from:to] with what of the stretch lies in it marked, as text nodes
export function marked(text, from, to, lit) {
  if (!lit || lit.to <= from || lit.from >= to) return text.slice(from, to);
  const [a, b] = [Math.max(from, lit.from), Math.min(to, lit.to)];
  return html`${text.slice(from, a)}<mark class="stretch">${inner(text, a, b, lit.within)}</mark>${text.slice(b, to)}`;
}

function inner(text, from, to, within) {
  if (!within || within[1] <= from || within[0] >= to) return text.slice(from, to);
  const [a, b] = [Math.max(from, within[0]), Math.min(to, within[1])];
  return html`${text.slice(from, a)}<b>${text.slice(a, b)}</b>${text.slice(b, to)}`;
}
