import type { Cluster } from '../cluster/cluster.ts';
import type { Rendered } from '../output/output-format.ts';
import { renderColumns, renderFields } from '../output/render-columns.ts';
import { ageOf } from '../output/words.ts';
import { explainRollout } from '../explain/explain-rollout.ts';
import { awaitService, type Wait } from '../service/await-service.ts';
import { conditionOf, type ServiceView } from '../service/service-view.ts';
import { renderChecks } from './render-checks.ts';

/** Waits until no candidate is pending; `onChange` hears each new stage, step or reason. Null: not in time. */
export async function watchRollout(
  cluster: Cluster,
  name: string,
  wait: Wait,
  onChange: (service: ServiceView) => void,
): Promise<ServiceView | null> {
  let last = '';
  return awaitService(cluster, name, wait, (service) => {
    const line = rolloutLine(service);
    if (line !== last) onChange(service);
    last = line;
    return conditionOf(service.status.conditions, 'RolloutSucceeded')?.status !== 'Unknown';
  });
}

/** One line for logs: `Ramping: step 2 of 4, 25% of the traffic`. */
export function rolloutLine({ status }: ServiceView): string {
  const { rollout } = status;
  const condition = conditionOf(status.conditions, 'RolloutSucceeded');
  const reason = condition?.reason ?? 'NoRollout';
  if (rollout === undefined) return `${reason}: ${condition?.message ?? 'no rollout is reported'}`;
  const step =
    rollout.step === undefined ? '' : `step ${rollout.step} of ${rollout.steps ?? '?'}, `;
  return `${reason}: ${step}${rollout.share ?? '0%'} of the traffic`;
}

/** Whether the last rollout ended otherwise than by a promotion. */
export function hasFailed({ status }: ServiceView): boolean {
  return conditionOf(status.conditions, 'RolloutSucceeded')?.status === 'False';
}

export function renderRollout(service: ServiceView, nowMs: number): Rendered {
  const { name, namespace, status } = service;
  const verdict = explainRollout(service);
  const { rollout, heads } = status;
  return {
    document: {
      kind: 'RolloutStatus',
      name,
      namespace,
      ...verdict,
      rollout: rollout ?? null,
      heads: heads ?? null,
    },
    table: () => [
      ...renderFields([
        [
          'Rollout',
          `${verdict.reason}${verdict.since === null ? '' : ` for ${ageOf(verdict.since, nowMs)}`}`,
        ],
        ['Message', verdict.message],
        ['Stable', headText(heads?.stable, nowMs)],
        ['Candidate', headText(heads?.candidate, nowMs)],
        ...(rollout === undefined ? [] : ([['Step', stepText(rollout, nowMs)]] as const)),
      ]),
      ...(verdict.checks.length === 0 ? [] : ['', ...renderChecks(verdict.checks)]),
      ...(verdict.failed.length === 0 ? [] : ['', ...renderFailed(verdict, nowMs)]),
    ],
    names: [`cachedmodelservice.layercache.io/${name}`],
  };
}

type Heads = NonNullable<ServiceView['status']['heads']>;
type Rollout = NonNullable<ServiceView['status']['rollout']>;

function headText(head: Heads['stable'], nowMs: number): string {
  return head === undefined ? 'none' : `${head.revision}, for ${ageOf(head.since, nowMs)}`;
}

function stepText(
  { stage, step, steps, share, stepStartTime, loadedReplicas }: Rollout,
  nowMs: number,
): string {
  const loaded = `${loadedReplicas ?? 0} ready pods hold it`;
  if (step === undefined) return `${stage ?? 'unknown'}, ${loaded}`;
  return `${step} of ${steps ?? '?'} with ${share ?? '0%'} of the traffic for ${ageOf(stepStartTime, nowMs)}, ${loaded}`;
}

function renderFailed({ failed }: ReturnType<typeof explainRollout>, nowMs: number): string[] {
  return renderColumns(
    ['NOT TRIED AGAIN', 'REASON', 'AGE'],
    failed.map(({ revision, reason, time }) => [revision, reason, ageOf(time ?? undefined, nowMs)]),
  );
}
