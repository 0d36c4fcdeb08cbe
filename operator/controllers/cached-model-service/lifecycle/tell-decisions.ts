import { REASONS, type Reason } from '../../../../crds/v1alpha1/reasons.ts';
import type { Decision } from '../../../lifecycle/types.ts';
import type { ServicePass } from '../service-pass.ts';

/** What people are told without being asked for anything (api.md 5); of the rest, what asks for an action is a warning. */
const NEWS: ReadonlySet<Reason> = new Set([
  'Certified',
  'ExitsEnabled',
  'RequestHandled',
  'RolloutPromoted',
  'RolloutStarted',
  'RolloutStepAdvanced',
  'Shadowing',
  'Staging',
  'Superseded',
  'TrainingStarted',
  'TrainingSucceeded',
]);

/** Events and log lines of decisions whose ledger is stored. */
export function tellDecisions(
  { shell, gathered }: ServicePass,
  decisions: readonly Decision[],
): void {
  const { events, log } = shell.deps;
  for (const { reason, message, headRevision, details } of decisions) {
    log.info({ key: gathered.key, code: reason, headRevision, ...details }, 'lifecycle decided');
    events.record({
      ...{ regarding: gathered.object, reason, note: message },
      type: NEWS.has(reason) || REASONS[reason].action === '' ? 'Normal' : 'Warning',
      action: 'Decide',
    });
  }
}
