// The studio as one HTML file: the entry `omnibal/studio`, for Node and Deno.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import type { LoadColumn } from "../index.ts";
import { InputError } from "../index.ts";
import { type ReportData, SAMPLES_SLOT, samplesElement } from "./report.ts";
import { START, toHash, type View } from "./view.ts";

/** What the build leaves beside this file. */
const PAGE = new URL("./studio.html", import.meta.url);

/** Samples to put into a report: columns by the names of their loads, and the files that they are from. */
export type StudioSamples = Readonly<Record<string, unknown>> & {
  /** The files that the samples are from, as `readLengths` lists them. Default: one, called "samples". */
  readonly files?: ReportData["files"];
};

/** What a report opens on: any of a view. What is not given is as the page has it, or chosen by the samples. */
export type StudioView = Partial<View>;

/** The studio without samples, as one HTML file: it takes them by drag and drop. @throws where the package was not built */
export function studioPage(): Promise<string> {
  return readFile(PAGE, "utf8");
}

function isColumn(value: unknown): value is LoadColumn {
  return value instanceof Int32Array || value instanceof Float64Array;
}

/**
 * The studio with these samples inside, as one HTML file that needs nothing else: no server, no network. O(samples).
 *
 * @throws InputError where a load is neither an Int32Array nor a Float64Array, or one has more values than another.
 */
export async function studioReport(samples: StudioSamples, view: StudioView = {}): Promise<string> {
  const page = await studioPage();
  const columns: ReportData["columns"][number][] = [];
  let count = -1;
  for (const [name, values] of Object.entries(samples)) {
    if (!isColumn(values)) continue;
    if (name === "invalid") continue;
    if (count !== -1 && values.length !== count) {
      throw new InputError("LENGTH_MISMATCH", `${name} has ${values.length} values, the load before it ${count}`);
    }
    count = values.length;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const type = values instanceof Int32Array ? "int32" : "float64";
    columns.push({ name, type, data: gzipSync(bytes, { level: 9 }).toString("base64") });
  }
  if (columns.length === 0) {
    throw new InputError("INVALID_INPUT", "there is no load, expected an Int32Array or a Float64Array by its name");
  }
  const { files = [{ path: "samples", samples: count }] } = samples;
  const element = samplesElement({
    version: 1,
    files: files.map(({ path, samples }) => ({ path, samples })),
    columns,
    view: toHash({ ...START, ...view }),
  });
  // A function, for a text with $ in it is no pattern.
  return page.replace(SAMPLES_SLOT, () => element);
}

export type { View } from "./view.ts";
