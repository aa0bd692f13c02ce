// A small checkpoint of Qwen2.5-VL's kind, and a data set of pictures in every form that is read.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { random } from "../../bench/corpus.ts";
import { jpeg, png, tar, webp } from "./pictures.ts";
import { smallTokenizer } from "./tokenizers.ts";

const TEMPLATE =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% elif c.type == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}";

export function modelFolder(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  write("config.json", {
    model_type: "qwen2_5_vl",
    vision_config: { patch_size: 14, spatial_merge_size: 2, window_size: 112, temporal_patch_size: 2 },
  });
  write("preprocessor_config.json", {
    image_processor_type: "Qwen2VLImageProcessor",
    patch_size: 14,
    merge_size: 2,
    temporal_patch_size: 2,
    min_pixels: 3136,
    max_pixels: 501760,
  });
  write("tokenizer.json", smallTokenizer());
  write("tokenizer_config.json", { chat_template: TEMPLATE });
  return folder;
}

export interface Sample {
  readonly id: string;
  readonly image: string;
  readonly conversations: readonly { readonly from: string; readonly value: string }[];
}

/** Samples with a PNG, a JPEG (half of them turned by EXIF) or a WebP each, below `folder`/pictures. */
export function dataSet(folder: string, count: number): Sample[] {
  const draw = random(7);
  mkdirSync(join(folder, "pictures"), { recursive: true });
  return Array.from({ length: count }, (_, i) => {
    const width = 20 + Math.floor(draw() * 900);
    const height = 20 + Math.floor(draw() * 900);
    const orientation = i % 2 === 0 ? 6 : 1;
    const [ending, bytes] = [
      ["png", () => png(width, height)],
      ["jpg", () => jpeg(width, height, { orientation })],
      ["webp", () => webp(width, height)],
    ][i % 3] as [string, () => Uint8Array];
    const image = `pictures/${String(i).padStart(5, "0")}.${ending}`;
    writeFileSync(join(folder, image), bytes());
    const answer = Array.from(
      { length: 1 + Math.floor(draw() * 60) },
      () => ["the cat", "of a picture", "7", "é"][Math.floor(draw() * 4)],
    ).join(" ");
    return {
      id: String(i),
      image,
      conversations: [
        { from: "human", value: "<image>\nWhat is it?" },
        { from: "gpt", value: answer },
      ],
    };
  });
}

export const lines = (records: readonly unknown[]) => records.map((record) => `${JSON.stringify(record)}\n`).join("");

export function parquetOf(samples: readonly Sample[]): Uint8Array {
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: "id", data: samples.map(({ id }) => id), type: "STRING" },
        { name: "image", data: samples.map(({ image }) => image), type: "STRING" },
        { name: "conversations", data: samples.map(({ conversations }) => conversations), type: "JSON" },
      ],
      rowGroupSize: 64,
    }),
  );
}

export function tarOf(samples: readonly Sample[], picture: (path: string) => Uint8Array): Uint8Array {
  return tar(
    samples.flatMap(({ id, image, conversations }) => {
      const key = id.padStart(5, "0");
      return [
        [`${key}.json`, new TextEncoder().encode(JSON.stringify({ conversations }))] as const,
        [`${key}.${image.split(".").at(-1)}`, picture(image)] as const,
      ];
    }),
  );
}
