// Rows, one to a request, sent as clients send them: at times drawn beforehand (Poisson), without waiting for answers. Every row is a
// new one until all were sent.
import { request as httpRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../../operator/clock.ts';
import { distortSource } from '../../../operator/local/drills/distorted-source.ts';
import { blur } from '../../../operator/local/drills/distortions.ts';
import type { ImageShape } from '../../../operator/local/drills/image-shape.ts';
import { createInferCodec, type InferMode } from '../../../operator/local/replay/infer-codec.ts';
import type { ModelDescriptionFile } from '../../../operator/local/traffic/model-description.ts';
import { createRowEncoder } from '../../../operator/local/traffic/row-encoder.ts';
import type { TrafficSource } from '../../../operator/local/traffic/source.ts';
import type { TensorSpec } from '../../../crds/wire/state.ts';
import { classScores } from '../../../operator/local/answer-output.ts';
import type { RealNode } from '../../support/real-node.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import type { Endpoint } from '../pods/example-model.ts';

/** A request that was answered. */
interface Answered {
  readonly row: number;
  readonly isBlurred: boolean;
  /** The exit that answered; `backbone` is the plain way. */
  readonly exit: string;
  readonly headRevision: string;
  readonly classId: number;
}

export interface Traffic {
  /** Requests per second. */
  rate: number;
  /** Rows come through a lens that is out of focus. */
  isBlurred: boolean;
  readonly answered: number;
  /** Answers by exit; `backbone` is the plain way. */
  readonly exits: ReadonlyMap<string, number>;
  /** Early answers by head revision. */
  readonly heads: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
  /** Keeps every answer from now on, until the returned function is called. */
  record(): () => readonly Answered[];
  /** Resolves when all that is under way now is answered. */
  answersOfNow(): Promise<unknown>;
  /** Of these answers, those that the backbone does not give. Its own need not be asked again. */
  disagreements(answers: readonly Answered[]): Promise<number>;
  stop(): Promise<void>;
}

/** Pictures, and how a model takes them; it answers with `logits`. */
export interface Rows {
  /** Closed with the traffic. */
  readonly source: TrafficSource;
  /** Of a row of the source. */
  readonly picture: ImageShape;
  readonly input: TensorSpec;
  /** How bytes become values of the input. */
  readonly description: ModelDescriptionFile;
}

export interface TrafficOptions {
  readonly model: string;
  /** Requests per second. */
  readonly rate: number;
}

/** Standard deviation of the lens that is out of focus, as a share of the side. */
const BLUR_SHARE = 0.06;
/** Every third request comes on a connection of its own, the others on kept ones. */
const NEW_CONNECTION_EACH = 3;
/** Questions at once when answers are compared. */
const ASKED_AT_ONCE = 4;

export function startRowTraffic(
  node: RealNode,
  endpoint: Endpoint,
  { model, rate, rows }: TrafficOptions & { readonly rows: Rows },
): Traffic {
  const { source: sharp, picture, input, description } = rows;
  const blurred = distortSource(sharp, blur(picture, BLUR_SHARE * picture.height), 0);
  const codec = createInferCodec(
    createRowEncoder(sharp, [input], description),
    classScores('logits'),
  );
  const random = seededRandom(7);
  const [kept, fresh] = [node.agent({ keepAlive: true, maxSockets: 32 }), node.agent()];
  const exits = new Map<string, number>();
  const heads = new Map<string, number>();
  const failures: string[] = [];
  const pending = new Set<Promise<void>>();
  let records: Answered[] | null = null;
  let sent = 0;
  let answered = 0;
  let isOn = true;

  async function ask(row: number, isBlurred: boolean, mode: InferMode): Promise<Answered> {
    const raw = Buffer.from((isBlurred ? blurred : sharp).readRow(row));
    const { headerLength, body } = codec.encode([raw], mode);
    const path = `/v2/models/${model}/infer`;
    const headers = {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(headerLength),
      'content-length': String(body.byteLength),
    };
    const agent = row % NEW_CONNECTION_EACH === 0 ? fresh : kept;
    const reply = await new Promise<{ status: number; header: number; bytes: Buffer }>(
      (resolve, reject) => {
        const signal = AbortSignal.timeout(30_000);
        const request = { agent, ...endpoint, path, method: 'POST', headers, signal };
        httpRequest(request, (answer) => {
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
    const { exit, headRevision, classIds } = codec.decode(reply.header, reply.bytes, 1);
    return { row, isBlurred, exit, headRevision, classId: classIds[0]! };
  }

  function note(answer: Answered): void {
    answered += 1;
    count(exits, answer.exit);
    if (answer.exit !== 'backbone') count(heads, answer.headRevision);
    records?.push(answer);
  }

  async function send(): Promise<void> {
    let dueMs = systemClock.monotonicMs();
    while (isOn) {
      dueMs += random.exponential(1_000 / traffic.rate);
      await pause(Math.max(0, dueMs - systemClock.monotonicMs()));
      const asked: Promise<void> = ask(sent++ % sharp.rowCount, traffic.isBlurred, 'auto')
        .then(note)
        .catch((error: unknown) => {
          failures.push(`${new Date(systemClock.nowMs()).toISOString()} ${String(error)}`);
        })
        .finally(() => pending.delete(asked));
      pending.add(asked);
    }
  }

  const traffic: Traffic = {
    ...{ rate, isBlurred: false, exits, heads, failures },
    get answered() {
      return answered;
    },
    record: () => {
      const taken: Answered[] = [];
      records = taken;
      return () => {
        records = null;
        return taken;
      };
    },
    answersOfNow: () => Promise.all(pending),
    disagreements: async (answers) => {
      const early = answers.filter(({ exit }) => exit !== 'backbone');
      let [next, found] = [0, 0];
      const compare = async (): Promise<void> => {
        for (let one = early[next++]; one !== undefined; one = early[next++]) {
          const { classId } = await ask(one.row, one.isBlurred, 'backbone');
          if (classId !== one.classId) found += 1;
        }
      };
      await Promise.all(Array.from({ length: ASKED_AT_ONCE }, compare));
      return found;
    },
    stop: async () => {
      isOn = false;
      await running;
      await Promise.all(pending);
      kept.destroy();
      fresh.destroy();
      sharp.close();
    },
  };
  const running = send();
  return traffic;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
