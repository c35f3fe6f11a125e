import { factor } from "./mixing.js";

const LOOK_AHEAD = 3; // seconds that are scheduled: pages in the background are woken once a second
const LEAD = 0.1; // seconds until the first sample, so that no stem is late, on slow devices either
const TICK = 200; // milliseconds
const SMOOTH = 0.008; // seconds; a sudden change of a gain would click

/** A clock at the rate of the samples, so that no sample is converted; at another one if the browser has no such. */
function contextAt(sampleRate) {
  try {
    return new AudioContext({ sampleRate });
  } catch {
    return new AudioContext();
  }
}

/**
 * Plays stems in sync: one AudioContext, one clock, and for each stem a gain and a place in the stereo picture.
 *
 * The samples come from a reel, chunk by chunk, so a song can be longer than the memory, and can be played while
 * it is still being made. All stems of a chunk start at the same frame of the clock, and the next chunk starts
 * at the frame where it ends. A reel is an EventTarget with
 *
 *     sampleRate   Hz
 *     length       samples that exist now
 *     isComplete   whether there will be no more
 *     chunkLength  samples of a chunk
 *     chunk(i)     an AudioBuffer for each stem, which may have samples of the next chunk at its end: at other
 *                  speeds, there are values between the last and the first; null if they are not loaded yet
 *
 * and sends "loaded" when a chunk or more samples have arrived.
 *
 * The player has the properties and events of a media element, so it can be that of a wavesurfer.js waveform.
 * Times are in seconds of the song.
 */
export class Player extends EventTarget {
  readyState = 4;
  seeking = false;
  volume = 1;
  muted = false;

  /** Makes an AudioNode that shifts the pitch, for other speeds; without it, the pitch changes with the speed. */
  makeCorrector = null;

  #reel;
  #context;
  #mix;
  #stems = [];
  #spans = []; // what is scheduled: from and to in samples, at and until in frames of the clock
  #next = { frame: 0, position: 0 };
  #isPlaying = false;
  #offset = 0; // samples; the position while paused
  #loop = null;
  #speed = 1;
  #making = null;
  #corrector = null;
  #latency = 0;
  #timer = 0;

  constructor(reel) {
    super();
    this.#reel = reel;
    this.#context = contextAt(reel.sampleRate);
    this.#mix = new GainNode(this.#context);
    this.#mix.connect(this.#context.destination);
    reel.addEventListener("loaded", () => this.#schedule());
  }

  get context() {
    return this.#context;
  }

  /** Adds a stem; returns an object with its gain in dB, pan, mute and solo. */
  addStem() {
    const stem = { gain: 0, pan: 0, isMuted: false, isSolo: false, isHeard: true };
    // Always two channels: a panner would lower a single one by 3 dB.
    stem.input = new GainNode(this.#context, { channelCount: 2, channelCountMode: "explicit" });
    stem.panner = new StereoPannerNode(this.#context);
    stem.analyser = new AnalyserNode(this.#context, { fftSize: 2048 });
    stem.input.connect(stem.panner).connect(stem.analyser).connect(this.#mix);
    this.#stems.push(stem);
    return stem;
  }

  get duration() {
    return this.#reel.length / this.#reel.sampleRate;
  }

  get paused() {
    return !this.#isPlaying;
  }

  get ended() {
    return this.paused && this.#reel.isComplete && this.#offset >= this.#reel.length;
  }

  /** Whether it would play, but the next samples do not exist or are not loaded yet. */
  get isWaiting() {
    return this.#isPlaying && this.#next.frame <= this.#frame && !this.#isAtEnd(this.#next.position);
  }

  get currentTime() {
    return this.#position / this.#reel.sampleRate;
  }

  set currentTime(time) {
    this.#moveTo(Math.round(Math.max(0, time) * this.#reel.sampleRate));
    this.dispatchEvent(new Event("seeking"));
    this.dispatchEvent(new Event("timeupdate"));
  }

  get playbackRate() {
    return this.#speed;
  }

  /** Changes the speed, but not the pitch. */
  async setSpeed(speed) {
    this.#speed = speed;
    if (speed !== 1 && this.makeCorrector) {
      // Made once, also if the speed changes again before it is ready.
      this.#making ??= this.makeCorrector(this.#context);
      this.#corrector = await this.#making;
      this.#corrector.connect(this.#context.destination);
    }
    const position = this.#position;
    const isCorrected = this.#speed !== 1 && this.#corrector !== null;
    this.#mix.disconnect();
    this.#mix.connect(isCorrected ? this.#corrector : this.#context.destination);
    if (isCorrected) {
      await this.#corrector.schedule({ active: true, semitones: -12 * Math.log2(this.#speed) });
      this.#latency = await this.#corrector.latency();
    } else {
      this.#latency = 0;
    }
    this.#moveTo(position);
  }

  /** Plays a section again and again; null for the whole song once. */
  set loop(section) {
    const rate = this.#reel.sampleRate;
    const loop = section && { start: Math.round(section.start * rate), end: Math.round(section.end * rate) };
    this.#loop = loop && loop.end > loop.start ? loop : null;
    const position = this.#position;
    const isOutside = this.#loop && (position < this.#loop.start || position >= this.#loop.end);
    this.#moveTo(isOutside ? this.#loop.start : position);
  }

  async play() {
    if (this.#isPlaying) return;
    if (this.ended) this.#offset = this.#loop?.start ?? 0;
    this.#isPlaying = true;
    this.#next = { frame: Infinity, position: this.#offset };
    this.dispatchEvent(new Event("play"));
    await this.#context.resume();
    if (!this.#isPlaying) return;
    this.#restart(this.#offset);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  pause() {
    if (!this.#isPlaying) return;
    this.#offset = this.#position;
    this.#stop();
    this.#isPlaying = false;
    clearInterval(this.#timer);
    this.#context.suspend();
    this.dispatchEvent(new Event("pause"));
  }

  /** Stops for good, and frees the samples. */
  close() {
    this.pause();
    this.#context.close();
  }

  /** Applies gain, pan, mute and solo: while stems are soloed, only they are heard. */
  applyGains() {
    const hasSolo = this.#stems.some((stem) => stem.isSolo);
    for (const stem of this.#stems) {
      stem.isHeard = !stem.isMuted && (stem.isSolo || !hasSolo);
      this.#set(stem.input.gain, stem.isHeard ? factor(stem.gain) : 0);
      this.#set(stem.panner.pan, stem.pan);
    }
  }

  /** Largest absolute sample of a stem's current output, after its gain. */
  level(stem) {
    if (!this.#isPlaying) return 0;
    const samples = new Float32Array(stem.analyser.fftSize);
    stem.analyser.getFloatTimeDomainData(samples);
    return samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  }

  #set(parameter, value) {
    // While paused, the context's time stands still, so the value is set at once.
    if (this.#isPlaying) parameter.setTargetAtTime(value, this.#context.currentTime, SMOOTH);
    else parameter.cancelScheduledValues(0).value = value;
  }

  get #frame() {
    return this.#context.currentTime * this.#reel.sampleRate;
  }

  /** What is heard now, in samples of the song. */
  get #position() {
    if (!this.#isPlaying) return this.#offset;
    const frame = this.#frame - this.#latency * this.#reel.sampleRate;
    const span = this.#spans.findLast((each) => each.at <= frame);
    if (span) return Math.min(span.from + (frame - span.at) * span.speed, span.to);
    return this.#spans[0]?.from ?? this.#next.position;
  }

  #isAtEnd(position) {
    return this.#reel.isComplete && position >= this.#reel.length;
  }

  #moveTo(position) {
    this.#offset = this.#reel.isComplete ? Math.min(position, this.#reel.length) : position;
    if (this.#isPlaying) this.#restart(this.#offset);
  }

  #restart(position) {
    this.#stop();
    this.#next = { frame: 0, position: Math.round(position) };
    this.#schedule();
  }

  #stop() {
    for (const { sources } of this.#spans) {
      for (const source of sources) {
        source.stop();
        source.disconnect();
      }
    }
    this.#spans = [];
  }

  #tick() {
    this.#schedule();
    if (this.#isAtEnd(this.#next.position) && this.#position >= this.#reel.length) this.pause();
  }

  /** Schedules the next seconds, as far as their samples are there. */
  #schedule() {
    if (!this.#isPlaying || this.#next.frame === Infinity) return;
    const rate = this.#reel.sampleRate;
    const now = this.#frame;
    this.#spans = this.#spans.filter((span, i) => span.until > now - rate || i === this.#spans.length - 1);
    while (this.#next.frame < now + LOOK_AHEAD * rate) {
      let { frame, position } = this.#next;
      if (position === this.#loop?.end) position = this.#loop.start;
      if (this.#isAtEnd(position)) return;
      const index = Math.floor(position / this.#reel.chunkLength);
      const buffers = this.#reel.chunk(index);
      if (!buffers) return;
      const start = index * this.#reel.chunkLength;
      const bufferEnd = start + Math.max(...buffers.map((buffer) => buffer.length));
      const chunkEnd = Math.min(bufferEnd, start + this.#reel.chunkLength);
      const to = this.#loop && position < this.#loop.end ? Math.min(chunkEnd, this.#loop.end) : chunkEnd;
      if (to <= position) return;
      // Too late for the frame where the sound should go on, or so near that only some stems would be in time:
      // all go on a little later.
      if (frame < now + (LEAD / 2) * rate) frame = Math.ceil(now + LEAD * rate);
      const until = frame + (to - position) / this.#speed;
      const sources = buffers.map((buffer, i) => {
        const source = new AudioBufferSourceNode(this.#context, { buffer, playbackRate: this.#speed });
        source.connect(this.#stems[i].input);
        source.start(frame / rate, (position - start) / rate);
        if (to < bufferEnd) source.stop(until / rate);
        return source;
      });
      this.#spans.push({ at: frame, until, from: position, to, speed: this.#speed, sources });
      this.#next = { frame: until, position: to };
    }
  }
}
