import type { EvidenceWindow, PackedWindow } from '../../crds/wire/evidence.ts';
import { unpackWindow } from '../../crds/wire/evidence-codec.ts';

/**
 * A sound window while nobody has counted it. A fleet of ten thousand pods has tens of thousands of them on their way: as one text
 * each takes about 1 KiB, with its counters in arrays 3 to 5 (measured at two exits).
 */
export interface HeldWindow {
  readonly seq: number;
  /** JSON of the window as it travels. */
  readonly text: string;
}

export function holdWindow(window: PackedWindow): HeldWindow {
  return { seq: window.seq, text: JSON.stringify(window) };
}

/** The window, in arrays of its own at each call. */
export function openWindow({ seq, text }: HeldWindow): EvidenceWindow {
  const window = unpackWindow(JSON.parse(text) as PackedWindow);
  if (window === null) throw new Error(`window ${seq} was sound when it came and is not any more`);
  return window;
}
