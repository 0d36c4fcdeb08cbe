import type { AgreementName } from '../../../crds/wire/agreement.ts';
import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import { AGREEMENTS } from '../../../server/core/agreement.ts';
import type { LatencyDigest } from '../../../crds/wire/evidence.ts';
import type { PageExit } from '../page/state/page-state.ts';
import { pathCosts } from '../../fleet/model-costs.ts';
import type { ExitLine } from '../view/screen-model.ts';
import { quantilesOfDigest } from './quantiles.ts';

/** What a row saves that leaves at an exit, or loses that runs to the end past all heads. */
interface ExitSaving {
  readonly savedMs: number | null;
  readonly savedRatio: number | null;
}

/** Savings of the exits of a bundle, and under `backbone` those of its end; from measured costs of this machine. */
export function savingsOf(
  bundle: HeadBundle | undefined,
  state: ServerState,
): ReadonlyMap<string, ExitSaving> {
  if (bundle === undefined) return new Map();
  const rowMs = plainRowMs(state);
  const costs = pathCosts(bundle, state, state.queue.modalBatchRows);
  const names = [...bundle.heads.map(({ exit }) => exit), 'backbone'];
  return new Map(
    names.map((name, i) => {
      const savedRatio = 1 - (costs[i] ?? 1);
      return [name, { savedRatio, savedMs: rowMs === null ? null : rowMs * savedRatio }];
    }),
  );
}

/** Milliseconds of one row through the backbone alone, at the batch size in which most rows arrive. */
function plainRowMs({ costs, queue }: ServerState): number | null {
  if (costs === null) return null;
  const index = costs.batchSizes.findLastIndex((size) => size <= queue.modalBatchRows);
  const row = Math.max(0, index);
  const [batchMs, size] = [costs.plainMs[row], costs.batchSizes[row]];
  return batchMs === undefined || size === undefined ? null : batchMs / size;
}

/**
 * What audited rows of an exit keep, and its two-sided interval by the test of the agreement: of Strict the share that agrees
 * (Clopper and Pearson), of F1 the mean F1. Null without any. @param disagreements rows, or the sum of their losses
 */
export function keptOf(
  { audits, disagreements }: { readonly audits: number; readonly disagreements: number },
  { confidence, agreement }: { readonly confidence: number; readonly agreement?: AgreementName },
): PageExit['agreement'] {
  if (audits === 0) return null;
  const { rowUnits, upper } = AGREEMENTS[agreement ?? 'Strict'];
  const delta = (1 - confidence) / 2;
  const lost = Math.round(disagreements * rowUnits);
  return {
    ratio: 1 - disagreements / audits,
    low: 1 - upper(lost, audits, delta),
    high: upper(audits * rowUnits - lost, audits, delta),
  };
}

interface CountedExit {
  readonly rows: number;
  /** What the terminal shows of it; undefined until a row left there. */
  readonly line: ExitLine | undefined;
  readonly latency: LatencyDigest;
  readonly saving: ExitSaving | undefined;
  readonly doubt: PageExit['doubt'];
  readonly confidence: number;
  readonly agreement?: AgreementName;
}

const NO_ROWS = { rowsPerSecond: 0, shareRatio: 0, audits: 0, disagreements: 0 };

export function exitFigures(
  exit: Pick<PageExit, 'name' | 'tensor' | 'sourceHeader' | 'isOn'>,
  { rows, line, latency, saving, doubt, ...terms }: CountedExit,
): PageExit & { readonly rows: number } {
  const { rowsPerSecond, shareRatio, audits, disagreements } = line ?? NO_ROWS;
  const { savedMs, savedRatio } = saving ?? { savedMs: null, savedRatio: null };
  return {
    ...exit,
    // Training keeps the exits that pay: a price or a score belongs to a head.
    hasHead: exit.tensor === null || savedMs !== null || rows > 0 || doubt !== null,
    rows,
    rowsPerSecond: Math.max(0, rowsPerSecond),
    share: shareRatio,
    audits,
    disagreements,
    agreement: keptOf({ audits, disagreements }, terms),
    latency: quantilesOfDigest(latency),
    savedMs,
    savedRatio,
    doubt,
  };
}
