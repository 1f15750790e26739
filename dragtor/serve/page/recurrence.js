// Days on which a calendar event falls within a stretch of days: one day, several, or a series by
// its rule of RFC 5545. Owns the rules that dragtor writes; knows no zone: days are as the event's
// own clock says them.

const CODES = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
const DAY_MS = 86400000;
const MOST_STEPS = 20000; // of a rule, before it is given up

// A day as a whole number, of "2026-12-03" or "2026-12-03T18:00:00+01:00".
export const dayOf = (iso) => Date.parse(iso.slice(0, 10) + "T00:00:00Z") / DAY_MS;
export const dateOf = (day) => new Date(day * DAY_MS); // read it with getUTC…
export const dayFrom = (year, month, day) => Date.UTC(year, month, day) / DAY_MS;

// Days of the event from `first` to `last`, both included, in order.
export function daysOf(event, first, last) {
  if (!event.start) return [];
  const start = dayOf(event.start);
  const long = event.end && !event.rrule ? Math.max(0, lastDay(event) - start) : 0;
  if (!event.rrule) {
    return span(Math.max(start, first), Math.min(start + long, last));
  }
  return series(start, parts(event.rrule), first, last);
}

// An event that ends at midnight ends on the day before.
function lastDay(event) {
  const midnight = event.end.length > 10 && event.end.slice(11, 16) === "00:00";
  return dayOf(event.end) - (midnight && event.end > event.start ? 1 : 0);
}

const span = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n);

function parts(rule) {
  const found = Object.fromEntries(rule.split(";").map((part) => part.split("=")));
  const numbers = (text) => (text ? text.split(",").map(Number) : []);
  return {
    freq: found.FREQ,
    step: Number(found.INTERVAL || 1),
    count: Number(found.COUNT || 0),
    until: found.UNTIL ? dayOf(found.UNTIL.replace(/^(\d{4})(\d\d)(\d\d).*/, "$1-$2-$3")) : Infinity,
    months: numbers(found.BYMONTH),
    monthDays: numbers(found.BYMONTHDAY),
    places: numbers(found.BYSETPOS),
    hours: Math.max(1, numbers(found.BYHOUR).length),
    weekdays: (found.BYDAY || "").split(",").filter(Boolean).map((code) => ({
      weekday: CODES.indexOf(code.slice(-2)),
      nth: Number(code.slice(0, -2) || 0),
    })),
  };
}

function series(start, rule, first, last) {
  const found = [];
  let left = rule.count ? Math.ceil(rule.count / rule.hours) : Infinity;
  for (let n = 0; n < MOST_STEPS; n++) {
    const { days, opens } = period(start, rule, n);
    if (opens > Math.min(last, rule.until)) break;
    for (const day of days) {
      if (day < start) continue;
      if (day > rule.until || day > last || left <= 0) return found;
      left--;
      if (day >= first) found.push(day);
    }
  }
  return found;
}

// The days of the n-th period of a rule, and the day on which that period opens.
function period(start, rule, n) {
  const from = dateOf(start);
  const [year, month, day] = [from.getUTCFullYear(), from.getUTCMonth(), from.getUTCDate()];
  if (rule.freq === "WEEKLY") {
    const monday = start - ((from.getUTCDay() + 6) % 7) + 7 * rule.step * n;
    const chosen = rule.weekdays.map((each) => each.weekday);
    const days = span(monday, monday + 6).filter((each) =>
      (chosen.length ? chosen : [from.getUTCDay()]).includes(dateOf(each).getUTCDay()));
    return { opens: monday, days: days.filter((each) => inMonths(each, rule)) };
  }
  if (rule.freq === "MONTHLY" || rule.freq === "YEARLY") {
    const yearly = rule.freq === "YEARLY";
    const months = yearly && rule.months.length ? rule.months.map((each) => each - 1) : [month];
    const base = yearly ? 0 : rule.step * n;
    const of = yearly ? year + rule.step * n : year;
    const days = months.flatMap((each) => daysOfMonth(of, (yearly ? each : month) + base, day, rule));
    const opens = yearly ? dayFrom(of, 0, 1) : dayFrom(of, month + base, 1);
    return { opens, days: yearly ? days : days.filter((each) => inMonths(each, rule)) };
  }
  const each = rule.freq === "DAILY" ? start + rule.step * n : start + n; // hours: every day
  const chosen = rule.weekdays.map((one) => one.weekday);
  const fits = (!chosen.length || chosen.includes(dateOf(each).getUTCDay())) && inMonths(each, rule);
  return { opens: each, days: fits ? [each] : [] };
}

const inMonths = (day, rule) =>
  !rule.months.length || rule.months.includes(dateOf(day).getUTCMonth() + 1);

function daysOfMonth(year, month, day, rule) {
  const first = dayFrom(year, month, 1);
  const all = span(first, dayFrom(year, month + 1, 1) - 1);
  let days = [];
  if (rule.monthDays.length) {
    days = all.filter((_, n) => rule.monthDays.includes(n + 1) || rule.monthDays.includes(n - all.length));
  } else if (rule.weekdays.length) {
    days = rule.weekdays.flatMap(({ weekday, nth }) => {
      const own = all.filter((each) => dateOf(each).getUTCDay() === weekday);
      if (!nth) return own;
      const one = own.at(nth > 0 ? nth - 1 : nth);
      return one === undefined ? [] : [one];
    }).sort((a, b) => a - b);
  } else {
    days = all.filter((_, n) => n + 1 === day);
  }
  if (!rule.places.length) return days;
  return rule.places.map((n) => days.at(n > 0 ? n - 1 : n)).filter((each) => each !== undefined)
    .sort((a, b) => a - b);
}
