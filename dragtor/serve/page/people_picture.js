// A picture that was dropped, chosen or taken: its people and companies as they are found, each with
// boxes. Knows the task `entities`; not what is done with whom it finds.
import { html, createStore, useEffect, useRef, useState, useStore } from "./lib.js";
import { addUploads } from "./adding.js";
import { sentPicture, upload } from "./rest.js";
import { createRun, isGoing } from "./run.js";
import { Drop, FileButton } from "./drop.js";
import { researchOf } from "./people_research.js";
import { Button, Failure, Icon, Progress, counted } from "./ui.js";

export const finding = createRun("people.picture");
const picked = createStore({ name: "" });
const failure = createStore({ error: null });

const place = ({ start, end }) => `${start} ${end}`;

// What is found by now: a later one that shares a mention with earlier ones stands in their place.
function foundIn({ items, result }) {
  if (result) return result.entities;
  let found = [];
  for (const { value } of items.filter(({ kind }) => kind === "entity")) {
    const mine = new Set(value.mentions.map(place));
    found = [...found.filter((each) => !each.mentions.some((mention) => mine.has(place(mention)))), value];
  }
  return found.sort((a, b) => a.mentions[0].start - b.mentions[0].start);
}

export const wanted = () => foundIn(finding.get()).find(({ name }) => name === picked.get().name);

async function take(file) {
  failure.set({ error: null });
  finding.clear();
  try {
    finding.start("entities", { upload: (await upload(file)).upload, name: file.name });
  } catch (error) {
    failure.set({ error });
  }
}

const pasted = (event) => event.clipboardData.files[0] && take(event.clipboardData.files[0]);

export function Picture() {
  const run = useStore(finding);
  const { name } = useStore(picked);
  const error = useStore(failure).error || run.error;
  const { upload: id, name: title } = run.args || {};
  const found = foundIn(run);
  useEffect(() => {
    addEventListener("paste", pasted);
    return () => removeEventListener("paste", pasted);
  }, []);
  const pick = (each) => picked.set({ name: each.name === name ? "" : each.name });
  return html`<${Drop} onFile=${take} label="Drop a picture here">
    <div class="row wrap"><${FileButton} accept="image/*,.heic,.eml,.txt,.pdf" onFile=${take}><${Icon} name="image" />Choose a picture<//>
      <span class="camera"><${FileButton} accept="image/*" capture="environment" onFile=${take}>Take one<//></span>
      ${isGoing(run) && html`<${Button} icon="stop" onClick=${finding.stop}>Stop<//>`}
      ${run.state === "done" && id && html`<${Button} icon="plus" onClick=${() => addUploads([id], title)}>Keep in the library<//>`}</div>
    <p class="quiet" role="status">${said(run, found)}</p>
    ${isGoing(run) && html`<${Progress} label="Reading the picture" />`}
    ${error && html`<${Failure} error=${error} />`}
    ${id && html`<div class="picture-found"><${Boxes} ...${{ run, id, found, name, pick }} />
      <ul class="entities">${found.map((each) => html`<li key=${each.name} class=${each.name === name ? "lit" : ""}>
        <button type="button" class="link" aria-pressed=${each.name === name} onClick=${() => pick(each)}>${each.name}</button>
        <span class="small quiet">${[each.category, ...each.aliases].join(" · ")}</span>
        ${each.known && html`<a class="small" href=${`#/people/${encodeURIComponent(each.known.name)}`}>${counted(each.known.mentions, "mention")} in your library</a>`}
        <${Button} kind="plain" icon="search" label=${`Research ${each.name}`} onClick=${() => researchOf(each)} /></li>`)}</ul></div>`}
  <//>`;
}

function said(run, found) {
  if (run.state === "idle") return "Drop a screenshot of a mail or a chat: who is in it is found here, and the picture goes nowhere.";
  if (run.state === "cancelled") return "Stopped.";
  return run.state === "done" || found.length ? `${counted(found.length, "name")} ${run.state === "done" ? "found" : "so far"}.` : "";
}

// The picture is drawn, not linked to: nothing but this page has it.
function Boxes({ run, id, found, name, pick }) {
  const canvas = useRef(null);
  const [size, setSize] = useState(null);
  const told = run.items.find(({ kind }) => kind === "picture")?.value;
  const turned = told?.turned?.[0] || 0;
  useEffect(() => {
    sentPicture(id, turned).then(
      (bitmap) => {
        setSize([bitmap.width, bitmap.height]);
        Object.assign(canvas.current, { width: bitmap.width, height: bitmap.height }).getContext("2d").drawImage(bitmap, 0, 0);
      },
      () => setSize(null),
    );
  }, [id, turned]);
  const [width, height] = told?.size?.[0] || [];
  const share = (part, whole) => `${(100 * part) / whole}%`;
  return html`<div class="picture" hidden=${!size}><canvas ref=${canvas} role="img" aria-label="The picture"></canvas>
    ${told?.size.length === 1 && found.map((each) => each.mentions.map(({ box }) => box && html`<span aria-hidden="true" title=${each.name} onClick=${() => pick(each)}
      class=${`box ${each.category} ${each.name === name ? "lit" : ""}`} style=${{ left: share(box[0], width), top: share(box[1], height), width: share(box[2] - box[0], width), height: share(box[3] - box[1], height) }}></span>`))}</div>`;
}
