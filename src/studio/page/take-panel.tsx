// What to go on with: files, the command line and the call that make the same, charts as images.
import { useState } from "preact/hooks";
import { formats, planFormats } from "../../write/bytes.ts";
import type { View } from "../view.ts";
import type { Client } from "./client.ts";
import { callText, packCommand, planCommand } from "./commands.ts";
import type { Opened } from "./messages.ts";
import { save } from "./save.ts";
import { Scroll } from "./scroll.tsx";

interface TakePanelProps {
  readonly view: View;
  readonly opened: Opened;
  readonly client: Client;
  onProblem(text: string): void;
}

function Copy({ title, text }: { readonly title: string; readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <div class="copy">
      <div class="row">
        <h3>{title}</h3>
        <button type="button" aria-label={`Copy: ${title}`} onClick={copy}>
          {isCopied ? "Copied" : "Copy"}
        </button>
      </div>
      <Scroll label={title}>
        <pre>{text}</pre>
      </Scroll>
    </div>
  );
}

/** The clipboard is there on secure pages only; a report opened from the disk may have none. */
async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

export function TakePanel({ view, opened, client, onProblem }: TakePanelProps) {
  const [packingFormat, setPackingFormat] = useState(formats[0].name);
  const [planFormat, setPlanFormat] = useState(planFormats[0].name);
  const { max, min, method, effort, rounds, seed, ranks, microBatch, aim, cost, step } = view;
  const settings = {
    pack: { max, min, method, effort, rounds, seed },
    steps: { ranks, microBatch, seed, aim, cost, step },
  };
  const take = async (what: "packing" | "plan" | "trace", format: string) => {
    try {
      const { name, bytes } = await client.file({ what, format, ...settings });
      save(name, bytes);
    } catch (error) {
      onProblem((error as Error).message);
    }
  };
  const paths = opened.files.map(({ path }) => path);
  return (
    <>
      <h3>Files</h3>
      <div class="row">
        <label class="field">
          <span>packing as</span>
          <select value={packingFormat} onChange={(event) => setPackingFormat(event.currentTarget.value)}>
            {formats.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => take("packing", packingFormat)}>
          Save the packing
        </button>
        <label class="field">
          <span>plan for {ranks} ranks as</span>
          <select value={planFormat} onChange={(event) => setPlanFormat(event.currentTarget.value)}>
            {planFormats.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => take("plan", planFormat)}>
          Save the plan
        </button>
        <button type="button" title="Chrome's trace format, for ui.perfetto.dev" onClick={() => take("trace", "json")}>
          Save the timeline
        </button>
      </div>
      <p class="about">
        The bytes are those that the command line writes. A folder comes as a .zip. The timeline opens in
        ui.perfetto.dev or chrome://tracing: a unit of the cost is shown as a millisecond.
      </p>
      <Copy title="Command line, packing" text={packCommand(view, paths)} />
      <Copy title="Command line, plan" text={planCommand(view, paths)} />
      <Copy title="JavaScript" text={callText(view, paths)} />
      <p class="about">Each chart is saved as an image by the button in its corner.</p>
    </>
  );
}
