// What is shown where the server is gone or lets nobody in: a banner over a page that stays, or the
// door where there is no page yet. Knows no task.
import { html, useEffect, useState, useStore } from "./lib.js";
import { connect, retryNow, server } from "./connection.js";
import { keepToken, post } from "./rest.js";
import { Button, Command, Failure } from "./ui.js";

export function Banner() {
  const { state, retryAt, everOpen } = useStore(server);
  const [now, setNow] = useState(Date.now());
  const [late, setLate] = useState(false);
  const away = state === "gone" || (state === "refused" && everOpen);
  useEffect(() => {
    setLate(false);
    if (!away) return undefined;
    const patience = setTimeout(() => setLate(true), everOpen ? 500 : 0);
    const ticking = setInterval(() => setNow(Date.now()), 500);
    return () => {
      clearTimeout(patience);
      clearInterval(ticking);
    };
  }, [away]);
  if (!away || !late) return null;
  const seconds = Math.max(0, Math.ceil((retryAt - now) / 1000));
  const said =
    state === "refused"
      ? "The server was started anew and wants its new address: open the one that it prints."
      : "What you see is kept, and running work goes on when it is back.";
  return html`<div class="banner" role="alert">
    <div><strong>The server is gone.</strong> <span>${said}</span>
      ${state === "gone" && html`<span aria-hidden="true"> ${seconds ? `Next try in ${seconds} s.` : "Trying …"}</span>`}</div>
    <${Command} text="dragtor serve" />
    <${Button} icon="retry" onClick=${retryNow}>Try now<//>
  </div>`;
}

// No token, or a wrong one: open the printed address, or type the code that pairs this device.
export function Door() {
  const [code, setCode] = useState("");
  const [error, setError] = useState(null);
  const pair = async (event) => {
    event.preventDefault();
    setError(null);
    try {
      keepToken((await post("/pair", { code: code.replace(/\D/g, "") })).token);
      connect();
    } catch (failed) {
      setError(failed);
    }
  };
  return html`<main class="door">
    <h1>dragtor</h1>
    <p class="lead">This page belongs to a server on your machine, which lets in whoever has its address.</p>
    <p>Open the whole address that this command prints; it ends in <code>#token=…</code></p>
    <p><${Command} text="dragtor serve" /></p>
    <form onSubmit=${pair}>
      <label for="code">On another device? Type the eight digits that <code>dragtor serve --lan</code> shows.</label>
      <div class="row">
        <input id="code" class="field code" inputmode="numeric" autocomplete="one-time-code" maxlength="9"
          placeholder="0000 0000" value=${code} onInput=${(event) => setCode(event.target.value)} />
        <button class="button primary" disabled=${code.replace(/\D/g, "").length !== 8}>Pair</button>
      </div>
    </form>
    ${error && html`<${Failure} error=${error} />`}
  </main>`;
}
