// One job at work, as a row: what it is, how far it is, and how to stop, resume or repeat it. Knows
// rows of adding.js; not what the task does.
import { html } from "./lib.js";
import { again, dismiss, removeJob, resumeJob, stopAdding } from "./adding.js";
import { Button, Command, Progress, counted } from "./ui.js";

const SAID = { sending: "Sending", queued: "Waiting", running: "Working", failed: "Failed", cancelled: "Stopped", interrupted: "Interrupted: the server ended meanwhile" };
const isCommand = (hint) => /^dragtor\s/.test(hint || "");

const Hint = ({ hint }) => (hint ? (isCommand(hint) ? html`<${Command} text=${hint} />` : html`<p class="small">${hint}</p>`) : null);

export function Job({ job }) {
  const { state, label, step, done, total, unit, error, failed } = job;
  const live = ["sending", "queued", "running"].includes(state);
  const far = total ? `${Math.round((100 * done) / total)} %` : "";
  const says = live ? [step || SAID[state], unit && total ? `${done} of ${total} ${unit}` : far].filter(Boolean).join(" · ") : failed ? `${counted(failed.length, "source")} could not be added` : error?.message || SAID[state];
  return html`<li class=${`job ${state}`}>
    <div class="row">
      <div class="grow"><strong class="job-label">${label}</strong><p class="small quiet" role=${live ? undefined : "alert"}>${state === "interrupted" ? SAID.interrupted : says}</p></div>
      ${live && state !== "sending" && html`<${Button} kind="plain" icon="stop" label=${`Stop: ${label}`} onClick=${() => stopAdding(job.id)} />`}
      ${state === "interrupted" && html`<${Button} icon="retry" onClick=${() => resumeJob(job)}>Resume<//><${Button} kind="plain" icon="trash" label=${`Forget: ${label}`} onClick=${() => removeJob(job)} />`}
      ${(state === "failed" || state === "cancelled") && html`
        ${job.task && html`<${Button} icon="retry" onClick=${() => again(job)}>Try again<//>`}
        <${Button} kind="plain" icon="close" label=${`Dismiss: ${label}`} onClick=${() => dismiss(job.id)} />`}
    </div>
    ${error && html`<${Hint} hint=${error.hint} />`}
    ${failed && html`<ul class="failures">${failed.map((each) => html`<li><p class="small"><strong>${each.what}</strong>: ${each.message}</p><${Hint} hint=${each.hint} /></li>`)}</ul>`}
    ${live && html`<${Progress} done=${done || 0} total=${total || 0} label=${label} />`}
  </li>`;
}
