// The page Ask: the field, its filters, and the turns of this tab. Knows what a question may be given;
// how an answer grows is answer.js, how it looks is turn.js.
import { html, createStore, useEffect, useLayoutEffect, useRef, useStore } from "./lib.js";
import { ask, asText, clear, isOver, restore, retry, stop, turns } from "./answer.js";
import { get } from "./rest.js";
import { server } from "./connection.js";
import { useKeys } from "./keys.js";
import { closeReader, openReader } from "./reader.js";
import { Turn } from "./turn.js";
import { Button, copyText, counted, Empty, Icon, toast } from "./ui.js";

// What a question may be held to; the names are those of `dragtor ask --help`.
const FILTERS = [
  ["kind", "Kind", "file, web, audio …"],
  ["author", "Author", "part of the name"],
  ["speaker", "Speaker", "who says it"],
  ["entity", "Names", "a person or place"],
  ["topic", "Topic", "words of it"],
  ["after", "Published after", "2024-05"],
  ["before", "Published before", "2025"],
];
const draft = createStore({ text: "", quotes: false, filters: {}, open: false });
const holdings = createStore({ sources: null, error: null });

restore();

const countSources = () =>
  get("/sources").then(
    ({ sources }) => holdings.set({ sources, error: null }),
    (error) => holdings.set({ error }),
  );

const hasMouse = () => matchMedia("(pointer: fine)").matches;

export default function Ask() {
  const all = useStore(turns);
  const { state } = useStore(server);
  const { sources } = useStore(holdings);
  const field = useRef(null);
  const last = all.at(-1);
  useEffect(() => {
    if (state === "open") countSources();
  }, [state]);
  useEffect(() => {
    if (hasMouse()) field.current?.focus({ preventScroll: true });
  }, [sources?.length === 0]);
  const anew = () => {
    clear();
    closeReader();
    field.current?.focus();
  };
  const asked = () => {
    const { text, quotes, filters } = draft.get();
    if (!text.trim()) return;
    closeReader();
    ask(text.trim(), { quotes, filters });
    draft.set({ text: "" });
  };
  useKeys("Ask", [
    ["/", "write a question", () => field.current?.focus()],
    ["1-9", "open a citation", (key) => openCited(last, Number(key))],
    ["y", "copy the answer with its sources", () => copied(last)],
    ["r", "ask again", () => last && isOver(last) && retry(last.id)],
    ["x", "stop", () => last && !isOver(last) && stop(last.id)],
    ["n", "begin anew", () => last && isOver(last) && anew()],
  ]);
  if (sources?.length === 0 && !all.length) return html`<${NothingToAsk} />`;
  return html`<div class=${`page ask ${all.length ? "" : "ask-first"}`}>
    ${all.length ? html`<h1 class="offscreen">Ask</h1>` : html`<${Welcome} sources=${sources} />`}
    <div class="turns">${all.map((turn, i) => html`<${Turn} key=${turn.id} turn=${turn} latest=${i === all.length - 1} />`)}</div>
    <${Composer} field=${field} onAsk=${asked} onAnew=${anew} running=${last && !isOver(last) ? last : null} some=${all.length > 0} />
  </div>`;
}

function openCited(turn, n) {
  if (!turn?.shown[n - 1]) return false;
  openReader(turn.shown[n - 1], turn.shown);
  return true;
}

async function copied(turn) {
  if (turn?.shown.length && (await copyText(asText(turn)))) toast("Copied, with its sources");
}

const Welcome = ({ sources }) => html`
  <header class="welcome">
    <h1>What would you like to know?</h1>
    <p class="quiet">${sources ? html`Answered from ${counted(sources.reduce((n, each) => n + each.documents, 0), "document")} of yours, word for word.` : html`\u00a0`}</p>
  </header>`;

const NothingToAsk = () => html`
  <div class="page"><h1 class="offscreen">Ask</h1>
    <${Empty} icon="library" title="Your library is empty" action=${html`<a class="button primary" href="#/library"><${Icon} name="plus" />Add the first source</a>`}>
      Answers come from pages, books, podcasts and notes that you trust, and from nowhere else.
    <//>
  </div>`;

function Composer({ field, onAsk, onAnew, running, some }) {
  const { text, quotes, filters, open } = useStore(draft);
  useLayoutEffect(() => {
    const area = field.current;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 220)}px`;
  }, [text]);
  const given = FILTERS.filter(([name]) => filters[name]);
  const set = (name, value) => draft.set({ filters: { ...filters, [name]: value } });
  const keyed = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!running) onAsk();
    }
  };
  const submit = (event) => {
    event.preventDefault();
    if (running) stop(running.id);
    else onAsk();
  };
  return html`<div class="dock"><form class="composer" onSubmit=${submit} aria-label="Question">
    ${open && html`<fieldset class="filters" id="filters"><legend class="offscreen">Only search in</legend>
      ${FILTERS.map(([name, label, hint]) => html`<label class="label">${label}
        <input class="field" name=${name} placeholder=${hint} value=${filters[name] || ""} onInput=${(event) => set(name, event.target.value.trim())} /></label>`)}
    </fieldset>`}
    <label class="offscreen" for="question">Your question</label>
    <textarea id="question" ref=${field} rows="1" placeholder=${some ? "Ask on" : "Ask your library"} value=${text} autocomplete="off"
      onInput=${(event) => draft.set({ text: event.target.value })} onKeyDown=${keyed}></textarea>
    <div class="composer-foot">
      <button type="button" class="chip" aria-expanded=${open} aria-controls="filters" aria-pressed=${open} onClick=${() => draft.set({ open: !open })}><${Icon} name="filter" />Filters</button>
      <button type="button" class="chip" aria-pressed=${quotes} title="No language model writes" onClick=${() => draft.set({ quotes: !quotes })}>Quotes only</button>
      ${!open && given.map(([name, label]) => html`
        <button type="button" class="chip" aria-pressed="true" aria-label=${`Remove the filter ${label}`} onClick=${() => set(name, "")}>${label}: ${filters[name]}<${Icon} name="close" /></button>`)}
      <span class="grow"></span>
      ${some && !running && html`<${Button} kind="plain" icon="plus" title="What is asked next follows on nothing" onClick=${onAnew}>Begin anew<//>`}
      ${running
        ? html`<button class="button stop" aria-label="Stop"><${Icon} name="stop" />Stop</button>`
        : html`<button class="button primary send" aria-label="Ask" disabled=${!text.trim()}><${Icon} name="send" /></button>`}
    </div>
  </form></div>`;
}
