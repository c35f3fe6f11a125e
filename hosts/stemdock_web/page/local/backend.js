/** What separates the songs of a page without a server: a thread of the browser. See `../backend.js`. */

import { exportedWav } from "./exporting.js";
import { folded, foldOf } from "./folding.js";

// As in stemdock_web.orders.
const REST = "everything else";
const RESTS = ["other", "accompaniment"];
const MOST_BYTES = 2e9; // of a song; browsers decode it as a whole

const songs = new Map();
const waiting = [];
let card;
let thread = null;
let running = null;
let nAdded = 0;
let lastAddress = "";
let onSongs = () => {};

const changed = () => onSongs([...songs.values()].map((song) => song.shown));

function startThread() {
  thread = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  thread.onmessage = ({ data }) => receive(data);
  thread.onerror = (event) => receive({ id: running?.shown.id, error: event.message || "The separation failed." });
  thread.postMessage({ load: card });
}

export async function connect() {
  const [described, colours] = await Promise.all([fetch("static/card.json"), fetch("static/colours.json")]);
  card = await described.json();
  startThread();
  return {
    models: [{ name: card.name, stems: card.stems, bandwidth: card.bandwidth, licence: card.licence, nDownloadBytes: 0 }],
    choices: [{ name: "wav", title: "WAV, 32-bit float", holdsAll: false, endings: [] }],
    colours: await colours.json(),
    nSongBytes: MOST_BYTES,
  };
}

/** Never returns: this page needs no connection. */
export function listen(listener) {
  onSongs = listener;
  changed();
  return new Promise(() => {});
}

export const check = async () => {};
export const leave = () => {};
export const warm = () => {};
export const allowDownload = async () => {};

/** The parts of a song, which add up to it: stems as they are, and one that has all else. */
function partsOf(chosen) {
  if (chosen.length < card.stems.length) return { stems: chosen, rest: REST };
  const rest = RESTS.find((stem) => chosen.includes(stem));
  return { stems: chosen.filter((stem) => stem !== rest), rest: rest ?? REST };
}

export async function add(file, model, stems, signal) {
  signal.throwIfAborted();
  // Other than all that the tab remembers from before the page was loaded again.
  const id = `${performance.timeOrigin} ${++nAdded}`;
  const parts = partsOf(card.stems.filter((stem) => stems.includes(stem)));
  const song = { file, stems: parts.stems, names: [...parts.stems, parts.rest] };
  song.shown = { id, name: file.name, model };
  reset(song);
  songs.set(id, song);
  waiting.push(song);
  next();
  return id;
}

function reset(song) {
  song.live = new Blob([]);
  song.columns = song.names.map(() => []);
  Object.assign(song.shown, {
    state: "queued", text: "", remedy: "", fraction: 0, remaining: null, duration: null,
    stems: [], sampleRate: 0, nChannels: 0, length: 0, nColumns: 0, columnLength: 0, edges: [],
  });
}

export async function remove(id) {
  const song = songs.get(id);
  songs.delete(id);
  if (song === running) thread.postMessage({ cancel: id });
  changed();
}

export async function retry(id) {
  const song = songs.get(id);
  reset(song);
  waiting.push(song);
  next();
}

export async function samples(id, start, end) {
  const { live, names } = songs.get(id);
  const size = 2 * names.length * Float32Array.BYTES_PER_ELEMENT;
  return new Float32Array(await live.slice(start * size, end * size).arrayBuffer());
}

export async function columns(id, start, end) {
  const song = songs.get(id);
  const size = song.shown.edges.length + 1;
  const parts = song.columns.map((blocks) => joined(blocks).subarray(start * size, end * size));
  return joined(parts);
}

export async function exported(id, { stem, mix }, onProgress, signal) {
  const { live, names, shown } = songs.get(id);
  const blob = await exportedWav(live, names, { stem, mix }, shown, onProgress, signal);
  // The browser would keep the file of the export before.
  URL.revokeObjectURL(lastAddress);
  lastAddress = URL.createObjectURL(blob);
  const base = shown.name.replace(/\.[^.]*$/, "");
  return { address: lastAddress, name: `${base} (${stem ?? "mix"}).wav`, notes: [] };
}

function joined(parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function next() {
  changed();
  if (running) return;
  running = waiting.shift() ?? null;
  if (!running) return;
  const song = running;
  if (!songs.has(song.shown.id)) {
    running = null;
    return next();
  }
  song.shown.state = "loading";
  changed();
  try {
    const buffer = await decoded(song.file);
    const fold = foldOf(buffer.numberOfChannels);
    if (!fold) {
      const text = `${song.shown.name}: it has ${buffer.numberOfChannels} channels and does not say which loudspeakers they are for`;
      finish(song, "failed", text, "Convert it to stereo.");
      return;
    }
    const channels = Array.from(fold, (_, number) => buffer.getChannelData(number));
    const [left, right] = folded(channels, fold);
    song.shown.duration = left.length / card.sampleRate;
    song.shown.state = "separating";
    song.began = performance.now();
    thread.postMessage({ separate: song.shown.id, left, right, stems: song.stems }, [left.buffer, right.buffer]);
  } catch {
    finish(song, "failed", `${song.shown.name}: this browser cannot decode it`, "Convert it to WAV, MP3 or FLAC.");
  }
}

/** All channels of a song at the rate of the model. */
async function decoded(file) {
  const context = new OfflineAudioContext(2, 1, card.sampleRate);
  return context.decodeAudioData(await file.arrayBuffer());
}

function receive({ id, frames, columns: found, fraction, isDone, isCancelled, error }) {
  const song = running;
  if (!song || (id && id !== song.shown.id)) return;
  const { shown } = song;
  if (frames) {
    song.live = new Blob([song.live, frames]);
    shown.stems = song.names;
    [shown.sampleRate, shown.nChannels] = [card.sampleRate, 2];
    [shown.columnLength, shown.edges] = [card.columnLength, card.edges];
    shown.length += frames.length / (2 * song.names.length);
    shown.fraction = fraction;
    shown.remaining = ((performance.now() - song.began) / 1000) * (1 / fraction - 1);
  }
  if (found) {
    found.forEach((part, i) => song.columns[i].push(part));
    shown.nColumns += found[0].length / (2 + card.edges.length - 1);
  }
  if (error) {
    // It may have died, or have no network.
    thread.terminate();
    startThread();
    finish(song, "failed", `${shown.name}: ${error}`, "Try it again.");
  } else if (isDone) {
    finish(song, "done", "", "");
  } else if (isCancelled) {
    finish(song, "cancelled", "", "");
  } else {
    changed();
  }
}

function finish(song, state, text, remedy) {
  Object.assign(song.shown, { state, text, remedy, remaining: null });
  running = null;
  next();
}
