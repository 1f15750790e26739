// A PDF: the picture of a page with rectangles over the quote, its words above it, unseen, to be
// selected and read aloud, and its text beside it. Where the quote is not found nothing is marked.
import { html, useEffect, useLayoutEffect, useLoaded, useRef, useState } from "./lib.js";
import { documentPath, get, pageUrl, query, ticket } from "./rest.js";
import { TextView } from "./reader-text.js";
import { Button, Failure, Skeleton } from "./ui.js";

const percent = (share) => `${(share * 100).toFixed(3)}%`;

export function PagesView({ found, place, segments }) {
  const pages = Math.max(...segments.map((each) => each.page || 1));
  const [page, setPage] = useState(place.page || 1);
  const [asText, setAsText] = useState(false);
  const [marks, setMarks] = useState([]);
  useEffect(() => {
    setMarks([]);
    if (place.end == null) return undefined;
    let current = true;
    get(documentPath(found.id, `/rects${query({ start: place.start, end: place.end })}`)).then(
      (found) => {
        if (!current) return;
        const rects = Array.isArray(found) ? found : found.rects || [];
        setMarks(rects);
        if (!place.page && rects[0]) setPage(rects[0].page);
      },
      () => {},
    );
    if (place.page) setPage(place.page);
    return () => {
      current = false;
    };
  }, [found, place]);
  return html`
    <div class="reader-bar">
      <${Button} kind="plain" icon="left" label="Previous page" disabled=${page <= 1 || asText} onClick=${() => setPage(page - 1)} />
      <span class="small">Page ${page} of ${pages}</span>
      <${Button} kind="plain" icon="right" label="Next page" disabled=${page >= pages || asText} onClick=${() => setPage(page + 1)} />
      <span class="grow"></span>
      <div class="tabs" role="group" aria-label="Show as">
        <button type="button" aria-pressed=${!asText} onClick=${() => setAsText(false)}>Page</button>
        <button type="button" aria-pressed=${asText} onClick=${() => setAsText(true)}>Text</button>
      </div>
    </div>
    <div class="reader-body ${asText ? "" : "desk"}" tabindex="0">
      ${asText
        ? html`<${TextView} text=${found.text} place=${place} />`
        : html`<${Sheet} key=${page} found=${found} page=${page} quote=${place.page === page ? place.quote : ""}
            rects=${marks.filter((each) => each.page === page).flatMap((each) => each.rects)} />`}
    </div>`;
}

function Sheet({ found, page, rects, quote }) {
  const [state, setState] = useState({});
  const load = () => {
    setState({});
    ticket(found.id).then(
      (pass) => setState((old) => ({ ...old, address: pageUrl(found.id, page, pass) })),
      (error) => setState({ error }),
    );
  };
  useEffect(load, [found.id, page]);
  const broken = { message: "This page could not be drawn", hint: "Its text is under Text" };
  if (state.error) return html`<${Failure} error=${state.error} retry=${load} />`;
  return html`<figure class="sheet-of-paper">
    ${!state.ready && html`<${Skeleton} lines=${12} label="Drawing the page" />`}
    ${state.address && html`<img src=${state.address} alt=${`Page ${page} of ${found.title}`} class=${state.ready ? "" : "offscreen"}
      onLoad=${({ target }) => setState((old) => ({ ...old, ready: true, ratio: target.naturalHeight / target.naturalWidth }))} onError=${() => setState({ error: broken })} />`}
    ${state.ready && rects.map(([x0, y0, x1, y1], i) => html`
      <span class="rect" ref=${i === 0 ? intoView : undefined}
        style=${{ left: percent(x0), top: percent(y0), width: percent(x1 - x0), height: percent(y1 - y0) }}></span>`)}
    ${state.ready && html`<${Words} found=${found} page=${page} ratio=${state.ratio} />`}
    ${quote && html`<figcaption class="offscreen">Marked on this page: ${quote}</figcaption>`}
  </figure>`;
}

// What is written on the page, each line where it stands and as wide. A page without is a picture.
function Words({ found, page, ratio }) {
  const room = useRef(null);
  const { data } = useLoaded(() => get(documentPath(found.id, `/pages/${page}/lines`)), [found.id, page]);
  const lines = data?.lines || [];
  useLayoutEffect(() => {
    const whole = room.current.clientWidth;
    const widths = [...room.current.children].map((each) => each.offsetWidth);
    widths.forEach((width, i) => {
      const [left, , right] = lines[i].box;
      room.current.children[i].style.transform = `scaleX(${((right - left) * whole) / (width || 1)})`;
    });
  }, [data]);
  const size = ([, top, , bottom]) => `${((bottom - top) * ratio * 85).toFixed(3)}cqw`;
  return html`<div class="words" ref=${room}>${lines.map(({ text, box }) => html`
    <div style=${{ left: percent(box[0]), top: percent(box[1]), fontSize: size(box) }}>${text}</div>`)}</div>`;
}

const intoView = (element) => element?.scrollIntoView({ block: "center" });
