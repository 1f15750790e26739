// The one websocket: hello, jobs started, followed and cancelled, and all of it taken up again when
// the server comes back. Each event reaches its listeners once, in order. Knows no page and no task.
import { createStore, newId } from "./lib.js";
import { token, request } from "./rest.js";

const LAST = new Set(["done", "error", "cancelled"]);
const WAITS_MS = [300, 700, 1500, 3000, 5000, 8000];
const PING_MS = 25_000;

// state: connecting, open, gone (it is tried again), refused (the token is wrong or missing)
export const server = createStore({ state: "connecting", retryAt: 0, welcome: null, everOpen: false });

const jobs = new Map(); // id -> {id, task, args, seq, over, listeners}
let outbox = []; // frames that wait for the next welcome
let socket = null;
let tries = 0;
let timer = 0;

const isOpen = () => server.get().state === "open";

function send(frame) {
  if (isOpen()) socket.send(JSON.stringify(frame));
  else outbox.push(frame);
}

export function connect() {
  clearTimeout(timer);
  if (socket) return;
  if (!token()) {
    server.set({ state: "refused" });
    return;
  }
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = new WebSocket(`${scheme}://${location.host}/api/v1/ws`, "dragtor.v1");
  socket = mine;
  mine.onopen = () => mine.send(JSON.stringify({ type: "hello", v: 1, token: token() }));
  mine.onmessage = (event) => typeof event.data === "string" && receive(JSON.parse(event.data));
  mine.onclose = () => socket === mine && lost();
}

async function lost() {
  const welcomed = isOpen();
  socket = null;
  // The end of a connection does not tell a wrong token from a late hello; a request does.
  const refused = !welcomed && (await request("/jobs").then(() => false, (error) => error.status === 401 || error.status === 403));
  if (refused) {
    server.set({ state: "refused" });
    return;
  }
  const wait = WAITS_MS[Math.min(tries, WAITS_MS.length - 1)] * (0.8 + 0.4 * Math.random());
  tries += 1;
  server.set({ state: "gone", retryAt: Date.now() + wait });
  timer = setTimeout(connect, wait);
}

export function retryNow() {
  tries = 0;
  if (["gone", "refused"].includes(server.get().state)) connect();
}

function receive(frame) {
  if (frame.type === "welcome") welcomed(frame);
  const job = jobs.get(frame.job);
  if (!job) return;
  const refusal = frame.type === "error" && !frame.seq; // it never began, or is no longer known
  if (!refusal && !(frame.seq > job.seq)) return;
  job.seq = frame.seq || job.seq;
  job.over = LAST.has(frame.type); // what was interrupted and is resumed goes on
  for (const listener of [...job.listeners]) listener(frame);
}

function welcomed(frame) {
  tries = 0;
  const before = outbox;
  outbox = [];
  server.set({ state: "open", welcome: frame.data || frame, everOpen: true, retryAt: 0 });
  for (const job of jobs.values()) {
    if (job.over) continue;
    if (job.seq === 0 && job.task) send({ type: "start", id: job.id, task: job.task, args: job.args });
    else send({ type: "resume", job: job.id, after: job.seq });
  }
  for (const each of before) send(each);
}

// Runs a task. The id is chosen here, so that a start that got lost on the way can be sent again.
export function start(task, args, listener, id = newId()) {
  jobs.set(id, { id, task, args, seq: 0, over: false, listeners: new Set([listener]) });
  if (isOpen()) send({ type: "start", id, task, args });
  return id;
}

// Hears a job that is known to the server, from its first event on. Returns how to stop hearing.
export function follow(id, listener) {
  const job = { id, seq: 0, over: false, listeners: new Set([listener]) };
  jobs.set(id, job);
  if (isOpen()) send({ type: "resume", job: id, after: 0 });
  return () => jobs.get(id) === job && jobs.delete(id);
}

// Hears on where a job was left that the server runs again.
export function hearOn(id) {
  const job = jobs.get(id);
  if (!job) return;
  job.over = false;
  if (isOpen()) send({ type: "resume", job: id, after: job.seq });
}

export const cancel = (id) => send({ type: "cancel", job: id });
export const answer = (id, answer) => send({ type: "answer", job: id, answer });
export const forget = (id) => jobs.delete(id);

setInterval(() => isOpen() && send({ type: "ping" }), PING_MS);
addEventListener("online", retryNow);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && retryNow());
