import type { HttpMessage } from '../http-message.ts';
import { encodeMessage } from '../http-message.ts';
import { createHttpSender, type Reply } from '../http-sender.ts';
import type { Protocol } from './protocol.ts';

/** Sums of float32 in another order, of one model and one engine: far below what a wrong row or a wrong digit gives. */
const TOLERANCE = 1e-4;

/** The class scores of each row, by the engine itself. */
export async function engineScores(
  modelPath: string,
  rowShape: readonly number[],
  rows: readonly Float32Array[],
): Promise<readonly (readonly number[])[]> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(modelPath, { intraOpNumThreads: 1 });
  const scores: number[][] = [];
  for (const row of rows) {
    const answer = await session.run({ image: new Tensor('float32', row, [1, ...rowShape]) });
    scores.push([...((answer.logits?.data ?? []) as Float32Array)]);
  }
  await session.release();
  return scores;
}

/** Asks each message once and throws where an answer is not the engine's. */
export async function checkAnswers(
  port: number,
  protocol: Protocol,
  expected: {
    readonly messages: readonly HttpMessage[];
    readonly scores: readonly (readonly number[])[];
  },
): Promise<void> {
  const host = '127.0.0.1';
  const sender = createHttpSender({ host, port, timeoutMs: 60_000 });
  try {
    for (const [index, message] of expected.messages.entries()) {
      const reply = await new Promise<Reply>((resolve) => {
        sender.send(encodeMessage(message, `${host}:${port}`), resolve);
      });
      if (!reply.ok) throw new Error(`row ${index} was not answered: ${reply.code}`);
      const { head, body } = reply;
      if (head.status !== 200)
        throw new Error(
          `row ${index} was answered ${head.status}: ${body.toString('utf8', 0, 300)}`,
        );
      const wrong = firstDifference(protocol.scores(body, head.text), expected.scores[index] ?? []);
      if (wrong !== null)
        throw new Error(`its answer to row ${index} is not the engine's: ${wrong}`);
    }
  } finally {
    sender.close();
  }
}

/** One sentence part; null where both are the same but for rounding. */
export function firstDifference(
  actual: readonly number[],
  expected: readonly number[],
): string | null {
  if (actual.length !== expected.length)
    return `${actual.length} scores instead of ${expected.length}`;
  const at = expected.findIndex(
    // Written so that a NaN differs.
    (score, i) => !(Math.abs((actual[i] ?? NaN) - score) <= TOLERANCE * (1 + Math.abs(score))),
  );
  return at === -1 ? null : `score ${at} is ${actual[at]} instead of ${expected[at]}`;
}
