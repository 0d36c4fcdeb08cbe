import { formatPercent } from '../../../../../crds/v1alpha1/percent.ts';
import { headRevisionName } from '../../../../plan/names.ts';
import type { LifecycleFacts } from '../../../../plan/status/facts.ts';
import { toTime } from '../../../../plan/status/time.ts';
import { predictedSaving } from '../../../../stats/cost.ts';
import { latestLook } from '../../../../lifecycle/attempts.ts';
import type { CandidateRecord, Ledger, StableRecord } from '../../../../lifecycle/ledger.ts';
import type { Decision, LifecycleInput } from '../../../../lifecycle/types.ts';
import { bundleDigestOf } from '../../../bundle-digest-of.ts';
import type { ServicePass } from '../../service-pass.ts';
import { headsOf } from './heads-status.ts';
import { accuracyOf, judgeBudget } from './judge-budget.ts';
import { judgeExits } from './judge-exits.ts';
import { judgeRollout, rolloutOf } from './judge-rollout.ts';
import { judgeSwitchedOff } from './judge-switched-off.ts';
import { judgeTraining, trainingOf } from './judge-training.ts';
import { nextOutcomes, statedOutcomes } from './outcomes.ts';
import { tuningOf } from './tuning-status.ts';

/** A status that is refused must not fill the memory. */
const MOST_UNSHOWN = 100;

/** What a status says about heads, out of the ledger that was stored and the decisions that led to it. */
export function toLifecycleFacts(
  { gathered, memory, shell }: ServicePass,
  decided: {
    readonly ledger: Ledger;
    readonly input: LifecycleInput;
    readonly decisions: readonly Decision[];
  },
): LifecycleFacts {
  const { ledger, input, decisions } = decided;
  const { previous, nowMs, object, key } = gathered;
  const own = memory.lifecycle;
  own.outcomes = nextOutcomes(own.outcomes ?? statedOutcomes(previous), decisions);
  own.unshown = [...own.unshown, ...decisions].slice(-MOST_UNSHOWN);
  const shown = { decisions: own.unshown, input };
  const { name } = object.metadata;
  const names = new Map(
    shell.caches.headRevisions
      .listIndexed(key)
      .map((revision) => [bundleDigestOf(revision), revision.metadata.name] as const),
  );
  const nameOf = (digest: string): string => names.get(digest) ?? headRevisionName(name, digest);
  const saving = savingOf(ledger.stable, input);
  return {
    exitsActive:
      judgeSwitchedOff(object.metadata.annotations ?? {}, nowMs) ??
      judgeExits(ledger, input, own.outcomes),
    withinBudget: judgeBudget(ledger),
    rolloutSucceeded: judgeRollout(ledger, input) ?? own.outcomes.rollout,
    trained: judgeTraining(ledger, input, own.outcomes.training),
    exitedShares: exitedShares(ledger.stable),
    request: requestOf(ledger),
    status: {
      heads: headsOf(ledger, nameOf, { before: previous.heads, nowMs }),
      rollout: rolloutOf(ledger, input),
      accuracy: accuracyOf(ledger, { saving, time: toTime(nowMs) }, previous.accuracy),
      tuning: tuningOf(
        ledger,
        shown,
        { nameOf, savingOf: (candidate) => savingOf(candidate, input) },
        previous.tuning,
      ),
      training: trainingOf(name, ledger, shown, previous.training),
    },
  };
}

function requestOf({ request }: Ledger): LifecycleFacts['request'] {
  if (request === null) return null;
  const { value, result, message, atMs } = request;
  return { value, result, message, time: toTime(atMs) };
}

/** Net saving that the newest look of heads predicts at their lambda; null: not known. */
function savingOf(
  track: StableRecord | CandidateRecord | null,
  { revisions }: LifecycleInput,
): number | null {
  const lambdaIndex = track?.lambdaIndex ?? null;
  const facts = revisions.find(({ headRevision }) => headRevision === track?.headRevision);
  const evidence = track?.evidence ?? null;
  const look = evidence && latestLook(evidence);
  if (look === null || lambdaIndex === null || facts === undefined) return null;
  const { pathCost, exits } = facts;
  return predictedSaving(look.grid, lambdaIndex, { pathCost, activeExits: exits.length });
}

/** Per exit, the share of requests that leave there; what does not answer is not in it. */
function exitedShares(stable: StableRecord | null): ReadonlyMap<string, string> {
  const lambdaIndex = stable?.lambdaIndex ?? null;
  const look = stable === null ? null : latestLook(stable.evidence);
  if (stable?.off !== null || lambdaIndex === null || look === null) return new Map();
  const { grid } = look;
  return new Map(
    stable.exits.map((exit, e) => [
      exit,
      formatPercent(
        Number(((grid.leave[e]?.[lambdaIndex] ?? 0) / Math.max(1, grid.n)).toPrecision(3)),
      ),
    ]),
  );
}
