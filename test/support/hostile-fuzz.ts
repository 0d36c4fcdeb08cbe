import { gzipSync } from 'node:zlib';
import { mutate } from './hostile-requests.ts';
import { rawExchange, rawRequest } from './raw-http.ts';
import type { SeededRandom } from './seeded-random.ts';
import { INFER, MODEL } from './test-server.ts';

/** Good requests of every route of the data port. */
export function goodRequests(body: string): readonly Buffer[] {
  const post = (path: string, sent: string | Buffer, more: readonly string[] = []) =>
    rawRequest(
      `POST ${path} HTTP/1.1`,
      [`content-length: ${sent.length}`, 'connection: close', ...more],
      sent,
    );
  const predict = JSON.stringify({ inputs: [[[1, 2], [3, 4]]] }); // prettier-ignore
  const served = `/v1/models/${MODEL}`;
  const reads = [
    '/',
    '/openapi.json',
    '/v2',
    '/v2/health/live',
    '/v2/health/ready',
    `/v2/models/${MODEL}`,
    `/v2/models/${MODEL}/ready`,
    `/v2/models/${MODEL}/versions/1`,
    '/v1/models',
    served,
    `${served}/metadata`,
    `${served}/labels/stable`,
    `${served}/versions/1/metadata`,
  ];
  return [
    post(INFER, body, ['content-type: application/json']),
    post(INFER, body, ['request-timeout: 5', 'layercache-mode: backbone']),
    post(INFER.replace('/infer', '/versions/1/infer'), body),
    post(INFER, gzipSync(body), ['content-encoding: gzip']),
    post(`${served}:predict`, predict),
    post(`${served}/labels/stable:predict`, predict),
    ...reads.map((path) => rawRequest(`GET ${path} HTTP/1.1`, ['connection: close'])),
  ];
}

/** Sends one seeded change of each request, all at once; returns [status, request] of every answer. */
export async function fuzzRound(
  port: number,
  good: readonly Buffer[],
  random: SeededRandom,
): Promise<readonly (readonly [status: number, request: string])[]> {
  const answers = await Promise.all(
    good.map(async (request) => {
      const bytes = mutate(request, random);
      const read = await rawExchange(port, bytes, { ends: true, withinMs: 60_000 });
      return read.map(({ status }) => [status, bytes.toString('latin1')] as const);
    }),
  );
  return answers.flat();
}
