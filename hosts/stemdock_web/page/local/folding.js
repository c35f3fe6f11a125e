// As in stemdock.dsp.downmix: gains of each loudspeaker in left and right.
const HALF_POWER = Math.SQRT1_2;
const GAINS = {
  FL: [1, 0],
  FR: [0, 1],
  FC: [HALF_POWER, HALF_POWER],
  LFE: [0, 0],
  BL: [HALF_POWER, 0],
  BR: [0, HALF_POWER],
  SL: [HALF_POWER, 0],
  SR: [0, HALF_POWER],
  BC: [0.5, 0.5],
};
// Browsers say only the number of channels. Their decoders give them in this order, whatever that of the file is.
const SPEAKERS = {
  2: "FL FR",
  3: "FL FR FC",
  4: "FL FR BL BR",
  5: "FL FR FC BL BR",
  6: "FL FR FC LFE BL BR",
  7: "FL FR FC LFE BC SL SR",
  8: "FL FR FC LFE BL BR SL SR",
};

/** Gains of each channel in left and right, so that what does not clip does not clip then; null if none are usual. */
export function foldOf(nChannels) {
  if (nChannels === 1) return [[1, 1]];
  const gains = SPEAKERS[nChannels]?.split(" ").map((speaker) => GAINS[speaker]);
  if (!gains) return null;
  const sums = [0, 1].map((side) => gains.reduce((sum, each) => sum + each[side], 0));
  const loudest = Math.max(1, ...sums);
  return gains.map((each) => each.map((gain) => gain / loudest));
}

/** Left and right of a song: new arrays of the sum of its channels. */
export function folded(channels, fold) {
  return [0, 1].map((side) => {
    const sum = new Float32Array(channels[0].length);
    for (const [number, samples] of channels.entries()) {
      const gain = fold[number][side];
      if (gain) for (let i = 0; i < sum.length; i++) sum[i] += gain * samples[i];
    }
    return sum;
  });
}
