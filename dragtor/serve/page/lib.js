// What every module of the page is written with: Preact, its hooks, htm, and stores that several
// components look at. Knows nothing of dragtor.
import { h, render, Fragment } from "./vendor/preact.js";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "./vendor/hooks.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { render, Fragment, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState };

// A value that outlives the components that show it: a page left and opened again is as it was.
export function createStore(initial) {
  let value = initial;
  const listeners = new Set();
  return {
    get: () => value,
    set(change) {
      const next = typeof change === "function" ? change(value) : { ...value, ...change };
      if (next === value) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore(store) {
  const [, redraw] = useReducer((n) => n + 1, 0);
  const seen = store.get();
  useLayoutEffect(() => {
    if (store.get() !== seen) redraw();
    return store.subscribe(redraw);
  }, [store]);
  return seen;
}

// True once `ms` have passed while `on` holds: what is quick never flashes a skeleton.
export function useDelayed(on, ms = 200) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!on) return undefined;
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
  return on && late;
}

// {data, error, loading, reload}: what an asynchronous function gives, anew when `inputs` change.
export function useLoaded(load, inputs) {
  const [state, setState] = useState({ loading: true });
  const [turn, reload] = useReducer((n) => n + 1, 0);
  useEffect(() => {
    let current = true;
    setState((old) => ({ ...old, loading: true, error: undefined }));
    load().then(
      (data) => current && setState({ data, loading: false }),
      (error) => current && setState((old) => ({ ...old, error, loading: false })),
    );
    return () => {
      current = false;
    };
  }, [...inputs, turn]);
  return { ...state, reload };
}

// 128 random bits; randomUUID is missing where the page comes over plain http from another device.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
