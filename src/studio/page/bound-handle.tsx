// A bound as a line across the samples, to be dragged with the mouse or a finger, or moved by keys.
import { useRef } from "preact/hooks";
import { whole } from "./format.ts";
import { stepOf } from "./frame.ts";
import type { Frame } from "./messages.ts";

/** Where the plot is inside its place, in CSS pixels. */
export interface Geometry {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface HandleProps {
  readonly load: string;
  readonly bound: number;
  /** The largest value of a sample: a bound from there on leaves none out. */
  readonly most: number;
  readonly across: boolean;
  readonly frame: Frame;
  readonly geometry: Geometry;
  onMove(bound: number): void;
  onEnd(): void;
}

const KEYS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowLeft: -1,
  ArrowDown: -1,
  PageUp: 10,
  PageDown: -10,
};

export function BoundHandle({ load, bound, most, across, frame, geometry, onMove, onEnd }: HandleProps) {
  const isDragged = useRef(false);
  const k = across ? 0 : 1;
  const low = frame.low[k];
  const high = frame.high[k];
  const share = Math.min(1, Math.max(0, (bound - low) / (high - low)));
  const move = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).parentElement?.getBoundingClientRect();
    if (box === undefined) return;
    const at = across
      ? (event.clientX - box.left - geometry.left) / geometry.width
      : 1 - (event.clientY - box.top - geometry.top) / geometry.height;
    const value = Math.round(low + Math.min(1, Math.max(0, at)) * (high - low));
    onMove(Math.max(1, Math.min(value, Math.floor(high))));
  };
  const key = (event: KeyboardEvent) => {
    const step = stepOf(frame, k);
    const by = KEYS[event.key];
    let to: number;
    if (by !== undefined) to = bound + by * step * (event.shiftKey ? 10 : 1);
    else if (event.key === "Home") to = 1;
    else if (event.key === "End") to = most;
    else return;
    event.preventDefault();
    onMove(Math.max(1, to));
    onEnd();
  };
  const style = across
    ? { left: `${geometry.left + share * geometry.width}px`, top: `${geometry.top}px`, height: `${geometry.height}px` }
    : {
        top: `${geometry.top + (1 - share) * geometry.height}px`,
        left: `${geometry.left}px`,
        width: `${geometry.width}px`,
      };
  return (
    <div
      class={`bound ${across ? "across" : "up"}`}
      style={style}
      role="slider"
      tabIndex={0}
      aria-label={`Most ${load} in a group`}
      aria-orientation={across ? "horizontal" : "vertical"}
      aria-valuemin={1}
      aria-valuemax={Math.floor(Math.max(high, bound))}
      aria-valuenow={bound}
      aria-valuetext={`${load} at most ${whole(bound)}`}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        isDragged.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
        event.currentTarget.focus();
        event.preventDefault();
      }}
      onPointerMove={(event) => {
        if (isDragged.current) move(event);
      }}
      onPointerUp={() => {
        if (isDragged.current) onEnd();
        isDragged.current = false;
      }}
      onPointerCancel={() => {
        if (isDragged.current) onEnd();
        isDragged.current = false;
      }}
      onKeyDown={key}
    >
      <span class="grip" />
      <span class="tag">
        {load} ≤ {whole(bound)}
      </span>
    </div>
  );
}
