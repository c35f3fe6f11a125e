import { samples } from "./backend.js";

// Samples, whatever their rate, so that a chunk has the same size for every song. Three seconds at 44.1 kHz.
const CHUNK_LENGTH = 1 << 17;
const N_KEPT = 20; // chunks in memory, 20 MB for each stereo stem

/** The samples of a song, as far as it is separated: see `Player`. */
export class SongReel extends EventTarget {
  #id;
  #nStems;
  #nChannels;
  #chunks = new Map(); // by index, the latest use last
  #loading = new Map();
  length = 0;
  isComplete = false;

  constructor(song) {
    super();
    this.#id = song.id;
    this.#nStems = song.stems.length;
    this.#nChannels = song.nChannels;
    this.sampleRate = song.sampleRate;
    this.chunkLength = CHUNK_LENGTH;
    this.update(song);
  }

  /** Takes over how much of the song exists now. */
  update(song) {
    // Nothing more comes of a song that has failed, either: what there is of it plays to its end.
    const isComplete = ["done", "failed", "cancelled"].includes(song.state);
    if (song.length === this.length && isComplete === this.isComplete) return;
    this.length = song.length;
    this.isComplete = isComplete;
    this.dispatchEvent(new Event("loaded"));
  }

  chunk(index) {
    const chunk = this.#chunks.get(index);
    if (chunk) {
      this.#chunks.delete(index);
      this.#chunks.set(index, chunk);
    } else {
      this.#load(index);
    }
    this.#load(index + 1);
    return chunk ?? null;
  }

  /** Stops loading. */
  close() {
    for (const controller of this.#loading.values()) controller.abort();
  }

  async #load(index) {
    const start = index * this.chunkLength;
    // With the first sample of the next chunk, or there would be a click between the two at other speeds.
    const end = Math.min(start + this.chunkLength + 1, this.length);
    const exists = end > start + this.chunkLength || (this.isComplete && end > start);
    if (!exists || this.#chunks.has(index) || this.#loading.has(index)) return;
    const controller = new AbortController();
    this.#loading.set(index, controller);
    try {
      this.#chunks.set(index, this.#buffers(await samples(this.#id, start, end, controller.signal)));
      while (this.#chunks.size > N_KEPT) this.#chunks.delete(this.#chunks.keys().next().value);
    } catch (error) {
      if (error.name !== "AbortError") this.dispatchEvent(new CustomEvent("failed", { detail: error }));
      return;
    } finally {
      this.#loading.delete(index);
    }
    this.dispatchEvent(new Event("loaded"));
  }

  #buffers(frames) {
    const nValues = this.#nStems * this.#nChannels;
    const length = frames.length / nValues;
    return Array.from({ length: this.#nStems }, (_, stem) => {
      const buffer = new AudioBuffer({ length, numberOfChannels: this.#nChannels, sampleRate: this.sampleRate });
      for (let channel = 0; channel < this.#nChannels; channel++) {
        const target = buffer.getChannelData(channel);
        for (let i = 0, at = stem * this.#nChannels + channel; i < length; i++, at += nValues) target[i] = frames[at];
      }
      return buffer;
    });
  }
}
