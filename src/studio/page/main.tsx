// The page: takes the module out of itself, and samples where it has such, and shows the studio.
import { gunzipSync } from "fflate";
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { fromBase64, MODULE_ID, type ReportData, SAMPLES_ID } from "../report.ts";
import { App } from "./app.tsx";
import type { Columns } from "./samples.ts";

function textOf(id: string): string {
  return document.getElementById(id)?.textContent ?? "";
}

function unpack(data: string): ArrayBuffer {
  return gunzipSync(fromBase64(data)).buffer as ArrayBuffer;
}

function report(): { columns: Columns; files: ReportData["files"]; view: string } | undefined {
  const text = textOf(SAMPLES_ID);
  if (text === "") return undefined;
  const { version, columns, files, view } = JSON.parse(text) as ReportData;
  if (version !== 1) throw new Error(`the samples in this page are of version ${version}, expected 1`);
  const own = columns.map(({ name, type, data }) => {
    const bytes = unpack(data);
    return [name, type === "int32" ? new Int32Array(bytes) : new Float64Array(bytes)] as const;
  });
  return { columns: Object.fromEntries(own), files, view };
}

const place = document.getElementById("app");
if (place !== null) render(<App module={unpack(textOf(MODULE_ID))} report={report()} />, place);
