import { CliError } from '../../errors.ts';
import { ANNOTATIONS } from '../../plan/names.ts';
import { toTime } from '../../plan/status/time.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { annotate, awaitService, type Wait } from '../service/await-service.ts';
import { getServiceView } from '../service/find-service.ts';
import type { ServiceView } from '../service/service-view.ts';

/** What a person may ask for once (api.md 9). */
export type RequestVerb = 'promote' | 'abort';

export interface RequestOutcome {
  readonly value: string;
  readonly result: 'Done' | 'NoOp';
  readonly message: string;
}

/**
 * Writes the request about the candidate of now and waits for the operator's answer. The time goes with it, since an equal
 * request is answered once: who asks again after a refusal means it.
 */
export async function sendRequest(
  cluster: Cluster,
  name: string,
  verb: RequestVerb,
  wait: Wait,
): Promise<RequestOutcome> {
  const service = await getServiceView(cluster, name);
  const revision = candidateOf(service);
  const value = `${verb}:${revision}:${toTime(cluster.clock.nowMs()).replaceAll(':', '')}`;
  await annotate(cluster, name, ANNOTATIONS.request, value);
  const isAnswered = ({ status: { request } }: ServiceView): boolean =>
    request?.value === value && request.result !== undefined;
  const answered = await awaitService(cluster, name, wait, isAnswered);
  if (answered === null) throw unanswered(`layercache.io/request: ${value}`);
  const { result = 'NoOp', message = '' } = answered.status.request ?? {};
  if (result === 'Refused') throw new CliError('RequestRefused', { where: value, why: message });
  return { value, result, message };
}

function candidateOf({ name, status }: ServiceView): string {
  const revision = status.heads?.candidate?.revision;
  if (revision !== undefined) return revision;
  throw new CliError('NoCandidate', {
    where: name,
    why: 'no heads are under test.',
    nextStep: `\`layercache explain ${name}\` tells whether some will come.`,
  });
}

export function unanswered(where: string): CliError {
  return new CliError('RequestUnanswered', { where, why: 'it has not said what became of it.' });
}
