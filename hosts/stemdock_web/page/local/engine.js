import { Fft, hann } from "./fft.js";

const OVERLAP = 4; // frames that cover each sample
const COMPENSATION = 2 / 3; // one over the sum of squared Hann windows at this overlap
const EPSILON = 1e-10;

/**
 * Separates stereo mixtures by ratio masks, as the engine of `plugin-cli separate` does: the same grid of segments,
 * the same masks. Both channels share one complex transform.
 *
 * The card has `nFrames`, `nBins`, `frameLength`, `exponent` (2), `extension` ("average" or "zeros") and `stems`.
 */
export class Engine {
  #card;
  #estimate;
  #fft;
  #window;
  #re;
  #im;

  /**
   * @param {object} card
   * @param {(magnitude: Float32Array) => Promise<Float32Array[]>} estimate - The network: magnitudes of a segment
   *   (nFrames, nBins, 2), and those of each stem.
   */
  constructor(card, estimate) {
    [this.#card, this.#estimate] = [card, estimate];
    this.#fft = new Fft(card.frameLength);
    this.#window = hann(card.frameLength);
    this.#re = new Float64Array(card.frameLength);
    this.#im = new Float64Array(card.frameLength);
  }

  /**
   * Separates a mixture, segment by segment.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @yields {Float32Array[][]} For each stem its channels, which add up to exactly the samples of the mixture.
   */
  async *separate(left, right) {
    const { nFrames, frameLength, stems } = this.#card;
    const hop = frameLength / OVERLAP;
    const stride = nFrames * hop;
    const overlap = frameLength - hop;
    let tails = stems.map(() => [new Float64Array(overlap), new Float64Array(overlap)]);
    // One frame of silence precedes the first sample.
    const total = left.length + frameLength;
    for (let first = 0; first < total; first += stride) {
      const spectra = this.#analyse(left, right, first - frameLength);
      const estimates = await this.#estimate(spectra.magnitude);
      const summed = this.#synthesise(spectra, estimates);
      for (const [stem, channels] of summed.entries()) {
        for (const [c, samples] of channels.entries()) {
          for (let i = 0; i < overlap; i++) samples[i] += tails[stem][c][i];
        }
      }
      tails = summed.map((channels) => channels.map((samples) => samples.slice(stride)));
      const [start, end] = [first === 0 ? frameLength : 0, Math.min(stride, total - first)];
      if (end > start) yield summed.map((channels) => channels.map((samples) => Float32Array.from(samples.subarray(start, end))));
    }
  }

  /** Spectra of the left and right channel in a segment that begins at a sample, and their magnitudes. */
  #analyse(left, right, begin) {
    const { nFrames, nBins, frameLength } = this.#card;
    const nAll = frameLength / 2 + 1;
    const spectra = { magnitude: new Float32Array(nFrames * nBins * 2), bins: new Float64Array(nFrames * nAll * 4) };
    const [re, im, window] = [this.#re, this.#im, this.#window];
    for (let frame = 0; frame < nFrames; frame++) {
      const start = begin + (frame * frameLength) / OVERLAP;
      for (let i = 0; i < frameLength; i++) {
        const at = start + i;
        const isInside = at >= 0 && at < left.length;
        re[i] = isInside ? left[at] * window[i] : 0;
        im[i] = isInside ? right[at] * window[i] : 0;
      }
      this.#fft.forward(re, im);
      for (let k = 0; k < nAll; k++) {
        const m = (frameLength - k) % frameLength;
        const at = 4 * (frame * nAll + k);
        const leftRe = (re[k] + re[m]) / 2;
        const leftIm = (im[k] - im[m]) / 2;
        const rightRe = (im[k] + im[m]) / 2;
        const rightIm = (re[m] - re[k]) / 2;
        spectra.bins[at] = leftRe;
        spectra.bins[at + 1] = leftIm;
        spectra.bins[at + 2] = rightRe;
        spectra.bins[at + 3] = rightIm;
        if (k < nBins) {
          spectra.magnitude[2 * (frame * nBins + k)] = Math.hypot(leftRe, leftIm);
          spectra.magnitude[2 * (frame * nBins + k) + 1] = Math.hypot(rightRe, rightIm);
        }
      }
    }
    return spectra;
  }

  /** The samples of each stem's channels in a segment, whose ends still lack those of its neighbours. */
  #synthesise({ bins }, estimates) {
    const { nFrames, nBins, frameLength, extension, stems } = this.#card;
    const nAll = frameLength / 2 + 1;
    const hop = frameLength / OVERLAP;
    const [re, im, window] = [this.#re, this.#im, this.#window];
    const nUsed = extension === "zeros" ? nBins : nAll;
    const share = EPSILON / stems.length;
    const totals = new Float64Array(nFrames * nBins * 2).fill(EPSILON);
    for (const estimate of estimates) {
      for (let i = 0; i < totals.length; i++) totals[i] += estimate[i] * estimate[i];
    }
    return estimates.map((estimate) => {
      const channels = [0, 1].map(() => new Float64Array((nFrames - 1) * hop + frameLength));
      for (let frame = 0; frame < nFrames; frame++) {
        re.fill(0);
        im.fill(0);
        let [left, right] = [0, 0]; // sums of the masks
        for (let k = 0; k < nUsed; k++) {
          let [leftMask, rightMask] = [left / nBins, right / nBins];
          if (k < nBins) {
            const i = 2 * (frame * nBins + k);
            leftMask = (estimate[i] * estimate[i] + share) / totals[i];
            rightMask = (estimate[i + 1] * estimate[i + 1] + share) / totals[i + 1];
            left += leftMask;
            right += rightMask;
          }
          const at = 4 * (frame * nAll + k);
          const leftRe = bins[at] * leftMask;
          const leftIm = bins[at + 1] * leftMask;
          const rightRe = bins[at + 2] * rightMask;
          const rightIm = bins[at + 3] * rightMask;
          re[k] = leftRe - rightIm;
          im[k] = leftIm + rightRe;
          if (k > 0 && k < frameLength / 2) {
            re[frameLength - k] = leftRe + rightIm;
            im[frameLength - k] = rightRe - leftIm;
          }
        }
        this.#fft.inverse(re, im);
        for (let i = 0, at = frame * hop; i < frameLength; i++, at++) {
          const weight = (window[i] * COMPENSATION) / frameLength;
          channels[0][at] += re[i] * weight;
          channels[1][at] += im[i] * weight;
        }
      }
      return channels;
    });
  }
}
