import { readHeadRevision } from '../../../../crds/v1alpha1/read-object.ts';
import { verifyBundle, type VerifiedBundle } from '../../../fleet/pull-bundle.ts';
import type { KubeObject } from '../../../kube/api.ts';
import { getOrNull } from '../../../kube/get-or-null.ts';
import { isTerminating } from '../../../kube/owner.ts';
import { knownAnswersOf } from '../../../fleet/revision-facts.ts';
import { policyConfigMapName } from '../../../plan/names.ts';
import { liveOf } from '../gather.ts';
import type { ServicePass } from '../service-pass.ts';
import type { HeadFile, LifecycleMemory } from './lifecycle-memory.ts';

/** A bundle that is not there may come: it is asked for again after this long. */
const ABSENT_MS = 30_000;

/**
 * Reads the bundles of these digests that are not in memory, verifies them, and drops the others. False: one could not be
 * asked for, so nothing can be said about it now; one that is not there is simply not in memory.
 */
export async function loadHeads(
  pass: ServicePass,
  memory: LifecycleMemory,
  digests: readonly string[],
): Promise<boolean> {
  for (const known of [...memory.heads.keys()]) {
    if (!digests.includes(known)) memory.heads.delete(known);
  }
  let isCertain = true;
  for (const digest of new Set(digests)) {
    if (memory.heads.has(digest)) continue;
    const found = await findHead(pass, memory, digest);
    if (found === 'Unknown') isCertain = false;
    else if (found !== 'Absent') memory.heads.set(digest, toHeadFile(found));
  }
  return isCertain;
}

export function toHeadFile({ headRevision, bytes, bundle }: VerifiedBundle): HeadFile {
  const base64 = Buffer.from(bytes).toString('base64');
  return { headRevision, bytes, base64, bundle, knownAnswers: knownAnswersOf(bundle) };
}

type Found = VerifiedBundle | 'Absent' | 'Unknown';

async function findHead(
  pass: ServicePass,
  { absentUntilMs }: LifecycleMemory,
  digest: string,
): Promise<Found> {
  const { clock } = pass.shell.deps;
  if (clock.monotonicMs() < (absentUntilMs.get(digest) ?? -Infinity)) return 'Absent';
  const found = await readHead(pass, digest);
  // What a policy serves lies beside it as well: a lost ConfigMap takes no heads away.
  const heads = found === 'Absent' ? (mountedHead(pass, digest) ?? 'Absent') : found;
  if (heads === 'Absent') absentUntilMs.set(digest, clock.monotonicMs() + ABSENT_MS);
  else absentUntilMs.delete(digest);
  return heads;
}

async function readHead(pass: ServicePass, digest: string): Promise<Found> {
  const { gathered, shell, attempt } = pass;
  const name = configMapOf(shell.caches.headRevisions.listIndexed(gathered.key), digest);
  if (name === null) return 'Absent';
  const { namespace = '' } = gathered.object.metadata;
  const part = { verb: 'get', kind: 'ConfigMap', name, body: null } as const;
  const ref = { kind: 'ConfigMap', namespace, name } as const;
  const read = await attempt.run(part, async () => ({
    found: await getOrNull(shell.deps.api, ref),
  }));
  if (read === null) return 'Unknown';
  const { bundle } = (read.found?.binaryData ?? {}) as { readonly bundle?: unknown };
  return (typeof bundle === 'string' ? verified(bundle, digest) : null) ?? 'Absent';
}

function configMapOf(revisions: readonly KubeObject[], digest: string): string | null {
  for (const object of revisions) {
    const read = readHeadRevision(object);
    if (!read.ok || isTerminating(object)) continue;
    const { bundle } = read.value.spec;
    if (bundle.digest === digest && bundle.configMapName !== undefined) return bundle.configMapName;
  }
  return null;
}

function mountedHead({ gathered }: ServicePass, digest: string): VerifiedBundle | null {
  const base64 = mountedBundle(
    liveOf(gathered, 'ConfigMap', policyConfigMapName(gathered.object.metadata.name)),
  );
  return base64 === null ? null : verified(base64, digest);
}

/** `stable.bundle` of a policy ConfigMap, in base64. */
export function mountedBundle(live: KubeObject | null): string | null {
  const { binaryData } = (live ?? {}) as {
    readonly binaryData?: Readonly<Record<string, unknown>>;
  };
  const bundle = binaryData?.['stable.bundle'];
  return typeof bundle === 'string' ? bundle : null;
}

function verified(base64: string, digest: string): VerifiedBundle | null {
  const bundle = verifyBundle(Buffer.from(base64, 'base64'), digest);
  return bundle.ok ? bundle.value : null;
}
