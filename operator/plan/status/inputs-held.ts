import { formatDuration } from '../../../crds/v1alpha1/duration.ts';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { StatusFacts } from './facts.ts';

/** What pods say of the input rows that they may hold; undefined: none may. Also pods that a change of the spec is about to replace. */
export function planInputs({ pods }: Pick<StatusFacts, 'pods'>): ServiceStatus['inputs'] {
  const told = pods.flatMap(({ server }) => {
    const state = server?.state;
    return state?.loaded === true && state.state.inputs !== undefined ? [state.state.inputs] : [];
  });
  if (told.length === 0) return undefined;
  const longest = Math.max(...told.map(({ retentionSeconds }) => retentionSeconds));
  return {
    pods: told.length,
    maxRows: Math.max(...told.map(({ maxRows }) => maxRows)),
    retention: formatDuration(1000 * longest),
  };
}
