import { isReason, REASONS } from '../../../crds/v1alpha1/reasons.ts';
import type { PageCluster, PageDecision } from '../../local/page/state/page-state.ts';
import { toneOf } from '../../local/web/decision-tone.ts';
import type { EventView, ServiceView } from '../service/service-view.ts';

/** Events as decisions, the newest last. What nobody dated is left out. */
export function clusterDecisions(
  events: readonly EventView[],
  secondsOf: (time: string | undefined) => number | null,
): PageDecision[] {
  return events
    .flatMap((event) => {
      const atSeconds = secondsOf(event.time);
      return atSeconds === null ? [] : [toDecision(event, atSeconds)];
    })
    .sort((a, b) => a.atSeconds - b.atSeconds);
}

function toDecision({ type, reason, note, count }: EventView, atSeconds: number): PageDecision {
  const known = isReason(reason) ? reason : null;
  const tone = known === null ? 'Neutral' : toneOf(known);
  return {
    atSeconds,
    reason,
    tone: tone === 'Neutral' && type === 'Warning' ? 'Warning' : tone,
    meaning: known === null ? '' : REASONS[known].meaning,
    message: count > 1 ? `${note} (${count} times)` : note,
    headRevision: null,
  };
}

/** Conditions of the status in its order. */
export function clusterConditions(
  { status: { conditions = [] } }: ServiceView,
  secondsOf: (time: string | undefined) => number | null,
): PageCluster['conditions'] {
  return conditions.map(({ type, status, reason, message, lastTransitionTime }) => ({
    ...{ type, status, reason, message },
    sinceSeconds: secondsOf(lastTransitionTime) ?? 0,
  }));
}
