import { ANNOTATIONS } from '../../../plan/names.ts';

/** What annotations ask for without touching the spec (api.md 9). */
export interface Verbs {
  readonly isPaused: boolean;
  readonly areExitsOff: boolean;
  /** When `exits: off until` ends by itself; null: it does not. */
  readonly exitsOffUntilMs: number | null;
}

const UNTIL = /^off until (\S+)$/;

/** A time that cannot be read leaves exits off: whoever wrote it wanted them off. */
export function readVerbs(annotations: Readonly<Record<string, string>>, nowMs: number): Verbs {
  const isPaused = annotations[ANNOTATIONS.rollout]?.trim() === 'paused';
  const exits = annotations[ANNOTATIONS.exits]?.trim() ?? '';
  const until = Date.parse(UNTIL.exec(exits)?.[1] ?? '');
  if (!Number.isNaN(until)) {
    const areExitsOff = nowMs < until;
    return { isPaused, areExitsOff, exitsOffUntilMs: areExitsOff ? until : null };
  }
  return { isPaused, areExitsOff: exits.startsWith('off'), exitsOffUntilMs: null };
}
