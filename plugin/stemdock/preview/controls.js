import { clock, decibels, gainText, HIGHEST_GAIN, LOWEST_GAIN, panText } from "./mixing.js";

const METER_RANGE = 60; // dB
const STEP = 5; // seconds that an arrow key moves
// Of the played part and of the rest; each is visible on light and on dark backgrounds.
const COLOURS = [
  ["#8b5cf6", "#9580c8"], ["#0ea5a3", "#619fa5"], ["#e2702f", "#ba8874"],
  ["#3b82f6", "#7490c8"], ["#d6409f", "#b574a3"], ["#65a30d", "#859e66"],
];
const MARKED_FREQUENCIES = [100, 1000, 10000];

/** Makes an element with attributes, properties (with a leading dot) and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith(".")) element[name.slice(1)] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/**
 * A stem on the page: its name, switches, gain, place and meter, and room for its pictures.
 *
 * @param {string} name
 * @param {number} index - Decides its colours.
 * @param {string} heading - The element of its name, one level below what is above it on the page.
 */
export class Strip {
  constructor(name, index, heading = "h2") {
    this.name = name;
    [this.colour, this.paleColour] = COLOURS[index % COLOURS.length];
    const button = (kind, text) =>
      make("button", { class: kind, type: "button", "aria-pressed": false, "aria-label": `${text} ${name}` }, text);
    this.muteButton = button("mute", "Mute");
    this.soloButton = button("solo", "Solo");
    this.gain = make("input", {
      class: "gain", type: "range", min: LOWEST_GAIN, max: HIGHEST_GAIN, step: 0.5, value: 0,
      "aria-label": `Gain of ${name}`,
    });
    this.pan = make("input", {
      class: "pan", type: "range", min: -1, max: 1, step: 0.05, value: 0, "aria-label": `Pan of ${name}`,
    });
    // No outputs: screen readers say the values of sliders already.
    this.gainText = make("span", { class: "gain-text", "aria-hidden": true });
    this.panText = make("span", { class: "pan-text", "aria-hidden": true });
    this.about = make("p", { class: "about" });
    this.warning = make("p", { class: "warning" });
    this.waveform = make("div", { class: "waveform", "aria-hidden": true });
    this.spectrogram = make("div", { class: "spectrogram" });
    this.pictures = make("div", { class: "pictures" },
      this.waveform, this.spectrogram, make("div", { class: "playhead" }));
    this.controls = make("div", { class: "controls" },
      make(heading, { class: "name" }, name),
      make("div", { class: "switches" }, this.muteButton, this.soloButton),
      make("div", { class: "slider" }, make("span", { "aria-hidden": true }, "Gain"), this.gain, this.gainText),
      make("div", { class: "slider" }, make("span", { "aria-hidden": true }, "Pan"), this.pan, this.panText),
      make("div", { class: "level", "aria-hidden": true }, make("div")),
      this.about, this.warning);
    this.section = make("section", { class: "stem", "aria-label": name }, this.controls, this.pictures);
    this.section.style.setProperty("--colour", this.colour);
    // A double click puts a control back.
    for (const control of [this.gain, this.pan]) {
      control.addEventListener("dblclick", () => {
        control.value = 0;
        control.dispatchEvent(new Event("input"));
      });
    }
  }

  /** Marks frequencies on the spectrogram, whose bands are spaced evenly on a logarithmic axis. */
  markFrequencies(lowest, highest) {
    for (const frequency of MARKED_FREQUENCIES.filter((marked) => marked < 0.8 * highest)) {
      const mark = make("span", {}, frequency < 1000 ? `${frequency} Hz` : `${frequency / 1000} kHz`);
      mark.style.top = `${100 * (1 - Math.log(frequency / lowest) / Math.log(highest / lowest))}%`;
      this.spectrogram.append(mark);
    }
  }

  /** Connects the controls to a stem of a player. */
  connect(player, stem, onChange = () => {}) {
    this.stem = stem;
    this.player = player;
    const apply = () => {
      stem.gain = Number(this.gain.value);
      stem.pan = Number(this.pan.value);
      this.gainText.textContent = gainText(stem.gain);
      this.panText.textContent = panText(stem.pan);
      this.gain.setAttribute("aria-valuetext", gainText(stem.gain));
      this.pan.setAttribute("aria-valuetext", panText(stem.pan));
      player.applyGains();
      onChange();
    };
    const toggle = (key, button) => {
      stem[key] = !stem[key];
      button.setAttribute("aria-pressed", stem[key]);
      apply();
    };
    this.mute = () => toggle("isMuted", this.muteButton);
    this.solo = () => toggle("isSolo", this.soloButton);
    this.muteButton.addEventListener("click", this.mute);
    this.soloButton.addEventListener("click", this.solo);
    this.gain.addEventListener("input", apply);
    this.pan.addEventListener("input", apply);
    apply();
  }

  /** Shows whether the stem is heard. */
  showHeard() {
    this.section.classList.toggle("unheard", !this.stem.isHeard);
  }

  /** Shows the level of what the stem gives out now. */
  followLevel() {
    const level = Math.max(0, 1 + decibels(this.player.level(this.stem)) / METER_RANGE);
    this.section.style.setProperty("--level", Math.min(1, level));
  }
}

/**
 * The bar with the play button and the position, and the keys of the page.
 *
 * @param {object} elements - player, play, position, time, stems, numberKeys: elements of the page. The last one
 *   switches keys off that people who dictate would press with each number they say.
 */
export class Bar {
  #elements;
  #player = null;
  #strips = [];
  #duration = () => 0;

  constructor(elements) {
    this.#elements = elements;
    const { play, position } = elements;
    play.addEventListener("click", () => this.#toggle());
    position.addEventListener("input", () => (this.#player.currentTime = Number(position.value)));
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /**
   * Controls another player.
   *
   * @param {Player} player
   * @param {Strip[]} strips
   * @param {() => number} duration - Seconds of the song, which may become known later.
   */
  control(player, strips, duration) {
    [this.#player, this.#strips, this.#duration] = [player, strips, duration];
    this.#elements.play.disabled = this.#elements.position.disabled = player === null;
    this.#elements.player.classList.remove("playing");
    this.#elements.play.setAttribute("aria-label", "Play");
    if (!player) return;
    player.addEventListener("play", () => this.#follow(player));
    player.addEventListener("timeupdate", () => this.show());
    for (const event of ["play", "pause"]) player.addEventListener(event, () => this.#showState(player));
    this.show();
  }

  /** Shows the position. */
  show() {
    if (!this.#player) return;
    const [now, duration] = [this.#player.currentTime, this.#duration()];
    const { position, time, stems } = this.#elements;
    position.max = duration;
    position.value = now;
    time.textContent = `${clock(now)} / ${clock(duration)}`;
    position.setAttribute("aria-valuetext", time.textContent);
    stems.style.setProperty("--position", duration ? Math.min(1, now / duration) : 0);
  }

  #toggle() {
    if (!this.#player) return;
    if (this.#player.paused) this.#player.play();
    else this.#player.pause();
  }

  #follow(player) {
    if (player !== this.#player) return;
    this.show();
    for (const strip of this.#strips) strip.followLevel();
    if (!player.paused) requestAnimationFrame(() => this.#follow(player));
  }

  #showState(player) {
    if (player !== this.#player) return;
    this.#elements.player.classList.toggle("playing", !player.paused);
    this.#elements.play.setAttribute("aria-label", player.paused ? "Play" : "Pause");
  }

  #onKey(event) {
    if (!this.#player || event.ctrlKey || event.altKey || event.metaKey) return;
    // The focused control handles its own keys.
    const own =
      event.code === "Space" ? "button, input:not([type=range]), select, a, summary" : "input, select, textarea";
    // On the position, arrows move by a time that can be heard.
    const isOwn = event.target !== this.#elements.position && event.target.closest(own);
    const strip = this.#strips[Number(/^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1]) - 1];
    const keys = {
      Space: () => this.#toggle(),
      ArrowLeft: () => (this.#player.currentTime -= STEP),
      ArrowRight: () => (this.#player.currentTime += STEP),
      Home: () => (this.#player.currentTime = 0),
    };
    if (strip && !this.#elements.numberKeys.checked) return;
    const isText = event.target.closest("select, textarea, input[type=text]");
    const action = strip && !isText ? (event.shiftKey ? strip.mute : strip.solo) : !isOwn && keys[event.code];
    if (!action) return;
    event.preventDefault();
    action();
  }
}
