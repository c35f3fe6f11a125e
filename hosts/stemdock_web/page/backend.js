/** What separates the songs of the page: the server. `local/backend.js` offers the same without one. */

const KEY = "stemdock-key"; // in the tab's own storage, which other tabs and other ports do not see

export class ServerError extends Error {}

let key = "";

async function answerOf(response) {
  if (response.ok) return response;
  const { error, remedy } = await response.json().catch(() => ({}));
  throw new ServerError(error ? `${error}. ${remedy}` : `The server answered with the status ${response.status}.`);
}

/** Sends a request with the page's key. */
async function send(address, options = {}) {
  const headers = { Authorization: `Bearer ${key}` };
  let response;
  try {
    response = await fetch(address, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("The server does not answer. Is plugin-cli web still running?");
  }
  return answerOf(response);
}

/** Exchanges the token in the address for a key, or takes the tab's; returns what the server offers. */
export async function connect() {
  const token = location.hash.slice(1);
  // The token must not stay where people copy addresses from.
  history.replaceState(null, "", location.pathname);
  let failure;
  for (const candidate of [sessionStorage.getItem(KEY), token].filter(Boolean)) {
    key = candidate;
    try {
      const offered = await (await send("/api/session", { method: "POST" })).json();
      key = offered.key;
      sessionStorage.setItem(KEY, key);
      return offered;
    } catch (error) {
      failure = error;
    }
  }
  sessionStorage.removeItem(KEY);
  throw failure ?? new ServerError("Open the address that plugin-cli web printed in the terminal.");
}

/** Calls a function with all songs, whenever something changes, until the session ends. */
export async function listen(onSongs) {
  const response = await send("/api/events");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (text + value).split("\n");
    text = lines.pop();
    if (lines.length) onSongs(JSON.parse(lines.at(-1)).songs);
  }
}

/** Makes sure that the page is still connected. */
export const check = () => send("/api/session", { method: "POST" });

/** Says that the page is closed, so that the server does not wait for long. */
export function leave() {
  send("/api/session/leave", { method: "POST", keepalive: true }).catch(() => {});
}

/** Loads a model before the first song. */
export function warm(model) {
  send(`/api/warm?model=${encodeURIComponent(model)}`, { method: "POST" }).catch(() => {});
}

/** Hands a song over; returns its id. */
export async function add(file, model, stems, signal) {
  const query = new URLSearchParams({ name: file.name, model, stems: stems.join(",") });
  return (await (await send(`/api/songs?${query}`, { method: "POST", body: file, signal })).json()).id;
}

/** Stops a song, and removes it. */
export const remove = (id) => send(`/api/songs/${id}`, { method: "DELETE" });

/** Lets the model of a song be downloaded. */
export const allowDownload = (id) => send(`/api/songs/${id}/download`, { method: "POST" });

/** Samples from `start` to `end`: for each sample the channels of each stem, stem after stem. */
export async function samples(id, start, end, signal) {
  const response = await send(`/api/songs/${id}/samples?start=${start}&end=${end}`, { signal });
  return new Float32Array(await response.arrayBuffer());
}

/** Columns of the pictures from `start` to `end`, stem after stem: see stemdock.GrowingPicture. */
export async function columns(id, start, end) {
  const response = await send(`/api/songs/${id}/pictures?start=${start}&end=${end}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Exports a mix, a stem or all stems; returns the address and the name of the file. */
export async function exported(id, order) {
  return (await send(`/api/songs/${id}/exports`, { method: "POST", body: JSON.stringify(order) })).json();
}
