// The shell: the table of pages, the router by fragment, navigation, the banner of a lost server, the
// help of keys. A page is one file and one row of PAGES; what it shows is its own.
import { html, render, useEffect, useRef, useState, useStore, createStore } from "./lib.js";
import { connect, server } from "./connection.js";
import { takeToken } from "./rest.js";
import { useKeys } from "./keys.js";
import { Icon, Skeleton, Failure, Toasts } from "./ui.js";
import { Banner, Door } from "./door.js";
import { Help, help } from "./help.js";
import { Reader, reader, closeReader } from "./reader.js";

// id stands in the address; `letter` after g goes there; `load` gives the page's component.
const PAGES = [
  { id: "ask", title: "Ask", letter: "a", load: () => import("./ask.js") },
  { id: "library", title: "Library", letter: "l", load: () => import("./library.js") },
  { id: "people", title: "People", letter: "p", load: () => import("./people.js") },
  { id: "plan", title: "Plan", letter: "n", load: () => import("./plan.js") },
  { id: "lab", title: "Lab", letter: "b", load: () => import("./lab.js") },
];

const route = createStore(read());

function read() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [id, ...rest] = path.split("/").map(decodeURIComponent);
  const page = PAGES.find((each) => each.id === id) || PAGES[0];
  return { page, rest, params: new URLSearchParams(search) };
}

const go = (id) => {
  location.hash = `#/${id}`;
};

addEventListener("hashchange", () => {
  takeToken();
  route.set(read());
});

const Brand = () => html`
  <a class="brand" href="#/ask" aria-label="dragtor, ask">
    <svg viewBox="0 0 32 32" aria-hidden="true"><path class="line" d="M6 9h20M6 23h11" /><path class="stroke" d="M5 16h22" /></svg>
    <span>dragtor</span>
  </a>`;

function Navigation({ page }) {
  const { state } = useStore(server);
  const said = { open: "Connected", connecting: "Connecting", gone: "Server gone", refused: "Not let in" }[state];
  return html`<header class="rail">
    <${Brand} />
    <nav aria-label="Pages">
      ${PAGES.map(({ id, title }) => html`
        <a href=${`#/${id}`} class="nav" aria-current=${id === page.id ? "page" : undefined}>
          <${Icon} name=${id} /><span>${title}</span>
        </a>`)}
    </nav>
    <div class="rail-foot">
      <span class=${`state ${state}`}><i></i><span>${said}</span></span>
      <button type="button" class="nav" aria-label="Keys and settings" onClick=${() => help.set({ open: true })}>
        <${Icon} name="keys" /><span>Keys <kbd aria-hidden="true">?</kbd></span>
      </button>
    </div>
  </header>`;
}

// The page in the address. Its module is fetched when it is first wanted.
function Page({ page, rest, params }) {
  const [loaded, setLoaded] = useState({});
  const load = () =>
    page.load().then(
      (module) => setLoaded({ page, component: module.default }),
      (error) => setLoaded({ page, error }),
    );
  useEffect(() => {
    document.title = `${page.title} · dragtor`;
    load();
  }, [page]);
  if (loaded.page !== page) return html`<${Skeleton} lines=${5} />`;
  if (loaded.error) return html`<div class="page"><h1 class="offscreen">${page.title}</h1><${Failure} error=${loaded.error} title="This page could not be fetched" retry=${load} /></div>`;
  return html`<${loaded.component} rest=${rest} params=${params} />`;
}

function Shell() {
  const { page, rest, params } = useStore(route);
  const { state, everOpen } = useStore(server);
  const { place } = useStore(reader);
  const main = useRef(null);
  const first = useRef(true);
  useKeys("Everywhere", [
    ...PAGES.map(({ id, title, letter }) => [`g ${letter}`, `go to ${title}`, () => go(id)]),
    ["?", "show the keys", () => help.set({ open: true })],
    ["Escape", "close what is open, leave a field", () => leave()],
  ]);
  useEffect(() => {
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [page]);
  if (state === "refused" && !everOpen) return html`<${Door} />`;
  const skip = (event) => {
    event.preventDefault();
    main.current.focus();
  };
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the page</a>
    <div class=${`shell ${place ? "with-reader" : ""}`}>
      <${Navigation} page=${page} />
      <main class="main" id="main" tabindex="-1" ref=${main}>
        <${Banner} />
        <${Page} key=${page.id} page=${page} rest=${rest} params=${params} />
      </main>
      <${Reader} />
    </div>
    <${Toasts} /><${Help} />`;
}

function leave() {
  const active = document.activeElement;
  if (active && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName)) active.blur();
  else if (reader.get().place) closeReader();
  else return false;
  return true;
}

takeToken();
route.set(read());
connect();
render(html`<${Shell} />`, document.getElementById("app"));
