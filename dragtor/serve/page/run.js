// One job of a page at a time, as a store: started, heard, stopped, and taken up again after a
// reload of the page. Knows no task and draws nothing.

import * as connection from "./connection.js";
import { createStore, newId } from "./lib.js";
import { post } from "./rest.js";

const IDLE = { state: "idle", id: "", task: "", args: null, items: [], notes: [], steps: [], sections: [], consent: null, progress: null, step: null, result: null, error: null };

// state: idle, queued, running, done, error, cancelled, interrupted. `name` is where this tab remembers the job.
export function createRun(name) {
  const key = `dragtor.run.${name}`;
  const store = createStore(IDLE);
  let stopHearing = () => {};

  const hear = (id, remembered) => (frame) => {
    if (store.get().id !== id) return;
    if (remembered && frame.type === "error" && !frame.seq) run.clear(); // the server forgot it
    else store.set((old) => heard(old, frame));
  };
  const begin = (id, task, args) => {
    stopHearing();
    store.set({ ...IDLE, state: "queued", id, task, args });
    remember(key, { id, task, args });
  };
  const run = {
    ...store,
    start(task, args) {
      const id = newId();
      begin(id, task, args);
      connection.start(task, args, hear(id), id);
      stopHearing = () => connection.forget(id);
    },
    follow(id, task = "", args = null) {
      begin(id, task, args);
      stopHearing = connection.follow(id, hear(id, true));
    },
    // Goes on with a job that a server left unfinished.
    async resume() {
      await post(`/jobs/${store.get().id}/resume`);
      connection.hearOn(store.get().id);
    },
    // Tells the job what it asks for, as `consent`.
    answer(answer) {
      connection.answer(store.get().id, answer);
      store.set({ consent: null });
    },
    stop: () => isGoing(store.get()) && connection.cancel(store.get().id),
    clear() {
      stopHearing();
      store.set(IDLE);
      remember(key, null);
    },
  };
  const known = remembered(key);
  if (known) run.follow(known.id, known.task, known.args);
  return run;
}

export const isGoing = (run) => run.state === "queued" || run.state === "running";

function heard(old, { type, data = {} }) {
  switch (type) {
    case "queued": return { ...old, state: "queued" };
    case "started": return { ...old, state: "running", error: null, items: [], steps: [], sections: [], consent: null };
    case "progress": return { ...old, state: "running", progress: data };
    case "step": return { ...old, state: "running", step: data, steps: [...old.steps, data], consent: null };
    case "section": return { ...old, sections: [...old.sections, data] };
    case "consent": return { ...old, consent: data };
    case "item": return { ...old, state: "running", items: [...old.items, data] };
    case "note": return { ...old, notes: [...old.notes, data], consent: null };
    case "done": return { ...old, state: "done", result: data.result };
    case "error": return { ...old, state: data.code === "interrupted" ? "interrupted" : "error", error: data };
    case "cancelled": return { ...old, state: "cancelled" };
    default: return old;
  }
}

function remember(key, value) {
  try {
    if (value) sessionStorage.setItem(key, JSON.stringify(value));
    else sessionStorage.removeItem(key);
  } catch {
    sessionStorage.removeItem(key); // too long a text: it is not taken up after a reload
  }
}

function remembered(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) || "null");
  } catch {
    return null;
  }
}
