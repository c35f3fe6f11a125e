"use strict";

/**
 * Plays stems in step: decoded samples, one AudioContext, one clock, and a gain for each stem.
 *
 * To wavesurfer.js it is the media element of every waveform, so that a click on any of them moves all:
 * it has the properties and events of one. Times are in seconds.
 */
class Transport extends EventTarget {
  readyState = 4;
  seeking = false;
  volume = 1;
  muted = false;
  playbackRate = 1;

  #context;
  #stems = [];
  #sources = [];
  #isPlaying = false;
  #offset = 0; // position while paused, and where playing began
  #startedAt = 0; // the context's time at which the offset was to be heard

  constructor(sampleRate, duration) {
    super();
    this.#context = new AudioContext({ sampleRate });
    this.duration = duration;
  }

  /** Takes in a compressed sound; what is returned can be muted, soloed and turned down. */
  async add(data) {
    const stem = { buffer: await this.#context.decodeAudioData(data), volume: 1, isMuted: false, isSolo: false };
    stem.gain = new GainNode(this.#context);
    stem.analyser = new AnalyserNode(this.#context, { fftSize: 2048 });
    stem.gain.connect(stem.analyser).connect(this.#context.destination);
    this.#stems.push(stem);
    return stem;
  }

  get paused() {
    return !this.#isPlaying;
  }

  get ended() {
    return this.paused && this.#offset >= this.duration;
  }

  get currentTime() {
    const elapsed = this.#isPlaying ? Math.max(0, this.#context.currentTime - this.#startedAt) : 0;
    return Math.min(this.#offset + elapsed, this.duration);
  }

  set currentTime(time) {
    this.#offset = Math.min(Math.max(0, time), this.duration);
    if (this.#isPlaying) this.#start();
    this.dispatchEvent(new Event("seeking"));
    this.dispatchEvent(new Event("timeupdate"));
  }

  async play() {
    if (this.#isPlaying) return;
    if (this.ended) this.#offset = 0;
    this.#isPlaying = true;
    this.#startedAt = Infinity;
    this.dispatchEvent(new Event("play"));
    await this.#context.resume();
    if (this.#isPlaying) this.#start();
  }

  pause() {
    if (!this.#isPlaying) return;
    this.#offset = this.currentTime;
    this.#stop();
    this.#isPlaying = false;
    this.#context.suspend();
    this.dispatchEvent(new Event("pause"));
  }

  /** Makes gains follow the switches: a stem is heard if it is not muted, and solo if any is. */
  applyGains() {
    const hasSolo = this.#stems.some((stem) => stem.isSolo);
    for (const stem of this.#stems) {
      stem.isHeard = !stem.isMuted && (stem.isSolo || !hasSolo);
      const gain = stem.isHeard ? stem.volume : 0;
      // A jump would click; while nothing plays, there is nothing to click, and no time passes.
      if (this.#isPlaying) stem.gain.gain.setTargetAtTime(gain, this.#context.currentTime, 0.008);
      else stem.gain.gain.cancelScheduledValues(0).value = gain;
    }
  }

  /** Largest absolute sample that a stem gives out just now, behind its gain. */
  level(stem) {
    if (!this.#isPlaying) return 0;
    const samples = new Float32Array(stem.analyser.fftSize);
    stem.analyser.getFloatTimeDomainData(samples);
    return samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  }

  #start() {
    this.#stop();
    // One point in time a little ahead for all of them: none can be late.
    this.#startedAt = this.#context.currentTime + 0.03;
    this.#sources = this.#stems.map((stem) => {
      const source = new AudioBufferSourceNode(this.#context, { buffer: stem.buffer });
      source.connect(stem.gain);
      source.start(this.#startedAt, this.#offset);
      return source;
    });
  }

  #stop() {
    for (const source of this.#sources) {
      source.stop();
      source.disconnect();
    }
    this.#sources = [];
  }
}
