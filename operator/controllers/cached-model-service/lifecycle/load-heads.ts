import { verifyBundle, type VerifiedBundle } from '../../../fleet/pull-bundle.ts';
import { isBundle, type RemoteBundle } from '../../../fleet/remote-bundles.ts';
import type { KubeObject } from '../../../kube/api.ts';
import { getOrNull } from '../../../kube/get-or-null.ts';
import { knownAnswersOf } from '../../../fleet/revision-facts.ts';
import { policyConfigMapName } from '../../../plan/names.ts';
import { revisionSourceOf } from '../../../plan/revision-source.ts';
import { liveOf } from '../gather.ts';
import type { ServicePass } from '../service-pass.ts';
import type { HeadFile, LifecycleMemory } from './lifecycle-memory.ts';

/** A bundle that is not there may come: it is asked for again after this long. */
const ABSENT_MS = 30_000;

/** Digests of bundles that a pass needs. */
export interface WantedHeads {
  /** In the ledger: nothing is decided while one of them is unknown. */
  readonly named: readonly string[];
  /** May join it: what is not here yet can wait. */
  readonly asked: readonly string[];
}

/**
 * Reads the bundles of these digests that are not in memory, verifies them, and drops the others. False: one could not be
 * asked for, so nothing can be said about it now; one that is not there is simply not in memory.
 */
export async function loadHeads(
  pass: ServicePass,
  memory: LifecycleMemory,
  { named, asked }: WantedHeads,
): Promise<boolean> {
  const digests = new Set([...named, ...asked]);
  for (const known of [...memory.heads.keys()]) {
    if (!digests.has(known)) memory.heads.delete(known);
  }
  const remote = remoteBundles(pass, digests);
  pass.shell.fleet.wantBundles(pass.gathered.key, remote);
  const uris = new Map(remote.map(({ headRevision, uri }) => [headRevision, uri]));
  let isCertain = true;
  for (const digest of digests) {
    if (memory.heads.has(digest)) continue;
    const uri = uris.get(digest) ?? null;
    const found =
      uri === null ? await findHead(pass, memory, digest) : findRemote(pass, digest, named);
    if (found === 'Unknown') isCertain = false;
    else if (found !== 'Absent') memory.heads.set(digest, toHeadFile(found, uri));
  }
  return isCertain;
}

function toHeadFile({ headRevision, bytes, bundle }: VerifiedBundle, uri: string | null): HeadFile {
  const base64 = uri === null ? Buffer.from(bytes).toString('base64') : null;
  return { headRevision, bytes, base64, uri, bundle, knownAnswers: knownAnswersOf(bundle) };
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

/** A pod brings it in the background and gives it on; until one has answered, heads of the ledger are unknown. */
function findRemote(
  { shell, gathered }: ServicePass,
  digest: string,
  named: readonly string[],
): Found {
  const found = shell.fleet.remoteBundle(gathered.key, digest);
  if (isBundle(found)) return found;
  return found === null && named.includes(digest) ? 'Unknown' : 'Absent';
}

/** Those of these digests that lie in a remote store. */
function remoteBundles(
  { shell, gathered }: ServicePass,
  digests: ReadonlySet<string>,
): RemoteBundle[] {
  return shell.caches.headRevisions.listIndexed(gathered.key).flatMap((object) => {
    const { digest, uri } = revisionSourceOf(object) ?? {};
    if (digest === undefined || uri === undefined || !digests.has(digest)) return [];
    return [{ headRevision: digest, uri }];
  });
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
    const source = revisionSourceOf(object);
    if (source?.digest === digest && source.configMapName !== undefined)
      return source.configMapName;
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
