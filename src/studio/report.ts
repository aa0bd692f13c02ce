// The samples inside a report: what `studioReport` puts into the page, and the page takes out of it.

/** One load of all samples. */
export interface PackedColumn {
  readonly name: string;
  /** int32 or float64, least significant byte first. */
  readonly type: "int32" | "float64";
  /** Its bytes, as gzip, in base64. */
  readonly data: string;
}

/** What a report holds beside the page. */
export interface ReportData {
  /** Version of this record: pages refuse another one. */
  readonly version: 1;
  /** The files that the samples are from, in order. */
  readonly files: readonly { readonly path: string; readonly samples: number }[];
  readonly columns: readonly PackedColumn[];
  /** The view that the page opens on, as the part of its address after #. */
  readonly view: string;
}

/** The ids of the elements that hold the module, as gzip in base64, and the samples, as JSON. */
export const MODULE_ID = "omnibal-module";
export const SAMPLES_ID = "omnibal-samples";

/** Where the samples go in the page. */
export const SAMPLES_SLOT = `<script type="application/json" id="${SAMPLES_ID}"></script>`;

/** The element with the samples: no text in it can end it, or begin another. */
export function samplesElement(data: ReportData): string {
  const text = JSON.stringify(data).replaceAll("<", "\\u003c");
  return SAMPLES_SLOT.replace("></script>", () => `>${text}</script>`);
}

/** Bytes of base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
