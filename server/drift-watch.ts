import type { DriftHint } from '../crds/wire/drift-hints.ts';
import type { Clock } from './clock.ts';
import { createDriftTracker } from './core/drift/drift-tracker.ts';
import type { AuditedRow } from './engine/engine-client.ts';
import { exitInForce } from './evidence/track-window.ts';
import type { RowRecord } from './queue/batch-log.ts';
import { certificateKey } from './safety.ts';
import { answeringExits, type Serving } from './serving.ts';

/** Whether traffic looks unlike that which the stable heads met first. It raises audits by way of the operator, and nothing else. */
export interface DriftWatch {
  readonly onSwap: (serving: Serving) => void;
  onAnswered(record: RowRecord): void;
  onAudits(serving: Serving, audits: readonly AuditedRow[]): void;
  /** At the end of an evidence window, before it closes. */
  tick(): void;
  active(): readonly DriftHint[];
}

export function createDriftWatch(clock: Clock): DriftWatch {
  const tracker = createDriftTracker();
  const keys = new WeakMap<Serving, string>();
  let key: string | null = null;

  /** A batch that ends after a swap was answered by what is no longer in force. */
  function isInForce(serving: Serving): boolean {
    if (key === null) return false;
    const own = keys.get(serving) ?? keyOf(serving) ?? '';
    keys.set(serving, own);
    return own === key;
  }

  return {
    onSwap: (serving) => {
      key = keyOf(serving);
      tracker.under(key);
    },
    onAnswered: ({ serving, track, row, answer }) => {
      if (track !== 'stable' || row.forced !== null || !isInForce(serving)) return;
      tracker.answered(answer.exit >= 0);
    },
    onAudits: (serving, audits) => {
      if (audits.length === 0 || !isInForce(serving)) return;
      const place = serving.plan.tracks.findIndex(({ track }) => track === 'stable');
      const planned = serving.plan.tracks[place];
      const nowMs = clock.monotonicMs();
      for (const { tracks, backboneClass, backboneConfidence } of audits) {
        const scores = tracks[place]?.scores;
        if (planned === undefined || scores === undefined) continue;
        const leaves = exitInForce(planned, scores) >= 0;
        const row = { leaves, firstScore: scores[0] ?? NaN, backboneClass, backboneConfidence };
        tracker.audited(row, nowMs);
      }
    },
    tick: () => {
      tracker.tick(clock.monotonicMs());
    },
    active: () => tracker.active(clock.monotonicMs()),
  };
}

/** Rows under equal keys are answered alike; null: no row of stable may leave. */
function keyOf(serving: Serving): string | null {
  const exits = answeringExits(serving, 'stable');
  const stable = serving.policy?.stable ?? null;
  if (exits.length === 0 || stable === null) return null;
  return [certificateKey(stable), stable.lambdaIndex, ...exits].join('/');
}
