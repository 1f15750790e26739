// Fine-tuning: files of tasks, options, the run as it goes on with its curves, and what it made.
// Knows how a run is shown; training and its files are the server's.

import { createStore, html, useStore } from "./lib.js";
import { remove, upload } from "./rest.js";
import { createRun, isGoing } from "./run.js";
import { Drop, FileButton } from "./drop.js";
import { Curves } from "./curves.js";
import { DEFAULTS, Options, changed } from "./lab_options.js";
import { Button, Command, Failure, Progress, toast } from "./ui.js";

export const training = createRun("lab.train");
const form = createStore({ files: [], name: "", options: DEFAULTS, failed: null });
const LOSSES = new Set(["train_loss", "loss"]);

// Each file is sent as soon as it is chosen; its name up to the first dot is its task's.
async function add(file) {
  const mine = { id: "", name: file.name, task: file.name.split(".")[0].replace(/\W/g, "_"), held: false };
  form.set((old) => ({ ...old, failed: null, files: [...old.files, mine] }));
  try {
    const sent = await upload(file);
    change(mine, { id: sent.upload });
  } catch (failed) {
    form.set((old) => ({ ...old, failed, files: old.files.filter((each) => each.name !== mine.name) }));
  }
}

const change = (file, values) => form.set((old) => ({
  ...old, files: old.files.map((each) => (each.name === file.name ? { ...each, ...values } : each)),
}));
const drop = (file) => form.set((old) => ({ ...old, files: old.files.filter((each) => each !== file) }));

function start(encoders) {
  const { files, name, options } = form.get();
  training.start("train", {
    name: name || freeName(files, encoders),
    files: withHeld(files).map(({ id, task, held }) => ({ upload: id, name: task, held })),
    options: changed(options),
  });
}

// Files to learn from, each with one that is held out of the same task, if there is one left.
function withHeld(files) {
  const apart = files.filter((each) => each.held);
  return files.filter((each) => !each.held).map((file) => {
    const at = apart.findIndex((each) => each.task === file.task);
    return { ...file, held: at < 0 ? "" : apart.splice(at, 1)[0].id };
  });
}

// Named by its tasks, with a number where that is taken.
function freeName(files, encoders) {
  const name = [...new Set(files.filter((each) => !each.held).map((each) => each.task))].join("-") || "mine";
  const taken = new Set(encoders.map((each) => each.name));
  for (let n = 1; ; n++) {
    const free = n === 1 ? name : `${name}-${n}`;
    if (!taken.has(free)) return free;
  }
}

export function Training({ encoders, train, onChange }) {
  const { files, name, options, failed } = useStore(form);
  const job = useStore(training);
  const trained = encoders.filter((each) => each.trained).map((each) => each.name);
  const ready = files.some((each) => !each.held) && files.every((each) => each.id);
  return html`<section class="training" aria-label="Training">
    <h2>Train heads of your own</h2>
    ${train && !train.available ? html`<${Lacking} hint=${train.hint} />` : html`
      <p class="quiet">CSV, JSONL or CoNLL: classes of texts, names in them, pairs, answers. Files of one name teach one head.</p>
      <${Drop} onFile=${add} label="Drop the file of a task">
        <form onSubmit=${(event) => { event.preventDefault(); start(encoders); }}>
          <div class="row"><${FileButton} multiple accept=".csv,.tsv,.json,.jsonl,.conll,.txt,.bio,.xz,.gz" onFile=${add}>Choose files<//></div>
          ${files.length > 0 && html`<ul class="task-files">${files.map((file) => html`<${TaskFile} key=${file.name} file=${file} />`)}</ul>`}
          ${failed && html`<${Failure} error=${failed} />`}
          <${Options} values=${options} models=${trained} onChange=${(values) => form.set({ options: values })} />
          <div class="row">
            <label class="inline">Name <input class="field" size="16" value=${name} placeholder=${freeName(files, encoders)} pattern="[A-Za-z0-9][A-Za-z0-9_.\\-]*"
              title="letters, digits, _ . -" onInput=${(event) => form.set({ name: event.target.value })} /></label>
            <button class="button primary" disabled=${!ready || isGoing(job)}>Train</button>
            ${isGoing(job) && html`<${Button} icon="stop" onClick=${training.stop}>Stop<//>`}
          </div>
        </form>
      <//>`}
    <${Run} job=${job} />
    <${Trained} encoders=${encoders.filter((each) => each.trained)} onChange=${onChange} />
  </section>`;
}

function Trained({ encoders, onChange }) {
  if (!encoders.length) return null;
  const gone = (name) => remove(`/encoders/${name}`).then(onChange, (error) => toast(error.message, { bad: true }));
  return html`<div><h3>Trained here</h3><ul class="task-files">${encoders.map(({ name, heads, here }) => html`
    <li><code>${name}</code> <span class="quiet">${here ? heads.join(", ") : "not finished: a training of this name and the same options goes on with it"}</span>
      <${Button} kind="plain" icon="trash" label=${`Remove ${name}`} onClick=${() => gone(name)} /></li>`)}</ul></div>`;
}

const Lacking = ({ hint }) => html`<div class="lacking">
  <p>Training needs the optional packages of <code>train</code>, which are not installed here:</p>
  <p><${Command} text=${hint} /></p></div>`;

const TaskFile = ({ file }) => html`<li>
  <span class="file-name">${file.name}</span>
  <label class="inline">teaches <input class="field" size="12" value=${file.task} required pattern="[A-Za-z0-9_]+" title="letters, digits and _"
    onInput=${(event) => change(file, { task: event.target.value })} /></label>
  <label class="inline"><input type="checkbox" checked=${file.held}
    onChange=${(event) => change(file, { held: event.target.checked })} /> held out</label>
  ${!file.id && html`<span class="quiet">sending …</span>`}
  <${Button} kind="plain" icon="close" label=${`Leave out ${file.name}`} onClick=${() => drop(file)} /></li>`;

const WORDS = { queued: "Waiting for its turn", running: "Training", done: "Trained", cancelled: "Stopped; what was done is kept" };

function Run({ job }) {
  if (job.state === "idle") return null;
  if (job.state === "error") return html`<${Failure} error=${job.error} title="The training ended" />`;
  if (job.state === "interrupted") return html`<${Interrupted} run=${training} error=${job.error} />`;
  const history = job.result?.metrics?.history || job.items.findLast((each) => each.kind === "evaluations")?.value || [];
  const { done = 0, total = 0 } = job.progress || {};
  return html`<div class="run" aria-label="Run">
    <p role="status"><strong>${WORDS[job.state]}</strong> ${total > 0 && html`<span class="quiet">step ${done} of ${total}</span>`}
      ${job.result && html`<span> <code>${job.result.model}</code> is in the list of encoders</span>`}</p>
    ${isGoing(job) && html`<${Progress} done=${done} total=${total} label="Steps" />`}
    <div class="curve-pair">
      <${Curves} title="Loss" series=${curves(history, (name) => LOSSES.has(name))} />
      <${Curves} title="On what is held out" series=${curves(history, (name) => name !== "step" && !LOSSES.has(name) && !name.endsWith("loss"))} />
    </div>
    ${job.notes.length > 0 && html`<details><summary>What it said</summary><ul class="log">
      ${job.notes.map((each) => html`<li>${each.text || String(each)}</li>`)}</ul></details>`}
  </div>`;
}

// A server that ended left the run as it was: it goes on where its last checkpoint is.
const Interrupted = ({ run, error }) => html`<div class="failure" role="alert"><p><strong>${error.message}</strong></p>
  <${Button} icon="retry" onClick=${() => run.resume().catch((failed) => toast(failed.message, { bad: true }))}>Go on<//></div>`;

function curves(history, wanted) {
  const names = [...new Set(history.flatMap((row) => Object.keys(row)))].filter(wanted);
  return names.map((name) => ({
    name: name.replace(/_/g, " "),
    points: history.filter((row) => Number.isFinite(row[name])).map((row) => [row.step, row[name]]),
  }));
}
