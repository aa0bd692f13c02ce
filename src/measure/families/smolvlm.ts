import { linspace, roundHalfEven, unique } from "./arithmetic.ts";
import { every, type Family, knownRate, run } from "./family.ts";
import { idefics3Image, ideficsWords } from "./idefics3.ts";

const ONES =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split(" ");

/** A number in English words, as the text of a video tells how many frames there are; below a million. */
function inWords(n: number): string {
  if (n < 20) return ONES[n];
  if (n < 100) return TENS[Math.floor(n / 10)] + (n % 10 === 0 ? "" : `-${ONES[n % 10]}`);
  if (n < 1000) return `${ONES[Math.floor(n / 100)]} hundred${n % 100 === 0 ? "" : ` and ${inWords(n % 100)}`}`;
  const rest = n % 1000;
  return `${inWords(Math.floor(n / 1000))} thousand${rest === 0 ? "" : rest < 100 ? ` and ${inWords(rest)}` : `, ${inWords(rest)}`}`;
}

/** H:MM:SS, with days in front of it from one day on. */
function clock(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  const time = `${Math.floor(seconds / 3600) % 24}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days === 0 ? time : `${days} day${days === 1 ? "" : "s"}, ${time}`;
}

export const smolvlm: Family = {
  name: "smolvlm",
  about: "SmolVLM, SmolVLM2",
  counts: "tiles",
  checkpoints: ["smolvlm", "SmolVLM"],
  published: {
    "smolvlm-256m": {
      image: { size: { longest_edge: 2048 }, max_image_size: { longest_edge: 512 } },
      processor: { image_seq_len: 64 },
      config: { vision_config: { patch_size: 16 } },
    },
    "smolvlm-500m": {
      image: { size: { longest_edge: 2048 }, max_image_size: { longest_edge: 512 } },
      processor: { image_seq_len: 64 },
      config: { vision_config: { patch_size: 16 } },
    },
    "smolvlm-2.2b": {
      image: { size: { longest_edge: 1536 }, max_image_size: { longest_edge: 384 } },
      processor: { image_seq_len: 81 },
      config: { vision_config: { patch_size: 14 } },
    },
  },
  exif: "transpose",
  placeholders: (settings) => ({
    image: ideficsWords(settings).token,
    video: settings.text("video_token", ["tokenizer:video_token"], "<video>"),
  }),
  image: (settings) => idefics3Image(settings, { longest: 1456, tile: 364, tokens: 169, patch: 14 }),

  video(settings) {
    const most = settings.whole("num_frames", ["video:video_sampling.max_frames", "video:num_frames"], 64);
    const rate = settings.decimal("fps", ["video:video_sampling.fps", "video:fps"], 1);
    const tokensOfFrame = settings.whole("image_seq_len", ["processor:image_seq_len"], 169);
    const tile = settings.whole(
      "max_image_size",
      ["video:max_image_size.longest_edge", "image:max_image_size.longest_edge"],
      364,
    );
    const patch = settings.whole("patch_size", ["config:vision_config.patch_size"], 14);
    const samples = settings.flag("do_sample_frames", ["video:do_sample_frames"], true);
    const { fake, token, global } = ideficsWords(settings);
    const soft = run(token, tokensOfFrame);
    const picture = fake + global + soft.text + fake;
    return {
      parameters: settings.resolved,
      sample(frames, fps) {
        if (!samples) return every(frames);
        const shot = knownRate(fps);
        const seconds = frames / shot;
        const count = Math.max(1, Math.min(roundHalfEven(rate * seconds), most));
        let start = 0;
        let end = frames - 1;
        // A second at either end is left out of a long video.
        if (seconds - 2 > most * rate) {
          start = Math.max(0, Math.trunc(shot));
          end = Math.min(Math.trunc(frames - shot), frames - 1);
        }
        if (start >= end) [start, end] = [0, frames - 1];
        return unique(linspace(start, end, count).map(Math.floor));
      },
      of(indices, { frames, fps }) {
        const count = indices.length;
        const shot = fps ?? 24;
        const two = (value: number) => String(value).padStart(2, "0");
        const seconds = Math.trunc(frames / shot);
        let text = `You are provided the following series of ${inWords(count)} frames from a ${clock(seconds)} [H:MM:SS] video.\n`;
        for (const index of indices) {
          const time = index / shot;
          text += `\nFrame from ${two(Math.floor(time / 60))}:${two(Math.trunc(time % 60))}:${picture}`;
        }
        return {
          vit: count,
          tokens: count * (tokensOfFrame + 3),
          attention: count * Math.floor(tile / patch) ** 4,
          frames: count,
          text: `${text}\n\n`,
          omitted: count * soft.omitted,
        };
      },
    };
  },
};
