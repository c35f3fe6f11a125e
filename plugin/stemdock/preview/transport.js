"use strict";

/**
 * Plays stems in sync: decoded samples, one AudioContext, one clock, and a gain for each stem.
 *
 * It has the properties and events of a media element and is the media element of every wavesurfer.js
 * waveform, so that a click on one of them moves all. Times are in seconds.
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
  #offset = 0; // position while paused, or where playback began
  #startedAt = 0; // the context's time when the offset starts to sound

  constructor(sampleRate, duration) {
    super();
    this.#context = new AudioContext({ sampleRate });
    this.duration = duration;
  }

  /** Adds a stem from compressed audio; returns an object with its volume, mute and solo. */
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

  /** Applies volume, mute and solo: while stems are soloed, only they are heard. */
  applyGains() {
    const hasSolo = this.#stems.some((stem) => stem.isSolo);
    for (const stem of this.#stems) {
      stem.isHeard = !stem.isMuted && (stem.isSolo || !hasSolo);
      const gain = stem.isHeard ? stem.volume : 0;
      // A sudden change would click. While paused, the context's time stands still, so the gain is set at once.
      if (this.#isPlaying) stem.gain.gain.setTargetAtTime(gain, this.#context.currentTime, 0.008);
      else stem.gain.gain.cancelScheduledValues(0).value = gain;
    }
  }

  /** Largest absolute sample of a stem's current output, after its gain. */
  level(stem) {
    if (!this.#isPlaying) return 0;
    const samples = new Float32Array(stem.analyser.fftSize);
    stem.analyser.getFloatTimeDomainData(samples);
    return samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  }

  #start() {
    this.#stop();
    // All stems start at the same time, slightly in the future, so that none is late.
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
