import { add, check, connect, leave, listen, remove, warm } from "./backend.js";
import { make } from "./controls.js";
import { Desk } from "./desk.js";
import { Queue } from "./queue.js";
import { filesOf, songsAmong } from "./files.js";

const RECONNECT = 1000; // milliseconds

const find = (id) => document.getElementById(id);

/** Shows a text to all, unless it is there already: screen readers would read it again. */
function notice(text) {
  if (find("notice").textContent !== text) find("notice").textContent = text;
}

// Answers that all further songs would get, too: too many songs, no space.
const REFUSES_ALL = new Set([429, 507]);

/** The page as a whole. */
class Page {
  #offered;
  #desk;
  #queue;
  #songs = []; // of the server
  #uploads = []; // on the way to it
  #states = new Map();
  #autoplay = null; // the song that plays as soon as it can, unless another one plays then

  constructor(offered) {
    this.#offered = { ...offered, colours: Uint8Array.from(offered.colours.match(/../g), (hex) => parseInt(hex, 16)) };
    this.#desk = new Desk(this.#offered);
    this.#queue = new Queue(find("songs"), (id) => this.#open(id), (error) => notice(error.message), find("choose-songs"));
    this.#prepareOptions();
    this.#prepareDrop();
    find("work").hidden = false;
  }

  /** Follows the server until the page is closed. */
  async run() {
    for (;;) {
      try {
        await listen((songs) => this.#update(songs));
      } catch (error) {
        notice(error.message);
      }
      await new Promise((resolve) => setTimeout(resolve, RECONNECT));
      try {
        await check();
        notice("");
      } catch (error) {
        notice(error.message);
      }
    }
  }

  get #model() {
    return this.#offered.models.find((model) => model.name === find("model").value);
  }

  get #stems() {
    return [...document.querySelectorAll("#model-stems input:checked")].map((box) => box.value);
  }

  #prepareOptions() {
    const options = this.#offered.models.map((model) => make("option", { value: model.name }));
    find("model").replaceChildren(...options);
    this.#showSizes();
    find("model").addEventListener("change", () => this.#showModel());
    this.#showModel();
  }

  #showSizes() {
    for (const [i, { name, nDownloadBytes }] of this.#offered.models.entries()) {
      const size = nDownloadBytes ? `, download ${Math.round(nDownloadBytes / 1e6)} MB` : "";
      const option = find("model").options[i];
      if (option.textContent !== `${name}${size}`) option.textContent = `${name}${size}`;
    }
  }

  #showModel() {
    const model = this.#model;
    const boxes = model.stems.map((stem) =>
      make("label", { class: "check" }, make("input", { type: "checkbox", value: stem, ".checked": true }), stem));
    const fieldset = find("model-stems");
    fieldset.replaceChildren(fieldset.querySelector("legend"), ...boxes);
    fieldset.onchange = (event) => {
      // Without any stem there would be nothing to separate.
      if (!this.#stems.length) event.target.checked = true;
    };
    const rest = ["other", "accompaniment"].find((stem) => model.stems.includes(stem)) ?? "everything else";
    const band = model.bandwidth
      ? ` The model hears up to ${(model.bandwidth / 1000).toFixed(0)} kHz. With all stems, higher sound is in “${rest}”.`
      : "";
    find("model-note").textContent = `Stems that you do not choose stay together, as “everything else”.${band}`;
    this.#warm();
  }

  #warm() {
    warm(this.#model.name);
  }

  #prepareDrop() {
    const drop = find("drop");
    let depth = 0;
    const over = (change) => {
      depth = Math.max(0, depth + change);
      drop.classList.toggle("over", depth > 0);
    };
    addEventListener("dragenter", () => {
      over(1);
      this.#warm();
    });
    addEventListener("dragleave", () => over(-1));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", async (event) => {
      event.preventDefault();
      over(-depth);
      try {
        this.#add(await filesOf(event.dataTransfer));
      } catch (error) {
        notice(`What you dropped cannot be read (${error.message}). Choose the songs with the buttons instead.`);
      }
    });
    for (const [button, input] of [["choose-songs", "songs-input"], ["choose-folder", "folder-input"]]) {
      find(button).addEventListener("click", () => {
        this.#warm();
        find(input).click();
      });
      find(input).addEventListener("change", () => {
        const files = [...find(input).files];
        find(input).value = "";
        this.#add(input === "folder-input" ? songsAmong(files) : files);
      });
    }
  }

  async #add(files) {
    if (!files.length) {
      notice("No songs were found there. Choose audio files, or a folder with audio files.");
      return;
    }
    notice("");
    const [model, stems] = [this.#model.name, this.#stems];
    const uploads = files.map((file, i) => {
      const controller = new AbortController();
      const each = {
        id: `upload ${performance.now()} ${i}`, name: file.name, state: "uploading", text: "", remedy: "",
        fraction: null, remaining: null, length: 0, file, controller, songId: null,
      };
      each.abort = () => {
        controller.abort();
        // It may have arrived already.
        if (each.songId) remove(each.songId).catch((error) => notice(error.message));
        this.#show();
      };
      return each;
    });
    this.#uploads.push(...uploads);
    this.#show();
    const isFirst = find("at-once").checked && !this.#desk.isPlaying;
    for (const [i, each] of uploads.entries()) {
      try {
        each.controller.signal.throwIfAborted();
        if (each.file.size > this.#offered.nSongBytes) {
          const limit = (this.#offered.nSongBytes / 1e9).toPrecision(2);
          throw new Error(`${each.name} is larger than ${limit} GB. Cut the song, or convert it to FLAC.`);
        }
        each.songId = await add(each.file, model, stems, each.controller.signal);
        if (isFirst && each === uploads[0]) this.#autoplay = each.songId;
      } catch (error) {
        if (error.name !== "AbortError") {
          [each.state, each.text] = ["failed", error.message];
          find("news").textContent = `${each.name}: ${error.message}`;
        }
        if (REFUSES_ALL.has(error.status)) {
          for (const rest of uploads.slice(i + 1)) [rest.state, rest.text] = ["failed", "Not sent."];
          this.#show();
          return;
        }
      }
      this.#update(this.#songs);
    }
  }

  #update(songs) {
    this.#songs = songs;
    for (const model of this.#offered.models) {
      // Somebody's song has brought it.
      if (songs.some((song) => song.model === model.name && song.length)) model.nDownloadBytes = 0;
    }
    this.#showSizes();
    for (const song of songs) {
      const before = this.#states.get(song.id);
      this.#states.set(song.id, song.state);
      if (before && before !== song.state && ["done", "failed", "asking"].includes(song.state)) {
        find("news").textContent = `${song.name}: ${song.state === "done" ? "ready" : song.text}`;
      }
    }
    const open = songs.find((song) => song.id === this.#desk.songId);
    // A song that is tried again has no stems for a while.
    if (open?.length) this.#desk.update(open);
    else this.#desk.close();
    const first = songs.find((song) => song.length);
    const wanted = songs.find((song) => song.id === this.#autoplay && song.length);
    if (wanted) {
      this.#autoplay = null;
      if (!this.#desk.isPlaying) {
        if (wanted.id !== this.#desk.songId) this.#desk.open(wanted);
        this.#desk.play();
      }
    } else if (!this.#desk.songId && first) {
      this.#desk.open(first);
    }
    this.#show();
  }

  #open(id) {
    const song = this.#songs.find((each) => each.id === id);
    if (song && id !== this.#desk.songId) {
      this.#desk.open(song);
      this.#show();
    }
    find("play").focus();
  }

  #show() {
    // A song that was sent stays in the list until the server's news have it.
    const isThere = (id) => this.#songs.some((song) => song.id === id);
    this.#uploads = this.#uploads.filter((each) => !each.controller.signal.aborted && !isThere(each.songId));
    const songs = [...this.#songs, ...this.#uploads];
    find("queue").hidden = !songs.length;
    this.#queue.show(songs, this.#desk.songId);
  }
}

try {
  const page = new Page(await connect());
  // A page that the browser keeps for the Back button comes back.
  addEventListener("pagehide", (event) => event.persisted || leave());
  page.run();
} catch (error) {
  notice(error.message);
}
