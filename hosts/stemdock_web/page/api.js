/** The page's connection to the server. */

const KEY = "stemdock-key"; // in the tab's own storage, which other tabs and other ports do not see

/** An answer that is none: `status` is that of HTTP, 0 if there is no answer. */
export class ServerError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

let key = "";

async function answerOf(response) {
  if (response.ok) return response;
  const { error, remedy } = await response.json().catch(() => ({}));
  const message = error ? `${error}. ${remedy}` : `The server answered with the status ${response.status}.`;
  throw new ServerError(message, response.status);
}

/** Sends a request with the page's key. */
export async function send(address, options = {}) {
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

/** Tells the server that the page is closed, so that it does not wait for long. */
export function leave() {
  send("/api/session/leave", { method: "POST", keepalive: true }).catch(() => {});
}
