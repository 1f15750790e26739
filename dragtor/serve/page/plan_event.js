// One calendar event: what, when, where, with whom, and which of its words could be read another
// way. Owns how moments are written; knows no job.

import { html } from "./lib.js";
import { dateOf, dayOf, daysOf } from "./recurrence.js";

const SURE = 0.5; // what the model is less sure of is to be checked
const MOST_DATES = 3; // of a series that are shown
const DAY_AND_MONTH = /(\d{1,2})\s*[/.-]\s*\d{1,2}\b/;
const AHEAD_DAYS = 800;

const utc = (options) => new Intl.DateTimeFormat(undefined, { timeZone: "UTC", ...options });
const DAY = utc({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const SHORT_DAY = utc({ day: "numeric", month: "short" });
const TIME = utc({ hour: "numeric", minute: "2-digit" });

// The event's own clock, whatever zone this browser is in.
const clock = (iso) => new Date(`${iso.slice(0, 16)}Z`);
const hasTime = (iso) => iso.length > 10;
export const timeText = (iso) => (hasTime(iso) ? TIME.format(clock(iso)) : "");
export const dayText = (day) => DAY.format(dateOf(day));

export function whenText({ start, end }) {
  if (!start) return "";
  const from = dayText(dayOf(start)) + (hasTime(start) ? `, ${timeText(start)}` : "");
  if (!end || end === start) return from;
  const same = dayOf(end) === dayOf(start);
  if (same) return hasTime(end) ? `${from} – ${timeText(end)}` : from;
  return `${from} – ${dayText(dayOf(end))}${hasTime(end) ? `, ${timeText(end)}` : ""}`;
}

export function EventCard({ event, text, number, picked, onPick }) {
  const doubts = doubtsOf(event, text);
  const rows = [
    ["when", whenText(event)],
    ["repeats", repeats(event)],
    ["where", event.location],
    ["with", (event.attendees || []).join(", ")],
    ["takes", event.duration],
    ["notes", event.notes],
  ].filter(([, value]) => value);
  return html`<li class=${`event ${picked ? "picked" : ""}`}>
    <button type="button" class="event-title" aria-pressed=${picked ? "true" : "false"}
      onClick=${onPick}><i class=${`hue-${number % 8}`} aria-hidden="true"></i>
      ${event.action || "(no action)"}</button>
    <dl class="event-facts">${rows.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}
      ${doubts.length > 0 && html`<dt class="check">check</dt>
        <dd class="check"><ul>${doubts.map((each) => html`<li>${each}</li>`)}</ul></dd>`}
    </dl></li>`;
}

function repeats(event) {
  if (!event.rrule || !event.start) return event.recurrence || "";
  const first = dayOf(event.start);
  const dates = daysOf(event, first, first + AHEAD_DAYS).slice(1, MOST_DATES + 2);
  const shown = dates.slice(0, MOST_DATES).map((day) => SHORT_DAY.format(dateOf(day)));
  if (!shown.length) return event.recurrence || event.rrule;
  return `${event.recurrence || event.rrule} (then ${shown.join(", ")}${dates.length > MOST_DATES ? ", …" : ""})`;
}

// One line each: fields that can be read another way, and those of which the model is not sure.
export function doubtsOf(event, text) {
  const points = [...text]; // evidence counts characters as Python does
  const said = (name) => {
    const [start, end] = event.evidence[name] || [0, 0];
    const words = points.slice(start, end).join("").trim().replace(/\s+/g, " ");
    return words ? `“${words}”` : "";
  };
  const unsure = Object.entries(event.confidence)
    .filter(([name, sure]) => sure < SURE && !event.ambiguous.includes(name))
    .map(([name, sure]) => `the ${name}, ${said(name)}: the model is ${Math.round(sure * 100)} % sure of it`);
  return [
    ...event.ambiguous.map((name) =>
      `the ${name}${said(name) && ", "}${said(name)}: ${doubt(event, name, said(name))}`),
    ...unsure,
  ];
}

function doubt(event, name, said) {
  if (name === "duration") return "no length can be told from it";
  if (name === "time") {
    if (event.start && hasTime(event.start)) return `${said ? "read as" : "not said, so"} ${timeText(event.start)}`;
    return "no time of the day";
  }
  if (!event.start) return "no such day, or none that can be told";
  if (name === "recurrence") return "no rule can be told from it, so it stands once";
  if (!event.date) return "not said, so that of the event before";
  if (!DAY_AND_MONTH.test(said)) return `no one day is said, so from ${dayText(dayOf(event.start))} on`;
  return `read as ${dayText(dayOf(event.start))}; “Dates such as 10/12” above reads it the other way`;
}
