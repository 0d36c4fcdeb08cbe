import { formatPercent } from '../../../../../crds/v1alpha1/percent.ts';
import type { ServiceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import type { Ledger } from '../../../../lifecycle/ledger.ts';
import type { Decision, LifecycleInput } from '../../../../lifecycle/types.ts';
import { toTime } from '../../../../plan/status/time.ts';

type Tuning = NonNullable<ServiceStatus['tuning']>;

const MAX_MESSAGE = 1024;

/** `status.tuning`: what was decided last, and the certified heads that a person may accept with `heads.revision`. */
export function tuningOf(
  ledger: Ledger,
  decided: { readonly decisions: readonly Decision[]; readonly input: LifecycleInput },
  names: {
    readonly nameOf: (digest: string) => string;
    /** Net saving of a candidate at its lambda; null: not known. */
    readonly savingOf: (candidate: NonNullable<Ledger['candidate']>) => number | null;
  },
  before: ServiceStatus['tuning'],
): ServiceStatus['tuning'] {
  const { decisions, input } = decided;
  const last = decisions.at(-1);
  const tuning: Tuning = {
    ...(last === undefined ? lastOf(before) : wordsOf(last)),
    ...recommendation(ledger, input, names, before),
  };
  return Object.keys(tuning).length === 0 ? undefined : tuning;
}

function wordsOf({ message, reason, nowMs }: Decision): Tuning {
  return { lastDecision: message.slice(0, MAX_MESSAGE), lastDecisionTime: toTime(nowMs), reason };
}

function lastOf({ lastDecision, lastDecisionTime, reason }: Tuning = {}): Tuning {
  return {
    ...(lastDecision === undefined ? {} : { lastDecision }),
    ...(lastDecisionTime === undefined ? {} : { lastDecisionTime }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Certified heads that are not rolled out by themselves. */
function recommendation(
  { candidate }: Ledger,
  { settings }: LifecycleInput,
  { nameOf, savingOf }: Parameters<typeof tuningOf>[2],
  before: ServiceStatus['tuning'],
): Tuning {
  const certified = candidate?.certificate ? candidate : null;
  if (settings.rollsOut || certified === null) return {};
  const recommendedRevision = nameOf(certified.headRevision);
  // Prices move a little with every batch: a figure that people compare stands while the heads do.
  const isSame = before?.recommendedRevision === recommendedRevision;
  const expectedSaving = (isSame ? before.expectedSaving : undefined) ?? shown(savingOf(certified));
  return { recommendedRevision, ...(expectedSaving === undefined ? {} : { expectedSaving }) };
}

function shown(saving: number | null): string | undefined {
  return saving === null ? undefined : formatPercent(Number(Math.max(0, saving).toPrecision(2)));
}
