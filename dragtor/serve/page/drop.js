// A place where one file may be dropped, and the button that chooses one instead. Knows no page, and
// not what is done with the file.

import { html, useState } from "./lib.js";

export function Drop({ onFile, label, children }) {
  const [over, setOver] = useState(0);
  const carriesFile = (event) => [...event.dataTransfer.types].includes("Files");
  const enter = (step) => (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    setOver((n) => Math.max(0, n + step));
  };
  const drop = (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    setOver(0);
    if (event.dataTransfer.files[0]) onFile(event.dataTransfer.files[0]);
  };
  return html`<div class=${`drop-one ${over ? "dropping" : ""}`} data-label=${label} onDragEnter=${enter(1)}
    onDragLeave=${enter(-1)} onDragOver=${enter(0)} onDrop=${drop}>${children}</div>`;
}

export function FileButton({ accept, multiple = false, capture, onFile, children }) {
  const chosen = (event) => {
    for (const file of event.target.files) onFile(file);
    event.target.value = "";
  };
  return html`<label class="button file-button">${children}<input type="file" class="offscreen" accept=${accept}
    multiple=${multiple} capture=${capture} onChange=${chosen} /></label>`;
}
