// The page Plan: the events of a text, what of them is to be checked, their months, a calendar file.
// Dates are read by the server; which days a series comes to, by recurrence.js.

import { createStore, html, useMemo, useRef, useStore } from "./lib.js";
import { saveCalendar } from "./rest.js";
import { createRun, isGoing } from "./run.js";
import { textOf } from "./text_file.js";
import { EventCard } from "./plan_event.js";
import { Months } from "./plan_months.js";
import { Drop, FileButton } from "./drop.js";
import { useKeys } from "./keys.js";
import { Button, Empty, Failure, Skeleton, counted } from "./ui.js";

const EXAMPLE = `Call with Yves on Tuesday at 10:30 for half an hour.
Board session every Monday and Thursday at 18:00 until 31 March.
Physio on 10/12 at 9 in the Oak Street practice, bring the scans.`;
const ORDERS = [["", "as on this computer"], ["day", "10 December"], ["month", "October 12"]];

const run = createRun("plan");
const form = createStore({ text: run.get().args?.text || "", order: "", note: "", failed: null, picked: null });
const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "";

function read(text = form.get().text) {
  const { order } = form.get();
  if (!text.trim()) return;
  form.set({ text, note: "", failed: null, picked: null });
  const dayFirst = order ? { day_first: order === "day" } : {};
  run.start("extract", { text, kind: "event", tz: zone(), ...dayFirst });
}

async function open(file) {
  const found = await textOf(file);
  form.set({ note: found.note });
  if (found.text) read(found.text);
}

function save() {
  const { text, tz, day_first } = run.get().args;
  form.set({ failed: null });
  return saveCalendar(text, "events.ics", { tz, day_first }).catch((failed) => form.set({ failed }));
}

const pick = (picked) => {
  form.set((old) => ({ ...old, picked: old.picked === picked ? null : picked }));
  if (form.get().picked !== null) {
    setTimeout(() => document.querySelector(".as-read mark.picked")?.scrollIntoView({ block: "nearest" }));
  }
};

export default function Plan() {
  const { text, order, note, failed, picked } = useStore(form);
  const job = useStore(run);
  const area = useRef(null);
  const events = job.result?.events;
  const fresh = () => {
    run.clear();
    form.set({ text: "", note: "", failed: null, picked: null });
    area.current.focus();
  };
  useKeys("Plan", [
    ["n", "a new text", fresh],
    ["e", "save the events as .ics", () => (hasDates(events) ? save() : false)],
    ["Ctrl-↵", "find the events", () => read()],
  ]);
  const reorder = (event) => {
    form.set({ order: event.target.value });
    if (events && job.args) read(job.args.text);
  };
  return html`<div class="page plan">
    <h1>Plan</h1>
    <${Drop} onFile=${open} label="Drop a text here">
      <form onSubmit=${(event) => { event.preventDefault(); read(); }}>
        <label for="plan-text">A text with dates in it</label>
        <textarea id="plan-text" class="field" rows="6" ref=${area} value=${text}
          placeholder="An e-mail, minutes, a plan …" onInput=${(event) => form.set({ text: event.target.value })}></textarea>
        <div class="row">
          <button class="button primary" disabled=${isGoing(job) || !text.trim()}>Find events</button>
          ${isGoing(job) && html`<${Button} icon="stop" onClick=${run.stop}>Stop<//>`}
          <${FileButton} accept="text/*,.md,.eml,.ics" onFile=${open}>Open a file<//>
          <span class="inline"><label for="plan-order">Dates such as 10/12</label><select id="plan-order" class="field" value=${order} onChange=${reorder}>
            ${ORDERS.map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select></span>
        </div>
      </form>
    <//>
    <p class="quiet" role="status">${note || said(job, events)}</p>
    ${failed && html`<${Failure} error=${failed} retry=${save} />`}
    ${job.state === "idle" && html`<${Empty} icon="plan" title="No events yet"
      action=${html`<${Button} onClick=${() => read(EXAMPLE)}>Try an example<//>`}>
      Paste a text, or drop a file: what happens, when, where and with whom is read out of it.<//>`}
    ${isGoing(job) && html`<${Skeleton} lines=${4} label="Reading the text" />`}
    ${job.error && html`<${Failure} error=${job.error} retry=${job.args && (() => read(job.args.text))} />`}
    ${events?.length > 0 && html`<${Found} ...${{ events, picked, text: job.args?.text || "" }} />`}
  </div>`;
}

const hasDates = (events) => (events || []).some((each) => each.start);

function said(job, events) {
  if (job.state === "cancelled") return "Stopped.";
  return events && !events.length ? "No event in this text." : "";
}

function Found({ events, picked, text }) {
  const dated = events.filter((each) => each.start).length;
  return html`<div class="planned">
    <section aria-label="Events">
      <div class="row"><h2>${counted(events.length, "event")}</h2>
        <${Button} icon="plan" disabled=${!dated} onClick=${save}>Save as .ics<//>
        ${dated < events.length && html`<span class="quiet">${events.length - dated} without a date, left out of the file</span>`}
      </div>
      <ul class="events">${events.map((event, number) => html`<${EventCard} key=${number}
        ...${{ event, text, number, picked: picked === number, onPick: () => pick(number) }} />`)}</ul>
      ${text && html`<${AsRead} ...${{ text, events, picked }} />`}
    </section>
    <${Months} ...${{ events, picked, onPick: pick }} />
  </div>`;
}

// The text with the words marked that each field was read from.
function AsRead({ text, events, picked }) {
  const pieces = useMemo(() => cut(text, events), [text, events]);
  return html`<details class="as-read" open=${picked !== null}><summary>Where it says so</summary>
    <p>${pieces.map(({ words, number, names }) => number === null ? words : html`<mark
      class=${`hue-${number % 8} ${number === picked ? "picked" : ""}`} title=${names}>${words}</mark>`)}</p></details>`;
}

// The text in pieces: those that an event was read from, with its number; the first event wins.
function cut(text, events) {
  const points = [...text];
  const owner = new Array(points.length).fill(null);
  events.forEach((event, number) => {
    for (const [name, [start, end]] of Object.entries(event.evidence)) {
      for (let at = start; at < end && at < owner.length; at++) owner[at] ??= { number, name };
    }
  });
  const pieces = [];
  let from = 0;
  for (let at = 1; at <= points.length; at++) {
    if (at < points.length && owner[at]?.number === owner[from]?.number && owner[at]?.name === owner[from]?.name) continue;
    pieces.push({ words: points.slice(from, at).join(""), number: owner[from]?.number ?? null, names: owner[from]?.name || "" });
    from = at;
  }
  return pieces;
}
