import type { StatusFacts } from './render-status.ts';

/** What `status -o json` prints: the API's own status under names that stay, and the last events. */
export function statusDocument({ service, events }: StatusFacts): Record<string, unknown> {
  const { name, namespace, generation, settingsProblem, status } = service;
  return {
    kind: 'ServiceStatus',
    name,
    namespace,
    generation,
    specProblem: settingsProblem,
    status,
    events,
  };
}
