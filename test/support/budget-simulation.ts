// Services whose heads disagree on exactly the budget, driven through the real `decide`: whatever it certifies is a mistake.
import type { EvidenceWindow } from '../../crds/wire/evidence.ts';
import { decide } from '../../operator/lifecycle/decide.ts';
import { emptyLedger, type Ledger } from '../../operator/lifecycle/ledger.ts';
import type { HeadRevisionFacts, TrainingReport } from '../../operator/lifecycle/types.ts';
import {
  aBackbone,
  aDigest,
  anAcknowledgement,
  anEvidenceWindow,
  anInput,
  aPod,
  aRevision,
  aService,
  servedRows,
  START_MS,
} from './builders.ts';
import { seededRandom } from './seeded-random.ts';

export interface BudgetStory {
  /** Attempt of the episode that was certified; null: none was. */
  readonly certifiedAt: number | null;
  readonly attempts: number;
}

const TICK_MS = 10_000;
/** 20 blocks to the first look of 1,000 rows, then as many as bring the others, on 3,000 and on 10,000. */
const BLOCKS = [
  ...new Array<number>(20).fill(50),
  ...new Array<number>(4).fill(500),
  ...new Array<number>(7).fill(1_000),
];
const SETTINGS = aService({ cooldownMs: 0 });
const BACKBONE = aBackbone();
const ENOUGH = { long: 20_000, recent: 20_000, seen: 20_000 };

/**
 * Trains heads, shadows them, rejects them and trains again, until a look certifies or `maxAttempts` were rejected. Each row
 * disagrees with the probability of the budget at every lambda, so the first lambda is already one of too much risk.
 */
export function simulateAtBudget(seed: readonly number[], maxAttempts: number): BudgetStory {
  const random = seededRandom(seed);
  let ledger: Ledger = emptyLedger();
  let revisions: readonly HeadRevisionFacts[] = [];
  let training: TrainingReport = { kind: 'Idle' };
  let seq = 0;
  let block = 0;
  for (let tick = 1; ledger.failed.length < maxAttempts; tick++) {
    const { candidate, stage, episode } = ledger;
    if (tick > 100 * maxAttempts) throw new Error(`stuck in ${stage} after ${String(tick)} ticks`);
    const audits = stage === 'Shadowing' ? BLOCKS[block++ % BLOCKS.length]! : 0;
    const disagreements = random.binomial(audits, SETTINGS.budget);
    if (audits > 0) seq += 1;
    const window = aShadowWindow(candidate?.headRevision ?? null, { seq, audits, disagreements });
    const pod = aPod({
      windows: audits > 0 ? [window] : [],
      acknowledgement: anAcknowledgement(revisions),
      samples: ENOUGH,
    });
    const nowMs = START_MS + tick * TICK_MS;
    const input = anInput({ nowMs, settings: SETTINGS, backbone: BACKBONE, pods: [pod] });
    const plan = decide(ledger, { ...input, revisions, training });
    if (plan.decisions.some(({ reason }) => reason === 'Certified')) {
      return { certifiedAt: episode.attempts, attempts: episode.attempts };
    }
    ledger = plan.ledger;
    if (plan.training === null) continue;
    const { attempt } = plan.training;
    const revision = aRevision({ headRevision: aDigest(attempt) });
    revisions = [revision];
    training = { kind: 'Trained', attempt, revision };
    block = 0;
  }
  return { certifiedAt: null, attempts: ledger.episode.attempts };
}

/** What a shadow tells of a block of rows. */
function aShadowWindow(
  headRevision: string | null,
  block: { readonly seq: number; readonly audits: number; readonly disagreements: number },
): EvidenceWindow {
  const { seq, audits, disagreements } = block;
  return {
    ...anEvidenceWindow({ headRevision, audits, disagreements }),
    ...{ track: 'candidate', seq, served: servedRows(2, audits) },
  };
}

/** Certified services by the attempt that was certified. */
export function certifiedByAttempt(
  stories: readonly BudgetStory[],
): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { certifiedAt } of stories) {
    if (certifiedAt !== null) counts[certifiedAt] = (counts[certifiedAt] ?? 0) + 1;
  }
  return counts;
}
