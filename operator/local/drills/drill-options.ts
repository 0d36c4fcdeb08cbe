/** How rows are distorted from one request of the stream on (operations.md 7). */
export type DriftKind = 'noise' | 'blur' | 'rotation' | 'classes';

/** What a run injects on purpose; null or false where a flag was left out. Requests count from 1 in the order they are sent. */
export interface DrillOptions {
  readonly drift: DriftDrill | null;
  readonly kill: KillDrill | null;
  readonly slow: SlowDrill | null;
  readonly poisonHead: boolean;
}

export interface DriftDrill {
  readonly kind: DriftKind;
  readonly fromRequest: number;
  /** Noise: standard deviation as a share of the range. Blur: of the shorter side. Rotation: degrees. Classes: share that is held back. */
  readonly strength: number;
}

export interface KillDrill {
  readonly target: 'host' | 'server';
  readonly atRequest: number;
}

export interface SlowDrill {
  /** The engine host stands still so long, then works so long, and so on. */
  readonly pauseMs: number;
  readonly fromRequest: number;
}

/**
 * The standard strengths, and the most that makes sense. On the bundled example, at a lambda with 0.7 % true disagreement, they gave
 * blur 3.2 % (0.06: 3.4 %), rotation 2.6 % (10 or 20 degrees lower it: heads become unsure), noise 2.2-2.5 %, classes 1.4 % at
 * 0.2: the hardest classes are no harder there (1,000-1,500 rows each, measured).
 */
export const DRIFT_STRENGTH: Readonly<
  Record<DriftKind, { readonly standard: number; readonly most: number }>
> = {
  noise: { standard: 0.08, most: 1 },
  blur: { standard: 0.055, most: 0.5 },
  rotation: { standard: 180, most: 180 },
  classes: { standard: 0.2, most: 1 },
};

/** Each drill as it would be typed. */
export const flagOf = {
  drift: ({ kind, fromRequest }: DriftDrill): string => `--drift ${kind}@${String(fromRequest)}`,
  kill: ({ target, atRequest }: KillDrill): string => `--kill ${target}@${String(atRequest)}`,
  slow: ({ pauseMs, fromRequest }: SlowDrill): string =>
    `--slow ${String(pauseMs)}ms@${String(fromRequest)}`,
  poisonHead: '--poison-head',
};
