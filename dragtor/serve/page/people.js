// The page People: who is in a picture, who is in the library, and what was found out about somebody.
// Owns what is asked of the server for its lists; a picture, a person and a research are files of their own.
import { html, useEffect, useLoaded, useState, useStore } from "./lib.js";
import { changes } from "./adding.js";
import { server } from "./connection.js";
import { get } from "./rest.js";
import { useKeys } from "./keys.js";
import { isGoing } from "./run.js";
import { DossierRow } from "./people_dossier.js";
import { Person } from "./people_person.js";
import { Picture, finding, wanted } from "./people_picture.js";
import { Research, research, researchOf } from "./people_research.js";
import { Command, Failure, Skeleton, counted } from "./ui.js";

const SHOWN = 40;

export default function People({ rest }) {
  const { state } = useStore(server);
  const { count } = useStore(changes);
  const running = useStore(research);
  const people = useLoaded(() => get("/people"), [count, state === "open"]);
  const dossiers = useLoaded(() => get("/dossiers"), [count, state === "open", running.state]);
  const kept = dossiers.data?.dossiers || [];
  useKeys("People", [
    ["r", "research who is chosen", () => researchOf(wanted() || { name: rest[0] || "", category: "person" })],
    ["x", "stop", () => [research, finding].some((each) => isGoing(each.get()) && (each.stop(), true))],
  ]);
  if (rest[0]) return html`<${Person} key=${rest[0]} name=${rest[0]} dossiers=${kept.filter((each) => each.name === rest[0])} />`;
  return html`<div class="page people">
    <h1>People</h1>
    <${Picture} />
    <${Research} />
    ${kept.length > 0 && html`<section aria-labelledby="dossiers"><h2 id="dossiers">Dossiers</h2>${kept.toReversed().map((each) => html`<${DossierRow} key=${each.id} dossier=${each} />`)}</section>`}
    <section aria-labelledby="in-library"><h2 id="in-library">In your library</h2><${Known} ...${people} /></section>
  </div>`;
}

function Known({ data, error, loading, reload }) {
  const [text, setText] = useState("");
  const { everOpen } = useStore(server);
  useEffect(() => {
    if (everOpen && error?.code === "server_gone") reload();
  }, [everOpen]);
  if (error) return html`<${Failure} error=${error} retry=${reload} />`;
  if (!data) return loading && html`<${Skeleton} lines=${4} label="Looking who is there" />`;
  if (!data.people.length) return html`<p class="quiet">Nobody yet. Names are looked for by <${Command} text="dragtor index --tags" /></p>`;
  const shown = data.people.filter((each) => [each.name, ...each.aliases].some((name) => name.toLowerCase().includes(text.toLowerCase())));
  return html`<input class="field" type="search" aria-label="Find somebody" placeholder="Find somebody" value=${text} onInput=${(event) => setText(event.target.value)} />
    <ul class="sources">${shown.slice(0, SHOWN).map((each) => html`<li class="source-item"><a class="source-row" href=${`#/people/${encodeURIComponent(each.name)}`}>
      <span class="grow source-name">${each.name}</span><span class="small quiet">${counted(each.mentions, "mention")}</span></a></li>`)}</ul>
    ${shown.length > SHOWN && html`<p class="small quiet">and ${shown.length - SHOWN} more</p>`}`;
}
