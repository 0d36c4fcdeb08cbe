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
  /** Noise: standard deviation as a share of the range. Blur: of the shorter side. Rotation: degrees. Classes: share of the new class. */
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
 * The standard strengths, at which about 3 % of the bundled example's drifted rows are answered wrong, and the most that makes
 * sense. `operator/README.md` has what was measured; none grows evenly with its strength, as heads become unsure on the way.
 */
export const DRIFT_STRENGTH: Readonly<
  Record<DriftKind, { readonly standard: number; readonly most: number }>
> = {
  noise: { standard: 0.3, most: 1 },
  blur: { standard: 0.06, most: 0.5 },
  rotation: { standard: 30.5, most: 180 },
  classes: { standard: 0.4, most: 1 },
};

/** Each drill as it would be typed. */
export const flagOf = {
  drift: ({ kind, fromRequest }: DriftDrill): string => `--drift ${kind}@${String(fromRequest)}`,
  kill: ({ target, atRequest }: KillDrill): string => `--kill ${target}@${String(atRequest)}`,
  slow: ({ pauseMs, fromRequest }: SlowDrill): string =>
    `--slow ${String(pauseMs)}ms@${String(fromRequest)}`,
  poisonHead: '--poison-head',
};
