import { Fft, hann } from "./fft.js";

const OVERLAP = 4;
const FRAME_DURATION = 0.09; // seconds
const HOPS = 2; // frames of a column
const N_BANDS = 128;
const [LOWEST, HIGHEST] = [40, 20000]; // Hz
const SILENCE = -100; // dB of the value 0
const STEPS = 2; // values for each dB

/** Waveform and spectrogram of a stereo stem, block by block: the same columns as `stemdock.GrowingPicture`. */
export class GrowingPicture {
  #frameLength;
  #fft;
  #window;
  #low = [];
  #high = [];
  #waiting;

  constructor(sampleRate) {
    const exponent = Math.max(2, Math.round(Math.log2((sampleRate * FRAME_DURATION) / OVERLAP)));
    this.#frameLength = OVERLAP * 2 ** exponent;
    this.columnLength = (HOPS * this.#frameLength) / OVERLAP;
    const highest = Math.min(HIGHEST, sampleRate / 2);
    const lowest = Math.min(LOWEST, highest / 2);
    this.edges = Array.from({ length: N_BANDS + 1 }, (_, i) => lowest * (highest / lowest) ** (i / N_BANDS));
    this.#fft = new Fft(this.#frameLength);
    this.#window = hann(this.#frameLength);
    const nBins = this.#frameLength / 2 + 1;
    // Edges in bins, counted from the lower edge of the lowest bin; a band is at least as wide as a bin.
    const bins = this.edges.map((edge) => (edge * this.#frameLength) / sampleRate + 0.5);
    for (let band = 0; band < N_BANDS; band++) {
      const centre = (bins[band] + bins[band + 1]) / 2;
      const width = Math.max(bins[band + 1] - bins[band], 1);
      this.#low.push(Math.max(centre - width / 2, 0));
      this.#high.push(Math.min(centre + width / 2, nBins));
    }
    const lead = new Float32Array(this.#frameLength / 2);
    this.#waiting = [lead, lead];
  }

  /** Adds the next samples of both channels; returns the columns that they complete, of 2 + 128 values each. */
  add(left, right) {
    const channels = [left, right].map((samples, c) => {
      const joined = new Float32Array(this.#waiting[c].length + samples.length);
      joined.set(this.#waiting[c]);
      joined.set(samples, this.#waiting[c].length);
      return joined;
    });
    const hop = this.#frameLength / OVERLAP;
    const nFrames = Math.max(0, Math.floor((channels[0].length - this.#frameLength) / hop) + 1);
    const nColumns = Math.floor(nFrames / HOPS);
    const columns = new Uint8Array(nColumns * (2 + N_BANDS));
    for (let column = 0; column < nColumns; column++) {
      const values = columns.subarray(column * (2 + N_BANDS), (column + 1) * (2 + N_BANDS));
      this.#draw(channels, column * this.columnLength, values);
    }
    this.#waiting = channels.map((samples) => samples.slice(nColumns * this.columnLength));
    return columns;
  }

  /** Returns the columns that were not complete yet. */
  finish() {
    const length = this.#waiting[0].length - this.#frameLength / 2;
    const nColumns = Math.ceil(length / this.columnLength);
    const rest = new Float32Array(nColumns * this.columnLength - length + this.#frameLength / 2);
    return this.add(rest, rest);
  }

  #draw(channels, start, values) {
    let [up, down] = [0, 0];
    const first = start + this.#frameLength / 2;
    for (const samples of channels) {
      for (let i = first; i < first + this.columnLength; i++) {
        if (samples[i] > up) up = samples[i];
        else if (-samples[i] > down) down = -samples[i];
      }
    }
    values[0] = Math.round(Math.min(1, up) * 255);
    values[1] = Math.round(Math.min(1, down) * 255);
    const sums = new Float64Array(N_BANDS);
    for (let frame = 0; frame < HOPS; frame++) {
      const running = this.#runningPower(channels, start + (frame * this.#frameLength) / OVERLAP);
      const between = (position) => {
        const index = Math.min(Math.floor(position), running.length - 2);
        return running[index] + (position - index) * (running[index + 1] - running[index]);
      };
      for (let band = 0; band < N_BANDS; band++) {
        const [low, high] = [this.#low[band], this.#high[band]];
        sums[band] += Math.max(0, between(high) - between(low)) / (high - low) / HOPS;
      }
    }
    // A sine of full scale under a Hann window has this power in its bin.
    const reference = (this.#frameLength / 4) ** 2;
    for (let band = 0; band < N_BANDS; band++) {
      const level = 10 * Math.log10(Math.max(sums[band] / reference, 10 ** (SILENCE / 10)));
      values[2 + band] = Math.round(Math.min(255, Math.max(0, (level - SILENCE) * STEPS)));
    }
  }

  /** Sums of the mean power of both channels, from the lowest bin up. */
  #runningPower([left, right], start) {
    const length = this.#frameLength;
    const [re, im] = [new Float64Array(length), new Float64Array(length)];
    for (let i = 0; i < length; i++) {
      re[i] = left[start + i] * this.#window[i];
      im[i] = right[start + i] * this.#window[i];
    }
    this.#fft.forward(re, im);
    const running = new Float64Array(length / 2 + 2);
    for (let k = 0; k <= length / 2; k++) {
      const m = (length - k) % length;
      // The powers of both channels add up to the mean of those at k and at its mirror image.
      const both = (re[k] ** 2 + im[k] ** 2 + re[m] ** 2 + im[m] ** 2) / 2;
      running[k + 1] = running[k] + both / 2;
    }
    return running;
  }
}
