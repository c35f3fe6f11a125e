/** What separates the songs of the page: the server. `local/backend.js` offers the same without one. */

// Browsers give a server six connections, and each tab keeps one. Without the sixth, all tabs would stand still.
const MOST_TABS = 5;
const TAB = "stemdock-tab";
const KEY = "stemdock-key"; // in the tab's own storage, which other tabs and other ports do not see

/** An answer that is none: `status` is that of HTTP, 0 if there is no answer. */
export class ServerError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

let key = "";

/** A message as a sentence. One about a file begins with its name. */
const sentence = (text) => (text.includes(": ") ? text : text[0].toUpperCase() + text.slice(1));

async function answerOf(response) {
  if (response.ok) return response;
  const { error, remedy } = await response.json().catch(() => ({}));
  const message = error ? `${sentence(error)}. ${remedy}` : `The server answered with the status ${response.status}.`;
  throw new ServerError(message, response.status);
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

/** Takes a place among the tabs, until the tab is closed. */
async function takePlace() {
  if (!navigator.locks) return; // this connection is not secure
  const { held } = await navigator.locks.query();
  if (held.filter(({ name }) => name.startsWith(TAB)).length >= MOST_TABS) {
    throw new ServerError(`There are already ${MOST_TABS} tabs with Stemdock in this browser. Close one, and reload this one.`);
  }
  navigator.locks.request(`${TAB} ${performance.timeOrigin} ${Math.random()}`, () => new Promise(() => {}));
}

/** Exchanges the token in the address for a key, or takes the tab's; returns what the server offers. */
export async function connect() {
  await takePlace();
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
  const edges = new Map(); // the server sends them once
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (text + value).split("\n");
    text = lines.pop();
    for (const [i, line] of lines.entries()) {
      const { songs } = JSON.parse(line);
      for (const song of songs) {
        if (song.edges) edges.set(song.id, song.edges);
        else song.edges = edges.get(song.id);
      }
      if (i === lines.length - 1) onSongs(songs);
    }
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

/** Separates a song that has failed once more. */
export const retry = (id) => send(`/api/songs/${id}/retry`, { method: "POST" });

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

/**
 * Exports a mix, a stem or all stems.
 *
 * @param {string} id - Of the song.
 * @param {object} order
 * @param {(fraction: number) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<object>} The address and the name of the file, and notes for the user.
 */
export async function exported(id, order, onProgress, signal) {
  const begun = await send(`/api/songs/${id}/exports`, { method: "POST", body: JSON.stringify(order) });
  const address = `/api/exports/${(await begun.json()).id}`;
  try {
    for (;;) {
      const response = await send(address, { signal });
      const answer = await response.json();
      if (response.status === 200) return answer;
      onProgress(answer.fraction);
    }
  } catch (error) {
    if (error.name === "AbortError") await send(address, { method: "DELETE" });
    throw error;
  }
}
