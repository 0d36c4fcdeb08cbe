import type { ServedModel } from './served-model.ts';
import { processorSeconds } from './processor-time.ts';

export interface ServedRun {
  readonly rows: number;
  readonly errors: number;
  readonly wallSeconds: number;
  /** Of the server's processes alone: the load generator is not in it. */
  readonly processorSeconds: number;
  readonly latencyMs: readonly number[];
  readonly earlyRows: number;
  /** Answered rows by the policy (`epoch.revision`) that served them. */
  readonly rowsByPolicy: ReadonlyMap<string, number>;
}

/** `concurrency` callers that each send one row again as soon as it is answered, for a time or a number of rows. */
export async function driveServer(
  served: ServedModel,
  plan: {
    readonly concurrency: number;
    readonly seconds?: number;
    readonly rows?: number;
    readonly onSent?: (rows: number) => void;
  },
): Promise<ServedRun> {
  const latencyMs: number[] = [];
  let sent = 0;
  let errors = 0;
  let earlyRows = 0;
  const rowsByPolicy = new Map<string, number>();
  const start = performance.now();
  const startSeconds = processorSeconds(served.server.child.pid);
  const isOver = (): boolean =>
    sent >= (plan.rows ?? Infinity) ||
    performance.now() - start > (plan.seconds ?? Infinity) * 1_000;
  const call = async (): Promise<void> => {
    while (!isOver()) {
      plan.onSent?.(sent);
      const outcome = await served.client.infer([served.row(sent++)], 'auto');
      if (!outcome.ok) errors += 1;
      else {
        latencyMs.push(outcome.latencyMs);
        const { exit, policy } = outcome.answer;
        if (exit !== 'backbone') earlyRows += 1;
        rowsByPolicy.set(policy, (rowsByPolicy.get(policy) ?? 0) + 1);
      }
    }
  };
  await Promise.all(Array.from({ length: plan.concurrency }, call));
  return {
    rows: latencyMs.length,
    errors,
    wallSeconds: (performance.now() - start) / 1_000,
    processorSeconds: processorSeconds(served.server.child.pid) - startSeconds,
    latencyMs,
    earlyRows,
    rowsByPolicy,
  };
}
