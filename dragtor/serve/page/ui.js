// What all pages are built of: icons, buttons, the three states (empty, loading, failed), toasts,
// times and copying. Knows no page and no request.
import { html, createStore, useDelayed, useState, useStore } from "./lib.js";

const PATHS = {
  ask: "M4 5h16v11H9l-5 4z",
  library: "M5 4v16M9 4v16M13 4.5l5.5 15",
  plan: "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4",
  lab: "M9 3h6M10 3v6L5 19a1 1 0 0 0 1 2h12a1 1 0 0 0 1-2l-5-10V3M8 15h8",
  today: "M12 3v2M12 19v2M3 12h2M19 12h2M8 12a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
  people: "M9 11a3.5 3.5 0 1 0 0-7a3.5 3.5 0 0 0 0 7M3 20c0-4 3-6 6-6s6 2 6 6M16 5a3 3 0 0 1 0 6M18 14c2 1 3 3 3 6",
  send: "M5 12h14M13 6l6 6-6 6",
  stop: "M7 7h10v10H7z",
  retry: "M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  pen: "M4 20l1-4L16 5l3 3L8 19z",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  down: "M6 9l6 6 6-6",
  open: "M10 5H5v14h14v-5M14 4h6v6M20 4l-9 9",
  filter: "M4 6h16M7 12h10M10 18h4",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M15.5 15.5L20 20",
  web: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  feed: "M5 5c8 0 14 6 14 14M5 11c5 0 8 3 8 8M5 18h1.5",
  audio: "M4 10v4M8 6v12M12 9v6M16 4v16M20 10v4",
  video: "M4 6h16v12H4zM10 9.5v5l4.5-2.5z",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.5",
  keys: "M3 7h18v11H3zM7 11h.5M11 11h.5M15 11h.5M8 15h8",
  menu: "M5 12h.5M12 12h.5M19 12h.5",
};

export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name] || PATHS.file} /></svg>`;

export const Button = ({ icon, children, kind = "", label, ...rest }) => html`
  <button type="button" class=${`button ${kind}`} aria-label=${label} title=${label} ...${rest}>
    ${icon && html`<${Icon} name=${icon} />`}${children}
  </button>`;

export const Key = ({ name }) => html`
  <span class="keys">${name.split(" ").map((each) => html`<kbd>${each}</kbd>`)}</span>`;

export function Skeleton({ lines = 3, label = "Loading" }) {
  if (!useDelayed(true)) return html`<div class="skeleton-room" aria-busy="true"></div>`;
  return html`<div class="skeleton" role="status" aria-label=${label}>
    ${Array.from({ length: lines }, () => html`<span></span>`)}
  </div>`;
}

export const Empty = ({ icon, title, children, action }) => html`
  <div class="empty">
    ${icon && html`<div class="empty-icon"><${Icon} name=${icon} /></div>`}
    <h2>${title}</h2>
    <p>${children}</p>
    ${action}
  </div>`;

const isCommand = (hint) => /^(dragtor|pip|python|make|poetry|ollama)\s/.test(hint);

// A command that mends what is wrong, ready to be copied.
export const Command = ({ text }) => html`
  <span class="command"><code>${text}</code><${CopyButton} text=${() => text} label="Copy the command" /></span>`;

export function Failure({ error, retry, title }) {
  const hint = error.hint || "";
  return html`<div class="failure" role="alert">
    <p><strong>${title || error.message || String(error)}</strong></p>
    ${title && html`<p>${error.message}</p>`}
    ${hint && (isCommand(hint) ? html`<p><${Command} text=${hint} /></p>` : html`<p class="quiet">${hint}</p>`)}
    ${retry && html`<${Button} icon="retry" onClick=${retry}>Try again<//>`}
  </div>`;
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain http from another device there is no clipboard but this one.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    area.className = "offscreen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function CopyButton({ text, label = "Copy", children, kind = "plain" }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    setDone(await copyText(text()));
    setTimeout(() => setDone(false), 1600);
  };
  return html`<${Button} kind=${kind} icon=${done ? "check" : "copy"} label=${children ? undefined : label} onClick=${copy}>
    ${children && (done ? "Copied" : children)}
  <//>`;
}

// Toasts

const toasts = createStore([]);

export function toast(text, { action, onAction, ms = 5000, bad = false } = {}) {
  const mine = { text, action, bad };
  mine.close = () => toasts.set((all) => all.filter((each) => each !== mine));
  mine.act = () => {
    mine.close();
    onAction();
  };
  toasts.set((all) => [...all.slice(-2), mine]);
  setTimeout(mine.close, ms);
  return mine;
}

export const Toasts = () => html`
  <div class="toasts" role="status" aria-live="polite">
    ${useStore(toasts).map((each) => html`
      <div class=${`toast ${each.bad ? "bad" : ""}`}>
        <span>${each.text}</span>
        ${each.action && html`<button type="button" class="button toast-act" onClick=${each.act}>${each.action}</button>`}
        <${Button} kind="plain" icon="close" label="Dismiss" onClick=${each.close} />
      </div>`)}
  </div>`;

// An error in one line, with what mends it.
export const whyNot = ({ message, hint }) => (hint ? `${message}: ${hint}` : message);

// Words

export function clock(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((n) => String(n).padStart(2, "0"));
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${parts.join(":")}` : parts.join(":").replace(/^0/, "");
}

export const counted = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

// Only these may be followed: an address that came from a document may hold anything.
export const safeUrl = (url) => (/^https?:\/\//i.test(url || "") ? url : "");

export const Progress = ({ done, total, label }) => html`
  <progress class="progress" aria-label=${label} max=${total || 1} value=${total ? Math.min(done, total) : undefined}></progress>`;
