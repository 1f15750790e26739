// Curves of figures by step, as SVG, with the same numbers as a table. Owns scales and ticks; knows
// no training.

import { html, useState } from "./lib.js";

const WIDTH = 560, HEIGHT = 200, LEFT = 44, BOTTOM = 24, TOP = 10, RIGHT = 12;

// series: [{name, points: [[x, y], …]}], drawn in the hues of their order.
export function Curves({ title, xLabel = "step", series }) {
  const [asTable, setAsTable] = useState(false);
  const drawn = series.filter((each) => each.points.length);
  if (!drawn.length) return null;
  return html`<figure class="curves">
    <figcaption>
      <span class="figure-title">${title}</span>
      ${drawn.map((each, n) => html`<span class="key"><i class=${`hue-${n % 8}`}></i>
        ${each.name} <b class="figure">${shown(each.points.at(-1)[1])}</b></span>`)}
      <button type="button" class="button plain" aria-pressed=${asTable ? "true" : "false"}
        onClick=${() => setAsTable(!asTable)}>as a table</button>
    </figcaption>
    ${asTable ? html`<${Table} ...${{ title, xLabel, series: drawn }} />`
      : html`<${Drawing} ...${{ title, xLabel, series: drawn }} />`}
  </figure>`;
}

function Drawing({ title, xLabel, series }) {
  const points = series.flatMap((each) => each.points);
  const [x0, x1] = range(points.map(([x]) => x)), [y0, y1] = range(points.map(([, y]) => y));
  const x = (value) => LEFT + ((value - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - ((value - y0) / (y1 - y0)) * (HEIGHT - BOTTOM - TOP);
  const told = series.map((each) => `${each.name} ${shown(each.points.at(-1)[1])}`).join(", ");
  return html`<svg class="plot" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img"
      aria-label=${`${title} by ${xLabel}, last: ${told}`}>
    ${[y0, (y0 + y1) / 2, y1].map((value) => html`<g class="grid">
      <line x1=${LEFT} x2=${WIDTH - RIGHT} y1=${y(value)} y2=${y(value)} />
      <text x=${LEFT - 6} y=${y(value) + 3.5} text-anchor="end">${shown(value)}</text></g>`)}
    ${[x0, x1].map((value, n) => html`<text class="tick" x=${x(value)} y=${HEIGHT - 7}
      text-anchor=${n ? "end" : "start"}>${n ? `${xLabel} ${value}` : value}</text>`)}
    ${series.map((each, n) => html`<g class=${`line hue-${n % 8}`}>
      <polyline points=${each.points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" ")} />
      ${each.points.length < 60 && each.points.map(([a, b]) => html`<circle r="2.5"
        cx=${x(a)} cy=${y(b)} />`)}</g>`)}
  </svg>`;
}

function Table({ title, xLabel, series }) {
  const steps = [...new Set(series.flatMap((each) => each.points.map(([x]) => x)))].sort((a, b) => a - b);
  const known = series.map((each) => new Map(each.points));
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${`${title} as a table`}>
    <table class="figures">
      <thead><tr><th scope="col">${xLabel}</th>
        ${series.map((each) => html`<th scope="col">${each.name}</th>`)}</tr></thead>
      <tbody>${steps.map((step) => html`<tr><th scope="row">${step}</th>
        ${known.map((own) => html`<td>${own.has(step) ? shown(own.get(step)) : ""}</td>`)}</tr>`)}
      </tbody>
    </table></div>`;
}

function range(values) {
  const low = Math.min(...values), high = Math.max(...values);
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

export const shown = (value) =>
  Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
