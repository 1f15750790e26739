// The reader pane: one document beside the page, opened at a place.
import { html, createStore } from "./lib.js";

export const reader = createStore({ place: null });
export const openReader = (place) => reader.set({ place });
export const closeReader = () => reader.set({ place: null });
export const Reader = () => null;
