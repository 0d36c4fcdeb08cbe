import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../crds/v1alpha1/duration.ts';
import type { DriftKind, KillDrill, SlowDrill } from '../local/drills/drill-options.ts';

/** A drift whose strength is not chosen yet. */
export interface DriftFlag {
  readonly kind: DriftKind;
  readonly fromRequest: number;
}

const REQUEST = /^[1-9]\d{0,8}$/;

export function driftFlag(text: string): DriftFlag {
  const [kind = '', at = '', ...more] = text.split('@');
  if (!isDriftKind(kind) || !REQUEST.test(at) || more.length > 0) {
    throw new InvalidArgumentError(
      'Write noise, blur, rotation or classes, then @ and the request it begins with, for example noise@15000.',
    );
  }
  return { kind, fromRequest: Number(at) };
}

function isDriftKind(text: string): text is DriftKind {
  return text === 'noise' || text === 'blur' || text === 'rotation' || text === 'classes';
}

export function driftStrength(text: string): number {
  const value = /^\d{1,3}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError('Write a number above 0, for example 0.2.');
}

export function killFlag(text: string): KillDrill {
  const [target = '', at = '', ...more] = text.split('@');
  if ((target !== 'host' && target !== 'server') || !REQUEST.test(at) || more.length > 0) {
    throw new InvalidArgumentError(
      'Write host or server, then @ and the request at which it is killed, for example host@5000.',
    );
  }
  return { target, atRequest: Number(at) };
}

const LONGEST_PAUSE_MS = 2_000;

export function slowFlag(text: string): SlowDrill {
  const [pause = '', at = '', ...more] = text.split('@');
  const pauseMs = /^\d{1,5}m?s$/.test(pause) ? parseDuration(pause) : 0;
  const isShort = pauseMs > 0 && pauseMs <= LONGEST_PAUSE_MS;
  if (!isShort || !REQUEST.test(at) || more.length > 0) {
    throw new InvalidArgumentError(
      'Write a pause of at most 2s, then @ and the request it begins with, for example 20ms@5000.',
    );
  }
  return { pauseMs, fromRequest: Number(at) };
}
