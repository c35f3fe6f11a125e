/**
 * Separates songs in a thread of the browser: the network by onnxruntime-web, all else by `Engine`.
 *
 * Messages to it: {load: card}, {separate: id, left, right, stems}, {cancel: id}.
 * Messages from it: {id, frames, columns, fraction} for each segment, {id, columns, isDone},
 * {id, isCancelled}, {id, error}. The frames have those stems, and then what they leave of the mixture.
 */
import { Engine } from "./engine.js";
import { GrowingPicture } from "./growing.js";
import * as ort from "./ort.wasm.min.mjs";

const MOST_THREADS = 4; // more do not make this network faster

let card;
let network; // a promise: songs may arrive while it is loaded
const cancelled = new Set();

async function load() {
  ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
  // Threads share memory, which browsers allow only to pages whose host sends two headers.
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
  ort.env.logLevel = "error";
  const response = await fetch(new URL("./model.onnx", import.meta.url));
  if (!response.ok) throw new Error(`The model could not be loaded (status ${response.status}).`);
  const model = new Uint8Array(await response.arrayBuffer());
  return ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
}

async function estimate(magnitude) {
  const shape = [1, card.nFrames, card.nBins, 2];
  const found = await (await network).run({ [card.input]: new ort.Tensor("float32", magnitude, shape) });
  return card.stems.map((stem) => found[stem].data);
}

/** What stems leave of the mixture. */
const remainder = (mixture, stems) =>
  mixture.map((samples, c) => samples.map((sample, i) => stems.reduce((left, stem) => left - stem[c][i], sample)));

/** All channels of all stems, sample after sample. */
function interleaved(stems) {
  const channels = stems.flat();
  const frames = new Float32Array(channels.length * channels[0].length);
  channels.forEach((samples, c) => {
    for (let i = 0, at = c; i < samples.length; i++, at += channels.length) frames[at] = samples[i];
  });
  return frames;
}

async function separate(id, left, right, wanted) {
  const indices = wanted.map((stem) => card.stems.indexOf(stem));
  const pictures = Array.from({ length: wanted.length + 1 }, () => new GrowingPicture(card.sampleRate));
  let position = 0;
  for await (const all of new Engine(card, estimate).separate(left, right)) {
    const length = all[0][0].length;
    const stems = indices.map((index) => all[index]);
    const mixture = [left, right].map((samples) => samples.subarray(position, position + length));
    stems.push(remainder(mixture, stems));
    position += length;
    const columns = stems.map((channels, i) => pictures[i].add(...channels));
    postMessage({ id, frames: interleaved(stems), columns, fraction: position / left.length });
    // Messages, such as that to cancel, arrive between two turns.
    await new Promise((resolve) => setTimeout(resolve));
    if (cancelled.delete(id)) {
      postMessage({ id, isCancelled: true });
      return;
    }
  }
  postMessage({ id, columns: pictures.map((picture) => picture.finish()), isDone: true });
}

onmessage = async ({ data }) => {
  try {
    if (data.load) {
      card = data.load;
      network = load();
      network.catch(() => {}); // each song says so
    } else if (data.separate) {
      await separate(data.separate, data.left, data.right, data.stems);
    } else {
      cancelled.add(data.cancel);
    }
  } catch (error) {
    postMessage({ id: data.separate, error: error.message });
  }
};
