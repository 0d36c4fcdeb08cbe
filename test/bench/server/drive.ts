import { encodeMessage, type HttpMessage } from '../http-message.ts';
import { createHttpSender } from '../http-sender.ts';
import { processorSeconds } from '../processor-time.ts';

/** A server on loopback, whoever wrote it. */
export interface Target {
  readonly port: number;
  /** Its processes are this one and its descendants. */
  readonly pid: number;
}

export interface ClosedRun {
  readonly requests: number;
  readonly wallSeconds: number;
  /** Of the server's processes alone: the load generator is not in it. */
  readonly processorSeconds: number;
  /** Of this process, which sends and receives. */
  readonly generatorSeconds: number;
  readonly latencyMs: readonly number[];
}

export interface ClosedPlan {
  readonly messages: readonly HttpMessage[];
  readonly concurrency: number;
  readonly seconds: number;
  /** Instead of the seconds. */
  readonly requests?: number;
}

/** `concurrency` callers that each send again as soon as they are answered. Any answer but 200 ends the run: it measures nothing. */
export async function driveClosed(target: Target, plan: ClosedPlan): Promise<ClosedRun> {
  const host = '127.0.0.1';
  const messages = plan.messages.map((one) => encodeMessage(one, `${host}:${target.port}`));
  const sender = createHttpSender({ host, port: target.port, timeoutMs: 60_000 });
  const latencyMs: number[] = [];
  const beforeSeconds = processorSeconds(target.pid);
  const before = process.cpuUsage();
  const startMs = performance.now();
  const untilMs = startMs + plan.seconds * 1_000;
  let sent = 0;
  const isOver = (nowMs: number): boolean =>
    plan.requests === undefined ? nowMs >= untilMs : sent >= plan.requests;
  try {
    await Promise.all(
      Array.from(
        { length: plan.concurrency },
        (_, caller) =>
          new Promise<void>((resolve, reject) => {
            const again = (index: number): void => {
              const sentMs = performance.now();
              if (isOver(sentMs)) {
                resolve();
                return;
              }
              sent += 1;
              sender.send(messages[index % messages.length] ?? Buffer.alloc(0), (reply) => {
                if (!reply.ok) reject(new Error(`a request failed: ${reply.code}`));
                else if (reply.head.status !== 200) {
                  const text = reply.body.toString('utf8', 0, 512);
                  reject(new Error(`a request was answered ${reply.head.status}: ${text}`));
                } else {
                  latencyMs.push(performance.now() - sentMs);
                  again(index + 1);
                }
              });
            };
            again(caller);
          }),
      ),
    );
    const { user, system } = process.cpuUsage(before);
    return {
      requests: latencyMs.length,
      wallSeconds: (performance.now() - startMs) / 1_000,
      processorSeconds: processorSeconds(target.pid) - beforeSeconds,
      generatorSeconds: (user + system) / 1_000_000,
      latencyMs,
    };
  } finally {
    sender.close();
  }
}

/** Turns that cancel drift: first to last, then last to first (ABBA). */
export async function inTurns<T>(
  rounds: number,
  sides: readonly (() => Promise<T>)[],
): Promise<T[][]> {
  const results: T[][] = sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const order = sides.map((_, i) => (round % 2 === 0 ? i : sides.length - 1 - i));
    for (const i of order) {
      const side = sides[i];
      if (side !== undefined) results[i]?.push(await side());
    }
  }
  return results;
}
