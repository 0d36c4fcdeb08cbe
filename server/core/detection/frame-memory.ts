// What a server remembers of each source of frames: one answered frame, the key frame, that the next few are compared with. Which
// frame becomes one depends on frames alone, never on lambda, so that evidence holds for every lambda of the grid.
import type { Box } from './box.ts';

/** A frame that the backbone answered. */
export interface KeyFrame {
  readonly features: Float32Array;
  readonly boxes: readonly Box[];
  /** Distance of the nearest peak's score from the cut, at most 0.1. */
  readonly margin: number;
  /** Peaks whose score is within 0.05 of the cut. */
  readonly nearCut: number;
}

export interface MemoryLimits {
  /** Frames of a source that a key frame may answer. */
  readonly maxAge: number;
  /** Sources that are remembered; of more, the one that was silent longest is forgotten. */
  readonly maxSources: number;
  /** Of all key frames; beyond it, as beyond `maxSources`. */
  readonly maxBytes: number;
  /** A source that was silent for longer starts anew. */
  readonly expiryMs: number;
}

export interface RecalledFrame extends KeyFrame {
  /** 1: the frame before. */
  readonly age: number;
}

/** A frame's place among those of its source. */
export interface FrameTurn {
  /** Null: no key frame is young enough, and this frame has to be answered by the backbone and kept. */
  readonly key: RecalledFrame | null;
  /** Makes it the key frame, unless a later one is, or the source was forgotten meanwhile. */
  readonly keep: (frame: KeyFrame) => void;
}

export interface FrameMemory {
  /** Counts a frame of the source. */
  take(source: string, nowMs: number): FrameTurn;
  /** Forgets every source; frames that are under way are not kept any more. */
  clear(): void;
  /** Sources that are remembered. */
  readonly size: number;
  /** Of their key frames, roughly. */
  readonly sizeBytes: number;
}

interface Remembered {
  frame: KeyFrame | null;
  /** Numbers of the key frame and of the newest frame. */
  keyNumber: number;
  number: number;
  seenMs: number;
}

/** A box with its object, roughly. */
const BOX_BYTES = 100;

const bytesOf = (frame: KeyFrame | null): number =>
  frame === null ? 0 : frame.features.byteLength + frame.boxes.length * BOX_BYTES;

export function createFrameMemory(limits: MemoryLimits): FrameMemory {
  const { maxAge, maxSources, maxBytes, expiryMs } = limits;
  // In the order in which they were last heard of.
  const sources = new Map<string, Remembered>();
  let sizeBytes = 0;

  function forget(source: string, { frame }: Remembered): void {
    sizeBytes -= bytesOf(frame);
    sources.delete(source);
  }

  function makeRoom(): void {
    for (const [silent, own] of sources) {
      if (sources.size <= maxSources && sizeBytes <= maxBytes) return;
      forget(silent, own);
    }
  }

  /** Whatever is silent for too long stands first. */
  function forgetSilent(nowMs: number): void {
    for (const [source, own] of sources) {
      if (nowMs - own.seenMs <= expiryMs) return;
      forget(source, own);
    }
  }

  return {
    take: (source, nowMs) => {
      forgetSilent(nowMs);
      const own = sources.get(source) ?? { frame: null, keyNumber: 0, number: 0, seenMs: nowMs };
      sources.delete(source);
      sources.set(source, own);
      own.number += 1;
      own.seenMs = nowMs;
      makeRoom();
      const { number, frame, keyNumber } = own;
      const age = number - keyNumber;
      return {
        key: frame === null || age > maxAge ? null : { ...frame, age },
        keep: (next) => {
          if (sources.get(source) !== own || number < own.keyNumber) return;
          sizeBytes += bytesOf(next) - bytesOf(own.frame);
          own.frame = next;
          own.keyNumber = number;
          makeRoom();
        },
      };
    },
    clear: () => {
      sources.clear();
      sizeBytes = 0;
    },
    get size() {
      return sources.size;
    },
    get sizeBytes() {
      return sizeBytes;
    },
  };
}
