/** The songs in a drop: files, and all files in folders. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files];
  const found = [];
  for (const entry of entries.filter(Boolean)) await collect(entry, found);
  return songsAmong(found);
}

// Formats that browsers do not know.
const SUFFIXES = /\.(aif[cf]?|alac|ape|caf|d[fs]f|dts|mk[av]|mpc|rf64|tak|tta|w64|wma|wv)$/i;

/** Files that may be songs; folders also hold covers, texts and hidden files. */
export const songsAmong = (files) =>
  files.filter((file) => {
    const isSound = /^(audio|video)\//.test(file.type) || SUFFIXES.test(file.name);
    return isSound && !file.name.startsWith(".");
  });

async function collect(entry, found) {
  if (entry.isFile) {
    found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A folder comes in parts.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return;
    for (const each of part.sort((a, b) => a.name.localeCompare(b.name))) await collect(each, found);
  }
}
