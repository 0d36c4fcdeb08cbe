// A server as the operator sees it: it answers the admin protocol as server/ does, from a policy, heads and synthetic rows, without
// an engine, files or a data port, so that thousands of them fit one process.
import { createHash } from 'node:crypto';
import {
  serializeAcknowledgement,
  type Acknowledgement,
} from '../../../crds/wire/acknowledgement.ts';
import { serializeEvidenceAnswer, type EvidenceWindow } from '../../../crds/wire/evidence.ts';
import { comparePair, parsePolicy, type Policy } from '../../../crds/wire/policy.ts';
import { serializeServerState } from '../../../crds/wire/state.ts';
import { BACKBONE_DIGEST } from '../../support/builders.ts';
import { answerRows } from '../../support/simulated-fleet.ts';
import { aState } from '../../unit/crds/documents.ts';
import { CUTS, scoresOf, type KnownHeads } from './simulated-heads.ts';
import type { TrafficRows } from './synthetic-traffic.ts';

export interface PodAnswer {
  readonly status: number;
  readonly text: string;
}

export interface PodRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: Buffer;
}

/** What became of a policy, and how old a window was when it was fetched. */
export interface PodObserver {
  policyApplied(policy: Policy): void;
  windowRead(ageMs: number): void;
}

export interface SimulatedPod {
  answer(request: PodRequest): PodAnswer;
  /** The kubelet has put this policy, and the bundle of its stable heads, where the server reads them. */
  readMount(policy: string, stableBundle: Buffer | null): void;
  /** These rows arrived since the last call: closes a window over them. */
  serve(rows: TrafficRows, seconds: number): void;
}

export interface SimulatedPodOptions {
  readonly podUid: string;
  readonly model: string;
  readonly heads: KnownHeads;
  readonly observer: PodObserver;
  readonly nowMs: () => number;
}

/** A server keeps half an hour; ten thousand in a few processes keep five minutes of ten seconds. */
const KEPT_WINDOWS = 30;
const NOT_FOUND: PodAnswer = { status: 404, text: '{"error":"no such route"}' };

type Said = Pick<Acknowledgement, 'result' | 'reason' | 'message'>;

interface KeptWindow {
  readonly window: EvidenceWindow;
  readonly closedMs: number;
  isRead: boolean;
}

export function createSimulatedPod(options: SimulatedPodOptions): SimulatedPod {
  const { podUid, model, heads, observer, nowMs } = options;
  const bootId = 'boot-1';
  let policy: Policy | null = null;
  let seq = 0;
  let seen = 0;
  const held = new Set<string>();
  const windows: KeptWindow[] = [];
  let said: Said = { result: 'Applied', reason: '', message: '' };

  function acknowledgement(): Acknowledgement {
    const named = [policy?.stable, policy?.candidate].flatMap((track) => track?.headRevision ?? []);
    const loaded = named.filter((revision) => held.has(revision));
    return {
      schemaVersion: 1,
      ...{ podUid, bootId },
      epoch: policy?.epoch ?? 0,
      revision: policy?.revision ?? 0,
      headRevisions: loaded,
      backboneDigest: BACKBONE_DIGEST,
      ...said,
      knownAnswers: loaded.map((headRevision) => ({
        headRevision,
        classes: heads.answersOf(headRevision),
      })),
    };
  }

  function apply(text: string): void {
    const parsed = parsePolicy(text);
    if (!parsed.ok) {
      said = { result: 'Rejected', reason: parsed.code, message: parsed.message.slice(0, 500) };
      return;
    }
    const next = parsed.value;
    said = assess(next, comparePair(next, policy ?? { epoch: 0, revision: 0 }));
    if (!said.result.endsWith('Applied')) return;
    // Recorders start again when exits go off (exits.md 3).
    if (policy?.exitsEnabled === true && !next.exitsEnabled) seen = 0;
    policy = next;
    observer.policyApplied(next);
  }

  /** @param order of its pair to that of the policy in force */
  function assess({ stable, candidate }: Policy, order: number): Said {
    const lacks = (track: { readonly headRevision: string } | null): boolean =>
      track !== null && !held.has(track.headRevision);
    if (order < 0) return { result: 'Stale', reason: '', message: '' };
    if (lacks(stable)) {
      const message = 'its stable heads are not here';
      return { result: 'Rejected', reason: 'HeadMissing', message };
    }
    const reason = lacks(candidate) ? 'CandidateMissing' : '';
    return { result: order === 0 ? 'AlreadyApplied' : 'Applied', reason, message: '' };
  }

  function evidence(after: number): string {
    const unread = windows.filter(({ window }) => window.seq > after).slice(0, 256);
    const readMs = nowMs();
    for (const kept of unread) {
      if (!kept.isRead) observer.windowRead(readMs - kept.closedMs);
      kept.isRead = true;
    }
    return serializeEvidenceAnswer({
      schemaVersion: 1,
      ...{ podUid, bootId },
      oldestSeq: windows[0]?.window.seq ?? seq + 1,
      newestSeq: seq,
      stateDigest: digestOf(JSON.stringify([policy?.epoch, policy?.revision, ...held])),
      acknowledgement: acknowledgement(),
      windows: unread.map(({ window }) => window),
    });
  }

  function state(): string {
    const samples = Math.min(25_000, seen);
    return serializeServerState(
      aState({
        ...{ podUid, bootId, model },
        backbone: { ...aState().backbone, digest: BACKBONE_DIGEST },
        ...CUTS,
        policy: policy === null ? null : pickPair(policy),
        acknowledgement: acknowledgement(),
        heads: [...held].map((headRevision) => ({ headRevision, sizeBytes: 1, inUse: true })),
        ...{ switchedOff: [], companions: [] },
        samples: { long: samples, recent: samples, seen },
      }),
    );
  }

  function store(headRevision: string, body: Buffer): PodAnswer {
    heads.learn(headRevision, body);
    held.add(headRevision);
    return { status: 201, text: JSON.stringify({ headRevision, result: 'Stored' }) };
  }

  return {
    answer: ({ method, path, body }) => {
      const [route = '', query = ''] = path.split('?');
      const head = /^\/v1\/heads\/(?:sha256:)?([0-9a-f]{64})$/.exec(route)?.[1];
      if (head !== undefined) return method === 'PUT' ? store(`sha256:${head}`, body) : NOT_FOUND;
      switch (`${method} ${route}`) {
        case 'GET /v1/state':
          return { status: 200, text: state() };
        case 'GET /v1/evidence': {
          const after = Number(new URLSearchParams(query).get('after') ?? 0);
          return { status: 200, text: evidence(after) };
        }
        case 'PUT /v1/policy':
          apply(body.toString('utf8'));
          return { status: 200, text: serializeAcknowledgement(acknowledgement()) };
        default:
          return NOT_FOUND;
      }
    },
    readMount: (text, stableBundle) => {
      if (stableBundle !== null) store(digestOf(stableBundle), stableBundle);
      apply(text);
    },
    serve: ({ rows, draws, own }, seconds) => {
      seen += own.length;
      const answered = answerRows(
        { podUid, bootId, policy },
        { rows, draws, own, scores: scoresOf(policy), tickMs: seconds * 1_000 },
      );
      for (const window of answered) {
        seq += 1;
        windows.push({ window: { ...window, seq }, closedMs: nowMs(), isRead: false });
      }
      if (windows.length > KEPT_WINDOWS) windows.splice(0, windows.length - KEPT_WINDOWS);
    },
  };
}

function pickPair({ epoch, revision, exitsEnabled }: Policy): {
  readonly epoch: number;
  readonly revision: number;
  readonly exitsEnabled: boolean;
} {
  return { epoch, revision, exitsEnabled };
}

function digestOf(bytes: string | Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
