// The page Ask.
import { html } from "./lib.js";

export default function Ask() {
  return html`<div class="page"><h1>Ask</h1></div>`;
}
