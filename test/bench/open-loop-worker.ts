// The thread that sends: schedule in, arrays of figures out.
import { parentPort, workerData } from 'node:worker_threads';
import { createBusyClock } from '../../server/engine/busy-clock.ts';
import { encodeMessage, headerOf } from './http-message.ts';
import { createHttpSender, type Reply } from './http-sender.ts';
import type { OpenLoopSettings, OpenLoopReport } from './open-loop.ts';
import { poissonSchedule } from './poisson-schedule.ts';

/** Timers are as coarse as a millisecond; what is due sooner is waited for by turning the event loop, which still reads answers. */
const SPIN_MS = 0.5;

await run(workerData as OpenLoopSettings);

async function run(plan: OpenLoopSettings): Promise<void> {
  const { host, port, timeoutMs, requests } = plan;
  const scheduledMs = poissonSchedule(plan);
  const lagMs = new Float64Array(requests);
  const latencyMs = new Float64Array(requests);
  const status = new Uint16Array(requests);
  const failures: Record<string, number> = {};
  const headerValues: Record<string, number> = {};
  const messages = plan.messages.map((message) => encodeMessage(message, `${host}:${port}`));
  const sender = createHttpSender({ host, port, timeoutMs });
  await sender.open(plan.connections);
  const busy = createBusyClock();
  let next = 0;
  let inFlight = 0;
  let mostInFlight = 0;
  let closing = 0;
  const stopping = new AbortController();
  parentPort?.on('message', () => {
    stopping.abort();
  });
  parentPort?.postMessage('sending');

  const startMs = performance.now();
  const startBusyMs = busy();
  const nowMs = (): number => performance.now() - startMs;
  const dueMs = (index: number): number => scheduledMs[index] ?? Infinity;

  function settle(index: number, reply: Reply): void {
    latencyMs[index] = nowMs() - dueMs(index);
    inFlight -= 1;
    if (!reply.ok) {
      failures[reply.code] = (failures[reply.code] ?? 0) + 1;
      return;
    }
    status[index] = reply.head.status;
    if (reply.head.closes) closing += 1;
    const value =
      plan.countHeader === undefined ? null : headerOf(reply.head.text, plan.countHeader);
    if (value !== null) headerValues[value] = (headerValues[value] ?? 0) + 1;
  }

  function sendDue(): void {
    while (dueMs(next) <= nowMs()) {
      const index = next++;
      const message = messages[index % messages.length];
      if (message === undefined) throw new RangeError('there is no message to send');
      lagMs[index] = nowMs() - dueMs(index);
      inFlight += 1;
      mostInFlight = Math.max(mostInFlight, inFlight);
      sender.send(message, (reply) => {
        settle(index, reply);
      });
    }
  }

  const isSending = (): boolean => !stopping.signal.aborted && next < requests;
  while (isSending() || inFlight > 0) {
    if (isSending()) sendDue();
    await turn(isSending() ? dueMs(next) - nowMs() : 1);
  }
  const wallMs = nowMs();
  sender.close();
  const report: OpenLoopReport = {
    scheduledMs: scheduledMs.slice(0, next),
    lagMs: lagMs.slice(0, next),
    latencyMs: latencyMs.slice(0, next),
    status: status.slice(0, next),
    failures,
    headerValues,
    closing,
    connectionsOpened: sender.opened,
    mostInFlight,
    wallMs,
    busyMs: busy() - startBusyMs,
  };
  parentPort?.postMessage(report);
}

function turn(waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (waitMs < SPIN_MS) setImmediate(resolve);
    else setTimeout(resolve, Math.min(waitMs, 20));
  });
}
