// Months as tables of days, with the events that fall on each. Owns which months are shown; knows
// neither text nor job.

import { html, useState } from "./lib.js";
import { dateOf, dayFrom, dayOf, daysOf } from "./recurrence.js";
import { timeText } from "./plan_event.js";

const SHOWN = 3; // months at first
const MOST = 24; // months ahead of the first event that are looked at
const ON_A_DAY = 3; // titles, then a count

const NAME = new Intl.DateTimeFormat(undefined, { timeZone: "UTC", month: "long", year: "numeric" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { timeZone: "UTC", weekday: "short" });
const LONG_WEEKDAY = new Intl.DateTimeFormat(undefined, { timeZone: "UTC", weekday: "long" });

// The first day of the week here, from Monday as 0.
function weekStart() {
  try {
    const locale = new Intl.Locale(navigator.language);
    return ((locale.getWeekInfo ? locale.getWeekInfo() : locale.weekInfo).firstDay - 1) % 7;
  } catch {
    return 0;
  }
}

export function Months({ events, picked, onPick }) {
  const [more, setMore] = useState(false);
  const months = monthsOf(events);
  if (!months.length) return null;
  const shown = more ? months : months.slice(0, SHOWN);
  return html`<section class="months" aria-label="Months">
    ${shown.map((month) => html`<${Month} key=${month.first} ...${{ month, events, picked, onPick }} />`)}
    ${months.length > SHOWN && html`<button type="button" class="button plain" onClick=${() => setMore(!more)}
      aria-expanded=${more ? "true" : "false"}>${more ? "fewer months" : `${months.length - SHOWN} more months`}</button>`}
  </section>`;
}

// Months that hold anything: {first, last, days: day -> numbers of events}.
function monthsOf(events) {
  const starts = events.filter((each) => each.start).map((each) => dayOf(each.start));
  if (!starts.length) return [];
  const from = dateOf(Math.min(...starts));
  const found = [];
  for (let n = 0; n < MOST; n++) {
    const first = dayFrom(from.getUTCFullYear(), from.getUTCMonth() + n, 1);
    const last = dayFrom(from.getUTCFullYear(), from.getUTCMonth() + n + 1, 1) - 1;
    const days = new Map();
    events.forEach((event, number) => {
      for (const day of daysOf(event, first, last)) days.set(day, [...(days.get(day) || []), number]);
    });
    for (const numbers of days.values()) numbers.sort((a, b) => timeOf(events[a]).localeCompare(timeOf(events[b])));
    if (days.size) found.push({ first, last, days });
  }
  return found;
}

const timeOf = ({ start }) => start.slice(11, 16);

function Month({ month, events, picked, onPick }) {
  const begin = weekStart();
  const lead = (dateOf(month.first).getUTCDay() + 6 - begin + 7) % 7;
  const weeks = [];
  for (let day = month.first - lead; day <= month.last; day += 7) {
    weeks.push(Array.from({ length: 7 }, (_, n) => day + n));
  }
  return html`<table class="month">
    <caption>${NAME.format(dateOf(month.first))}</caption>
    <thead><tr>${weeks[0].map((day) => html`<th scope="col"><abbr title=${LONG_WEEKDAY.format(dateOf(day))}>
      ${WEEKDAY.format(dateOf(day))}</abbr></th>`)}</tr></thead>
    <tbody>${weeks.map((week) => html`<tr>${week.map((day) =>
      day < month.first || day > month.last ? html`<td class="other"></td>`
        : html`<${Day} ...${{ day, numbers: month.days.get(day) || [], events, picked, onPick }} />`)}</tr>`)}
    </tbody></table>`;
}

function Day({ day, numbers, events, picked, onPick }) {
  const shown = numbers.slice(0, ON_A_DAY);
  return html`<td class=${numbers.length ? "busy" : ""}><span class="date">${dateOf(day).getUTCDate()}</span>
    ${shown.map((number) => {
      const { action, start } = events[number];
      const words = action || "(no action)";
      const title = [words, timeText(start)].filter(Boolean).join(", ");
      return html`<button type="button" class=${`entry hue-${number % 8} ${picked === number ? "picked" : ""}`}
        title=${title} aria-label=${title} onClick=${() => onPick(number)}><span>${words}</span></button>`;
    })}
    ${numbers.length > ON_A_DAY && html`<span class="more">+${numbers.length - ON_A_DAY}</span>`}
  </td>`;
}
