// A research as it goes: what is wanted, its steps, what it may send out, what it found. Knows the task
// `research` and the shape of a dossier; the same drawing serves one that is kept.
import { html, createStore, useEffect, useRef, useStore } from "./lib.js";
import { createRun, isGoing } from "./run.js";
import { Quote, Sentence } from "./turn.js";
import { Button, Failure, Icon, counted, safeUrl } from "./ui.js";

export const research = createRun("people.research");
export const form = createStore({ name: "", category: "person", context: "", web: false, asked: 0 });
const CATEGORIES = [["person", "Person"], ["company", "Company"], ["", "Question"]];

// Fills the form with somebody, and goes there.
export function researchOf({ name, category, context = [] }) {
  form.set((old) => ({ ...old, name, category, context: context.join(", "), asked: old.asked + 1 }));
  location.hash = "#/people";
}

function begin() {
  const { name, category, context, web } = form.get();
  if (!name.trim() || isGoing(research.get())) return;
  const terms = context.split(",").map((each) => each.trim()).filter(Boolean);
  research.start("research", { name: name.trim(), category, context: terms, web });
}

export function Research() {
  const { name, category, context, web, asked } = useStore(form);
  const run = useStore(research);
  const field = useRef(null);
  useEffect(() => {
    if (asked) field.current.focus();
  }, [asked]);
  const kept = run.items.find(({ kind }) => kind === "dossier")?.value;
  const found = run.result || kept || { sections: run.sections };
  return html`<section class="research" aria-labelledby="research"><h2 id="research">Research</h2>
    <form onSubmit=${(event) => (event.preventDefault(), begin())}>
      <label class="label">Who or what<input class="field" ref=${field} value=${name} onInput=${(event) => form.set({ name: event.target.value })} /></label>
      <label class="label">It is a<select class="field" value=${category} onChange=${(event) => form.set({ category: event.target.value })}>${CATEGORIES.map(([value, title]) => html`<option value=${value}>${title}</option>`)}</select></label>
      ${category && html`<label class="label">Company, domain or city, to tell namesakes apart<input class="field" value=${context} onInput=${(event) => form.set({ context: event.target.value })} /></label>`}
      <label class="check"><input type="checkbox" checked=${web} onChange=${(event) => form.set({ web: event.target.checked })} /> Look on the web too; each query is shown before it goes out</label>
      <div class="row">${isGoing(run) ? html`<${Button} icon="stop" onClick=${research.stop}>Stop<//>` : html`<button class="button primary" disabled=${!name.trim()}><${Icon} name="search" />Research</button>`}</div>
    </form>
    ${run.args && html`<div class="job" aria-busy=${isGoing(run)}><strong class="job-label">${run.args.name}</strong>
      <ol class="steps small quiet" aria-live="polite">${run.steps.filter((each) => each.max_steps).map((each) => html`<li>${each.step} of ${each.max_steps}: ${each.label}</li>`)}</ol>
      ${run.consent && html`<${Consent} asked=${run.consent} />`}
      <${Findings} ...${found} />
      ${run.state === "cancelled" && html`<p class="quiet">Stopped; what was found is kept.</p>`}
      ${run.state === "interrupted" && html`<${Button} icon="retry" onClick=${research.resume}>Resume<//>`}
      ${run.error && html`<${Failure} error=${run.error} retry=${() => research.start("research", run.args)} />`}</div>`}
  </section>`;
}

const Consent = ({ asked }) => html`<div class="consent" role="alert"><p><strong>May this go out to ${asked.providers.join(", ")}?</strong> At most ${counted(asked.pages, "page")} will be fetched.</p>
  <ul>${asked.queries.map((each) => html`<li><code>${each}</code></li>`)}</ul>
  <div class="row"><${Button} kind="primary" onClick=${() => research.answer(true)}>Allow<//><${Button} onClick=${() => research.answer(false)}>Only my library<//></div></div>`;

// Sections with their quotes, then what is perhaps of somebody else.
export function Findings({ sections, doubtful = [] }) {
  const all = [];
  for (const each of sections.flatMap(({ citations }) => citations)) all[each.n - 1] = each;
  return html`${sections.map(({ title, text, claims, citations, doubtful: unsure }) => html`<section class="prose"><h3>${title}</h3>
    ${unsure && html`<p class="caution">Perhaps of somebody else of this name.</p>`}
    <p>${claims.length ? claims.map((each) => html`<${Sentence} sentence=${{ text: each.text, cites: each.citations.filter((n) => all[n - 1]) }} all=${all} />`) : html`<span class="quiet">${text}</span>`}</p>
    ${citations.length > 0 && html`<details class="quotes"><summary>${counted(citations.length, "quote")}</summary><ol>${citations.map((each) => html`<${Quote} key=${each.n} citation=${each} all=${all} />`)}</ol></details>`}</section>`)}
    ${doubtful.length > 0 && html`<section><h3>Perhaps somebody else</h3><ul>${doubtful.map(({ title, url, why }) => html`<li>${safeUrl(url) ? html`<a href=${url} target="_blank" rel="noreferrer noopener">${title}</a>` : title}: ${why}</li>`)}</ul></section>`}`;
}
