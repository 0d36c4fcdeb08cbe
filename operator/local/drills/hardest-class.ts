import { createRandom } from '../../../server/core/random.ts';
import type { InferClient } from '../replay/infer-client.ts';
import type { TrafficSource } from '../traffic/source.ts';

const ASKED_ROWS = 1_000;

/**
 * Asks the backbone about rows of the traffic, which opts them out of any audit, and gives the label that it meets least often: an
 * adversary may look. Of equal ones the last.
 */
export async function findHardestClass(
  client: Pick<InferClient, 'infer'>,
  {
    traffic,
    labels,
    seed,
    rowsPerRequest,
  }: {
    readonly traffic: TrafficSource;
    readonly labels: Int32Array;
    readonly seed: number;
    readonly rowsPerRequest: number;
  },
): Promise<{ readonly label: number; readonly asked: number }> {
  const order = Uint32Array.from({ length: traffic.rowCount }, (_, i) => i);
  createRandom([seed, ASKED_ROWS]).shuffle(order);
  const chosen = [...order.subarray(0, ASKED_ROWS)];
  const counts = new Map<number, { n: number; right: number }>();
  let asked = 0;
  for (let start = 0; start < chosen.length; start += rowsPerRequest) {
    const indices = chosen.slice(start, start + rowsPerRequest);
    // A buffer of a source is valid until its next read only.
    const rows = indices.map((index) => Buffer.from(traffic.readRow(index)));
    const outcome = await client.infer(rows, 'backbone');
    if (!outcome.ok) continue;
    asked += rows.length;
    for (const [i, index] of indices.entries()) {
      const label = labels[index] ?? -1;
      const count = counts.get(label) ?? { n: 0, right: 0 };
      counts.set(label, count);
      count.n += 1;
      if (outcome.answer.classIds[i] === label) count.right += 1;
    }
  }
  const [hardest] = [...counts].sort(([a, x], [b, y]) => x.right / x.n - y.right / y.n || b - a);
  return { label: hardest?.[0] ?? labels[0] ?? 0, asked };
}
