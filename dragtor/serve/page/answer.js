// Questions of this tab and their answers as they grow: events folded into one turn each, kept over a
// page switch and a reload. Knows the shapes of `ask`; nothing of how they are drawn.
import { createStore, newId } from "./lib.js";
import { cancel, follow, forget, start } from "./connection.js";

const STORED = "dragtor.turns";
const SESSION = "dragtor.session";
const KEPT_TURNS = 30;

// A turn: {id, question, quotes, filters, state, shown, sentences, ...}; `shown` are the citations by
// the number they have on the page, in the order they came: quotes first, then what sentences add.
// state: waiting, quoted, writing, done, stopped, failed
export const turns = createStore([]);

const place = (citation) => `${citation.document_id} ${citation.start} ${citation.end}`;
const given = ({ id, question, quotes, filters, session, attempt }) => ({ id, question, quotes, filters, session, attempt });
const fresh = (turn) => ({
  ...given(turn),
  ...{ state: "waiting", shown: [], quoted: 0, sentences: [], names: {} },
});
export const isOver = (turn) => ["done", "stopped", "failed"].includes(turn.state);

// Numbers of an answer's citations -> numbers on the page: quotes that are cited keep their own.
function numbered(turn, citations) {
  const shown = [...turn.shown];
  const names = { ...turn.names };
  for (const citation of citations) {
    const known = shown.find((each) => place(each) === place(citation));
    if (known) {
      names[citation.n] = known.n;
      if (!known.span && citation.span) shown[known.n - 1] = { ...known, span: citation.span };
    } else {
      names[citation.n] = shown.length + 1;
      shown.push({ ...citation, n: shown.length + 1 });
    }
  }
  return { shown, names };
}

const sentenceOf = (claim, names) => ({ text: claim.text, cites: claim.citations.map((n) => names[n]).filter(Boolean) });

// The turn after one event; unknown types leave it as it is.
export function fold(turn, { type, data }) {
  switch (type) {
    case "queued":
      return { ...turn, waitsFor: data.position };
    case "started": // anew, where it had been interrupted
      return turn.state === "waiting" ? turn : fresh(turn);
    case "note":
      return { ...turn, note: data.text };
    case "caution":
      return { ...turn, caution: data.text };
    case "item":
      return data.kind === "query" ? { ...turn, query: data.value } : turn; // the question as it stands alone
    case "quotes": {
      const shown = data.citations.map((citation, i) => ({ ...citation, n: i + 1 }));
      return { ...turn, state: "quoted", shown, quoted: shown.length, alone: Boolean(data.alone) };
    }
    case "sentence": {
      const { shown, names } = numbered(turn, data.citations || []);
      return { ...turn, state: "writing", shown, names, sentences: [...turn.sentences, sentenceOf(data.claim || data, names)] };
    }
    case "done":
      return finished(turn, data.result);
    case "error":
      return { ...turn, state: "failed", error: data };
    case "cancelled":
      return { ...turn, state: "stopped" };
    default:
      return turn;
  }
}

function finished(turn, result) {
  const after = { ...turn, state: "done", result, caution: result.caution || turn.caution };
  if (!result.grounded) return after;
  const { shown, names } = numbered({ ...turn, names: {} }, result.citations);
  const sentences = result.claims.map((claim) => sentenceOf(claim, names));
  const quotesOnly = !result.model && turn.quoted > 0; // claims are the quotes then: said once is enough
  return { ...after, shown, names, sentences: quotesOnly ? turn.sentences : sentences };
}

const change = (id, to) => turns.set((all) => all.map((turn) => (turn.id === id ? to(turn) : turn)));
const listen = (id) => (frame) => change(id, (turn) => fold(turn, frame));

function keep() {
  const kept = turns.get().slice(-KEPT_TURNS).map(given);
  sessionStorage.setItem(STORED, JSON.stringify(kept));
}

export function ask(question, { quotes = false, filters = {} } = {}) {
  const turn = fresh({ id: newId(), question, quotes, filters, session: session(), attempt: 0 });
  turns.set((all) => [...all, turn]);
  run(turn);
  keep();
  return turn.id;
}

// The conversation of this tab, which the library keeps: what "it" and "then" mean is told from it.
function session() {
  const name = sessionStorage.getItem(SESSION) || `page-${newId().slice(0, 12)}`;
  sessionStorage.setItem(SESSION, name);
  return name;
}

function run({ id, question, quotes, filters, session: name, attempt }) {
  const held = Object.fromEntries(Object.entries(filters || {}).filter(([, value]) => value));
  const args = { question, session: name, attempt, ...(quotes && { quotes }), ...(Object.keys(held).length && { filters: held }) };
  start("ask", args, listen(id), id);
}

// The same question again, in other words, in the place of its last answer.
export function retry(id) {
  const renewed = newId();
  forget(id);
  change(id, (turn) => fresh({ ...turn, id: renewed, attempt: (turn.attempt || 0) + 1 }));
  run(turns.get().find((turn) => turn.id === renewed));
  keep();
}

export const stop = (id) => cancel(id);

// Begins anew: what is asked next follows on nothing.
export function clear() {
  for (const { id } of turns.get()) forget(id);
  turns.set(() => []);
  sessionStorage.removeItem(SESSION);
  keep();
}

// After a reload the server still has every answer, finished or not.
export function restore() {
  let kept = [];
  try {
    kept = JSON.parse(sessionStorage.getItem(STORED) || "[]");
  } catch {
    return;
  }
  turns.set(() => kept.map(fresh));
  for (const { id } of kept) follow(id, listen(id));
}

// What `y` and "Copy" give: the answer as it stands, then each source that it cites, with its link.
export function asText(turn) {
  const cited = new Set(turn.sentences.flatMap((each) => each.cites));
  const marks = (cites) => cites.map((n) => ` [${n}]`).join("");
  const said = turn.sentences.map(({ text, cites }) => text + marks(cites)).join(" ");
  const used = turn.shown.filter(({ n }) => !cited.size || cited.has(n));
  const sources = used.map((each) => `[${each.n}] “${each.quote.trim()}”\n    ${whereOf(each)}${each.url ? `\n    ${each.url}` : ""}`);
  return [turn.question, said, sources.join("\n")].filter(Boolean).join("\n\n");
}

// A citation's place in words: title, page, time, speaker.
export const whereOf = (each) => [each.title, placeOf(each)].filter(Boolean).join(", ");

export function placeOf({ page, start_s, speaker }) {
  const at = start_s == null ? "" : new Date(start_s * 1000).toISOString().slice(start_s >= 3600 ? 11 : 14, 19);
  return [page ? `page ${page}` : "", at.replace(/^0(?=\d:)/, ""), speaker || ""].filter(Boolean).join(" · ");
}
