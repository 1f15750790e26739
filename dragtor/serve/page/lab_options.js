// The options of a training, as `dragtor train encoder` has them, and the form that asks for them.
// A test holds names and defaults against the command's. Knows no job.

import { html } from "./lib.js";

// [name, label, what is typed, default, limits and help]
const BASICS = [
  ["base", "Base", "text", "all-minilm-l6-v2", { help: "any encoder of transformers" }],
  ["epochs", "Epochs", "whole", 4, { min: 1 }],
  ["learning_rate", "Learning rate", "number", 0.0002, { min: 1e-7 }],
  ["batch", "Texts of a step", "whole", 32, { min: 1 }],
  ["max_tokens", "Tokens of a window", "whole", 256, { min: 8 }],
  ["pooling", "Pooling", ["mean", "max", "cls"], "mean", {}],
];
const MORE = [
  ["validation", "Share held out", "number", 0.1, { min: 0.01, max: 0.9 }],
  ["evaluate_every", "Steps between two looks", "whole", 0, { min: 0, help: "0: an epoch" }],
  ["patience", "Looks without a better one", "whole", 3, { min: 1 }],
  ["warmup", "Warm-up, share of steps", "number", 0.05, { min: 0, max: 1 }],
  ["dropout", "Dropout of the heads", "number", 0.1, { min: 0, max: 0.9 }],
  ["rank", "Rank of adapters (LoRA)", "whole", 0, { min: 0, help: "0: all weights" }],
  ["seed", "Seed", "whole", 7, { min: 0 }],
  ["threads", "Threads", "whole", 0, { min: 0, help: "0: all cores" }],
  ["power", "Power of a task's size", "number", 1, { min: 0 }],
  ["shapes", "Tell how words are written", "switch", true, {}],
  ["uncertainty", "Learn the weights of tasks", "switch", false, {}],
  ["freeze", "Freeze", "list", [], { help: "encoder, embeddings, layers:N, head:NAME" }],
  ["weight", "Weights of losses", "list", [], { help: "NAME=NUMBER" }],
  ["answers", "Heads that learn if there is an answer", "list", [], { help: "TASK=HEAD" }],
  ["mapping", "Labels as others", "list", [], { help: "FINE=COARSE" }],
  ["start", "Begin with", "model", "", { help: "a model trained here" }],
];

export const DEFAULTS = Object.fromEntries([...BASICS, ...MORE].map(([name, , , value]) => [name, value]));

// Only what differs from the defaults is sent.
export const changed = (options) =>
  Object.fromEntries(Object.entries(options).filter(([name, value]) =>
    JSON.stringify(value) !== JSON.stringify(DEFAULTS[name])));

export function Options({ values, models, onChange }) {
  const field = ([name, label, type, , rest]) => html`<${Field} key=${name} ...${{ name, label, type, rest, models }}
    value=${values[name]} onChange=${(value) => onChange({ ...values, [name]: value })} />`;
  return html`<fieldset class="options"><legend>How to train</legend>
    <div class="fields">${BASICS.map(field)}</div>
    <details><summary>All options</summary><div class="fields">${MORE.map(field)}</div></details>
  </fieldset>`;
}

function Field({ name, label, type, value, rest, models, onChange }) {
  const id = `train-${name}`;
  const help = rest.help && html`<small class="quiet" id=${`${id}-help`}>${rest.help}</small>`;
  const told = { id, class: "field", "aria-describedby": rest.help ? `${id}-help` : undefined };
  const changedTo = (read) => (event) => onChange(read(event.target));
  if (type === "switch") {
    return html`<label class="switch"><input type="checkbox" role="switch" checked=${value}
      onChange=${changedTo((input) => input.checked)} /><span>${label}</span></label>`;
  }
  let input;
  if (type === "model" || Array.isArray(type)) {
    const choices = type === "model" ? ["", ...models] : type;
    input = html`<select ...${told} value=${value} onChange=${changedTo((each) => each.value)}>
      ${choices.map((each) => html`<option value=${each}>${each || "the base as it is"}</option>`)}</select>`;
  } else if (type === "whole" || type === "number") {
    input = html`<input ...${told} type="number" required step=${type === "whole" ? 1 : "any"} min=${rest.min} max=${rest.max}
      value=${value} onInput=${changedTo((each) => (each.value === "" ? "" : Number(each.value)))} />`;
  } else if (type === "list") {
    input = html`<input ...${told} value=${value.join(", ")}
      onChange=${changedTo((each) => each.value.split(",").map((part) => part.trim()).filter(Boolean))} />`;
  } else {
    input = html`<input ...${told} required value=${value} onInput=${changedTo((each) => each.value)} />`;
  }
  return html`<div class="option"><label for=${id}>${label}</label>${input}${help}</div>`;
}
