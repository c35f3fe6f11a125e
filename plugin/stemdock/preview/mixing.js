/** Gains and files of mixes. Nothing here needs a page. */

export const LOWEST_GAIN = -60; // dB; a control at its lowest is silent
export const HIGHEST_GAIN = 12; // dB

export const decibels = (amplitude) => 20 * Math.log10(amplitude);

/** The factor of a gain in dB. */
export const factor = (gain) => (gain <= LOWEST_GAIN ? 0 : 10 ** (gain / 20));

/** A gain in dB as people read it. */
export const gainText = (gain) => {
  if (gain <= LOWEST_GAIN) return "off";
  const sign = gain < 0 ? "−" : gain > 0 ? "+" : "";
  return `${sign}${Math.abs(gain).toFixed(1)} dB`;
};

/** A place in the stereo picture, -1 to 1, as people read it. */
export const panText = (pan) => {
  const percent = Math.round(Math.abs(pan) * 100);
  return percent === 0 ? "centre" : `${percent} % ${pan < 0 ? "left" : "right"}`;
};

/** Seconds as minutes and seconds. */
export const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Seconds as minutes and seconds with a tenth. */
export const exactClock = (seconds) => {
  const tenths = Math.round(seconds * 10);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
};

/** The beginning of a WAV file of 32-bit floating point samples, which follow it channel by channel. */
export function wavHeader(length, nChannels, sampleRate) {
  const size = 4 * nChannels;
  const file = new DataView(new ArrayBuffer(58));
  const text = (at, letters) => [...letters].forEach((letter, i) => file.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  file.setUint32(4, 50 + size * length, true);
  text(8, "WAVEfmt ");
  file.setUint32(16, 18, true);
  file.setUint16(20, 3, true); // floating point
  file.setUint16(22, nChannels, true);
  file.setUint32(24, sampleRate, true);
  file.setUint32(28, sampleRate * size, true);
  file.setUint16(32, size, true);
  file.setUint16(34, 32, true);
  text(38, "fact");
  file.setUint32(42, 4, true);
  file.setUint32(46, length, true);
  text(50, "data");
  file.setUint32(54, size * length, true);
  return file;
}

/**
 * A WAV file of 32-bit floating point samples.
 *
 * @param {Float32Array[]} channels - Of equal length.
 * @param {number} sampleRate - Hz.
 */
export function wavFile(channels, sampleRate) {
  const length = channels[0].length;
  const samples = new DataView(new ArrayBuffer(4 * channels.length * length));
  for (let i = 0, at = 0; i < length; i++) {
    for (const channel of channels) {
      samples.setFloat32(at, channel[i], true);
      at += 4;
    }
  }
  return new Blob([wavHeader(length, channels.length, sampleRate), samples], { type: "audio/wav" });
}
