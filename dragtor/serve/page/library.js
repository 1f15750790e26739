// The page Library.
import { html } from "./lib.js";

export default function Library() {
  return html`<div class="page"><h1>Library</h1></div>`;
}
