// A server pod of the simulated cluster that answers rows of exits.md 7.2 and reports them as servers do.
import { createHash } from 'node:crypto';
import { serializeAcknowledgement } from '../../../crds/wire/acknowledgement.ts';
import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import { parseHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { comparePair, parsePolicy, type Policy } from '../../../crds/wire/policy.ts';
import type { Result } from '../../../crds/wire/result.ts';
import { serializeServerState, type ServerState } from '../../../crds/wire/state.ts';
import type { AdminAnswer, AdminCall } from '../../../operator/fleet/admin-client.ts';
import { knownAnswersOf } from '../../../operator/fleet/revision-facts.ts';
import type { FakePod } from '../../support/fake-pod.ts';
import { BACKBONE_DIGEST } from '../../support/builders.ts';
import { EXITS } from '../../support/simulated-fleet.ts';
import { anAcknowledgement, aState } from '../../unit/crds/documents.ts';

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
  isCut: boolean;
}

const answer = (status: number, body: string): Promise<Result<AdminAnswer>> =>
  Promise.resolve({ ok: true, value: { status, body: Buffer.from(body) } });

/** Puts a server behind a fake pod's admin port. */
export function equip(fake: FakePod, backboneDigest = BACKBONE_DIGEST): LoopPod {
  const pod: LoopPod = {
    ...{ fake, backboneDigest },
    policy: null,
    heads: new Map(),
    seen: 0,
    isLying: false,
    isCut: false,
  };
  fake.acknowledgement = anAcknowledgement({
    ...{ podUid: fake.pod.uid, bootId: fake.bootId, epoch: 0, revision: 0 },
    ...{ headRevisions: [], knownAnswers: [], reason: '', message: '' },
    backboneDigest,
  });
  fake.override = (call) => respond(pod, call);
  return pod;
}

function respond(pod: LoopPod, call: AdminCall): Promise<Result<AdminAnswer>> | undefined {
  if (pod.isCut) {
    return Promise.resolve({ ok: false, code: 'NoAnswer', message: 'no answer within 2000 ms' });
  }
  if (call.path.startsWith('/v1/state')) return answer(200, serializeServerState(stateOf(pod)));
  if (call.path.startsWith('/v1/heads/')) return answer(201, storeHeads(pod, call));
  if (call.path.startsWith('/v1/policy')) return answer(200, applyPolicy(pod, String(call.body)));
  return undefined;
}

/** Samples change with the rows: so does the digest under which they are told. */
export function touchState({ fake, seen }: LoopPod): void {
  const text = `${fake.bootId} ${String(Math.min(25_000, seen))}`;
  fake.stateDigest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function stateOf({ fake, seen, policy, backboneDigest }: LoopPod): ServerState {
  const state = aState();
  const samples = Math.min(25_000, seen);
  const shares = [0.2, 0.4, 0.65, 0.85];
  return {
    ...state,
    podUid: fake.pod.uid,
    bootId: fake.bootId,
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
    samples: { long: samples, recent: samples, seen },
  };
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
