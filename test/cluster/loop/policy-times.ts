// How long policies took, out of the logs of operator and servers: one machine, so one clock.
import type { RealNode } from '../../support/real-node.ts';

/** A policy that pods already at work took over. */
interface PolicyTime {
  readonly policy: string;
  /** When the API server had it. */
  readonly publishedMs: number;
  /** When the last pod had it in force. */
  readonly appliedMs: number;
  readonly pods: number;
}

/** A decision of the lifecycle, stored and about to be acted on. */
interface DecidedAt {
  readonly code: string;
  readonly atMs: number;
  readonly headRevision: string | null;
}

export interface LoopTimes {
  readonly decided: readonly DecidedAt[];
  readonly policies: readonly PolicyTime[];
}

interface LogLine {
  readonly time: number | string;
  readonly msg: string;
  readonly code?: string;
  readonly name?: string;
  readonly headRevision?: string | null;
  readonly epoch?: number;
  readonly revision?: number;
}

export async function readTimes(
  node: Pick<RealNode, 'kubectl'>,
  { namespace, service }: { readonly namespace: string; readonly service: string },
): Promise<LoopTimes> {
  const linesOf = async (target: string): Promise<readonly LogLine[]> => {
    const { stdout } = await node.kubectl(['logs', '-n', namespace, target, '--tail=-1']);
    return stdout.split('\n').flatMap((line) => {
      return line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as LogLine] : [];
    });
  };
  const pods = await node.kubectl([
    ...['get', 'pods', '-n', namespace, '-o', 'name'],
    ...['-l', `layercache.io/service=${service},app.kubernetes.io/component=server`],
  ]);
  const operator = await linesOf('deployment/layercache-operator');
  const servers = await Promise.all(pods.stdout.trim().split('\n').map(linesOf));
  const published = operator
    .filter(({ msg, name }) => msg === 'child applied' && name === `${service}-policy`)
    .map(timeOf);
  return {
    decided: operator
      .filter(({ msg }) => msg === 'lifecycle decided')
      .map((line) => ({
        code: line.code ?? '',
        atMs: timeOf(line),
        headRevision: line.headRevision ?? null,
      })),
    policies: joinPolicies(published, servers.map(appliedBy)),
  };
}

function timeOf({ time }: LogLine): number {
  return typeof time === 'number' ? time : Date.parse(time);
}

/** When a pod had each policy; the first is what it started with. */
function appliedBy(lines: readonly LogLine[]): ReadonlyMap<string, number> {
  const applied = lines.filter(({ msg }) => msg === 'policy applied');
  const times = new Map<string, number>();
  for (const line of applied) {
    const policy = `${line.epoch}.${line.revision}`;
    // The mounted file brings it once more.
    if (!times.has(policy)) times.set(policy, timeOf(line));
  }
  return new Map([...times].slice(1));
}

function joinPolicies(
  published: readonly number[],
  pods: readonly ReadonlyMap<string, number>[],
): readonly PolicyTime[] {
  const named = new Set(pods.flatMap((applied) => [...applied.keys()]));
  return [...named].flatMap((policy) => {
    const times = pods.flatMap((applied) => applied.get(policy) ?? []);
    const [firstMs, appliedMs] = [Math.min(...times), Math.max(...times)];
    const publishedMs = published.filter((atMs) => atMs <= firstMs).at(-1);
    return publishedMs === undefined
      ? []
      : [{ policy, publishedMs, appliedMs, pods: times.length }];
  });
}

/** The first policy that was published after a moment. */
export function policyAfter({ policies }: LoopTimes, atMs: number): PolicyTime | null {
  const later = policies.filter(({ publishedMs }) => publishedMs >= atMs);
  return later.sort((a, b) => a.publishedMs - b.publishedMs)[0] ?? null;
}
