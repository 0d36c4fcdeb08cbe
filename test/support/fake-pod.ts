// A pod behind an AdminClient, in memory: answers as server/ does, or as badly as a test wants.
import { serializeAcknowledgement, type Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import { serializeEvidenceAnswer, type EvidenceWindow } from '../../crds/wire/evidence.ts';
import { serializeLoadingState, type LoadingState } from '../../crds/wire/loading-state.ts';
import { comparePair, parsePolicy } from '../../crds/wire/policy.ts';
import type { Result } from '../../crds/wire/result.ts';
import { serializeServerState, type ServerState } from '../../crds/wire/state.ts';
import type { AdminAnswer, AdminCall, AdminClient } from '../../operator/fleet/admin-client.ts';
import type { FleetPod } from '../../operator/fleet/fleet-pod.ts';
import { aPlainWindow, anAcknowledgement, anAnswer, aState } from '../unit/crds/documents.ts';

export interface FakePod {
  pod: FleetPod;
  readonly calls: string[];
  bootId: string;
  windows: EvidenceWindow[];
  /** Windows before it are gone. */
  oldestSeq: number;
  acknowledgement: Acknowledgement;
  stateDigest: string;
  heads: string[];
  /** Null: the backbone is loaded. */
  loading: LoadingState['loading'] | null;
  /** What it reports of companions that do not run. */
  companions: ServerState['companions'];
  /** Answers calls instead of the pod; undefined leaves one to it. */
  override: ((call: AdminCall) => Promise<Result<AdminAnswer>> | undefined) | null;
  /** Closes windows until this number. */
  closeWindows(newestSeq: number): void;
  client(): AdminClient;
  readonly openClients: number;
}

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const answer = (status: number, body: string): Result<AdminAnswer> => ({
  ok: true,
  value: { status, body: Buffer.from(body) },
});

export const SILENT: Result<AdminAnswer> = {
  ok: false,
  code: 'NoAnswer',
  message: 'no answer within 2000 ms',
};

export function fakePod(uid: string, more: Partial<FleetPod> = {}): FakePod {
  let open = 0;
  const fake: FakePod = {
    pod: { uid, name: `pod-${uid}`, ip: '10.0.0.1', adminGeneration: 1, ...more },
    calls: [],
    bootId: 'boot-1',
    windows: [],
    oldestSeq: 1,
    acknowledgement: anAcknowledgement({
      podUid: uid,
      epoch: 0,
      revision: 0,
      headRevisions: [],
      knownAnswers: [],
      reason: '',
      message: '',
    }),
    stateDigest: digest('1'),
    heads: [],
    loading: null,
    companions: aState().companions,
    override: null,
    closeWindows: (newestSeq) => {
      for (let seq = fake.windows.length + 1; seq <= newestSeq; seq++) {
        fake.windows.push({ ...aPlainWindow(seq), podUid: uid, bootId: fake.bootId });
      }
    },
    get openClients() {
      return open;
    },
    client: () => {
      open += 1;
      return {
        baseUrl: `https://${uid}`,
        call: async (call) => {
          fake.calls.push(`${call.method} ${call.path}`);
          await Promise.resolve();
          return fake.override?.(call) ?? respond(fake, call);
        },
        close: () => {
          open -= 1;
        },
      };
    },
  };
  return fake;
}

function respond(fake: FakePod, call: AdminCall): Result<AdminAnswer> {
  if (call.path.startsWith('/v1/state')) return answer(200, stateOf(fake));
  if (fake.loading !== null) return answer(503, '{"error":"The engine is starting"}');
  if (call.path.startsWith('/v1/evidence')) return answer(200, evidenceOf(fake, call.path));
  if (call.path.startsWith('/v1/heads/')) {
    fake.heads.push(`sha256:${call.path.slice('/v1/heads/'.length)}`);
    return answer(201, '{}');
  }
  return answer(200, applyOn(fake, String(call.body)));
}

function stateOf({ pod, bootId, loading, acknowledgement, heads, companions }: FakePod): string {
  if (loading !== null) {
    return serializeLoadingState({
      schemaVersion: 1,
      version: '0.1.0',
      podUid: pod.uid,
      bootId,
      model: 'vision',
      loading,
      companions: [],
    });
  }
  return serializeServerState(
    aState({
      podUid: pod.uid,
      bootId,
      acknowledgement: { ...acknowledgement, podUid: pod.uid, bootId },
      heads: heads.map((headRevision) => ({ headRevision, sizeBytes: 1, inUse: false })),
      companions,
    }),
  );
}

function evidenceOf(fake: FakePod, path: string): string {
  const after = Number(/after=(\d+)/.exec(path)?.[1] ?? 0);
  return serializeEvidenceAnswer(
    anAnswer({
      podUid: fake.pod.uid,
      bootId: fake.bootId,
      oldestSeq: fake.oldestSeq,
      newestSeq: fake.windows.length,
      stateDigest: fake.stateDigest,
      acknowledgement: { ...fake.acknowledgement, podUid: fake.pod.uid, bootId: fake.bootId },
      windows: fake.windows.filter(({ seq }) => seq > after && seq >= fake.oldestSeq).slice(0, 256),
    }),
  );
}

function applyOn(fake: FakePod, text: string): string {
  const parsed = parsePolicy(text);
  if (!parsed.ok) throw new Error(parsed.message);
  const policy = parsed.value;
  const own = { ...fake.acknowledgement, podUid: fake.pod.uid, bootId: fake.bootId };
  const named = [policy.stable, policy.candidate].flatMap((track) => track?.headRevision ?? []);
  const missing = policy.stable !== null && !fake.heads.includes(policy.stable.headRevision);
  if (comparePair(policy, own) < 0) return serializeAcknowledgement({ ...own, result: 'Stale' });
  if (missing) {
    return serializeAcknowledgement({ ...own, result: 'Rejected', reason: 'HeadMissing' });
  }
  fake.acknowledgement = {
    ...own,
    epoch: policy.epoch,
    revision: policy.revision,
    headRevisions: named.filter((revision) => fake.heads.includes(revision)),
    backboneDigest: policy.backboneDigest,
    result: 'Applied',
    reason: named.every((revision) => fake.heads.includes(revision)) ? '' : 'CandidateMissing',
  };
  return serializeAcknowledgement(fake.acknowledgement);
}
