// A recording: its player at the second, its transcript by speaker, the stretch that plays, and who
// speaks, to be renamed. Players of other sites are a link, opened by a click.
import { html, useEffect, useMemo, useRef, useState } from "./lib.js";
import { documentPath, mediaUrl, post, ticket } from "./rest.js";
import { marked, stretchOf } from "./offsets.js";
import { useShown } from "./reader-text.js";
import { Icon, clock, safeUrl, toast, whyNot } from "./ui.js";

// Segments that follow each other and have one speaker are one turn.
function turnsOf(segments) {
  const turns = [];
  for (const [index, segment] of segments.entries()) {
    const last = turns.at(-1);
    if (last && last.speaker === segment.speaker && last.segments.length < 12) last.segments.push({ ...segment, index });
    else turns.push({ speaker: segment.speaker, segments: [{ ...segment, index }] });
  }
  return turns;
}

export function RecordingView({ found, place, segments, onChange }) {
  const room = useRef(null);
  const player = useRef(null);
  const [now, setNow] = useState(-1);
  const turns = useMemo(() => turnsOf(segments), [segments]);
  const lit = useMemo(() => stretchOf(found.text, place), [found, place]);
  useShown(room, place);
  const play = (seconds) => {
    if (!player.current) return;
    player.current.currentTime = seconds;
    player.current.play().catch(() => {});
  };
  const ticked = () => {
    const at = player.current.currentTime;
    setNow(player.current.paused && at === 0 ? -1 : segments.findLastIndex((each) => each.start_s != null && each.start_s <= at + 0.05));
  };
  return html`
    <${Player} found=${found} place=${place} player=${player} onTick=${ticked} />
    ${found.speakers?.length > 0 && html`<${Speakers} found=${found} onChange=${onChange} />`}
    <div class="reader-body" tabindex="0">
      <div class="transcript" ref=${room} key=${`${place.start} ${place.end}`}>
        ${turns.map(({ speaker, segments: said }) => html`<section class="spoken">
          <header>
            ${said[0].start_s != null && html`<button type="button" class="time" aria-label=${`Play from ${clock(said[0].start_s)}`} onClick=${() => play(said[0].start_s)}>${clock(said[0].start_s)}</button>`}
            ${speaker && html`<span class="speaker">${speaker}</span>`}
          </header>
          <p>${said.map((each) => html`<span class=${each.index === now ? "playing" : ""}>${marked(found.text, each.from, each.to, lit)} </span>`)}</p>
        </section>`)}
      </div>
    </div>`;
}

function Player({ found, place, player, onTick }) {
  const [state, setState] = useState({});
  const tag = found.kind === "video" ? "video" : "audio";
  const second = Math.max(0, place.start_s ?? 0);
  useEffect(() => {
    ticket(found.id).then(
      (pass) => setState({ address: `${mediaUrl(found.id, pass)}#t=${second.toFixed(1)}` }),
      (error) => setState({ error }),
    );
  }, [found.id]);
  useEffect(() => {
    if (player.current && player.current.readyState > 0) player.current.currentTime = second;
  }, [place]);
  const elsewhere = safeUrl(place.url) || safeUrl(found.url);
  if (state.error) {
    return html`<div class="reader-bar"><span class="small quiet grow">The recording itself is not kept here.</span>
      ${elsewhere && html`<a class="button" href=${elsewhere} target="_blank" rel="noreferrer noopener"><${Icon} name="open" />Open at ${clock(second)}</a>`}</div>`;
  }
  return html`<div class="player">
    ${state.address && html`<${tag} ref=${player} controls preload="metadata" src=${state.address} aria-label=${found.title}
      onTimeUpdate=${onTick} onError=${() => setState({ error: true })} />`}
  </div>`;
}

function Speakers({ found, onChange }) {
  const [edited, setEdited] = useState(null); // {label, name}
  const save = async (event) => {
    event.preventDefault();
    const { label, name } = edited;
    setEdited(null);
    try {
      await post(documentPath(found.id, "/speakers"), { names: { [label]: name.trim() } });
      const shown = (who) => who.name || who.label;
      const before = shown(found.speakers.find((each) => each.label === label));
      const after = name.trim() || label;
      onChange({
        ...found,
        speakers: found.speakers.map((each) => (each.label === label ? { ...each, name: name.trim() } : each)),
        segments: found.segments.map((each) => (each.speaker === before ? { ...each, speaker: after } : each)),
      });
      toast(`${before} is ${after} from now on`);
    } catch (error) {
      setEdited({ label, name }); // what was typed stays, to be saved once it can be
      toast(whyNot(error), { bad: true });
    }
  };
  return html`<div class="reader-bar speakers">
    <span class="small quiet">Speakers</span>
    ${found.speakers.map((each) =>
      edited?.label === each.label
        ? html`<form class="row" onSubmit=${save}>
            <input class="field rename" aria-label=${`Name of ${each.name || each.label}`} value=${edited.name} ref=${focused}
              onInput=${(event) => setEdited({ ...edited, name: event.target.value })}
              onKeyDown=${(event) => event.key === "Escape" && (event.stopPropagation(), event.preventDefault(), setEdited(null))} />
            <button class="button primary">Save</button>
          </form>`
        : html`<button type="button" class="chip" onClick=${() => setEdited({ label: each.label, name: each.name })}>
            <span class="offscreen">Rename </span><span class="name">${each.name || each.label}</span>${" "}${each.role && each.role !== "other" && html`<span class="quiet">${each.role}</span>`}<${Icon} name="pen" /></button>`)}
  </div>`;
}

function focused(element) {
  if (element && !element.dataset.met) {
    element.dataset.met = "1";
    element.focus();
    element.select();
  }
}
