// The page Library: what was added, what is being added, and how to find a passage, a source or a name
// in it. Knows sources and their documents; a job's row is jobs.js, a text is the reader's.
import { html, createStore, useEffect, useRef, useState, useStore, useLoaded } from "./lib.js";
import { addAddresses, addFiles, addressesIn, adding, changes, changed, restoreAdding, syncAll } from "./adding.js";
import { server } from "./connection.js";
import { get, query, remove } from "./rest.js";
import { useKeys } from "./keys.js";
import { Job } from "./jobs.js";
import { Found, Source } from "./sources.js";
import { Button, Empty, Failure, Icon, Skeleton, toast, whyNot } from "./ui.js";

const UNDO_MS = 7000;
const view = createStore({ text: "", kind: "", tag: null, open: "" });
const leaving = createStore(new Set()); // ids of sources that are removed unless it is undone

export default function Library() {
  const { count } = useStore(changes);
  const { state } = useStore(server);
  const jobs = useStore(adding);
  const gone = useStore(leaving);
  const { text, kind, tag, open } = useStore(view);
  const { data, error, loading, reload } = useLoaded(() => get("/sources"), [count]);
  const tags = useLoaded(() => get("/tags").catch(() => ({ entities: [] })), [count]);
  const adder = useRef(null);
  const search = useRef(null);
  const list = useRef(null);
  useEffect(() => {
    if (state === "open") restoreAdding().catch(() => {});
    if (state === "open" && error) reload();
  }, [state]);
  useEffect(() => pasting(addressesPasted), []);
  const sources = (data?.sources || []).filter((each) => !gone.has(each.id));
  const kinds = [...new Set(sources.map((each) => each.kind))].sort();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = sources.filter((each) => (!kind || each.kind === kind) && words.every((word) => `${each.title} ${each.uri}`.toLowerCase().includes(word)));
  const rows = () => [...(list.current?.querySelectorAll(".source-row") || [])];
  const move = (by) => {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    all[Math.max(0, Math.min(all.length - 1, at + by))]?.focus();
  };
  const focused = () => shown[rows().indexOf(document.activeElement)];
  useKeys("Library", [
    ["/", "find", () => search.current?.focus()],
    ["j", "next source", () => move(1)],
    ["k", "previous source", () => move(-1)],
    ["o", "open it", () => document.activeElement?.matches?.(".source-row") && document.activeElement.click()],
    ["+", "add", () => adder.current?.focus()],
    ["#", "remove it", () => focused() && removeSource(focused())],
    ["u", "undo the removal", () => undoRemoval()],
  ]);
  const pick = (name) => view.set({ tag: tag === name ? null : name });
  return html`<div class="page library">
    <header class="page-head"><h1>Library</h1>
      ${sources.length > 0 && html`<${Button} icon="retry" onClick=${syncAll}>Look for changes<//>`}
    </header>
    <${Adder} field=${adder} />
    ${jobs.length > 0 && html`<ul class="jobs" aria-label="At work">${jobs.map((each) => html`<${Job} key=${each.id} job=${each} />`)}</ul>`}
    ${error && html`<${Failure} error=${error} retry=${reload} title=${error.code === "server_gone" ? "" : "The library could not be read"} />`}
    ${!data && loading && html`<${Skeleton} lines=${6} label="Reading the library" />`}
    ${data && !sources.length && !jobs.length && html`<${Empty} icon="library" title="Nothing here yet"
        action=${html`<${FileButton} kind="primary">Choose files<//>`}>
      Drop files anywhere on this page, or paste the address of a page, a feed or a video above.<//>`}
    ${sources.length > 0 && html`
      <div class="find">
        <div class="find-field"><${Icon} name="search" />
          <input class="field" type="search" ref=${search} aria-label="Find in the library" placeholder="Find a source, or ↵ for passages" value=${text}
            onInput=${(event) => view.set({ text: event.target.value, ...(event.target.value ? {} : { passages: "" }) })}
            onKeyDown=${(event) => event.key === "Enter" && view.set({ passages: text.trim() })} /></div>
        <div class="row wrap" role="group" aria-label="Filters">
          ${kinds.length > 1 && kinds.map((each) => html`<button type="button" class="chip" aria-pressed=${each === kind} onClick=${() => view.set({ kind: each === kind ? "" : each })}><${Icon} name=${each} />${each}</button>`)}
          <${Tags} entities=${tags.data?.entities || []} picked=${tag} onPick=${pick} />
        </div>
      </div>
      <${Results} tag=${tag} />
      ${shown.length
        ? html`<ul class="sources" ref=${list}>${shown.map((each) => html`<${Source} key=${each.id} source=${each} open=${open === each.id}
            onToggle=${() => view.set({ open: open === each.id ? "" : each.id })} onRemove=${() => removeSource(each)} />`)}</ul>`
        : html`<p class="quiet">No source is called that. Press ↵ in the field to look in the texts.</p>`}`}
    <${DropZone} />
  </div>`;
}

// Passages of a search, or those that name a tag, above the sources.
function Results({ tag }) {
  const { passages = "" } = useStore(view);
  const wanted = tag ? tag.name : passages;
  const filter = tag ? { [tag.kind === "topic" ? "topic" : "entity"]: tag.name } : {};
  const found = useLoaded(() => (wanted ? get(`/search${query({ q: passages || wanted, k: 12, ...filter })}`) : Promise.resolve(null)), [wanted, passages, tag?.kind]);
  if (!wanted) return null;
  const close = () => view.set({ tag: null, passages: "", ...(tag ? {} : { text: "" }) });
  return html`<section class="results" aria-label="Passages">
    <header class="row"><h2 class="over grow">${tag ? `Passages that name ${tag.name}` : `Passages for “${wanted}”`}</h2>
      <${Button} kind="plain" icon="close" label="Close the passages" onClick=${close} /></header>
    ${found.error && html`<${Failure} error=${found.error} retry=${found.reload} />`}
    ${!found.data && found.loading && html`<${Skeleton} lines=${4} />`}
    ${found.data && html`<${Found} hits=${found.data.hits} />`}
  </section>`;
}

function Tags({ entities, picked, onPick }) {
  const [all, setAll] = useState(false);
  const shown = all ? entities.slice(0, 80) : entities.slice(0, 8);
  return html`${shown.map((each) => html`<button type="button" class="chip tag" aria-pressed=${picked?.name === each.name} onClick=${() => onPick(picked?.name === each.name ? null : each)}>
      ${each.name}<span class="quiet">${each.mentions}</span></button>`)}
    ${entities.length > 8 && html`<button type="button" class="chip" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? "Fewer" : `${entities.length - 8} more`}</button>`}`;
}

function Adder({ field }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const submit = (event) => {
    event.preventDefault();
    const found = addressesIn(text);
    if (!found.length) {
      setWrong("An address begins with https://. A file is dropped here, or chosen.");
      field.current.focus();
      return;
    }
    setText("");
    addAddresses(found);
  };
  return html`<form class="adder" onSubmit=${submit} aria-label="Add to the library">
    <input class="field" ref=${field} value=${text} aria-label="Address to add" placeholder="https://… a page, a feed, a video, a podcast" inputmode="url" autocomplete="off"
      aria-invalid=${Boolean(wrong)} aria-describedby=${wrong ? "adder-wrong" : undefined} onInput=${(event) => (setText(event.target.value), setWrong(""))} />
    <button class="button primary" disabled=${!text.trim()}>Add</button>
    <${FileButton}>Files<//>
    ${wrong && html`<p class="wrong small" id="adder-wrong" role="alert">${wrong}</p>`}
  </form>`;
}

function FileButton({ children, kind = "" }) {
  const input = useRef(null);
  const chosen = (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    if (files.length) addFiles(files);
  };
  return html`<${Button} kind=${kind} icon="file" onClick=${() => input.current.click()}>${children}<//>
    <input type="file" multiple hidden ref=${input} aria-label="Files to add" onChange=${chosen} />`;
}

// The whole window takes what is dropped while the page is open.
function DropZone() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const dragged = (event) => {
      event.preventDefault();
      setOver(true);
    };
    const left = (event) => !event.relatedTarget && setOver(false);
    const dropped = (event) => {
      event.preventDefault();
      setOver(false);
      const files = [...event.dataTransfer.files];
      if (files.length) addFiles(files);
      else addressesPasted(event.dataTransfer.getData("text/uri-list") || event.dataTransfer.getData("text/plain"));
    };
    const all = { dragover: dragged, dragleave: left, drop: dropped };
    for (const [name, listener] of Object.entries(all)) addEventListener(name, listener);
    return () => Object.entries(all).forEach(([name, listener]) => removeEventListener(name, listener));
  }, []);
  return over ? html`<div class="drop" aria-hidden="true"><div><${Icon} name="plus" />Drop to add</div></div>` : null;
}

function pasting(take) {
  const pasted = (event) => {
    if (event.target.closest?.("input, textarea")) return;
    const files = [...event.clipboardData.files];
    if (files.length) addFiles(files);
    else take(event.clipboardData.getData("text/plain"));
  };
  addEventListener("paste", pasted);
  return () => removeEventListener("paste", pasted);
}

function addressesPasted(text) {
  const found = addressesIn(text);
  if (found.length) addAddresses(found);
  else if (text.trim()) toast("There is no address in that text", { bad: true });
}

let undoRemoval = () => false;

// A source leaves the list at once and the library only when it can no longer be undone.
function removeSource(source) {
  const hide = (on) => leaving.set((all) => new Set(on ? [...all, source.id] : [...all].filter((id) => id !== source.id)));
  hide(true);
  const really = (options) =>
    remove(`/sources/${source.id}`, options).then(
      () => {
        changed();
        setTimeout(() => hide(false), 2000);
      },
      (error) => {
        hide(false);
        toast(whyNot(error), { bad: true, ...(error.status === 423 && { action: "Try again", onAction: () => (hide(true), really()) }) });
      },
    );
  const atEnd = () => really({ keepalive: true });
  const timer = setTimeout(() => {
    removeEventListener("pagehide", atEnd);
    undoRemoval = () => false;
    really();
  }, UNDO_MS);
  addEventListener("pagehide", atEnd, { once: true });
  const undo = () => {
    clearTimeout(timer);
    removeEventListener("pagehide", atEnd);
    undoRemoval = () => false;
    hide(false);
  };
  const told = toast(`${source.title || source.uri} is removed`, { action: "Undo", onAction: undo, ms: UNDO_MS });
  undoRemoval = () => told.act();
}
