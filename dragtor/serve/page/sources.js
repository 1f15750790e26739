// Rows of the library: a source with its documents, and passages that were found. Knows how they look
// and what they open.
import { html, useLoaded } from "./lib.js";
import { get, query } from "./rest.js";
import { placeOf } from "./answer.js";
import { openReader } from "./reader.js";
import { Button, Failure, Icon, Skeleton, counted } from "./ui.js";

const PASSAGE_CHARACTERS = 320;
const SENT = /^[0-9a-f]{16}$/; // the folder of a file that came through the page

// The end of a path says most; the start of an address does.
function shortUri(uri) {
  const tail = (path) => {
    const [folder = "", name] = path.split("/").filter(Boolean).slice(-2);
    return SENT.test(folder) ? "sent to the library" : [folder, name].join("/");
  };
  if (uri.startsWith("/")) return tail(uri);
  try {
    const { protocol, host, pathname } = new URL(uri);
    if (protocol === "file:") return tail(decodeURIComponent(pathname));
    return host.replace(/^www\./, "") + (pathname === "/" ? "" : decodeURIComponent(pathname));
  } catch {
    return uri;
  }
}

export function Source({ source, open, onToggle, onRemove }) {
  const name = source.title || shortUri(source.uri);
  return html`<li class=${`source-item ${open ? "is-open" : ""}`}>
    <div class="source-line">
      <button type="button" class="source-row" aria-expanded=${open} onClick=${onToggle}>
        <span class="kind" title=${source.kind}><${Icon} name=${source.kind} /></span>
        <span class="grow"><span class="source-name">${name}</span><span class="small quiet source-uri">${shortUri(source.uri)}</span></span>
        <span class="small quiet source-count">${counted(source.documents, "document")}</span>
        <${Icon} name="down" />
      </button>
      <${Button} kind="plain" icon="trash" label=${`Remove ${name}`} onClick=${onRemove} />
    </div>
    ${open && html`<${Documents} source=${source} />`}
  </li>`;
}

function Documents({ source }) {
  const { data, error, loading, reload } = useLoaded(() => get(`/documents${query({ source: source.id })}`), [source.id, source.documents]);
  if (error) return html`<${Failure} error=${error} retry=${reload} />`;
  if (!data && loading) return html`<${Skeleton} lines=${2} />`;
  const documents = data.documents.filter((each, i, all) => all.findIndex((other) => other.id === each.id) === i);
  if (!documents.length) return html`<p class="small quiet documents">No document yet.</p>`;
  return html`<ul class="documents">${documents.map((each) => html`
    <li><button type="button" class="document" onClick=${() => openReader({ document_id: each.id, title: each.title })}>
      <${Icon} name=${each.kind} /><span class="grow">${each.title || shortUri(each.uri)}</span>
      ${each.passages === 0 && html`<span class="small quiet">not indexed</span>`}
    </button></li>`)}</ul>`;
}

export function Found({ hits }) {
  if (!hits.length) return html`<p class="quiet">No passage says anything like it.</p>`;
  const places = hits.map((hit) => ({ ...hit, quote: hit.text }));
  return html`<ol class="found">${places.map((hit) => html`
    <li><button type="button" class="hit" onClick=${() => openReader(hit, places)}>
      <span class="hit-text">${hit.text.length > PASSAGE_CHARACTERS ? `${hit.text.slice(0, PASSAGE_CHARACTERS).trimEnd()} …` : hit.text}</span>
      <span class="small quiet">${[hit.title, placeOf(hit)].filter(Boolean).join(" · ")}</span>
    </button></li>`)}</ol>`;
}
