import { linspace, oneDecimal, roundHalfEven } from "./arithmetic.ts";
import type { Family } from "./family.ts";
import { duration, even, glmImage, glmPlaceholders, glmVideo } from "./glm4v.ts";

/** Frames per second for videos up to a number of seconds, and the most frames in all. */
const RATES = [
  { seconds: 30, rate: 3 },
  { seconds: 300, rate: 1 },
  { seconds: 2400, rate: 0.5 },
] as const;
const MOST_FRAMES = 640;

function whole(start: number, stop: number, count: number): number[] {
  return linspace(start, stop, count).map(Math.floor);
}

function sample(frames: number, fps: number, temporal: number): number[] {
  const last = frames - 1;
  const seconds = duration(frames, fps) || roundHalfEven(last / fps) + 1;
  const counted = Math.min(seconds, RATES[2].seconds);
  const { rate } = RATES.find((step) => counted <= step.seconds) ?? RATES[2];
  const wanted = Math.min(Math.trunc(counted * rate * temporal), MOST_FRAMES);
  let indices: number[] = [];
  if (frames < wanted) indices = whole(0, last, wanted);
  else {
    const step = 1 / (temporal * rate);
    const frame = 1 / fps;
    const end = Math.trunc(seconds);
    let next = 0;
    for (let i = 0; i < frames; i++) {
      if (i * frame < next) continue;
      next += step;
      indices.push(i);
      if (next >= end) break;
    }
  }
  if (indices.length < wanted) {
    const [start, stop] = indices.length === 0 ? [0, Math.max(last, 0)] : [indices[0], indices[indices.length - 1]];
    indices = whole(start, stop, wanted);
  } else if (indices.length > wanted) indices = whole(0, last, wanted);
  return even(indices);
}

export const glm46v: Family = {
  name: "glm-4.6v",
  about: "GLM-4.6V",
  counts: "patches",
  checkpoints: ["glm46v", "Glm46V"],
  published: {
    "glm-4.6v": {
      image: { shortest_edge: 12544, longest_edge: 9633792 },
      video: { shortest_edge: 12544, longest_edge: 47040000 },
    },
  },
  exif: "transpose",
  placeholders: glmPlaceholders,
  image: glmImage,
  video: (settings) => glmVideo(settings, sample, (seconds) => `${oneDecimal(seconds)} seconds`),
};
