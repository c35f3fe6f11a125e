import { exported as exportedFile } from "./backend.js";
import { Bar, make, Strip } from "./controls.js";
import { exactClock, factor } from "./mixing.js";
import { Pictures } from "./pictures.js";
import { Player } from "./player.js";
import { SongReel } from "./reel.js";
import SignalsmithStretch from "./signalsmith-stretch.mjs";

const KEPT = "stemdock-mixes"; // in the tab's own storage
const MIX = "mix";
const ALL = "all";

const find = (id) => document.getElementById(id);

/** Shows a text, unless it is there already: screen readers would read it again. */
function show(id, text) {
  if (find(id).textContent !== text) find(id).textContent = text;
}

/** The desk: plays the song that is open, with its stems, and exports it. */
export class Desk {
  #offered;
  #bar;
  #song = null;
  #reel = null;
  #player = null;
  #strips = [];
  #pictures = null;
  #fault = ""; // why samples are missing
  #exporting = null; // cancels the export that is being made
  #section = { start: null, end: null };
  #kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}"); // how each song was set, by its id

  constructor(offered) {
    this.#offered = offered;
    SignalsmithStretch.moduleUrl = new URL("./signalsmith-stretch.mjs", import.meta.url).href;
    const elements = Object.fromEntries(["player", "play", "position", "time", "stems"].map((id) => [id, find(id)]));
    this.#bar = new Bar({ ...elements, numberKeys: find("number-keys") });
    find("loop-start").addEventListener("click", () => this.#setLoop("start"));
    find("loop-end").addEventListener("click", () => this.#setLoop("end"));
    find("loop-clear").addEventListener("click", () => this.#clearLoop());
    find("speed").addEventListener("input", () => this.#setSpeed());
    find("export-what").addEventListener("change", () => this.#showChoices());
    find("export").addEventListener("click", () => this.#export());
    find("export-cancel").addEventListener("click", () => this.#exporting?.abort());
    setInterval(() => this.#showState(), 250);
    addEventListener("pagehide", () => this.#keep());
  }

  get isPlaying() {
    return this.#player !== null && !this.#player.paused;
  }

  get songId() {
    return this.#song?.id ?? null;
  }

  /** Opens a song whose first stems exist. */
  open(song) {
    this.close();
    const kept = this.#kept[song.id];
    this.#song = song;
    find("desk").hidden = false;
    find("desk-title").textContent = song.name;
    this.#reel = new SongReel(song);
    this.#reel.addEventListener("failed", (event) => {
      this.#fault = event.detail.message;
      show("message", this.#fault);
    });
    this.#player = new Player(this.#reel);
    this.#player.addEventListener("play", () => show("message", ""));
    show("message", "");
    find("speed").value = 100;
    find("speed-text").textContent = "100 %";
    this.#section = { start: null, end: null };
    if (window.AudioWorkletNode) this.#player.makeCorrector = (context) => SignalsmithStretch(context);
    this.#strips = song.stems.map((name, index) => new Strip(name, index, "h3"));
    for (const strip of this.#strips) {
      strip.connect(this.#player, this.#player.addStem(), () => this.#showHeard());
      if (song.edges.length) strip.markFrequencies(song.edges[0], song.edges.at(-1));
      strip.pictures.append(make("div", { class: "loop", hidden: "" }));
      for (const picture of [strip.waveform, strip.spectrogram]) {
        picture.addEventListener("click", (event) => this.#seek(event));
      }
    }
    find("stems").replaceChildren(...this.#strips.map((strip) => strip.section));
    this.#bar.control(this.#player, this.#strips, () => this.#duration);
    this.#clearLoop();
    find("export-what").replaceChildren(
      make("option", { value: MIX }, "The mix as it is set"),
      ...song.stems.map((name) => make("option", { value: `stem ${name}` }, `Only ${name}`)),
      ...(this.#offered.choices.some((choice) => choice.holdsAll) ? [make("option", { value: ALL }, "All stems")] : []),
    );
    this.#showChoices();
    find("export-message").textContent = "";
    this.update(song);
    if (kept) this.#restore(kept);
  }

  /** Sets the song as it was before another one was opened, or before the page was loaded again. */
  #restore({ stems, section, speed, position }) {
    for (const strip of this.#strips) {
      const { gain, pan, isMuted, isSolo } = stems[strip.name];
      [strip.gain.value, strip.pan.value] = [gain, pan];
      strip.gain.dispatchEvent(new Event("input"));
      if (isMuted) strip.mute();
      if (isSolo) strip.solo();
    }
    // Before the loop, which moves what is outside of it.
    this.#player.currentTime = position;
    this.#section = section;
    this.#applyLoop();
    find("speed").value = speed;
    if (speed !== 100) this.#setSpeed();
  }

  #keep() {
    if (!this.#song || !this.#strips.every((strip) => strip.stem)) return;
    const stems = this.#strips.map(({ name, stem: { gain, pan, isMuted, isSolo } }) => [name, { gain, pan, isMuted, isSolo }]);
    const speed = Number(find("speed").value);
    const position = this.#player.currentTime;
    this.#kept[this.#song.id] = { stems: Object.fromEntries(stems), section: this.#section, speed, position };
    sessionStorage.setItem(KEPT, JSON.stringify(this.#kept));
  }

  /** Takes over what is new about the song. */
  update(song) {
    this.#song = song;
    this.#reel.update(song);
    if (!this.#pictures && song.edges.length) {
      this.#pictures = new Pictures(song, this.#strips, this.#offered.colours);
      for (const strip of this.#strips) {
        if (!strip.spectrogram.querySelector("span")) strip.markFrequencies(song.edges[0], song.edges.at(-1));
      }
    }
    this.#pictures?.update(song, this.#duration);
    find("export").disabled = song.state !== "done" || this.#exporting !== null;
    this.#bar.show();
    this.#showState();
  }

  /** Starts to play, as far as the browser allows it without a click. */
  async play() {
    const player = this.#player;
    await Promise.race([player.play(), new Promise((resolve) => setTimeout(resolve, 1000))]);
    if (player.context.state === "suspended" && player === this.#player) {
      player.pause();
      show("message", "Press Play to listen.");
    }
  }

  close() {
    if (!this.#song) return;
    this.#keep();
    this.#bar.control(null, [], () => 0);
    this.#player.close();
    this.#reel.close();
    this.#pictures?.close();
    this.#song = this.#reel = this.#player = this.#pictures = null;
    this.#strips = [];
    find("desk").hidden = true;
    find("stems").replaceChildren();
  }

  get #duration() {
    const { duration, length, sampleRate } = this.#song;
    return Math.max(duration ?? 0, length / sampleRate);
  }

  #seek(event) {
    const box = event.currentTarget.getBoundingClientRect();
    this.#player.currentTime = ((event.clientX - box.left) / box.width) * this.#duration;
  }

  #showHeard() {
    for (const strip of this.#strips) if (strip.stem) strip.showHeard();
    this.#keep();
  }

  #showState() {
    const isWaiting = this.#player?.isWaiting ?? false;
    show("waiting", isWaiting ? "Waiting for the next stems…" : "");
    if (this.#fault && this.#player && !this.#player.paused && !isWaiting) {
      // It goes on.
      if (find("message").textContent === this.#fault) show("message", "");
      this.#fault = "";
    }
  }

  #setLoop(edge) {
    this.#section[edge] = this.#player.currentTime;
    const { start, end } = this.#section;
    if (start !== null && end !== null && end <= start) this.#section[edge === "start" ? "end" : "start"] = null;
    this.#applyLoop();
  }

  #clearLoop() {
    this.#section = { start: null, end: null };
    this.#applyLoop();
  }

  #applyLoop() {
    const { start, end } = this.#section;
    const isOn = start !== null && end !== null;
    this.#player.loop = isOn ? this.#section : null;
    this.#keep();
    const time = (seconds) => (seconds === null ? "?" : exactClock(seconds));
    find("loop-text").textContent = start === null && end === null ? "off" : `${time(start)} – ${time(end)}`;
    find("loop-clear").disabled = start === null && end === null;
    for (const mark of document.querySelectorAll("#stems .loop")) {
      mark.hidden = !isOn;
      mark.style.left = `${(100 * start) / this.#duration}%`;
      mark.style.width = `${(100 * (end - start)) / this.#duration}%`;
    }
  }

  async #setSpeed() {
    const percent = Number(find("speed").value);
    find("speed-text").textContent = `${percent} %`;
    find("speed").setAttribute("aria-valuetext", `${percent} %`);
    const player = this.#player;
    this.#keep();
    let reason = player.makeCorrector ? "" : "because the connection is not secure";
    try {
      await player.setSpeed(percent / 100);
    } catch (error) {
      reason = `because the pitch corrector cannot be loaded (${error.message})`;
      player.makeCorrector = null;
      await player.setSpeed(percent / 100);
    }
    show("message", reason && percent !== 100 ? `This browser changes the pitch with the speed, ${reason}.` : "");
  }

  #showChoices() {
    const holdsAll = find("export-what").value === ALL;
    const name = this.#song.name.toLowerCase();
    const fits = ({ endings }) => !endings.length || endings.some((ending) => name.endsWith(ending));
    const choices = this.#offered.choices.filter((choice) => choice.holdsAll === holdsAll && fits(choice));
    find("export-choice").replaceChildren(
      ...choices.map((choice) => make("option", { value: choice.name }, choice.title)),
    );
  }

  async #export() {
    const [what, message, button] = [find("export-what").value, find("export-message"), find("export")];
    const mix = {};
    for (const { name, stem } of this.#strips) {
      mix[name] = { gain: stem.isHeard ? factor(stem.gain) : 0, pan: stem.pan };
    }
    const stem = what.startsWith("stem ") ? what.slice(5) : null;
    const order = { choice: find("export-choice").value, stem, mix };
    const progress = find("export-progress");
    this.#exporting = new AbortController();
    button.disabled = true;
    message.textContent = "Exporting…";
    find("exporting").hidden = false;
    progress.removeAttribute("value");
    try {
      const exported = await exportedFile(
        this.#song.id, order, (fraction) => (progress.value = fraction), this.#exporting.signal,
      );
      const link = make("a", { href: exported.address, download: exported.name }, exported.name);
      message.replaceChildren("Ready: ", link, exported.notes.length ? `. ${exported.notes.join(" ")}` : "");
      link.click();
    } catch (error) {
      message.textContent = error.name === "AbortError" ? "Cancelled." : error.message;
    } finally {
      this.#exporting = null;
      find("exporting").hidden = true;
      button.disabled = this.#song?.state !== "done";
    }
  }
}
