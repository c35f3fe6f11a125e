/**
 * A complex Fourier transform of one size, in place, without scaling.
 *
 * References: J. W. Cooley, J. W. Tukey: An algorithm for the machine calculation of complex Fourier series.
 * Mathematics of Computation 19 (1965): radix 2, decimation in time.
 */
export class Fft {
  #size;
  #cos;
  #sin;
  #order;

  /** @param {number} size - A power of two. */
  constructor(size) {
    this.#size = size;
    this.#cos = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.#sin = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    this.#order = new Uint32Array(size);
    for (let i = 1, half = size / 2; i < size; i++) {
      this.#order[i] = (this.#order[i >> 1] >> 1) | (i & 1 ? half : 0);
    }
  }

  /** Transforms `(re, im)`. The inverse is the forward transform with the two exchanged. */
  forward(re, im) {
    this.#reorder(re);
    this.#reorder(im);
    const [size, cos, sin] = [this.#size, this.#cos, this.#sin];
    for (let half = 1, step = size / 2; half < size; half *= 2, step /= 2) {
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0, w = 0; k < half; k++, w += step) {
          const [a, b] = [start + k, start + k + half];
          const real = re[b] * cos[w] - im[b] * sin[w];
          const imaginary = re[b] * sin[w] + im[b] * cos[w];
          re[b] = re[a] - real;
          im[b] = im[a] - imaginary;
          re[a] += real;
          im[a] += imaginary;
        }
      }
    }
  }

  inverse(re, im) {
    this.forward(im, re);
  }

  #reorder(values) {
    const order = this.#order;
    for (let i = 0; i < order.length; i++) {
      const j = order[i];
      if (j > i) {
        const kept = values[i];
        values[i] = values[j];
        values[j] = kept;
      }
    }
  }
}

/** The periodic Hann window. */
export const hann = (length) =>
  Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length));
