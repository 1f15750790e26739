// Adding to the library: files are sent, addresses named, and the job that does it is followed until
// it is over, also after a reload. Knows jobs of adding; not how they are drawn.
import { createStore } from "./lib.js";
import { cancel, follow, forget, hearOn, start } from "./connection.js";
import { ApiError, get, post, remove, upload } from "./rest.js";
import { counted, toast } from "./ui.js";

const TASKS = new Set(["add", "sync"]);
const LIVE = new Set(["queued", "running", "interrupted"]);

// {id, label, state, step, done, total, error, failed}; states as of the server, and "sending"; `failed`
// are the errors of what could not be added, where the rest could
export const adding = createStore([]);
export const changes = createStore({ count: 0 }); // grows when the library has changed

export const changed = () => changes.set(({ count }) => ({ count: count + 1 }));
const put = (id, change) => adding.set((all) => all.map((each) => (each.id === id ? { ...each, ...change } : each)));

// Frames of one job -> its row
const listen = (id) => ({ type, data }) => {
  if (type === "queued") put(id, { state: "queued", position: data.position });
  if (type === "started") put(id, { state: "running", error: undefined, failed: undefined });
  if (type === "note") put(id, { step: data.text });
  if (type === "step") put(id, { step: data.label });
  if (type === "progress") put(id, { state: "running", done: data.done, total: data.total, unit: data.unit, step: data.label || undefined });
  if (type === "item") changed();
  if (type === "error") put(id, { state: data.code === "interrupted" ? "interrupted" : "failed", error: data });
  if (type === "cancelled") put(id, { state: "cancelled" });
  if (type === "done") finished(id, data.result || {});
  if (["error", "cancelled", "done"].includes(type)) changed();
};

function finished(id, result) {
  const failed = result.failed || [];
  if (failed.length) {
    put(id, { state: "failed", failed });
    return;
  }
  const { task, label } = adding.get().find((each) => each.id === id) || {};
  const fresh = (result.added || 0) + (result.changed || 0) + (result.removed || 0);
  if (task === "sync") toast(fresh ? `Up to date: ${counted(fresh, "document")} changed` : "Nothing has changed");
  else toast(fresh ? `Added: ${label}` : `Already in the library: ${label}`);
  dismiss(id);
}

export function dismiss(id) {
  forget(id);
  adding.set((all) => all.filter((each) => each.id !== id));
}

function begin(task, args, label, id) {
  const job = start(task, args, (frame) => listen(job)(frame), id);
  const row = { id: job, task, args, label, state: "queued" };
  adding.set((all) => [...all.filter((each) => each.id !== id), row]);
}

export const addAddresses = (addresses) => begin("add", { what: addresses }, shortened(addresses));
export const syncAll = () => begin("sync", {}, "Looking for changes");

export async function addFiles(files) {
  const id = `sending-${Math.random()}`;
  const label = shortened(files.map((file) => file.name));
  adding.set((all) => [...all, { id, label, state: "sending" }]);
  try {
    const sent = [];
    for (const file of files) sent.push((await upload(file)).upload);
    dismiss(id);
    begin("add", { what: [], upload: sent }, label);
  } catch (error) {
    put(id, { state: "failed", error: error instanceof ApiError ? error : { message: String(error.message) } });
  }
}

export const addUploads = (ids, label) => begin("add", { what: [], upload: ids }, label);

const shortened = (names) => (names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(", "));
const labelOf = ({ task, args }) => (task === "sync" ? "Looking for changes" : shortened([...(args.what || []), ...(args.upload || []).map(() => "a file")]));

export const stopAdding = (id) => cancel(id);

export function again({ id, task, args, label }) {
  dismiss(id);
  if (task) begin(task, args, label);
}

export async function resumeJob(row) {
  try {
    await post(`/jobs/${row.id}/resume`);
    put(row.id, { state: "queued", error: undefined });
    hearOn(row.id);
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

export async function removeJob(row) {
  dismiss(row.id);
  await remove(`/jobs/${row.id}`).catch(() => {});
}

// What the server is at, or was when it ended: asked once a page is opened.
export async function restoreAdding() {
  const { jobs } = await get("/jobs");
  for (const job of jobs) {
    if (!TASKS.has(job.task) || !LIVE.has(job.state) || adding.get().some(({ id }) => id === job.id)) continue;
    adding.set((all) => [...all, { id: job.id, task: job.task, args: job.args, label: labelOf(job), state: job.state }]);
    follow(job.id, listen(job.id));
  }
}

// Addresses in a pasted or dropped text, one a line or apart by spaces.
export const addressesIn = (text) => text.split(/\s+/).filter((each) => /^https?:\/\/[^\s/]+/i.test(each));
