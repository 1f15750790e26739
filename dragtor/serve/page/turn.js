// One question and its answer: quotes, sentences with their numbers, a refusal with what came nearest,
// and what can be done with it. Knows how a turn looks; not how it came to be.
import { html, useEffect, useRef, useState, useStore } from "./lib.js";
import { asText, isOver, placeOf, retry, stop } from "./answer.js";
import { get, query, saveCalendar } from "./rest.js";
import { openReader, reader } from "./reader.js";
import { Button, CopyButton, Failure, Icon, Skeleton, counted, toast } from "./ui.js";

const NEAREST = 4;
const quiet = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function Turn({ turn, latest }) {
  const room = useRef(null);
  useEffect(() => {
    if (latest && turn.state === "waiting") room.current.scrollIntoView({ block: "start", behavior: quiet() ? "auto" : "smooth" });
  }, [turn.id]);
  const quotes = turn.shown.slice(0, turn.quoted);
  const more = turn.shown.slice(turn.quoted);
  const refused = turn.state === "done" && !turn.result.grounded;
  return html`<article class="turn" ref=${room} aria-busy=${!isOver(turn)} aria-label=${turn.question}>
    <h2 class="question">${turn.question}</h2>
    ${turn.query && turn.query !== turn.question && html`<p class="small quiet asked-as">Understood as: ${turn.query}</p>`}
    ${turn.caution && html`<p class="caution" role="note">${turn.caution}</p>`}
    ${turn.note && html`<p class="small quiet">${turn.note}</p>`}
    ${quotes.length > 0 && html`<div role="group" class="quotes" aria-label="From your sources">
      <h3 class="over">From your sources</h3>
      <ol>${quotes.map((each) => html`<${Quote} key=${each.n} citation=${each} all=${turn.shown} />`)}</ol>
    </div>`}
    ${turn.state === "waiting" && html`<${Skeleton} lines=${4} label="Looking through your sources" />`}
    ${turn.sentences.length > 0 && html`<div role="group" class="prose" aria-label="Answer" aria-live="polite">
      ${quotes.length > 0 && html`<h3 class="over">Answer</h3>`}
      <p>${turn.sentences.map((each) => html`<${Sentence} sentence=${each} all=${turn.shown} />`)}</p>
    </div>`}
    ${more.length > 0 && html`<div role="group" class="quotes" aria-label="Also cited">
      ${quotes.length > 0 && html`<h3 class="over">Also cited</h3>`}
      <ol>${more.map((each) => html`<${Quote} key=${each.n} citation=${each} all=${turn.shown} />`)}</ol>
    </div>`}
    ${refused && html`<${Refusal} turn=${turn} />`}
    ${turn.state === "failed" && html`<${Failure} error=${turn.error} retry=${() => retry(turn.id)} />`}
    <${Foot} turn=${turn} refused=${refused} />
  </article>`;
}

// The quote, with the words that answer set apart; `span` counts characters of the document.
export function QuoteText({ citation: { quote, span, start } }) {
  if (!span) return quote;
  const letters = Array.from(quote); // offsets count code points, strings count halves of some
  const [from, to] = [Math.max(0, span[0] - start), Math.min(letters.length, span[1] - start)];
  if (from >= to) return quote;
  const cut = (a, b) => letters.slice(a, b).join("");
  return html`${cut(0, from)}<mark>${cut(from, to)}</mark>${cut(to)}`;
}

export function Quote({ citation, all, unnumbered = false }) {
  const { place } = useStore(reader);
  const lit = place && place.document_id === citation.document_id && place.start === citation.start && place.end === citation.end;
  const open = () => openReader(citation, all);
  const clicked = (event) => !event.target.closest("button") && getSelection().isCollapsed && open();
  const at = placeOf(citation);
  return html`<li class=${`quote ${lit ? "lit" : ""}`} onClick=${clicked}>
    <blockquote><${QuoteText} citation=${citation} /></blockquote>
    <button type="button" class="source" aria-pressed=${Boolean(lit)} onClick=${open}>
      ${!unnumbered && html`<span class="number">${citation.n}</span>`}
      <span class="source-title">${citation.title || "Untitled"}</span>
      ${at && html`<span class="source-place">${at}</span>`}
      <${Icon} name="right" />
    </button>
  </li>`;
}

export const Sentence = ({ sentence: { text, cites }, all }) => html`
  <span class=${cites.length ? "said" : "said unsupported"}>${text}${cites.map((n) => html`
    <button type="button" class="cite" aria-label=${`Source ${n}: ${all[n - 1].title}`} onClick=${() => openReader(all[n - 1], all)}>${n}</button>`)}${
    !cites.length && html`<small> not in your sources</small>`} </span>`;

function Refusal({ turn }) {
  const { nearest } = turn.result;
  const [titles, setTitles] = useState(null);
  useEffect(() => {
    if (nearest || turn.quoted) return;
    get(`/search${query({ q: turn.question, k: 8 })}`).then(
      ({ hits }) => setTitles(hits.filter((hit, i) => hits.findIndex((each) => each.document_id === hit.document_id) === i)),
      () => setTitles([]),
    );
  }, [turn.id]);
  if (turn.quoted) {
    return html`<p class="refusal-note">No sentence could be written that these quotes bear out.</p>`;
  }
  return html`<section class="refusal">
    <h3>Your sources do not answer this</h3>
    ${nearest && html`
      <p class="quiet">${nearest.why_not ? `The nearest sentence ${nearest.why_not}:` : "The nearest sentence:"}</p>
      <ol><${Quote} citation=${nearest} all=${[nearest]} unnumbered /></ol>`}
    ${!nearest && !titles && html`<div class="titles-room"><${Skeleton} lines=${NEAREST} label="Looking for what comes nearest" /></div>`}
    ${!nearest && titles?.length > 0 && html`
      <p class="quiet">Nearest in your library:</p>
      <ul class="titles">${titles.slice(0, NEAREST).map((hit) => html`
        <li><button type="button" class="link" onClick=${() => openReader({ ...hit, quote: hit.text }, [])}>${hit.title}</button></li>`)}</ul>`}
    <p><a class="button" href="#/library"><${Icon} name="plus" />Add a source</a></p>
  </section>`;
}

function Foot({ turn, refused }) {
  const [saving, setSaving] = useState(false);
  const calendar = async () => {
    setSaving(true);
    try {
      await saveCalendar(turn.sentences.map((each) => each.text).join("\n") || turn.shown.map((each) => each.quote).join("\n"), "answer.ics");
    } catch (error) {
      toast(error.message, { bad: true });
    }
    setSaving(false);
  };
  if (!isOver(turn)) {
    const says = turn.waitsFor > 0 ? `${counted(turn.waitsFor, "answer")} before this one` : turn.shown.length ? "Reading the passages" : "Looking through your sources";
    return html`<div class="turn-foot" role="status"><span class="working"><i></i><i></i><i></i></span><span class="quiet">${turn.alone ? "" : says}</span></div>`;
  }
  const { model, timings } = turn.result || {};
  const facts = [turn.state === "stopped" ? "Stopped" : "", model, timings?.total_s ? `${timings.total_s.toFixed(1)} s` : ""].filter(Boolean);
  const some = turn.shown.length > 0 && !refused;
  return html`<footer class="turn-foot">
    ${some && html`<${CopyButton} text=${() => asText(turn)}>Copy with sources<//>`}
    ${some && html`<${Button} kind="plain" icon="plan" disabled=${saving} onClick=${calendar}>Calendar file<//>`}
    ${turn.state !== "failed" && html`<${Button} kind="plain" icon="retry" onClick=${() => retry(turn.id)}>Ask again<//>`}
    <span class="facts quiet">${facts.join(" · ")}</span>
  </footer>`;
}
