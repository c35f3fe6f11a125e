import { wavHeader } from "./mixing.js";

const PIECE = 1 << 18; // samples at a time, so that long songs need little memory

/** What a stereo panner does, as factors of left and right in left, and of left and right in right. */
export function panMatrix(pan) {
  if (pan === 0) return [1, 0, 0, 1];
  const angle = ((pan < 0 ? pan + 1 : pan) * Math.PI) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return pan < 0 ? [1, cos, 0, sin] : [cos, 0, sin, 1];
}

/** Adds stems up: two values for each sample, of left and right. */
export function mixed(frames, nStems, settings) {
  const size = 2 * nStems;
  const out = new Float32Array((2 * frames.length) / size);
  const matrices = settings.map(({ gain, pan }) => panMatrix(pan).map((value) => gain * value));
  for (let at = 0, to = 0; at < frames.length; at += size, to += 2) {
    let [left, right] = [0, 0];
    for (let stem = 0; stem < nStems; stem++) {
      const [l, r] = [frames[at + 2 * stem], frames[at + 2 * stem + 1]];
      const m = matrices[stem];
      left += l * m[0] + r * m[1];
      right += l * m[2] + r * m[3];
    }
    out[to] = left;
    out[to + 1] = right;
  }
  return out;
}

/**
 * A WAV file of the mix, or of one stem as it is.
 *
 * @param {Blob} live - For each sample the two channels of each stem.
 * @param {string[]} names - Of the stems.
 * @param {object} order - `stem`, or null for the mix, and `mix`: gain and pan by name.
 * @param {object} shown - `length` in samples, `sampleRate` in Hz.
 * @param {(fraction: number) => void} onProgress
 * @param {AbortSignal} signal
 */
export async function exportedWav(live, names, { stem, mix }, { length, sampleRate }, onProgress, signal) {
  const settings = names.map((name) => {
    if (stem !== null) return { gain: name === stem ? 1 : 0, pan: 0 };
    return mix[name] ?? { gain: 1, pan: 0 };
  });
  const size = 2 * names.length * Float32Array.BYTES_PER_ELEMENT;
  const parts = [wavHeader(length, 2, sampleRate)];
  for (let start = 0; start < length; start += PIECE) {
    const frames = new Float32Array(await live.slice(start * size, (start + PIECE) * size).arrayBuffer());
    // A blob of its own can leave the memory.
    parts.push(new Blob([mixed(frames, names.length, settings)]));
    onProgress(Math.min(1, (start + PIECE) / length));
    signal.throwIfAborted();
  }
  return new Blob(parts, { type: "audio/wav" });
}
