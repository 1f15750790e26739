// The page Lab: what an encoder and its heads say of sentences, how alike they are, and a training
// of one's own. Thresholds filter what is there; only other texts or another encoder are a new run.

import { createStore, html, useEffect, useLoaded, useMemo, useStore } from "./lib.js";
import { get } from "./rest.js";
import { createRun, isGoing } from "./run.js";
import { Drop, FileButton } from "./drop.js";
import { textOf } from "./text_file.js";
import { useKeys } from "./keys.js";
import { Classes, Legend, Marked, huesOf } from "./tokens.js";
import { Matrix, Norms } from "./matrix.js";
import { Training, training } from "./lab_train.js";
import { Button, Empty, Failure, Skeleton, counted } from "./ui.js";

const EXAMPLE = `Alex Megos climbed Bibliographie in Céüse.
Warm up for ten minutes before you load your fingers.
How long does a strained pulley take to heal?
Dr. Anna Weber works at the Charité in Berlin.
A finger pulley usually heals within weeks.`;
const POOLINGS = [["", "the encoder's own"], ["mean", "mean"], ["max", "max"], ["cls", "cls"]];
const MOST_TEXTS = 200;

const tagging = createRun("lab.tag"); // names and classes
const encoding = createRun("lab.encode"); // vectors
const kept = tagging.get().args || encoding.get().args || {};
const form = createStore({
  encoder: kept.encoder || "", pooling: kept.pooling || "", text: (kept.texts || []).join("\n"), least: {}, note: "",
});

const linesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

function read(encoder, text = form.get().text) {
  const texts = linesOf(text);
  if (!texts.length) return;
  if (texts.length > MOST_TEXTS) {
    form.set({ note: `${texts.length} lines; the first ${MOST_TEXTS} are read` });
    texts.length = MOST_TEXTS;
  } else form.set({ note: "" });
  form.set({ text });
  const { pooling } = form.get();
  if (encoder.heads) tagging.start("tag", { texts, encoder: encoder.name });
  else tagging.clear();
  encoding.start("encode", { texts, encoder: encoder.name, pooling });
}

export default function Lab() {
  const { encoder, pooling, text, note } = useStore(form);
  const models = useLoaded(() => get("/encoders"), []);
  const { state: trained } = useStore(training);
  useEffect(() => {
    if (["done", "cancelled"].includes(trained)) models.reload();
  }, [trained]);
  const encoders = models.data?.encoders || [];
  const chosen = encoders.find((each) => each.name === encoder) || encoders.find((each) => each.here);
  const tags = useStore(tagging), vectors = useStore(encoding);
  const going = isGoing(tags) || isGoing(vectors);
  const run = (given) => chosen && read(chosen, given);
  const stop = () => [tagging, encoding].forEach((each) => each.stop());
  const open = async (file) => {
    const found = await textOf(file);
    form.set({ note: found.note });
    if (found.text) run(found.text);
  };
  useKeys("Lab", [["Ctrl-↵", "read the sentences", () => run()], ["x", "stop", () => (going ? stop() : false)]]);
  return html`<div class="page lab">
    <h1>Lab</h1>
    ${models.error && html`<${Failure} error=${models.error} retry=${models.reload} />`}
    <${Drop} onFile=${open} label="Drop a text, a sentence a line">
      <form onSubmit=${(event) => { event.preventDefault(); run(); }}>
        <div class="row">
          <span class="inline"><label for="lab-encoder">Encoder</label><select id="lab-encoder" class="field" value=${chosen?.name || ""}
            onChange=${(event) => form.set({ encoder: event.target.value })}>
            ${encoders.map((each) => html`<option value=${each.name} disabled=${!each.here}>
              ${each.name}${each.heads ? ` (${each.heads.join(", ")})` : ""}${each.here ? "" : ", not installed"}</option>`)}
          </select></span>
          <span class="inline"><label for="lab-pooling">Pooling</label><select id="lab-pooling" class="field" value=${pooling}
            onChange=${(event) => form.set({ pooling: event.target.value })}>
            ${POOLINGS.map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select></span>
        </div>
        <label for="lab-text">Sentences, one a line</label>
        <textarea id="lab-text" class="field" rows="6" value=${text}
          onInput=${(event) => form.set({ text: event.target.value })}></textarea>
        <div class="row">
          <button class="button primary" disabled=${going || !chosen || !text.trim()}>Read them</button>
          ${going && html`<${Button} icon="stop" onClick=${stop}>Stop<//>`}
          <${FileButton} accept="text/*" onFile=${open}>Open a file<//>
        </div>
      </form>
    <//>
    <p class="quiet" role="status">${note}</p>
    ${tags.state === "idle" && vectors.state === "idle" && html`<${Empty} icon="lab" title="Nothing read yet"
      action=${chosen && html`<${Button} onClick=${() => run(EXAMPLE)}>Try an example<//>`}>
      See the names and classes that an encoder finds in sentences, and how alike they are to it.<//>`}
    <${Said} job=${tags} retry=${() => run()} />
    <${Alike} job=${vectors} retry=${() => run()} />
    <${Training} encoders=${encoders} train=${models.data?.train} onChange=${models.reload} />
  </div>`;
}

// Names and classes, as far as they are likelier than the threshold of their head.
function Said({ job, retry }) {
  const { least } = useStore(form);
  const texts = job.result?.texts;
  const hues = useMemo(() => huesOf(texts || []), [texts]);
  if (isGoing(job)) return html`<${Skeleton} lines=${4} label="Reading the sentences" />`;
  if (job.error) return html`<${Failure} error=${job.error} retry=${retry} />`;
  if (!texts) return null;
  const heads = [...new Set(texts.flatMap((each) => [...each.spans.map((span) => span.head), ...Object.keys(each.classes)]))];
  const at = (head) => least[head] ?? 0.5;
  const shown = texts.map((each) => ({ ...each, spans: each.spans.filter((span) => span.probability >= at(span.head)) }));
  return html`<section class="said" aria-label="Names and classes">
    <h2>Names and classes</h2>
    <div class="row thresholds">${heads.map((head) => html`<label class="inline">${head} from
      <input type="range" min="0" max="1" step="0.01" value=${at(head)} aria-valuetext=${at(head).toFixed(2)}
        onInput=${(event) => form.set((old) => ({ ...old, least: { ...old.least, [head]: Number(event.target.value) } }))} />
      <output class="figure">${at(head).toFixed(2)}</output></label>`)}</div>
    <${Legend} texts=${shown} hues=${hues} />
    <ol class="texts">${shown.map((each) => html`<li><${Reading} tagged=${each} hues=${hues} at=${at} /></li>`)}</ol>
  </section>`;
}

function Reading({ tagged, hues, at }) {
  const heads = [...new Set(tagged.spans.map((span) => span.head))];
  return html`
    ${(heads.length ? heads : [""]).map((head) => html`${heads.length > 1 && html`<p class="quiet">${head}</p>`}
      <${Marked} text=${tagged.text} hues=${hues} spans=${tagged.spans.filter((span) => span.head === head)} />`)}
    ${Object.entries(tagged.classes).map(([head, chances]) => html`<${Classes} ...${{ head, chances, least: at(head) }} />`)}`;
}

function Alike({ job, retry }) {
  const found = job.result;
  if (isGoing(job)) return html`<${Skeleton} lines=${4} label="Making vectors" />`;
  if (job.error) return html`<${Failure} error=${job.error} retry=${retry} />`;
  if (!found) return null;
  return html`<section class="alike" aria-label="Vectors">
    <h2>Vectors</h2>
    <p class="quiet">${counted(found.texts.length, "text")}, ${counted(found.vectors[0].length, "number")} each, ${found.pooling} pooling, ${found.model}</p>
    <div class="pair-of">
      <${Matrix} texts=${found.texts} rows=${found.cosines} />
      <${Norms} texts=${found.texts} norms=${found.norms} />
    </div>
  </section>`;
}
