// The reader pane: one document beside the page, opened at a place: a stretch of text, a page of a
// PDF, a second of a recording. Knows which view a document wants; the views are files of their own.
import { html, createStore, useEffect, useLayoutEffect, useRef, useState, useStore } from "./lib.js";
import { documentPath, get } from "./rest.js";
import { placeOf } from "./answer.js";
import { useKeys } from "./keys.js";
import { useSegments } from "./offsets.js";
import { TextView } from "./reader-text.js";
import { PagesView } from "./reader-pages.js";
import { RecordingView } from "./reader-recording.js";
import { Button, CopyButton, Failure, Icon, Skeleton, safeUrl } from "./ui.js";

// place: {document_id, start, end, span, page, start_s, title, quote}; `list`: places to go through
export const reader = createStore({ place: null, list: [] });

let opener = null;

export function openReader(place, list = []) {
  if (!reader.get().place) opener = document.activeElement;
  reader.set({ place, list });
}

export function closeReader() {
  if (!reader.get().place) return;
  reader.set({ place: null, list: [] });
  if (opener?.isConnected) opener.focus({ preventScroll: true });
  opener = null;
}

const narrow = matchMedia("(max-width: 700px)");

function useNarrow() {
  const [is, setIs] = useState(narrow.matches);
  useEffect(() => {
    const changed = () => setIs(narrow.matches);
    narrow.addEventListener("change", changed);
    return () => narrow.removeEventListener("change", changed);
  }, []);
  return is;
}

export function Reader() {
  const { place } = useStore(reader);
  const sheet = useNarrow();
  useLayoutEffect(() => {
    const behind = document.querySelectorAll(".main, .rail");
    for (const each of behind) each.inert = Boolean(place) && sheet;
    return () => behind.forEach((each) => {
      each.inert = false;
    });
  }, [Boolean(place), sheet]);
  if (!place) return null;
  return html`${sheet && html`<div class="scrim" onClick=${closeReader}></div>`}<${Pane} place=${place} sheet=${sheet} />`;
}

// The document of a place; it stays on screen while another place of it is opened.
function useDocument(id) {
  const [state, setState] = useState({});
  const load = () => {
    let current = true;
    get(documentPath(id)).then(
      (document) => current && setState({ id, document }),
      (error) => current && setState({ id, error }),
    );
    return () => {
      current = false;
    };
  };
  useEffect(load, [id]);
  const shown = state.id === id ? state : {};
  return { ...shown, load, change: (document) => setState({ id, document }) };
}

function Pane({ place, sheet }) {
  const { list } = useStore(reader);
  const { document: found, error, load, change } = useDocument(place.document_id);
  const title = useRef(null);
  const at = list.findIndex((each) => each.document_id === place.document_id && each.start === place.start && each.end === place.end);
  const step = (by) => {
    const next = list[at + by];
    if (next) openReader(next, list);
  };
  useEffect(() => title.current?.focus({ preventScroll: true }), []);
  useKeys("Reader", [
    ["[", "previous citation", () => step(-1)],
    ["]", "next citation", () => step(1)],
  ]);
  const original = safeUrl(place.url) || safeUrl(found?.url);
  return html`<${sheet ? "div" : "aside"} class=${`reader ${sheet ? "sheet" : ""}`} role=${sheet ? "dialog" : undefined} aria-modal=${sheet || undefined} aria-labelledby="reader-title">
    <header class="reader-head">
      <div class="grow">
        <h2 id="reader-title" tabindex="-1" ref=${title}>${found?.title || place.title || "Document"}</h2>
        <p class="small quiet">${[found?.author, found?.published, placeOf(place)].filter(Boolean).join(" · ")}</p>
      </div>
      <div class="row reader-tools">
        ${list.length > 1 && at >= 0 && html`
          <${Button} kind="plain" icon="left" label="Previous citation" disabled=${at === 0} onClick=${() => step(-1)} />
          <span class="small quiet count">${at + 1} of ${list.length}</span>
          <${Button} kind="plain" icon="right" label="Next citation" disabled=${at === list.length - 1} onClick=${() => step(1)} />`}
        ${original && html`<a class="button plain" href=${original} target="_blank" rel="noreferrer noopener" aria-label="Open the original" title="Open the original"><${Icon} name="open" /></a>`}
        ${place.quote && html`<${CopyButton} label="Copy the quote" text=${() => `“${place.quote.trim()}”\n${[place.title, placeOf(place), place.url].filter(Boolean).join("\n")}`} />`}
        <${Button} kind="plain" icon="close" label="Close the reader" onClick=${closeReader} />
      </div>
    </header>
    ${error && html`<div class="reader-body"><${Failure} error=${error} retry=${load} /></div>`}
    ${!error && !found && html`<div class="reader-body"><${Skeleton} lines=${9} label="Opening the document" /></div>`}
    ${found && html`<${View} key=${found.id} found=${found} place=${place} onChange=${change} />`}
  <//>`;
}

// What a document is made of says how it is shown: times, pages, or text alone.
function View({ found, place, onChange }) {
  const segments = useSegments(found);
  if (segments.some((each) => each.start_s != null)) {
    return html`<${RecordingView} found=${found} place=${place} segments=${segments} onChange=${onChange} />`;
  }
  if (segments.some((each) => each.page != null || each.box)) {
    return html`<${PagesView} found=${found} place=${place} segments=${segments} />`;
  }
  return html`<div class="reader-body" tabindex="0"><${TextView} text=${found.text} place=${place} /></div>`;
}
