"use strict";

(() => {
  const song = JSON.parse(document.getElementById("song").textContent);
  const transport = new Transport(song.sampleRate, song.duration);
  const [player, playButton, position, time, message, list] = [
    "player", "play", "position", "time", "message", "stems",
  ].map((id) => document.getElementById(id));
  // Of the played part and of the rest; each is visible on light and on dark backgrounds.
  const COLOURS = [
    ["#8b5cf6", "#9580c8"], ["#0ea5a3", "#619fa5"], ["#e2702f", "#ba8874"],
    ["#3b82f6", "#7490c8"], ["#d6409f", "#b574a3"], ["#65a30d", "#859e66"],
  ];
  const MARKED_FREQUENCIES = [100, 1000, 10000];
  const METER_RANGE = 60; // dB
  const STEP = 5; // seconds that an arrow key moves

  const decibels = (amplitude) => 20 * Math.log10(amplitude);
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  function fact(term, text) {
    const row = document.createElement("div");
    row.append(document.createElement("dt"), document.createElement("dd"));
    row.firstChild.textContent = `${term}:`;
    row.lastChild.textContent = text;
    document.getElementById("facts").append(row);
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

  /** Adds a stem to the page; returns its section and a function that finds elements in it. */
  function show(stem, index) {
    const section = document.getElementById("stem").content.cloneNode(true).firstElementChild;
    const find = (selector) => section.querySelector(selector);
    const [colour, paleColour] = COLOURS[index % COLOURS.length];
    section.style.setProperty("--colour", colour);
    section.setAttribute("aria-label", stem.name);
    find(".name").textContent = stem.name;
    find(".about").textContent = describe(stem);
    find(".warning").textContent = warnings(stem);
    find(".mute").setAttribute("aria-label", `Mute ${stem.name}`);
    find(".solo").setAttribute("aria-label", `Solo ${stem.name}`);
    find(".volume input").setAttribute("aria-label", `Volume of ${stem.name}, per cent`);
    find("img").src = stem.spectrogram;
    find("img").alt = `Spectrogram of ${stem.name}`;
    const [lowest, highest] = stem.edges;
    for (const frequency of MARKED_FREQUENCIES.filter((marked) => marked < 0.8 * highest)) {
      const mark = document.createElement("span");
      mark.textContent = frequency < 1000 ? `${frequency} Hz` : `${frequency / 1000} kHz`;
      mark.style.top = `${100 * (1 - Math.log(frequency / lowest) / Math.log(highest / lowest))}%`;
      find(".spectrogram").append(mark);
    }
    list.append(section);
    WaveSurfer.create({
      container: find(".waveform"),
      media: transport,
      peaks: [stem.up, stem.down].map((extremes) => extremes.map((value) => value / 127)),
      duration: song.duration,
      height: 72,
      waveColor: paleColour,
      progressColor: colour,
      cursorWidth: 0,
      maxPeak: 1,
      dragToSeek: true,
    });
    find(".spectrogram").addEventListener("click", (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      transport.currentTime = ((event.clientX - box.left) / box.width) * song.duration;
    });
    return { section, find };
  }

  /** Connects a stem's controls to its audio; returns the functions for keys and the level meter. */
  function connect({ section, find }, sound) {
    const volume = find(".volume input");
    const apply = () => {
      sound.volume = volume.value / 100;
      find(".volume output").textContent = `${volume.value} %`;
      transport.applyGains();
      list.dispatchEvent(new Event("gains"));
    };
    const toggle = (key, button) => {
      sound[key] = !sound[key];
      button.setAttribute("aria-pressed", sound[key]);
      apply();
    };
    const mute = () => toggle("isMuted", find(".mute"));
    const solo = () => toggle("isSolo", find(".solo"));
    find(".mute").addEventListener("click", mute);
    find(".solo").addEventListener("click", solo);
    volume.addEventListener("input", apply);
    list.addEventListener("gains", () => section.classList.toggle("unheard", !sound.isHeard));
    apply();
    const followLevel = () => {
      const level = Math.max(0, 1 + decibels(transport.level(sound)) / METER_RANGE);
      section.style.setProperty("--level", Math.min(1, level));
    };
    return { mute, solo, followLevel };
  }

  function showPosition() {
    const now = transport.currentTime;
    position.value = now;
    time.textContent = `${clock(now)} / ${clock(song.duration)}`;
    position.setAttribute("aria-valuetext", time.textContent);
    list.style.setProperty("--position", now / song.duration);
  }

  const toggle = () => (transport.paused ? transport.play() : transport.pause());

  function listen(stems) {
    const tick = () => {
      showPosition();
      for (const stem of stems) stem.followLevel();
      if (transport.paused) return;
      if (transport.currentTime >= song.duration) transport.pause();
      requestAnimationFrame(tick);
    };
    const keys = {
      Space: toggle,
      ArrowLeft: () => (transport.currentTime -= STEP),
      ArrowRight: () => (transport.currentTime += STEP),
      Home: () => (transport.currentTime = 0),
    };
    transport.addEventListener("play", tick);
    transport.addEventListener("timeupdate", showPosition);
    for (const event of ["play", "pause"]) {
      transport.addEventListener(event, () => {
        player.classList.toggle("playing", !transport.paused);
        playButton.setAttribute("aria-label", transport.paused ? "Play" : "Pause");
      });
    }
    playButton.addEventListener("click", toggle);
    position.addEventListener("input", () => (transport.currentTime = Number(position.value)));
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      // The focused control handles its own keys.
      const isOwn = event.target.closest(event.code === "Space" ? "button" : "input");
      const stem = stems[Number(/^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1]) - 1];
      const action = stem ? (event.shiftKey ? stem.mute : stem.solo) : !isOwn && keys[event.code];
      if (!action) return;
      event.preventDefault();
      action();
    });
  }

  async function main() {
    document.getElementById("title").textContent = song.title;
    for (const [term, text] of Object.entries(song.facts)) fact(term, text);
    if (song.isReduced) fact("sound", "lower quality, because the stems are long");
    position.max = song.duration;
    showPosition();
    const rows = song.stems.map(show);
    const stems = [];
    for (const [index, row] of rows.entries()) {
      message.textContent = `Decoding stem ${index + 1} of ${rows.length}`;
      const text = document.getElementById(`sound-${index}`);
      const bytes = Uint8Array.from(atob(text.textContent), (letter) => letter.charCodeAt(0));
      text.remove();
      stems.push(connect(row, await transport.add(bytes.buffer)));
    }
    listen(stems);
    message.textContent = "";
    playButton.disabled = position.disabled = false;
  }

  main().catch((error) => {
    message.textContent = `This browser cannot play the stems (${error.message}).`;
  });
})();
