import { Bar, make, Strip } from "./controls.js";
import { decibels, wavFile, factor } from "./mixing.js";
import { Player } from "./player.js";

const find = (id) => document.getElementById(id);
const song = JSON.parse(find("song").textContent);

/** All stems of the page, each decoded as a whole: see `Player`. */
class WholeReel extends EventTarget {
  sampleRate = song.sampleRate;
  length = Math.round(song.duration * song.sampleRate);
  chunkLength = this.length;
  isComplete = true;
  buffers = [];

  chunk() {
    return this.buffers;
  }
}

function fact(term, text) {
  find("facts").append(make("div", {}, make("dt", {}, `${term}:`), make("dd", {}, text)));
}

function describe(stem) {
  const channels = stem.nChannels === 1 ? "mono" : "stereo";
  const level = decibels(stem.peak).toFixed(1).replace(/^-(?!0\.0$)/, "−").replace("-", "");
  const peak = stem.peak > 0 ? `peak ${level} dB` : "no peak";
  return `${channels}, ${stem.sampleRate / 1000} kHz, ${peak}`;
}

function warnings(stem) {
  const found = [];
  if (stem.nBadSamples) {
    const samples = stem.nBadSamples === 1 ? "1 invalid sample" : `${stem.nBadSamples} invalid samples`;
    found.push(`${samples}, played as silence.`);
  }
  if (stem.peak === 0) found.push("Silent from start to end.");
  if (stem.peak > 1) found.push("Exceeds full scale.");
  if (stem.duration < song.duration - 0.1) found.push(`Ends after ${stem.duration.toFixed(1)} s.`);
  return found.join(" ");
}

/** Adds a stem to the page. */
function show(stem, index, player) {
  const strip = new Strip(stem.name, index);
  strip.about.textContent = describe(stem);
  strip.warning.textContent = warnings(stem);
  strip.spectrogram.append(make("img", { src: stem.spectrogram, alt: `Spectrogram of ${stem.name}` }));
  strip.markFrequencies(...stem.edges);
  find("stems").append(strip.section);
  WaveSurfer.create({
    container: strip.waveform,
    media: player,
    peaks: [stem.up, stem.down].map((extremes) => extremes.map((value) => value / 127)),
    duration: song.duration,
    height: 72,
    waveColor: strip.paleColour,
    progressColor: strip.colour,
    cursorWidth: 0,
    maxPeak: 1,
    dragToSeek: true,
  });
  strip.spectrogram.addEventListener("click", (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    player.currentTime = ((event.clientX - box.left) / box.width) * song.duration;
  });
  return strip;
}

/** The mix of the stems as they are set, as channels of samples. */
async function mixed(strips, reel) {
  const context = new OfflineAudioContext(2, reel.length, reel.sampleRate);
  for (const [i, { stem }] of strips.entries()) {
    if (!stem.isHeard) continue;
    const source = new AudioBufferSourceNode(context, { buffer: reel.buffers[i] });
    source
      .connect(new GainNode(context, { gain: factor(stem.gain), channelCount: 2, channelCountMode: "explicit" }))
      .connect(new StereoPannerNode(context, { pan: stem.pan }))
      .connect(context.destination);
    source.start();
  }
  const buffer = await context.startRendering();
  return [buffer.getChannelData(0), buffer.getChannelData(1)];
}

function save(channels, name) {
  const address = URL.createObjectURL(wavFile(channels, song.sampleRate));
  make("a", { href: address, download: `${song.title} (${name}).wav` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

function prepareExport(strips, reel) {
  const button = (text, action) => {
    const made = make("button", { type: "button" }, text);
    made.addEventListener("click", async () => {
      made.disabled = true;
      await action();
      made.disabled = false;
    });
    return made;
  };
  find("export").append(button("Save the mix as WAV", async () => save(await mixed(strips, reel), "mix")));
  for (const [i, { name, controls }] of strips.entries()) {
    const samples = () => Array.from({ length: reel.buffers[i].numberOfChannels }, (_, c) => reel.buffers[i].getChannelData(c));
    const made = button("Save as WAV", () => save(samples(), name));
    made.setAttribute("aria-label", `Save as WAV: ${name}`);
    controls.append(made);
  }
}

async function main() {
  const message = find("message");
  find("title").textContent = song.title;
  for (const [term, text] of Object.entries(song.facts)) fact(term, text);
  if (song.isReduced) fact("sound", "lower quality, because the stems are long");
  const reel = new WholeReel();
  const player = new Player(reel);
  const strips = song.stems.map((stem, index) => show(stem, index, player));
  for (const [index, strip] of strips.entries()) {
    message.textContent = `Decoding stem ${index + 1} of ${strips.length}`;
    const text = find(`sound-${index}`);
    const bytes = Uint8Array.from(atob(text.textContent), (letter) => letter.charCodeAt(0));
    text.remove();
    reel.buffers.push(await player.context.decodeAudioData(bytes.buffer));
  }
  // Decoders can give a sample more or less than the duration says, and the song ends where the samples do.
  reel.length = reel.chunkLength = Math.max(...reel.buffers.map((buffer) => buffer.length));
  const showHeard = () => strips.forEach((each) => each.stem && each.showHeard());
  for (const strip of strips) strip.connect(player, player.addStem(), showHeard);
  const ids = ["player", "play", "position", "time", "stems"];
  const elements = Object.fromEntries(ids.map((id) => [id, find(id)]));
  new Bar({ ...elements, numberKeys: find("number-keys") }).control(player, strips, () => song.duration);
  prepareExport(strips, reel);
  message.textContent = "";
}

main().catch((error) => {
  find("message").textContent = `This browser cannot play the stems (${error.message}).`;
});
