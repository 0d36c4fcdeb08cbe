// Rows of the example's held-out part, as clients send them: at times drawn beforehand, without waiting for answers.
import { request as httpRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../../operator/clock.ts';
import { createInferCodec } from '../../../operator/local/replay/infer-codec.ts';
import { openFashionMnist } from '../../../operator/local/traffic/fashion-mnist.ts';
import { loadModelDescription } from '../../../operator/local/traffic/model-description.ts';
import { createRowEncoder } from '../../../operator/local/traffic/row-encoder.ts';
import type { RealNode } from '../../support/real-node.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import type { Endpoint } from '../pods/example-model.ts';

export interface Traffic {
  /** Requests per second. */
  rate: number;
  /** Changes rows before they are sent. */
  spoil: ((row: Buffer) => Buffer) | null;
  readonly answered: number;
  /** By exit; `backbone` is the plain way. */
  readonly exits: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

const INPUT = { name: 'image', datatype: 'FP32', shape: [-1, 1, 28, 28] };
const ROWS_PER_REQUEST = 2;

export async function startTraffic(
  node: RealNode,
  endpoint: Endpoint,
  { model, rate }: { readonly model: string; readonly rate: number },
): Promise<Traffic> {
  const source = await openFashionMnist('example:fashion-mnist');
  const description = loadModelDescription('server/examples/fashion-mnist/backbone.onnx');
  const codec = createInferCodec(createRowEncoder(source, [INPUT], description), 'logits');
  const random = seededRandom(7);
  const agent = node.agent({ keepAlive: true, maxSockets: 32 });
  const exits = new Map<string, number>();
  const failures: string[] = [];
  const pending = new Set<Promise<void>>();
  let answered = 0;
  let isOn = true;
  let next = 0;

  const traffic = {
    ...{ rate, exits, failures },
    spoil: null as Traffic['spoil'],
    get answered() {
      return answered;
    },
    stop: async () => {
      isOn = false;
      await running;
      await Promise.all(pending);
      agent.destroy();
      source.close();
    },
  };

  async function ask(): Promise<void> {
    const rows = Array.from({ length: ROWS_PER_REQUEST }, () => {
      const row = Buffer.from(source.readRow(next++ % source.rowCount));
      return traffic.spoil === null ? row : traffic.spoil(row);
    });
    const { headerLength, body } = codec.encode(rows, 'auto');
    const path = `/v2/models/${model}/infer`;
    const headers = {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(headerLength),
      'content-length': String(body.byteLength),
    };
    const reply = await new Promise<{ status: number; header: number; bytes: Buffer }>(
      (resolve, reject) => {
        const signal = AbortSignal.timeout(30_000);
        const sent = { agent, ...endpoint, path, method: 'POST', headers, signal };
        httpRequest(sent, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            const header = Number(answer.headers['inference-header-content-length'] ?? 0);
            resolve({ status: answer.statusCode ?? 0, header, bytes: Buffer.concat(chunks) });
          });
        })
          .once('error', reject)
          .end(body);
      },
    );
    if (reply.status !== 200) throw new Error(`${reply.status} ${reply.bytes.toString()}`);
    const { exit } = codec.decode(reply.header, reply.bytes, ROWS_PER_REQUEST);
    exits.set(exit, (exits.get(exit) ?? 0) + 1);
    answered += 1;
  }

  async function send(): Promise<void> {
    let dueMs = systemClock.monotonicMs();
    while (isOn) {
      dueMs += random.exponential(1_000 / traffic.rate);
      await pause(Math.max(0, dueMs - systemClock.monotonicMs()));
      const asked: Promise<void> = ask()
        .catch((error: unknown) => {
          failures.push(String(error));
        })
        .finally(() => pending.delete(asked));
      pending.add(asked);
    }
  }

  const running = send();
  return traffic;
}
