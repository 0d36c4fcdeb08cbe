import { toPodReport } from '../../../fleet/fleet-pod.ts';
import { watermarks, type Ledger } from '../../../lifecycle/ledger.ts';
import type { PodReport } from '../../../lifecycle/types.ts';
import { isReadyPod } from '../decide-policy.ts';
import type { Gathered } from '../gather.ts';

/** The pods as decisions see them, and how many ready ones said nothing yet. */
export interface Reports {
  readonly pods: readonly PodReport[];
  readonly silentPods: number;
}

/** @param withWindows false: they wait for the next count */
export function gatherReports(
  { pods, views, monotonicMs }: Gathered,
  withWindows: boolean,
): Reports {
  const ready = new Set(pods.filter(isReadyPod).map(({ metadata }) => metadata.uid));
  const reports = views.flatMap((view) => {
    const isReady = ready.has(view.pod.uid);
    return toPodReport(view, { isReady, monotonicMs, withWindows }) ?? [];
  });
  const heard = new Set(reports.map(({ podUid }) => podUid));
  const silent = [...ready].filter((uid) => uid === undefined || !heard.has(uid));
  return { pods: reports, silentPods: silent.length };
}

/** The same without their windows, as what is remembered of them. */
export function withoutWindows(pods: readonly PodReport[]): PodReport[] {
  return pods.map((pod) => ({ ...pod, windows: [], droppedSeqs: [] }));
}

/** Whether any window after the watermarks of the ledger saw a row: a process that begins gets older ones as well. */
export function hasRows(pods: readonly PodReport[], ledger: Ledger): boolean {
  const marks = new Map(
    watermarks(ledger).map(({ podUid, bootId, seq }) => [`${podUid} ${bootId}`, seq]),
  );
  return pods.some(({ podUid, bootId, windows, droppedSeqs }) => {
    const mark = marks.get(`${podUid} ${bootId}`) ?? 0;
    const isServing = windows.some(
      ({ seq, served, auditsChosen }) =>
        seq > mark &&
        (auditsChosen > 0 || served.errors > 0 || served.rows.some((rows) => rows > 0)),
    );
    return isServing || droppedSeqs.some((seq) => seq > mark);
  });
}
