// What a tick says about traffic, lost audits and saving, whatever the stage.
import { updateHint } from './drift-hint.ts';
import { NO_LOST, type Ledger } from './ledger.ts';
import { updateLost } from './lost-evidence.ts';
import { assessLoad } from './pods.ts';
import { updateSaving } from './saving-monitor.ts';
import { coveredSeconds, factsOf, observedRate, type Tick } from './tick.ts';

/** The rate of rows is a mean over the past that fades by a factor e in this time, however often pods are asked. */
const RATE_MEMORY_SECONDS = 60;

/** Updates the figures of traffic that need no evidence of their own. */
export function countTraffic(ledger: Ledger, tick: Tick): Ledger {
  const { stable } = ledger;
  const watched = watchedRevision(ledger);
  return {
    ...ledger,
    traffic: { ...ledger.traffic, rowsPerSecond: nextRate(ledger, tick) },
    hint: stable === null ? ledger.hint : updateHint(ledger.hint, stable, tick),
    lost: watched === null ? NO_LOST : updateLost(ledger.lost, tick, watched),
    saving: isServingAlone(ledger) ? updateSaving(ledger.saving, tick) : ledger.saving,
    mismatched: mismatchedPods(ledger, tick),
  };
}

function nextRate({ traffic }: Ledger, tick: Tick): number | null {
  const rate = observedRate(tick);
  if (rate === null) return traffic.rowsPerSecond;
  if (traffic.rowsPerSecond === null) return rate;
  const weight = 1 - Math.exp(-coveredSeconds(tick) / RATE_MEMORY_SECONDS);
  return traffic.rowsPerSecond + weight * (rate - traffic.rowsPerSecond);
}

/** The revision whose audits must not get lost: stable's, else the candidate's. */
function watchedRevision({ stable, candidate }: Ledger): string | null {
  return stable?.headRevision ?? candidate?.headRevision ?? null;
}

/** Shadow and candidate heads are charged to nobody: only then is the saving that of stable. */
function isServingAlone({ stage, stable, candidate }: Ledger): boolean {
  return stage === 'Serving' && stable?.off === null && candidate === null;
}

/** Pods whose heads, of either track, do not give the known answers; their evidence does not count. */
function mismatchedPods({ stable, candidate }: Ledger, tick: Tick): readonly string[] {
  const named = [stable, candidate].flatMap((track) => {
    const facts = track === null ? null : factsOf(tick, track.headRevision);
    return facts === null ? [] : [facts];
  });
  const { digest } = tick.backbone;
  return tick.input.pods
    .filter(({ acknowledgement }) =>
      named.some((facts) => assessLoad(acknowledgement, facts, digest) === 'Mismatch'),
    )
    .map(({ podUid }) => podUid)
    .sort();
}
