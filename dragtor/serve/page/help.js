// The dialog of keys and of what a reader may choose: single letters on or off, light or dark. Knows
// the scopes that pages registered; not what their keys do.
import { html, createStore, useEffect, useRef, useStore } from "./lib.js";
import { letters, scopes, setLetters } from "./keys.js";
import { Button, Key } from "./ui.js";

const STORED = "dragtor.theme";
const THEMES = [["", "As the system"], ["light", "Light"], ["dark", "Dark"]];

export const help = createStore({ open: false, theme: localStorage.getItem(STORED) || "" });

function setTheme(theme) {
  localStorage.setItem(STORED, theme);
  document.documentElement.dataset.theme = theme;
  help.set({ theme });
}

document.documentElement.dataset.theme = help.get().theme;

export function Help() {
  const { open, theme } = useStore(help);
  const { on } = useStore(letters);
  const all = useStore(scopes);
  const dialog = useRef(null);
  useEffect(() => {
    if (open && !dialog.current.open) dialog.current.showModal();
    if (!open && dialog.current.open) dialog.current.close();
  }, [open]);
  const close = () => help.set({ open: false });
  const outside = (event) => event.target === dialog.current && close();
  return html`<dialog class="help" ref=${dialog} aria-labelledby="help-title" onClose=${close} onClick=${outside}>
    <div class="help-inside">
      <header><h2 id="help-title">Keys and settings</h2><${Button} kind="plain" icon="close" label="Close" onClick=${close} /></header>
      <div class="help-scopes">
        ${all.toReversed().map(({ title, rows }) => html`
          <section>
            <h3>${title}</h3>
            <dl>${rows.map(([key, label]) => html`<div><dt><${Key} name=${key.replace("Escape", "Esc").replace("Enter", "↵")} /></dt><dd>${label}</dd></div>`)}</dl>
          </section>`)}
      </div>
      <label class="switch">
        <input type="checkbox" role="switch" checked=${on} onChange=${(event) => setLetters(event.target.checked)} />
        <span>Single letters work as keys</span>
      </label>
      <fieldset class="choice">
        <legend>Appearance</legend>
        ${THEMES.map(([value, label]) => html`
          <label><input type="radio" name="theme" checked=${theme === value} onChange=${() => setTheme(value)} /><span>${label}</span></label>`)}
      </fieldset>
    </div>
  </dialog>`;
}
