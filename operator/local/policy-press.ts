import {
  comparePair,
  POLICY_SCHEMA_VERSIONS,
  serializePolicy,
  type LogLevel,
  type Policy,
  type PolicySchemaVersion,
} from '../../crds/wire/policy.ts';
import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import type { Result } from '../../crds/wire/result.ts';
import { pushHeads } from '../fleet/push-heads.ts';
import { pushPolicy } from '../fleet/push-policy.ts';
import type { PodReport, PolicyContent } from '../lifecycle/types.ts';
import { inPolicyVersion } from '../plan/policy-version.ts';
import type { HeadStore } from './head-store.ts';
import type { ServerProcess } from './processes/server-process.ts';

/** Numbers policies and brings them to the servers, heads first. */
export interface PolicyPress {
  /** The same content keeps its number; a changed one gets the next revision. */
  number(content: PolicyContent): { readonly policy: Policy; readonly isNew: boolean };
  /** Pushes to every server that has not acknowledged this policy; true when all that live run it. */
  push(policy: Policy, reports: readonly PodReport[]): Promise<boolean>;
}

export interface PolicyPressOptions {
  readonly servers: readonly ServerProcess[];
  readonly store: HeadStore;
  readonly epoch: number;
  /** Only policies that name an agreement or sources are of a version that says it. */
  readonly logLevel: LogLevel;
  readonly onProblem: (message: string) => void;
}

/** Servers of a run are of this build. */
const NEWEST = Math.max(...POLICY_SCHEMA_VERSIONS) as PolicySchemaVersion;

export function createPolicyPress(options: PolicyPressOptions): PolicyPress {
  let current: Policy | null = null;
  return {
    number: (given) => {
      const content = needsNewest(given) ? inPolicyVersion(given, NEWEST, options.logLevel) : given;
      const next: Policy = { ...content, epoch: options.epoch, revision: current?.revision ?? 0 };
      if (current !== null && serializePolicy(next) === serializePolicy(current)) {
        return { policy: current, isNew: false };
      }
      current = { ...next, revision: next.revision + 1 };
      return { policy: current, isNew: true };
    },
    push: async (policy, reports) => {
      const done = await Promise.all(
        options.servers.map(async (server, index) => {
          const acknowledgement = reports[index]?.acknowledgement ?? null;
          if (server.child.hasEnded || isInForce(policy, acknowledgement)) return true;
          const pushed = await pushTo(server, policy, acknowledgement, options.store);
          if (!pushed.ok) options.onProblem(pushed.message);
          return pushed.ok;
        }),
      );
      return done.every((isDone) => isDone);
    },
  };
}

function needsNewest({ agreement, exits }: PolicyContent): boolean {
  return agreement !== undefined || exits.some(({ sourceHeader }) => sourceHeader !== undefined);
}

/** Pushed again when a server lacks a head set, so that CandidateMissing heals. */
function isInForce(policy: Policy, acknowledgement: Acknowledgement | null): boolean {
  if (acknowledgement === null || comparePair(acknowledgement, policy) !== 0) return false;
  return namedRevisions(policy).every((revision) =>
    acknowledgement.headRevisions.includes(revision),
  );
}

function namedRevisions(policy: Policy): string[] {
  return [policy.stable, policy.candidate].flatMap((track) =>
    track === null ? [] : [track.headRevision],
  );
}

async function pushTo(
  server: ServerProcess,
  policy: Policy,
  acknowledgement: Acknowledgement | null,
  store: HeadStore,
): Promise<Result<unknown>> {
  for (const revision of namedRevisions(policy)) {
    const bytes = store.bytes(revision);
    if (bytes === null || acknowledgement?.headRevisions.includes(revision) === true) continue;
    const pushed = await pushHeads(server.admin, revision, bytes);
    if (!pushed.ok) return pushed;
  }
  const applied = await pushPolicy(server.admin, policy);
  if (applied.ok && applied.value.result === 'Rejected') {
    return {
      ok: false,
      code: applied.value.reason,
      message: `${server.podUid} refused the policy: ${applied.value.message}`,
    };
  }
  return applied;
}
