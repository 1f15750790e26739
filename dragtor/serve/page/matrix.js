// How alike texts are: a heat map of cosines with the same numbers as a table, and the lengths of
// their vectors as bars. Knows no encoder.

import { html, useState } from "./lib.js";

const CELL = 26, MARGIN = 26;
const STEPS = 8; // of colour

export function Matrix({ texts, rows }) {
  const [asTable, setAsTable] = useState(false);
  const [at, setAt] = useState(null);
  const pair = at || nearest(rows);
  return html`<figure class="matrix">
    <figcaption><span class="figure-title">How alike</span>
      <button type="button" class="button plain" aria-pressed=${asTable ? "true" : "false"}
        onClick=${() => setAsTable(!asTable)}>as a table</button></figcaption>
    ${asTable ? html`<${Table} ...${{ texts, rows }} />`
      : html`<${Map_} ...${{ rows, pair, onPick: setAt }} />`}
    ${pair && html`<p class="pair">${at ? "" : "Nearest: "}<b class="figure">${rows[pair[0]][pair[1]].toFixed(3)}</b>
      ${" "}<span>${pair[0] + 1} “${texts[pair[0]]}”</span> · <span>${pair[1] + 1} “${texts[pair[1]]}”</span></p>`}
  </figure>`;
}

function Map_({ rows, pair, onPick }) {
  const size = MARGIN + rows.length * CELL;
  const told = pair ? `; ${pair[0] + 1} and ${pair[1] + 1} are nearest, ${rows[pair[0]][pair[1]].toFixed(2)}` : "";
  return html`<svg class="heat" viewBox=${`0 0 ${size} ${size}`} width=${Math.min(size, 520)} role="img"
      aria-label=${`Cosines of ${rows.length} texts with each other${told}`}>
    ${rows.map((row, i) => html`
      <text class="tick" x=${MARGIN - 6} y=${MARGIN + i * CELL + 17} text-anchor="end">${i + 1}</text>
      <text class="tick" x=${MARGIN + i * CELL + 13} y=${MARGIN - 8} text-anchor="middle">${i + 1}</text>
      ${row.map((value, j) => html`<rect class=${`heat-${step(value)} ${isPair(pair, i, j) ? "picked" : ""}`}
        x=${MARGIN + j * CELL + 1} y=${MARGIN + i * CELL + 1} width=${CELL - 2} height=${CELL - 2} rx="3"
        onClick=${() => onPick([i, j])}><title>${`${i + 1}, ${j + 1}: ${value.toFixed(3)}`}</title></rect>`)}`)}
  </svg>`;
}

function Table({ texts, rows }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Cosines as a table">
    <table class="figures">
      <thead><tr><td></td>${texts.map((_, n) => html`<th scope="col">${n + 1}</th>`)}</tr></thead>
      <tbody>${rows.map((row, i) => html`<tr>
        <th scope="row" title=${texts[i]}>${i + 1} ${texts[i].slice(0, 40)}</th>
        ${row.map((value) => html`<td>${value.toFixed(2)}</td>`)}</tr>`)}</tbody>
    </table></div>`;
}

// Lengths of vectors as they come from pooling, before they are brought to length 1.
export function Norms({ texts, norms }) {
  const longest = Math.max(...norms, 1e-9);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Norms of the vectors">
    <table class="figures norms"><caption>Norms of the vectors</caption>
    <thead><tr><th scope="col">text</th><th scope="col">norm</th><td></td></tr></thead>
    <tbody>${norms.map((value, n) => html`<tr><th scope="row">${n + 1} ${texts[n].slice(0, 60)}</th>
      <td>${value.toFixed(3)}</td><td class="wide"><meter min="0" max=${longest} value=${value}
        aria-label=${`norm ${value.toFixed(3)}`}></meter></td></tr>`)}</tbody></table></div>`;
}

const step = (cosine) => Math.min(STEPS - 1, Math.floor(Math.max(0, cosine) * STEPS));
const isPair = (pair, i, j) => pair && pair[0] === i && pair[1] === j;

// The two different texts that are most alike; null where there is one text only.
function nearest(rows) {
  let best = null;
  rows.forEach((row, i) => row.forEach((value, j) => {
    if (i < j && (!best || value > rows[best[0]][best[1]])) best = [i, j];
  }));
  return best;
}
