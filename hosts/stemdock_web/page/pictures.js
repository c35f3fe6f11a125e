import { columns as columnsOf } from "./backend.js";

const WIDTH = 1200; // pixels of a picture; the page stretches it
const WAVE_HEIGHT = 144;
const LEVEL_RANGE = 80; // dB from the loudest point of all stems down to the darkest colour
const MOST_COLUMNS = 4000; // in one request

/** Waveforms and spectrograms of all stems of a song, which grow while it is separated. */
export class Pictures {
  #song;
  #strips;
  #colours;
  #columns; // for each stem an array of values, see stemdock.GrowingPicture
  #size;
  #nColumns = 0;
  #isBusy = false;
  #drawn = ""; // what the pictures show
  #highest = 1; // values of all stems so far
  #loudest = 1;
  #canvases;
  #isClosed = false;

  constructor(song, strips, colours) {
    this.#song = song;
    this.#strips = strips;
    this.#colours = colours;
    this.#size = song.edges.length + 1;
    this.#columns = strips.map(() => new Uint8Array(0));
    this.#canvases = strips.map((strip) => {
      const [wave, spectrum] = [document.createElement("canvas"), document.createElement("canvas")];
      [wave.width, wave.height] = [WIDTH, WAVE_HEIGHT];
      [spectrum.width, spectrum.height] = [WIDTH, song.edges.length - 1];
      spectrum.setAttribute("role", "img");
      spectrum.setAttribute("aria-label", `Spectrogram of ${strip.name}`);
      strip.waveform.append(wave);
      strip.spectrogram.prepend(spectrum);
      return { wave, spectrum };
    });
  }

  close() {
    this.#isClosed = true;
  }

  /** Fetches and draws what is new. */
  async update(song, duration) {
    this.#song = song;
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    try {
      while (this.#nColumns < this.#song.nColumns && !this.#isClosed) {
        const end = Math.min(this.#song.nColumns, this.#nColumns + MOST_COLUMNS);
        this.#add(await columnsOf(song.id, this.#nColumns, end));
      }
    } catch {
      return; // the next news try again
    } finally {
      this.#isBusy = false;
    }
    // Only what is new is worth the time: the news also speak of other songs.
    const drawn = `${this.#nColumns} ${duration}`;
    if (this.#isClosed || drawn === this.#drawn) return;
    this.#drawn = drawn;
    requestAnimationFrame(() => this.#isClosed || drawn !== this.#drawn || this.draw(duration));
  }

  #add(values) {
    const length = values.length / this.#columns.length;
    for (let i = 0; i < values.length; i++) {
      if (i % this.#size < 2) this.#highest = Math.max(this.#highest, values[i]);
      else this.#loudest = Math.max(this.#loudest, values[i]);
    }
    this.#columns = this.#columns.map((old, i) => {
      const joined = new Uint8Array(old.length + length);
      joined.set(old);
      joined.set(values.subarray(i * length, (i + 1) * length), old.length);
      return joined;
    });
    this.#nColumns += length / this.#size;
  }

  /** Draws all stems on one scale, over the whole duration of the song. */
  draw(duration) {
    const total = Math.max(this.#nColumns, (duration * this.#song.sampleRate) / this.#song.columnLength);
    for (const [i, columns] of this.#columns.entries()) {
      const merged = this.#merged(columns, total);
      this.#drawWave(this.#canvases[i].wave, merged, this.#highest, this.#strips[i].colour);
      this.#drawSpectrum(this.#canvases[i].spectrum, merged, this.#loudest);
    }
  }

  /** One column for each pixel, up to the last that exists: the largest of all that it covers. */
  #merged(columns, total) {
    const merged = [];
    for (let x = 0; x < WIDTH; x++) {
      const first = Math.floor((x * total) / WIDTH);
      const end = Math.max(first + 1, Math.floor(((x + 1) * total) / WIDTH));
      if (first >= this.#nColumns) break;
      const values = new Uint8Array(this.#size);
      for (let column = first; column < Math.min(end, this.#nColumns); column++) {
        for (let k = 0, at = column * this.#size; k < this.#size; k++, at++) {
          if (columns[at] > values[k]) values[k] = columns[at];
        }
      }
      merged.push(values);
    }
    return merged;
  }

  #drawWave(canvas, columns, highest, colour) {
    const context = canvas.getContext("2d");
    const scale = WAVE_HEIGHT / 2 / highest;
    context.clearRect(0, 0, WIDTH, WAVE_HEIGHT);
    context.fillStyle = colour;
    for (const [x, [up, down]] of columns.entries()) {
      const top = WAVE_HEIGHT / 2 - up * scale;
      context.fillRect(x, top, 1, Math.max(1, (up + down) * scale));
    }
  }

  #drawSpectrum(canvas, columns, loudest) {
    const nBands = this.#size - 2;
    const image = new ImageData(WIDTH, nBands);
    const nShades = this.#colours.length / 3;
    const floor = loudest - 2 * LEVEL_RANGE; // a value is half a dB
    for (const [x, values] of columns.entries()) {
      for (let band = 0; band < nBands; band++) {
        const level = Math.max(0, (values[2 + band] - floor) / (2 * LEVEL_RANGE));
        const shade = 3 * Math.round(Math.min(1, level) * (nShades - 1));
        const at = 4 * ((nBands - 1 - band) * WIDTH + x);
        image.data[at] = this.#colours[shade];
        image.data[at + 1] = this.#colours[shade + 1];
        image.data[at + 2] = this.#colours[shade + 2];
        image.data[at + 3] = 255;
      }
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }
}
