// A server pod of the simulated cluster that answers rows of exits.md 7.2 and reports them as servers do.
import { createHash } from 'node:crypto';
import { serializeAcknowledgement } from '../../../crds/wire/acknowledgement.ts';
import type { EvidenceWindow } from '../../../crds/wire/evidence.ts';
import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import { encodeHeadBundle, parseHeadBundle } from '../../../crds/wire/head-bundle.ts';
import {
  POLICY_SCHEMA_VERSIONS,
  comparePair,
  parsePolicy,
  type Policy,
} from '../../../crds/wire/policy.ts';
import type { Result } from '../../../crds/wire/result.ts';
import {
  serializeServerState,
  type MissingHeadsReport,
  type ServerState,
} from '../../../crds/wire/state.ts';
import type { AdminAnswer, AdminCall } from '../../../operator/fleet/admin-client.ts';
import { knownAnswersOf } from '../../../operator/fleet/revision-facts.ts';
import type { FakePod } from '../../support/fake-pod.ts';
import { BACKBONE_DIGEST } from '../../support/builders.ts';
import { EXITS } from '../../support/simulated-fleet.ts';
import { anAcknowledgement, aState } from '../../unit/crds/documents.ts';
import { createLoopStore, fetchFrom, type LoopStore } from './loop-store.ts';

/** What a server is beside its windows. */
export interface LoopPod {
  readonly fake: FakePod;
  /** Of the backbone that it loaded. */
  readonly backboneDigest: string;
  policy: Policy | null;
  readonly heads: Map<string, HeadBundle>;
  /** Rows that its recorder saw. */
  seen: number;
  /** Says that it runs its heads, and runs others. */
  isLying: boolean;
  /** Tells that nothing ever disagrees. */
  isDenying: boolean;
  /** Factor on the time of its answers, whichever track gives them. */
  slowness: number;
  isCut: boolean;
  readonly store: LoopStore;
  /** Why heads that a policy names at the store are not here. */
  readonly missing: Map<string, MissingHeadsReport>;
  /** The last policy that it was given. */
  policyText: string;
}

const answer = (status: number, body: string): Promise<Result<AdminAnswer>> =>
  Promise.resolve({ ok: true, value: { status, body: Buffer.from(body) } });

/** Puts a server behind a fake pod's admin port. */
export function equip(
  fake: FakePod,
  backboneDigest = BACKBONE_DIGEST,
  store = createLoopStore(),
): LoopPod {
  const pod: LoopPod = {
    ...{ fake, backboneDigest },
    policy: null,
    heads: new Map(),
    seen: 0,
    isLying: false,
    isDenying: false,
    slowness: 1,
    isCut: false,
    ...{ store, missing: new Map(), policyText: '' },
  };
  fake.acknowledgement = anAcknowledgement({
    ...{ podUid: fake.pod.uid, bootId: fake.bootId, epoch: 0, revision: 0 },
    ...{ headRevisions: [], knownAnswers: [], reason: '', message: '' },
    backboneDigest,
  });
  fake.override = (call) => respond(pod, call);
  return pod;
}

/** Changes windows that are yet to come, before they are told. */
export function changeWindows(
  { fake: { windows } }: LoopPod,
  change: (window: EvidenceWindow) => EvidenceWindow,
): void {
  const push = windows.push.bind(windows);
  windows.push = (...added) => push(...added.map(change));
}

function respond(pod: LoopPod, call: AdminCall): Promise<Result<AdminAnswer>> | undefined {
  if (pod.isCut) {
    return Promise.resolve({ ok: false, code: 'NoAnswer', message: 'no answer within 2000 ms' });
  }
  if (call.path.startsWith('/v1/state')) return answer(200, serializeServerState(stateOf(pod)));
  if (call.path.startsWith('/v1/heads/')) return answerHeads(pod, call);
  if (call.path.startsWith('/v1/policy')) {
    pod.policyText = String(call.body);
    return answer(200, applyPolicy(pod, pod.policyText));
  }
  return undefined;
}

/** Samples change with the rows: so does the digest under which they are told. */
export function touchState({ fake, seen, missing }: LoopPod): void {
  const lacks = JSON.stringify([...missing.values()]);
  const text = `${fake.bootId} ${String(Math.min(25_000, seen))} ${lacks}`;
  fake.stateDigest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function stateOf({ fake, seen, policy, backboneDigest, missing }: LoopPod): ServerState {
  const state = aState();
  const samples = Math.min(25_000, seen);
  const shares = [0.2, 0.4, 0.65, 0.85];
  return {
    ...state,
    podUid: fake.pod.uid,
    bootId: fake.bootId,
    policySchemaVersions: POLICY_SCHEMA_VERSIONS,
    backbone: { ...state.backbone, digest: backboneDigest, classCount: 2 },
    cuts: EXITS.map((name, i) => ({
      ...state.cuts[0]!,
      ...{ tensor: `${name}_out`, macsShare: shares[i]!, msShare: shares[i]! },
    })),
    rejectedCuts: [],
    costs: {
      batchSizes: [1],
      cuts: EXITS.map((name) => `${name}_out`),
      plainMs: [10],
      segmentMs: [[2, 2, 2.5, 2, 1.5]],
      headMs: [[0.1, 0.1, 0.1, 0.1]],
      compactMs: [[0, 0, 0, 0]],
    },
    policy: policy && {
      epoch: policy.epoch,
      revision: policy.revision,
      exitsEnabled: policy.exitsEnabled,
    },
    acknowledgement: { ...fake.acknowledgement, podUid: fake.pod.uid, bootId: fake.bootId },
    ...{ heads: [], switchedOff: [], companions: [] },
    ...(missing.size === 0 ? {} : { missingHeads: [...missing.values()] }),
    samples: { long: samples, recent: samples, seen },
  };
}

function answerHeads(pod: LoopPod, call: AdminCall): Promise<Result<AdminAnswer>> {
  const headRevision = `sha256:${call.path.slice('/v1/heads/'.length)}`;
  if (call.method === 'PUT') return answer(201, storeHeads(pod, call));
  if (call.method === 'POST') {
    const { uri } = JSON.parse(String(call.body)) as { readonly uri: string };
    const found = fetchFrom(pod.store, headRevision, uri);
    const { reason, message } = 'reason' in found ? found : { reason: '', message: '' };
    if (!('reason' in found)) pod.heads.set(headRevision, found);
    const result = 'reason' in found ? 'Missing' : 'Stored';
    return answer(200, JSON.stringify({ headRevision, result, reason, message }));
  }
  const bundle = pod.heads.get(headRevision);
  if (bundle === undefined) return answer(404, '{"error":"head_not_found"}');
  const body = Buffer.from(encodeHeadBundle(bundle));
  return Promise.resolve({ ok: true, value: { status: 200, body } });
}

/** Tries again what its policy names at the store, as servers do on their own. */
export function fetchAgain(pod: LoopPod): void {
  if (pod.missing.size > 0 && !pod.isCut) applyPolicy(pod, pod.policyText);
}

function fetchNamed(pod: LoopPod, policy: Policy): void {
  pod.missing.clear();
  for (const track of [policy.stable, policy.candidate]) {
    if (track?.bundleUri === undefined || pod.heads.has(track.headRevision)) continue;
    const found = fetchFrom(pod.store, track.headRevision, track.bundleUri);
    if ('reason' in found) pod.missing.set(track.headRevision, found);
    else pod.heads.set(track.headRevision, found);
  }
}

function storeHeads({ heads }: LoopPod, { path, body }: AdminCall): string {
  const parsed = parseHeadBundle(body as Uint8Array);
  if (!parsed.ok) throw new Error(parsed.message);
  heads.set(`sha256:${path.slice('/v1/heads/'.length)}`, parsed.value);
  return '{}';
}

function applyPolicy(pod: LoopPod, text: string): string {
  const parsed = parsePolicy(text);
  if (!parsed.ok) throw new Error(parsed.message);
  const { fake } = pod;
  const policy = parsed.value;
  const own = { ...fake.acknowledgement, podUid: fake.pod.uid, bootId: fake.bootId };
  if (comparePair(policy, own) < 0) return serializeAcknowledgement({ ...own, result: 'Stale' });
  fetchNamed(pod, policy);
  const stable = policy.stable?.headRevision;
  if (stable !== undefined && !pod.heads.has(stable)) {
    return serializeAcknowledgement({ ...own, result: 'Rejected', reason: 'HeadMissing' });
  }
  // Recorders start again when exits go off (exits.md 3).
  if (pod.policy?.exitsEnabled === true && !policy.exitsEnabled) pod.seen = 0;
  pod.policy = policy;
  const named = [policy.stable, policy.candidate].flatMap((track) => track?.headRevision ?? []);
  const present = [...new Set(named)].filter((revision) => pod.heads.has(revision));
  fake.acknowledgement = {
    ...own,
    epoch: policy.epoch,
    revision: policy.revision,
    headRevisions: present,
    result: 'Applied',
    reason: named.every((revision) => pod.heads.has(revision)) ? '' : 'CandidateMissing',
    knownAnswers: present.map((headRevision) => ({
      headRevision,
      classes: knownAnswersOf(pod.heads.get(headRevision)!).map((classes) =>
        pod.isLying ? classes.map((one) => 1 - one) : classes,
      ),
    })),
  };
  return serializeAcknowledgement(fake.acknowledgement);
}
