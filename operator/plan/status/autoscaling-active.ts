import type { StatusFacts } from './facts.ts';
import { toVerdict, type Verdict } from './verdict.ts';

/** Null without an autoscaler, and while there is nothing to scale: the condition is then removed. */
export function assessAutoscalingActive({ spec, autoscaler }: StatusFacts): Verdict | null {
  if (spec?.autoscaling === undefined || spec.suspend) return null;
  const active = autoscaler?.scalingActive ?? null;
  if (active === null) {
    const message =
      'The autoscaler has not read a metric yet. Wait; if it stays so, check the metrics adapter.';
    return { status: 'Unknown', reason: 'MetricsUnavailable', message };
  }
  if (active.reason === 'ScalingDisabled') return null;
  return active.status === 'True'
    ? toVerdict('True', 'ScalingActive', active.message)
    : toVerdict('False', 'MetricsUnavailable', `${active.reason}: ${active.message}`);
}
