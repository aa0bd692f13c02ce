// A page that reads the files dropped on it, or chosen, each in every way a page can hold it.
import { readLengths, readPacking, readPlan } from "omnibal/read";
import { packingFiles, planFiles } from "omnibal/write";

const BOUNDS = { maxVit: 9, maxTokens: 4096 };

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What reading it gives, or says. */
async function seen(input, options) {
  try {
    const { vit, tokens, files } = await readLengths(input, options);
    return { hash: await sha256(Int32Array.of(...vit, ...tokens)), files };
  } catch (error) {
    return { error: error.message, code: error.code };
  }
}

async function waysOf(file, omnibal) {
  const progress = [];
  const onProgress = (bytes, total) => progress.push([bytes, total]);
  const bytes = await file.arrayBuffer();
  const { name } = file;
  return {
    file: await seen(file, { omnibal, onProgress }),
    "its own instance": await seen([file]),
    blob: await seen({ name, data: new Blob([bytes]) }, { omnibal }),
    buffer: await seen({ name, data: bytes }, { omnibal }),
    stream: await seen({ name, data: file.stream() }, { omnibal }),
    slices: await seen(
      { name, byteLength: file.size, slice: (start, end) => file.slice(start, end).arrayBuffer() },
      { omnibal },
    ),
    progress: [progress.at(-1), file.size],
  };
}

const blobs = (files) => new Map(Array.from(files, ([name, pieces]) => [name, new Blob([...pieces])]));
const hashes = async (files) =>
  Object.fromEntries(
    await Promise.all(Array.from(files, async ([name, blob]) => [name, await sha256(await blob.arrayBuffer())])),
  );
/** One file or a folder, as readers take them. */
const input = (files) => (files.size === 1 ? files.values().next().value : files);

/** A packing and a plan of the samples, written in each format and read again. */
async function roundTrip(file, omnibal) {
  const lengths = await readLengths(file, { omnibal });
  const packing = omnibal.pack(lengths, BOUNDS);
  const plan = omnibal.plan(packing, { ranks: 4 });
  const out = {};
  for (const format of ["json", "jsonl", "npy", "xtuner"]) {
    const files = blobs(packingFiles(omnibal, packing, lengths, format));
    const read = await readPacking(omnibal, input(files), lengths);
    out[format] = { same: read.indices.join() === packing.indices.join(), hashes: await hashes(files) };
  }
  for (const format of ["json", "npy"]) {
    const files = blobs(planFiles(omnibal, plan, packing, lengths, format));
    const read = await readPlan(input(files), { fits: { omnibal, packing } });
    out[`plan ${format}`] = { same: read.order.join() === plan.order.join(), hashes: await hashes(files) };
  }
  const npy = blobs(packingFiles(omnibal, packing, lengths, "npy"));
  npy.delete("indices.npy");
  const missing = await readPacking(omnibal, npy, lengths).catch((error) => error.message);
  const path = await readLengths("lengths.json").catch((error) => `${error.code}: ${error.message}`);
  return { out, missing, path };
}

/** Answers drops on the page and choices of its input by `window.answer`, a promise of what was read. */
export function listen(omnibal) {
  const take = (files) => {
    window.answer = (async () => {
      const ways = {};
      for (const file of files) ways[file.name] = await waysOf(file, omnibal);
      return { ways, trip: await roundTrip(files[0], omnibal) };
    })();
  };
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  document.querySelector("input").addEventListener("change", (event) => take([...event.target.files]));
  document.title = "ready";
}
