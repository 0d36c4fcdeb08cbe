import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import { REASONS } from '../../../crds/v1alpha1/reasons.ts';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import { installationName, type Installation } from '../defaults.ts';
import type { LiveObject } from '../live-object.ts';
import { ANNOTATIONS, policyConfigMapName } from '../names.ts';
import { toTime } from './time.ts';
import { withNextStep } from './verdict.ts';

// Of two installations one writes for a service, and its status is the truth about the endpoint. The other may add what only
// it can tell, under a name of its own: server-side apply then keeps both, and none undoes the words of the other.

const PREFIX = 'layercache-contender/';
/** Longer than a living operator needs to follow a change. */
const UNFOLLOWED_MS = 60_000;
/** So long the word of an installation counts that may be gone: nobody else can take it back. */
const WORD_MS = 600_000;

/** Field manager of an installation that does not write for a service. */
export function contenderManager(installation: Installation): string {
  return `${PREFIX}${installationName(installation)}`;
}

export interface ForeignFacts {
  readonly object: LiveObject;
  readonly status: ServiceStatus;
  /** The installation that writes. */
  readonly foreign: string;
  readonly own: Installation;
  readonly nowMs: number;
}

/** What an installation says that finds another one writing. */
export function describeForeign({ object, foreign, own }: Omit<ForeignFacts, 'nowMs'>): string {
  const configMap = policyConfigMapName(object.metadata.name);
  const what = `Installation ${foreign} of the operator writes for this service, so installation ${installationName(own)} does nothing.`;
  return withNextStep(
    what,
    `${REASONS.ForeignOperator.action} If ${foreign} is gone, remove annotation ${ANNOTATIONS.installation} from ConfigMap ${configMap}.`,
  );
}

/** Only contenders write it. */
export const CONTESTED = 'Contested';

/**
 * `Contested`, beside what the other installation says of the endpoint, which it may serve well. Once that one does not follow
 * the spec any more its words are wrong, and nobody else puts them right.
 */
export function planForeignConditions(facts: ForeignFacts): Condition[] {
  const { object, status: live, nowMs } = facts;
  const { generation = 0 } = object.metadata;
  const message = describeForeign(facts);
  const told = live.conditions?.find(({ type }) => type === CONTESTED);
  const isTold = told?.observedGeneration === generation;
  // Of several contenders one speaks, or they would change each other's words for ever.
  if (isTold && told.message !== message) return [];
  const sinceMs = isTold ? Date.parse(told.lastTransitionTime) : nowMs;
  const isUnfollowed = live.observedGeneration !== generation && nowMs - sinceMs >= UNFOLLOWED_MS;
  const types = isUnfollowed ? ['Ready', 'Valid', 'Stalled', CONTESTED] : [CONTESTED];
  return types.map((type) => {
    const status = type === 'Ready' || type === 'Valid' ? 'False' : 'True';
    const before = live.conditions?.find((condition) => condition.type === type);
    // Contested tells since when this generation is.
    const isSame = type === CONTESTED ? isTold : before?.status === status;
    return {
      ...{ type, status, reason: 'ForeignOperator', message, observedGeneration: generation },
      lastTransitionTime:
        isSame && before !== undefined ? before.lastTransitionTime : toTime(nowMs),
    };
  });
}

export interface ContenderPlan {
  /** Managers whose conditions are to be taken back now. */
  readonly withdraw: readonly string[];
  /** When to look at the next one; null: there is none. */
  readonly retryMs: number | null;
}

/**
 * For the installation that writes: it takes back its own words of before, those that it proves wrong by writing, and those of
 * others that were not renewed for long.
 */
export function planWithdrawals({
  object,
  status,
  own,
  nowMs,
}: Omit<ForeignFacts, 'foreign'>): ContenderPlan {
  const conditionOf = (wanted: string): Condition | undefined =>
    status.conditions?.find(({ type }) => type === wanted);
  const managers = (object.metadata.managedFields ?? []).flatMap(({ manager = '' }) =>
    manager.startsWith(PREFIX) ? [manager] : [],
  );
  const told = conditionOf(CONTESTED);
  const untilMs = told === undefined ? 0 : Date.parse(told.lastTransitionTime) + WORD_MS;
  const isOver = nowMs >= untilMs || conditionOf('Ready')?.reason === 'ForeignOperator';
  const withdraw = managers.filter((manager) => isOver || manager === contenderManager(own));
  const isLeft = managers.length > withdraw.length;
  return { withdraw, retryMs: isLeft ? untilMs - nowMs : null };
}
