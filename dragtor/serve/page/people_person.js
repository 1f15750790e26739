// One person of the library: other names, where named, heard, written and seen, and what was said when.
// Each place opens in the reader. Knows nothing of how people are told apart.
import { html, useLoaded } from "./lib.js";
import { get } from "./rest.js";
import { placeOf } from "./answer.js";
import { openReader } from "./reader.js";
import { DossierRow } from "./people_dossier.js";
import { researchOf } from "./people_research.js";
import { Quote } from "./turn.js";
import { Button, Failure, Icon, Skeleton, counted } from "./ui.js";

const HOW = { said: "Named in", heard: "Heard in", written: "Wrote", seen: "In the picture" };

export function Person({ name, dossiers }) {
  const { data, error, loading, reload } = useLoaded(() => get(`/people/${encodeURIComponent(name)}`), [name]);
  const people = data?.people || [];
  const person = people.length === 1 ? people[0] : null;
  const { aliases = [], appearances = [], statements = [] } = person || {};
  return html`<div class="page people">
    <header class="page-head"><h1>${name}</h1><${Button} icon="search" onClick=${() => researchOf({ name, category: "person" })}>Research<//><a class="button" href="#/people">All people</a></header>
    ${aliases.length > 0 && html`<p class="quiet">Also ${aliases.join(", ")}</p>`}
    ${error && html`<${Failure} error=${error} retry=${reload} />`}
    ${!data && loading && html`<${Skeleton} lines=${6} />`}
    ${data && !people.length && html`<p class="quiet">Nobody of this name is in your library.</p>`}
    ${people.length > 1 && html`<ul>${people.map((each) => html`<li><a href=${`#/people/${encodeURIComponent(each.name)}`}>${each.name}</a></li>`)}</ul>`}
    ${dossiers.map((each) => html`<${DossierRow} key=${each.id} dossier=${each} />`)}
    ${appearances.length > 0 && html`<section><h2>Where</h2><ul class="sources">${appearances.map(({ how, times, published, citation }) => html`<li class="source-item"><button type="button" class="source-row" onClick=${() => openReader(citation)}>
      <span class="grow"><span class="source-name">${HOW[how]} ${citation.title}</span><span class="small quiet">${[published, placeOf(citation), counted(times, "time")].filter(Boolean).join(" · ")}</span></span><${Icon} name="right" /></button></li>`)}</ul></section>`}
    ${statements.length > 0 && html`<section class="quotes"><h2>What was said</h2><ol>${statements.map(({ published, citation }) => html`<${Quote} citation=${{ ...citation, title: [citation.title, published].filter(Boolean).join(" · ") }} all=${statements.map((each) => each.citation)} unnumbered />`)}</ol></section>`}
  </div>`;
}
