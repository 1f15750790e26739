// The keyboard: who listens for which key, sequences as "g l", and the switch that turns single
// characters off (WCAG 2.1.4). Knows no page; pages bring their rows.
import { createStore, useEffect, useRef } from "./lib.js";

const STORED = "dragtor.letters";
const SEQUENCE_MS = 1200;

export const letters = createStore({ on: localStorage.getItem(STORED) !== "off" });
export const scopes = createStore([]); // {title, rows: [[key, what it does, run]]}, the last one first asked

export function setLetters(on) {
  localStorage.setItem(STORED, on ? "on" : "off");
  letters.set({ on });
}

// While the component is shown, `rows` are in force: [key, label, run]; a run may return false to pass.
export function useKeys(title, rows) {
  const scope = useRef(null);
  if (!scope.current) scope.current = { title, rows };
  scope.current.rows = rows;
  useEffect(() => {
    const mine = scope.current;
    scopes.set((all) => [...all, mine]);
    return () => scopes.set((all) => all.filter((each) => each !== mine));
  }, []);
}

const edits = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
    (target.tagName === "INPUT" && !/^(checkbox|radio|button|range|file)$/.test(target.type)));

function named(event) {
  const key = event.key === " " ? "Space" : event.key;
  return event.ctrlKey || event.metaKey ? `Ctrl-${key === "Enter" ? "↵" : key}` : key;
}

function handle(key) {
  for (const scope of scopes.get().toReversed()) {
    for (const [wanted, , run] of scope.rows) {
      const meant = wanted === key || (wanted === "1-9" && /^[1-9]$/.test(key));
      if (meant && run && run(key) !== false) return true;
    }
  }
  return false;
}

let pending = "";
let pendingUntil = 0;

function pressed(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  const key = named(event);
  const isCharacter = key.length === 1;
  if (edits(event.target) && (isCharacter || !/^(Escape|Ctrl-)/.test(key))) return;
  if (isCharacter && !letters.get().on) return;
  const sequence = Date.now() < pendingUntil ? `${pending} ${key}` : "";
  pending = "";
  pendingUntil = 0;
  if ((sequence && handle(sequence)) || handle(key)) {
    event.preventDefault();
  } else if (isCharacter && scopes.get().some(({ rows }) => rows.some(([k]) => k.startsWith(`${key} `)))) {
    pending = key;
    pendingUntil = Date.now() + SEQUENCE_MS;
  }
}

document.addEventListener("keydown", pressed);
