import { exported as exportedFile } from "./backend.js";
import { Bar, make, Strip } from "./controls.js";
import { exactClock, factor } from "./mixing.js";
import { Pictures } from "./pictures.js";
import { Player } from "./player.js";
import { SongReel } from "./reel.js";
import SignalsmithStretch from "./signalsmith-stretch.mjs";

const MIX = "mix";
const ALL = "all";

const find = (id) => document.getElementById(id);

/** The desk: plays the song that is open, with its stems, and exports it. */
export class Desk {
  #offered;
  #bar;
  #song = null;
  #reel = null;
  #player = null;
  #strips = [];
  #pictures = null;
  #section = { start: null, end: null };

  constructor(offered) {
    this.#offered = offered;
    SignalsmithStretch.moduleUrl = new URL("./signalsmith-stretch.mjs", import.meta.url).href;
    this.#bar = new Bar(Object.fromEntries(["player", "play", "position", "time", "stems"].map((id) => [id, find(id)])));
    find("loop-start").addEventListener("click", () => this.#setLoop("start"));
    find("loop-end").addEventListener("click", () => this.#setLoop("end"));
    find("loop-clear").addEventListener("click", () => this.#clearLoop());
    find("speed").addEventListener("input", () => this.#setSpeed());
    find("export-what").addEventListener("change", () => this.#showChoices());
    find("export").addEventListener("click", () => this.#export());
    setInterval(() => this.#showState(), 250);
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
    this.#song = song;
    find("desk").hidden = false;
    find("desk-title").textContent = song.name;
    this.#reel = new SongReel(song);
    this.#reel.addEventListener("failed", (event) => (find("message").textContent = event.detail.message));
    this.#player = new Player(this.#reel);
    if (window.AudioWorkletNode) this.#player.makeCorrector = (context) => SignalsmithStretch(context);
    this.#strips = song.stems.map((name, index) => new Strip(name, index));
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
    find("speed").value = 100;
    find("speed-text").textContent = "100 %";
    find("export-what").replaceChildren(
      make("option", { value: MIX }, "The mix as it is set"),
      ...song.stems.map((name) => make("option", { value: `stem ${name}` }, `Only ${name}`)),
      ...(this.#offered.choices.some((choice) => choice.holdsAll) ? [make("option", { value: ALL }, "All stems")] : []),
    );
    this.#showChoices();
    find("export-message").textContent = "";
    this.update(song);
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
    find("export").disabled = song.state !== "done";
    this.#bar.show();
    this.#showState();
  }

  /** Starts to play, as far as the browser allows it without a click. */
  async play() {
    const player = this.#player;
    await Promise.race([player.play(), new Promise((resolve) => setTimeout(resolve, 1000))]);
    if (player.context.state === "suspended" && player === this.#player) {
      player.pause();
      find("message").textContent = "Press Play to listen.";
    }
  }

  close() {
    if (!this.#song) return;
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
  }

  #showState() {
    if (!this.#player) return;
    const message = find("message");
    if (this.#player.isWaiting) message.textContent = "Waiting for the next stems…";
    else if (message.textContent.startsWith("Waiting") || !this.#player.paused) message.textContent = "";
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
    await this.#player.setSpeed(percent / 100);
    if (percent !== 100 && !this.#player.makeCorrector) {
      find("message").textContent = "This browser changes the pitch with the speed, because the connection is not secure.";
    }
  }

  #showChoices() {
    const holdsAll = find("export-what").value === ALL;
    const choices = this.#offered.choices.filter((choice) => choice.holdsAll === holdsAll);
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
    button.disabled = true;
    message.textContent = "Exporting…";
    try {
      const exported = await exportedFile(this.#song.id, order);
      const link = make("a", { href: exported.address, download: exported.name }, exported.name);
      message.replaceChildren("Ready: ", link);
      link.click();
    } catch (error) {
      message.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  }
}
