// One job at work, as a row: what it is, how far it is, and how to stop, resume or repeat it. Knows
// rows of adding.js; not what the task does.
import { html } from "./lib.js";
import { again, dismiss, removeJob, resumeJob, stopAdding } from "./adding.js";
import { Button, Command, Icon, Progress } from "./ui.js";

const SAID = { sending: "Sending", queued: "Waiting", running: "Working", failed: "Failed", cancelled: "Stopped", interrupted: "Interrupted: the server ended meanwhile" };
const isCommand = (hint) => /^dragtor\s/.test(hint || "");

export function Job({ job }) {
  const { state, label, step, done, total, unit, error } = job;
  const live = ["sending", "queued", "running"].includes(state);
  const far = total ? `${Math.round((100 * done) / total)} %` : "";
  const says = live ? [step || SAID[state], unit && total ? `${done} of ${total} ${unit}` : far].filter(Boolean).join(" · ") : error?.message || SAID[state];
  return html`<li class=${`job ${state}`}>
    <div class="row">
      <div class="grow"><strong class="job-label">${label}</strong><p class="small quiet" role=${live ? undefined : "alert"}>${state === "interrupted" ? SAID.interrupted : says}</p></div>
      ${live && state !== "sending" && html`<${Button} kind="plain" icon="stop" label=${`Stop: ${label}`} onClick=${() => stopAdding(job.id)} />`}
      ${state === "interrupted" && html`<${Button} icon="retry" onClick=${() => resumeJob(job)}>Resume<//><${Button} kind="plain" icon="trash" label=${`Forget: ${label}`} onClick=${() => removeJob(job)} />`}
      ${(state === "failed" || state === "cancelled") && html`
        ${job.task && html`<${Button} icon="retry" onClick=${() => again(job)}>Try again<//>`}
        <${Button} kind="plain" icon="close" label=${`Dismiss: ${label}`} onClick=${() => dismiss(job.id)} />`}
    </div>
    ${error?.hint && (isCommand(error.hint) ? html`<${Command} text=${error.hint} />` : html`<p class="small">${error.hint}</p>`)}
    ${live && html`<${Progress} done=${done || 0} total=${total || 0} label=${label} />`}
  </li>`;
}
