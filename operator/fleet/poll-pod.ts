import type { Result } from '../../crds/wire/result.ts';
import type { AdminClient } from './admin-client.ts';
import type { FleetPod, PodProblem, PodView } from './fleet-pod.ts';
import { pullEvidence, type PulledEvidence } from './pull-evidence.ts';
import { holdWindow } from './held-window.ts';
import { failedPull, type PullResult } from './pull-result.ts';
import { pullPodState } from './pull-state.ts';

/** What the store remembers of a pod beyond its view. */
export interface PodMemory extends PodView {
  /** Windows before it were counted already, as a stored ledger says, and are not asked for. */
  readonly firstSeq: number;
  /** Last window that was read. */
  readonly lastSeq: number;
  /** Of the state that the view shows; empty before one was pulled. */
  readonly stateDigest: string;
}

export function unheardPod(pod: FleetPod): PodMemory {
  return {
    pod,
    bootId: null,
    state: null,
    acknowledgement: null,
    heardMs: null,
    problem: null,
    windows: [],
    droppedSeqs: [],
    oldestSeq: 1,
    firstSeq: 1,
    lastSeq: 0,
    stateDigest: '',
  };
}

/** The boot of a pod whose windows were counted up to a number. */
export interface CountedBoot {
  readonly bootId: string;
  readonly seq: number;
}

/** Not heard by this process yet, but counted by one before. */
export function countedPod(pod: FleetPod, { bootId, seq }: CountedBoot): PodMemory {
  return { ...unheardPod(pod), bootId, firstSeq: seq + 1, lastSeq: seq };
}

/** As if windows that were read and not counted had not been read: its server still has them. */
export function withoutHeld(memory: PodMemory): PodMemory {
  const [first] = memory.windows;
  if (first === undefined) return memory;
  return { ...memory, windows: [], droppedSeqs: [], lastSeq: first.seq - 1 };
}

/** A server keeps 30 minutes: what nobody consumed for longer is a gap here as well. */
const MOST_WINDOWS = 1_000;
/** Answers hold 256 windows each, so this many are more than a server keeps. */
const MOST_PAGES = 10;
/** More than any server ever has: it answers without windows. */
const NO_WINDOWS = 999_999_999_999_999;

/** Hears of each pull of evidence. */
export type OnPull = (result: PullResult, seconds: number) => void;

export interface PollOptions {
  readonly monotonicMs: () => number;
  readonly onPull: OnPull;
  /** Whether there is memory for a page of windows; asked before each. Without, the pod is heard and keeps its windows. */
  readonly hasRoom: () => boolean;
}

/** One poll: evidence to its end, then the state if its digest moved. What is not understood changes nothing but the problem. */
export async function pollPod(
  memory: PodMemory,
  client: AdminClient,
  { monotonicMs, onPull, hasRoom }: PollOptions,
): Promise<PodMemory> {
  let now = memory;
  for (let page = 0; page < MOST_PAGES; page++) {
    const startMs = monotonicMs();
    const isReading = hasRoom();
    const pulled = await pullEvidence(client, isReading ? now.lastSeq : NO_WINDOWS, false);
    onPull(resultOf(now, pulled), (monotonicMs() - startMs) / 1000);
    if (!pulled.ok) {
      return pulled.code === 'Refused'
        ? pollState(now, client, { monotonicMs, digest: '' })
        : { ...now, problem: problemOf(pulled) };
    }
    const { answer } = pulled.value;
    const problem = findContradiction(now, pulled.value);
    if (problem !== null) return { ...now, problem };
    if (isOtherBoot(now, answer)) {
      now = { ...unheardPod(now.pod), bootId: answer.bootId };
      continue;
    }
    const hear = isReading ? addEvidence : hearOnly;
    now = hear(now, pulled.value, monotonicMs());
    if (!isReading || now.lastSeq >= answer.newestSeq) {
      return pollMovedState(now, client, { monotonicMs, digest: answer.stateDigest });
    }
  }
  return { ...now, problem: { code: 'Endless', message: 'its evidence does not come to an end' } };
}

/**
 * Sequences start anew with a boot: what was asked for was not what it has. A ledger that counted what the pod never had is no
 * reason to doubt the pod.
 */
function isOtherBoot(
  { bootId, lastSeq, heardMs }: PodMemory,
  answer: PulledEvidence['answer'],
): boolean {
  const isAhead = heardMs === null && answer.newestSeq < lastSeq;
  return lastSeq > 0 && (answer.bootId !== bootId || isAhead);
}

function resultOf(memory: PodMemory, pulled: Result<PulledEvidence>): PullResult {
  if (!pulled.ok) return failedPull(pulled.code);
  if (findContradiction(memory, pulled.value) !== null) return 'invalid';
  const { answer } = pulled.value;
  if (isOtherBoot(memory, answer)) return 'restarted';
  // Of a pod that was never read nothing is missed.
  const isGap = memory.lastSeq > 0 && answer.oldestSeq > memory.lastSeq + 1;
  return isGap ? 'gap' : 'ok';
}

function findContradiction(
  { pod, bootId, lastSeq, heardMs }: PodMemory,
  { answer }: PulledEvidence,
): PodProblem | null {
  if (answer.podUid !== pod.uid) return otherPod(pod, answer.podUid);
  if (heardMs !== null && answer.bootId === bootId && answer.newestSeq < lastSeq) {
    return {
      code: 'Contradiction',
      message: `its windows run backwards, from ${lastSeq} to ${answer.newestSeq}`,
    };
  }
  return null;
}

/** An address may belong to another pod by now. */
function otherPod(pod: FleetPod, podUid: string): PodProblem {
  return { code: 'OtherPod', message: `${pod.ip} is pod ${podUid} now, not ${pod.uid}` };
}

function addEvidence(memory: PodMemory, evidence: PulledEvidence, heardMs: number): PodMemory {
  const { answer, packedWindows, droppedWindows } = evidence;
  const fresh = packedWindows.filter(({ seq }) => seq > memory.lastSeq).map(holdWindow);
  const dropped = droppedWindows.flatMap(({ seq }) =>
    seq !== null && seq > memory.lastSeq && seq <= answer.newestSeq ? [seq] : [],
  );
  const all = [...memory.windows, ...fresh];
  const windows = all.slice(-MOST_WINDOWS);
  const [first] = windows;
  const heard = hearOnly(memory, evidence, heardMs);
  const read = [...fresh.map(({ seq }) => seq), ...dropped];
  return {
    ...heard,
    windows,
    droppedSeqs: [...memory.droppedSeqs, ...dropped].slice(-MOST_WINDOWS),
    oldestSeq: all.length > windows.length && first !== undefined ? first.seq : heard.oldestSeq,
    // Nothing new although there should be: those windows are gone, and the lifecycle sees the gap.
    lastSeq: read.length === 0 ? answer.newestSeq : Math.max(...read),
  };
}

/** All that an answer says but its windows. */
function hearOnly(memory: PodMemory, { answer }: PulledEvidence, heardMs: number): PodMemory {
  const { bootId, acknowledgement } = answer;
  const oldestSeq = Math.max(answer.oldestSeq, memory.firstSeq);
  return { ...memory, bootId, acknowledgement, heardMs, problem: null, oldestSeq };
}

function pollMovedState(
  memory: PodMemory,
  client: AdminClient,
  options: { readonly monotonicMs: () => number; readonly digest: string },
): Promise<PodMemory> {
  if (options.digest === memory.stateDigest) return Promise.resolve(memory);
  return pollState(memory, client, options);
}

async function pollState(
  memory: PodMemory,
  client: AdminClient,
  { monotonicMs, digest }: { readonly monotonicMs: () => number; readonly digest: string },
): Promise<PodMemory> {
  const pulled = await pullPodState(client);
  if (!pulled.ok) return { ...memory, problem: problemOf(pulled) };
  const { podUid, bootId } = pulled.value.state;
  if (podUid !== memory.pod.uid) return { ...memory, problem: otherPod(memory.pod, podUid) };
  const own = bootId === memory.bootId ? memory : { ...unheardPod(memory.pod), bootId };
  const heardMs = monotonicMs();
  return { ...own, state: pulled.value, stateDigest: digest, heardMs, problem: null };
}

function problemOf({ code, message }: Extract<Result<never>, { ok: false }>): PodProblem {
  return { code, message };
}
