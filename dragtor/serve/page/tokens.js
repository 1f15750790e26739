// Texts with coloured, labelled stretches, and the classes of each with a bar. Owns which hue a
// label has; knows no encoder.

import { html } from "./lib.js";

const HUES = 8;

// Labels of all texts -> their hues, in the order of the alphabet: a label keeps its colour.
export function huesOf(texts) {
  const labels = [...new Set(texts.flatMap((each) => each.spans.map((span) => span.label)))].sort();
  return new Map(labels.map((label, n) => [label, n % HUES]));
}

export function Legend({ texts, hues }) {
  if (!hues.size) return null;
  const counts = new Map([...hues.keys()].map((label) => [label, 0]));
  for (const { spans } of texts) {
    for (const { label } of spans) counts.set(label, counts.get(label) + 1);
  }
  return html`<ul class="legend" aria-label="Labels">${[...counts].map(([label, count]) => html`
    <li><mark class=${`hue-${hues.get(label)}`}>${label}</mark> <span class="figure">${count}</span></li>`)}</ul>`;
}

// The text of one head's spans, cut at them. Spans of one head never overlap.
export function Marked({ text, spans, hues }) {
  const points = [...text]; // spans count characters, as Python does; JavaScript counts halves
  const parts = [];
  let at = 0;
  for (const { start, end, label, probability } of spans) {
    parts.push(points.slice(at, start).join(""));
    parts.push(html`<mark class=${`hue-${hues.get(label)}`}>${points.slice(start, end).join("")}<small> ${label} ${probability.toFixed(2)}</small></mark>`);
    at = end;
  }
  parts.push(points.slice(at).join(""));
  return html`<p class="marked">${parts}</p>`;
}

// Classes of one head, likeliest first; those under the threshold are there, and pale.
export function Classes({ head, chances, least }) {
  const sorted = Object.entries(chances).sort((a, b) => b[1] - a[1]);
  return html`<dl class="classes"><div><dt>${head}</dt>${sorted.map(([label, chance]) => html`
    <dd class=${chance >= least ? "sure" : "unsure"}><span>${label}</span>
      <meter min="0" max="1" value=${chance} aria-label=${`${label} ${chance.toFixed(2)}`}></meter>
      <b class="figure">${chance.toFixed(2)}</b></dd>`)}</div></dl>`;
}
