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
  /** A source that was silent for longer starts anew. */
  readonly expiryMs: number;
}

export interface RecalledFrame extends KeyFrame {
  /** 1: the frame before. */
  readonly age: number;
}

export interface FrameMemory {
  /** Counts a frame of the source. Null: no key frame is young enough, and this frame has to be answered by the backbone and kept. */
  recall(source: string, nowMs: number): RecalledFrame | null;
  keep(source: string, frame: KeyFrame, nowMs: number): void;
  /** Sources that are remembered. */
  readonly size: number;
}

interface Remembered {
  readonly frame: KeyFrame;
  readonly age: number;
  readonly seenMs: number;
}

export function createFrameMemory({ maxAge, maxSources, expiryMs }: MemoryLimits): FrameMemory {
  // In the order in which they were last heard of.
  const sources = new Map<string, Remembered>();
  const remember = (source: string, remembered: Remembered): void => {
    sources.delete(source);
    sources.set(source, remembered);
    for (const oldest of sources.keys()) {
      if (sources.size <= maxSources) break;
      sources.delete(oldest);
    }
  };
  return {
    recall: (source, nowMs) => {
      const known = sources.get(source);
      if (known === undefined) return null;
      const age = known.age + 1;
      if (age > maxAge || nowMs - known.seenMs > expiryMs) {
        sources.delete(source);
        return null;
      }
      remember(source, { ...known, age, seenMs: nowMs });
      return { ...known.frame, age };
    },
    keep: (source, frame, nowMs) => {
      remember(source, { frame, age: 0, seenMs: nowMs });
    },
    get size() {
      return sources.size;
    },
  };
}
