import { allowDownload, remove, retry } from "./backend.js";
import { make } from "./controls.js";

const WORDS = {
  queued: "In the queue",
  waiting: "Waiting for another separation",
  loading: "Loading the model",
  fetching: "Downloading the model",
  separating: "Separating",
  done: "Ready",
  cancelled: "Cancelled",
};
const RUNNING = new Set(["queued", "waiting", "asking", "fetching", "loading", "separating", "uploading"]);

/** The list of songs: those of the server, and those that are being sent to it. */
export class Queue {
  #list;
  #onOpen;
  #onError;
  #fallback;
  #rows = new Map();

  /**
   * @param {HTMLElement} list
   * @param {(id: string) => void} onOpen - Called when the user opens a song.
   * @param {(error: Error) => void} onError
   * @param {HTMLElement} fallback - Gets the focus when the last song is removed.
   */
  constructor(list, onOpen, onError, fallback) {
    [this.#list, this.#onOpen, this.#onError, this.#fallback] = [list, onOpen, onError, fallback];
  }

  /** Shows all songs. */
  show(songs, openId) {
    let hadFocus = false;
    for (const id of [...this.#rows.keys()]) {
      if (songs.some((song) => song.id === id)) continue;
      const { item } = this.#rows.get(id);
      hadFocus ||= item.contains(document.activeElement);
      item.remove();
      this.#rows.delete(id);
    }
    const asking = songs.find((song) => song.state === "asking");
    for (const [i, song] of songs.entries()) {
      if (!this.#rows.has(song.id)) this.#add(song);
      const row = this.#rows.get(song.id);
      if (this.#list.children[i] !== row.item) this.#list.insertBefore(row.item, this.#list.children[i] ?? null);
      this.#update(row, song, song.id === openId, asking);
    }
    // Whoever works with the keyboard would have to start at the top of the page.
    if (hadFocus) (this.#list.querySelector("button:not([hidden])") ?? this.#fallback).focus();
  }

  #add(song) {
    const row = {
      title: make("span", { class: "title" }, song.name),
      state: make("span", { class: "state" }),
      progress: make("progress", { max: 1, "aria-label": `Progress of ${song.name}` }),
      open: make("button", { type: "button", "aria-label": `Open ${song.name}` }, "Open"),
      allow: make("button", { type: "button", "aria-label": `Download the model for ${song.name}` }, "Download"),
      again: make("button", { type: "button", "aria-label": `Try ${song.name} again` }, "Try again"),
      remove: make("button", { type: "button" }, "Remove"),
    };
    row.open.addEventListener("click", () => this.#onOpen(song.id));
    row.allow.addEventListener("click", () => this.#try(allowDownload(song.id)));
    row.again.addEventListener("click", () => this.#try(retry(song.id)));
    row.remove.addEventListener("click", () => {
      if (row.abort) row.abort();
      else this.#try(remove(song.id));
    });
    const actions = make("div", { class: "actions" }, row.allow, row.open, row.again, row.remove);
    row.item = make("li", { class: "song" }, row.title, row.state, row.progress, actions);
    this.#rows.set(song.id, row);
  }

  #update(row, song, isOpen, asking) {
    const isRunning = RUNNING.has(song.state);
    row.abort = song.abort;
    row.item.classList.toggle("open", isOpen);
    row.item.classList.toggle("failed", song.state === "failed");
    row.state.textContent = stateText(song, asking);
    row.progress.hidden = !["separating", "fetching", "uploading"].includes(song.state);
    if (song.fraction === null) row.progress.removeAttribute("value");
    else row.progress.value = song.fraction;
    row.open.hidden = !song.length;
    if (isOpen) row.item.setAttribute("aria-current", "true");
    else row.item.removeAttribute("aria-current");
    row.again.hidden = song.state !== "failed" || Boolean(song.abort);
    row.allow.hidden = song.state !== "asking";
    const verb = isRunning ? "Cancel" : "Remove";
    row.remove.textContent = verb;
    row.remove.setAttribute("aria-label", `${verb} ${song.name}`);
  }

  async #try(action) {
    try {
      await action;
    } catch (error) {
      this.#onError(error);
    }
  }
}

/** What a row says of its song, while another one may ask something, or none does. */
function stateText(song, asking) {
  if (song.state === "failed") return song.remedy ? `${song.text}. ${song.remedy}` : song.text;
  if (song.state === "asking") return song.text;
  if (song.state === "uploading") return "Sending";
  if (song.state === "queued" && asking) return `Waits until you answer for ${asking.name}, or cancel it`;
  const word = WORDS[song.state];
  if (song.state === "separating") {
    const left = song.remaining === null ? "" : `, ${Math.ceil(song.remaining)} s left`;
    return `${word}, ${Math.round(100 * song.fraction)} %${left}`;
  }
  return song.text && song.state === "done" ? `${word}. ${song.text}` : word;
}
