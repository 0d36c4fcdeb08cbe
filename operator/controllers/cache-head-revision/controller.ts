import { readHeadRevision } from '../../../crds/v1alpha1/read-object.ts';
import type { CacheHeadRevision } from '../../../crds/v1alpha1/cache-head-revision.ts';
import type { KubeObject } from '../../kube/api.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import { createApplier, type Applier } from '../../kube/apply.ts';
import { isTerminating } from '../../kube/owner.ts';
import type { StoreChange } from '../../kube/store.ts';
import { TerminalError } from '../../kube/terminal-error.ts';
import { createWorkQueue, type PassResult, type WorkQueue } from '../../kube/work-queue.ts';
import { FIELD_MANAGER } from '../../plan/names.ts';
import type { Caches } from '../caches.ts';
import type { Controller, ControllerDependencies } from '../dependencies.ts';
import type { ServiceFleet } from '../service-fleet.ts';
import { watchKind } from '../watched-kind.ts';
import { unavailable, type BundleVerdict } from './assess-bundle.ts';
import { availableOf, planAvailable } from './plan-available.ts';
import { createBundleReader, type BundleReader } from './read-bundle.ts';
import { removeExpired } from './remove-expired.ts';

const NAME = 'cache-head-revision';
/** The maker of a revision writes the revision first, its bundle right after. */
const BUNDLE_FOLLOWS_MS = 30_000;
const ABANDONED_MS = 600_000;
const DELAY_MS = { bundleFollows: 5_000, unresolved: 30_000, forbidden: 300_000, resync: 600_000 };

/** What pods of a service say of head bundles; `key` is `namespace/name`. */
export type HeadReports = Pick<
  ServiceFleet,
  'acknowledgedHeads' | 'missingHeads' | 'remoteBundle' | 'onChange'
>;

/** Verifies the bundles of head revisions (`Available`) and deletes the revisions that retention gives up (api.md 3). */
export function createHeadRevisionController(
  deps: ControllerDependencies,
  caches: Pick<Caches, 'services' | 'headRevisions'>,
  fleet: HeadReports,
): Controller {
  const { api, clock, random, signal, metrics } = deps;
  const bundles = watchKind(
    {
      kind: 'ConfigMap',
      select: { labelSelector: 'layercache.io/role=head', metadataOnly: true },
    },
    deps,
  );
  const queue = createWorkQueue({
    ...{ clock, random, signal, workers: deps.concurrency },
    onPass: (pass) => {
      metrics.passEnded(NAME, pass);
    },
  });
  metrics.queueMade(NAME, queue);
  const reader = createBundleReader({ api, bundles, fleet });
  const applier = createApplier(api, `${FIELD_MANAGER}-bundles`);
  const shell: Shell = { deps, caches, fleet, reader, applier };

  caches.headRevisions.onKey(({ key, object, previous }) => {
    if (object === null) {
      reader.forget(previous?.metadata.uid ?? '');
      applier.forget(key);
    }
    queue.add(key);
  });
  caches.services.onKey((change) => {
    wakeRevisions(change, caches, queue);
  });
  bundles.onKey(({ key }) => {
    wakeUsers(key, caches, queue);
  });
  fleet.onChange((key) => {
    wakeRemote(key, caches, queue);
  });
  return {
    name: NAME,
    run: async () => {
      await Promise.all([bundles.run(), queue.run((key) => pass(shell, key))]);
    },
  };
}

/** A service's limits and pin stand in its spec; its figures change every minute and decide nothing here. */
function wakeRevisions(
  { key, object, previous }: StoreChange,
  { headRevisions }: Pick<Caches, 'headRevisions'>,
  queue: WorkQueue,
): void {
  if (object === null || object.metadata.generation === previous?.metadata.generation) return;
  for (const { metadata } of headRevisions.listIndexed(key)) {
    queue.add(`${String(metadata.namespace)}/${metadata.name}`);
  }
}

/** Pods have said something: only of bundles in remote stores it is a word about the bundle. */
function wakeRemote(
  serviceKey: string,
  { headRevisions }: Pick<Caches, 'headRevisions'>,
  queue: WorkQueue,
): void {
  for (const { metadata, spec } of headRevisions.listIndexed(serviceKey)) {
    const { uri } = (spec as { readonly bundle?: { readonly uri?: string } }).bundle ?? {};
    if (uri !== undefined) queue.add(`${String(metadata.namespace)}/${metadata.name}`);
  }
}

/** Operators and people name a bundle after its revision; only for another name all revisions are looked through. */
function wakeUsers(
  key: string,
  { headRevisions }: Pick<Caches, 'headRevisions'>,
  queue: WorkQueue,
): void {
  const namesake = headRevisions.get(key);
  const users = namesake === undefined ? headRevisions.list() : [namesake];
  for (const user of users) {
    const { namespace = '', name } = user.metadata;
    if (`${namespace}/${String(bundleNameOf(user))}` === key) queue.add(`${namespace}/${name}`);
  }
}

function bundleNameOf({ spec }: KubeObject): string | undefined {
  return (spec as { readonly bundle?: { readonly configMapName?: string } }).bundle?.configMapName;
}

interface Shell {
  readonly deps: ControllerDependencies;
  readonly caches: Pick<Caches, 'services' | 'headRevisions'>;
  readonly fleet: HeadReports;
  readonly reader: BundleReader;
  readonly applier: Applier;
}

async function pass(shell: Shell, key: string): Promise<PassResult> {
  const revision = shell.caches.headRevisions.get(key);
  if (revision === undefined || isTerminating(revision)) return { kind: 'Done' };
  try {
    return await reconcile(shell, revision);
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    if (error.isNamespaceTerminating) return { kind: 'Done' };
    if (error.isInvalid) throw new TerminalError('InvalidSpec', error.message, error);
    if (!error.isForbidden) throw error;
    shell.deps.log.warn({ controller: NAME, key, err: error }, 'call forbidden');
    return { kind: 'RequeueAfter', delayMs: DELAY_MS.forbidden };
  }
}

async function reconcile(shell: Shell, revision: KubeObject): Promise<PassResult> {
  const { clock } = shell.deps;
  const read = readHeadRevision(revision);
  const verdict = read.ok
    ? lasting(await shell.reader.assess(read.value, revision.metadata.uid ?? ''), revision)
    : unavailable('Malformed', `The revision cannot be read: ${read.message}.`);
  const isMissing = verdict.reason === 'BundleMissing';
  const ageMs = clock.nowMs() - Date.parse(revision.metadata.creationTimestamp ?? '');
  const mayFollow = bundleNameOf(revision) !== undefined && ageMs < BUNDLE_FOLLOWS_MS;
  if (isMissing && mayFollow) {
    return { kind: 'RequeueAfter', delayMs: DELAY_MS.bundleFollows };
  }
  await report(shell, revision, verdict);
  const isAbandoned = isMissing && missingForMs(revision, clock.nowMs()) >= ABANDONED_MS;
  if (read.ok) await removeOthers(shell, read.value, isAbandoned);
  const isSettled = verdict.status === 'True';
  return {
    kind: 'RequeueAfter',
    delayMs: isSettled ? DELAY_MS.resync : DELAY_MS.unresolved,
  };
}

/** Pods that need it no more say nothing of a bundle in a remote store: what they verified stays said. */
function lasting(verdict: BundleVerdict, revision: KubeObject): BundleVerdict {
  const said = availableOf(revision);
  if (verdict.reason !== 'WaitingForReplicas' || said?.status !== 'True') return verdict;
  return { status: 'True', reason: 'Verified', message: said.message };
}

/** By what was said last: a bundle that was there and vanished may be restored for as long as one that never came. */
function missingForMs(revision: KubeObject, nowMs: number): number {
  const said = availableOf(revision);
  if (said?.reason !== 'BundleMissing') return 0;
  return nowMs - Date.parse(said.lastTransitionTime);
}

async function report(
  { deps, applier }: Shell,
  revision: KubeObject,
  verdict: BundleVerdict,
): Promise<void> {
  const said = availableOf(revision);
  await applier.apply(planAvailable(revision, verdict, deps.clock.nowMs()), {
    live: revision,
    subresource: 'status',
  });
  if (verdict.status !== 'False' || said?.reason === verdict.reason) return;
  deps.events.record({
    regarding: revision,
    type: 'Warning',
    reason: verdict.reason,
    action: 'VerifyBundle',
    note: verdict.message,
  });
}

async function removeOthers(
  { deps, caches, fleet }: Shell,
  { metadata, spec }: CacheHeadRevision,
  isAbandoned: boolean,
): Promise<void> {
  const serviceKey = `${String(metadata.namespace)}/${spec.serviceName}`;
  const service = caches.services.get(serviceKey);
  // Without its service the garbage collector removes a revision, or it is a person's.
  if (service === undefined || isTerminating(service)) return;
  const removed = await removeExpired({
    api: deps.api,
    service,
    revisions: caches.headRevisions.listIndexed(serviceKey),
    abandoned: new Set(isAbandoned ? [metadata.name] : []),
    acknowledged: fleet.acknowledgedHeads(serviceKey),
  });
  for (const key of removed) {
    deps.log.info({ controller: NAME, key, service: serviceKey }, 'head revision removed');
  }
}
