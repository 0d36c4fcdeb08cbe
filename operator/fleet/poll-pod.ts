import type { Result } from '../../crds/wire/result.ts';
import type { AdminClient } from './admin-client.ts';
import type { FleetPod, PodProblem, PodView } from './fleet-pod.ts';
import { pullEvidence, type PulledEvidence } from './pull-evidence.ts';
import { failedPull, type PullResult } from './pull-result.ts';
import { pullPodState } from './pull-state.ts';

/** What the store remembers of a pod beyond its view. */
export interface PodMemory extends PodView {
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
    lastSeq: 0,
    stateDigest: '',
  };
}

/** A server keeps 30 minutes: what nobody consumed for longer is a gap here as well. */
const MOST_WINDOWS = 1_000;
/** Answers hold 256 windows each, so this many are more than a server keeps. */
const MOST_PAGES = 10;

/** Hears of each pull of evidence. */
export type OnPull = (result: PullResult, seconds: number) => void;

/** One poll: evidence to its end, then the state if its digest moved. What is not understood changes nothing but the problem. */
export async function pollPod(
  memory: PodMemory,
  client: AdminClient,
  monotonicMs: () => number,
  onPull: OnPull,
): Promise<PodMemory> {
  let now = memory;
  for (let page = 0; page < MOST_PAGES; page++) {
    const startMs = monotonicMs();
    const pulled = await pullEvidence(client, now.lastSeq, false);
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
    now = addEvidence(now, pulled.value, monotonicMs());
    if (now.lastSeq >= answer.newestSeq) {
      return answer.stateDigest === now.stateDigest
        ? now
        : pollState(now, client, { monotonicMs, digest: answer.stateDigest });
    }
  }
  return { ...now, problem: { code: 'Endless', message: 'its evidence does not come to an end' } };
}

/** Sequences start anew with a boot: what was asked for was not what it has. */
function isOtherBoot({ bootId, lastSeq }: PodMemory, answer: PulledEvidence['answer']): boolean {
  return answer.bootId !== bootId && lastSeq > 0;
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
  { pod, bootId, lastSeq }: PodMemory,
  { answer }: PulledEvidence,
): PodProblem | null {
  if (answer.podUid !== pod.uid) return otherPod(pod, answer.podUid);
  if (answer.bootId === bootId && answer.newestSeq < lastSeq) {
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

function addEvidence(
  memory: PodMemory,
  { answer, droppedWindows }: PulledEvidence,
  heardMs: number,
): PodMemory {
  const fresh = answer.windows.filter(({ seq }) => seq > memory.lastSeq);
  const dropped = droppedWindows.flatMap(({ seq }) =>
    seq !== null && seq > memory.lastSeq && seq <= answer.newestSeq ? [seq] : [],
  );
  const all = [...memory.windows, ...fresh];
  const windows = all.slice(-MOST_WINDOWS);
  const [first] = windows;
  const oldestSeq =
    all.length > windows.length && first !== undefined ? first.seq : answer.oldestSeq;
  const read = [...fresh.map(({ seq }) => seq), ...dropped];
  return {
    ...memory,
    bootId: answer.bootId,
    acknowledgement: answer.acknowledgement,
    heardMs,
    problem: null,
    windows,
    droppedSeqs: [...memory.droppedSeqs, ...dropped].slice(-MOST_WINDOWS),
    oldestSeq,
    // Nothing new although there should be: those windows are gone, and the lifecycle sees the gap.
    lastSeq: read.length === 0 ? answer.newestSeq : Math.max(...read),
  };
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
