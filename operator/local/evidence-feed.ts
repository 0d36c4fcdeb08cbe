import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import type { EvidenceWindow } from '../../crds/wire/evidence.ts';
import type { ServerState } from '../../crds/wire/state.ts';
import type { Clock } from '../clock.ts';
import { pullEvidence } from '../fleet/pull-evidence.ts';
import { pullState } from '../fleet/pull-state.ts';
import type { PodReport } from '../lifecycle/types.ts';
import type { ServerProcess } from './processes/server-process.ts';
import { withoutOptedOutSeconds } from './report/scope-evidence.ts';

/** What one server has said: its state, and the windows that decisions have not consumed yet. */
interface PodView {
  readonly server: ServerProcess;
  state: ServerState;
  acknowledgement: Acknowledgement | null;
  heardMs: number;
  lastSeq: number;
  oldestSeq: number;
  windows: EvidenceWindow[];
  droppedSeqs: number[];
}

/** Pulls evidence and state of all servers, one pull at a time, so that no window comes twice. */
export interface EvidenceFeed {
  /** Closes the open windows of every server and reads them. */
  readonly pull: () => Promise<void>;
  /** Reads every server's state again. */
  refreshStates(): Promise<void>;
  reports(): PodReport[];
  /** Windows up to the ledger's watermark are in the ledger. */
  dropConsumed(after: ReadonlyMap<string, number>): void;
  readonly states: readonly ServerState[];
}

export interface EvidenceFeedOptions {
  readonly servers: readonly { readonly server: ServerProcess; readonly state: ServerState }[];
  readonly clock: Clock;
  readonly onWindow: (window: EvidenceWindow) => void;
  readonly onProblem: (message: string) => void;
}

/** An acknowledgement counts for 90 s. */
const ACKNOWLEDGEMENT_MS = 90_000;

export function createEvidenceFeed(options: EvidenceFeedOptions): EvidenceFeed {
  const pods = options.servers.map(({ server, state }): PodView => ({
    server,
    state,
    acknowledgement: state.acknowledgement,
    heardMs: options.clock.monotonicMs(),
    lastSeq: 0,
    oldestSeq: 1,
    windows: [],
    droppedSeqs: [],
  }));
  let running: Promise<void> = Promise.resolve();
  const inTurn = (work: (pod: PodView) => Promise<void>): Promise<void> => {
    running = running.then(async () => {
      await Promise.all(pods.map(work));
    });
    return running;
  };
  return {
    pull: () => inTurn((pod) => pullPod(pod, options)),
    refreshStates: () => inTurn((pod) => refreshState(pod, options)),
    reports: () => pods.map((pod) => toReport(pod, options.clock.monotonicMs())),
    dropConsumed: (after) => {
      for (const pod of pods) {
        const watermark = after.get(podKey(pod.state)) ?? 0;
        pod.windows = pod.windows.filter(({ seq }) => seq > watermark);
        pod.droppedSeqs = pod.droppedSeqs.filter((seq) => seq > watermark);
      }
    },
    get states() {
      return pods.map(({ state }) => state);
    },
  };
}

/** Key of watermarks: a restarted server counts its windows anew. */
export function podKey({
  podUid,
  bootId,
}: {
  readonly podUid: string;
  readonly bootId: string;
}): string {
  return `${podUid} ${bootId}`;
}

async function pullPod(pod: PodView, options: EvidenceFeedOptions): Promise<void> {
  if (pod.server.child.hasEnded) return;
  let pulled = await pullEvidence(pod.server.admin, pod.lastSeq, true);
  if (pulled.ok && pulled.value.answer.bootId !== pod.state.bootId) {
    await refreshState(pod, options);
    if (pulled.value.answer.bootId !== pod.state.bootId) return;
    pulled = await pullEvidence(pod.server.admin, 0, true);
  }
  if (!pulled.ok) {
    options.onProblem(
      `${pod.state.podUid} did not tell its evidence and is asked again: ${pulled.message}`,
    );
    return;
  }
  const { answer, droppedWindows } = pulled.value;
  for (const { seq, message } of droppedWindows) {
    if (seq !== null) pod.droppedSeqs.push(seq);
    options.onProblem(
      `evidence window ${seq ?? '?'} of ${pod.state.podUid} is dropped: ${message}`,
    );
  }
  pod.acknowledgement = answer.acknowledgement;
  pod.heardMs = options.clock.monotonicMs();
  pod.lastSeq = answer.newestSeq;
  pod.oldestSeq = answer.oldestSeq;
  const windows = withoutOptedOutSeconds(answer.windows);
  pod.windows.push(...windows);
  for (const window of windows) options.onWindow(window);
}

/** A process that was started again numbers its windows anew; those of the one before are gone with it. */
async function refreshState(pod: PodView, options: EvidenceFeedOptions): Promise<void> {
  if (pod.server.child.hasEnded) return;
  const state = await pullState(pod.server.admin);
  if (!state.ok) {
    options.onProblem(
      `${pod.state.podUid} did not tell its state and is asked again: ${state.message}`,
    );
    return;
  }
  if (state.value.bootId !== pod.state.bootId) {
    const { acknowledgement } = state.value;
    Object.assign(pod, { acknowledgement, lastSeq: 0, oldestSeq: 1, windows: [], droppedSeqs: [] });
  }
  pod.state = state.value;
}

function toReport(pod: PodView, nowMs: number): PodReport {
  const { state } = pod;
  const isHeard = nowMs - pod.heardMs < ACKNOWLEDGEMENT_MS;
  return {
    podUid: state.podUid,
    bootId: state.bootId,
    ready: state.ready && !pod.server.child.hasEnded,
    acknowledgement: isHeard ? pod.acknowledgement : null,
    windows: pod.windows,
    droppedSeqs: pod.droppedSeqs,
    oldestSeq: pod.oldestSeq,
    samples: state.samples,
    exitsEnabled: state.policy?.exitsEnabled === true,
    costs: state.costs,
  };
}
