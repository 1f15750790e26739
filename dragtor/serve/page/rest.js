// Requests to /api/v1: the token goes along, errors come back as ApiError with their hint. Knows
// paths and tickets; neither what is drawn nor the websocket.
const STORED = "dragtor.token";
const TICKET_MS = 8 * 60_000; // they hold for ten minutes

export class ApiError extends Error {
  constructor({ code = "failed", message = "the server failed", hint = "", exit = 1 }, status = 0) {
    super(message);
    Object.assign(this, { code, hint, exit, status });
  }
}

// Moves the token from the address into this tab's memory, so that no history or picture holds it.
export function takeToken() {
  const found = /^#(?:.*&)?token=([^&]+)/.exec(location.hash);
  if (found) {
    sessionStorage.setItem(STORED, decodeURIComponent(found[1]));
    history.replaceState(null, "", `${location.pathname}#/ask`);
  }
  return token();
}

export const token = () => sessionStorage.getItem(STORED) || "";
export const keepToken = (value) => sessionStorage.setItem(STORED, value);

export async function request(path, options = {}) {
  const headers = { ...options.headers };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  let response;
  try {
    response = await fetch(`/api/v1${path}`, { cache: "no-store", ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ code: "server_gone", message: "The server does not answer", hint: "dragtor serve" });
  }
  if (response.ok) return response;
  let told = {};
  try {
    told = await response.json();
  } catch {
    told = { message: `The server answered ${response.status}` };
  }
  throw new ApiError(told.error || told, response.status);
}

const asJson = async (response) => (response.status === 204 ? null : response.json());
export const get = (path, options) => request(path, options).then(asJson);
export const remove = (path, options) => request(path, { ...options, method: "DELETE" }).then(asJson);
export const post = (path, data = {}) =>
  request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(data),
  }).then(asJson);

export const upload = (file, name = file.name) =>
  request(`/uploads/${encodeURIComponent(name)}`, { method: "PUT", body: file }).then(asJson);

export const query = (values) => {
  const given = Object.entries(values).filter(([, value]) => value !== "" && value != null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
};

const tickets = new Map();

// Pictures and sound are fetched by elements, which send no headers: a short-lived ticket is theirs.
export async function ticket(documentId) {
  const known = tickets.get(documentId);
  if (known && known.until > Date.now()) return known.ticket;
  const given = await post("/tickets", { document: documentId });
  tickets.set(documentId, { ticket: given.ticket, until: Date.now() + TICKET_MS });
  return given.ticket;
}

// A picture that was sent, upright, as a canvas draws it: no element and no address is needed.
export const sentPicture = async (uploadId, turned) =>
  createImageBitmap(await (await request(`/uploads/${uploadId}/picture${query({ turned })}`)).blob());

const id = encodeURIComponent;
export const pageUrl = (documentId, page, pass) =>
  `/api/v1/documents/${id(documentId)}/pages/${page}.png${query({ ticket: pass })}`;
export const mediaUrl = (documentId, pass) => `/api/v1/media/${id(documentId)}${query({ ticket: pass })}`;
export const documentPath = (documentId, rest = "") => `/documents/${id(documentId)}${rest}`;

// Hands the events of a text to the browser as a file; `how` dates are read: {tz, day_first}.
export async function saveCalendar(text, name, how = {}) {
  const response = await request("/events.ics", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text, ...how }),
  });
  const address = URL.createObjectURL(await response.blob());
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
