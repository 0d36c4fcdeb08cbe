import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { answerError, type FailedRequest } from '../../../server/http/error-handler.ts';
import { createMetricRegistry } from '../../../server/metrics.ts';
import { createServerMetrics } from '../../../server/server-metrics.ts';
import { prometheusMissing, startPrometheus } from '../../boards/prometheus.ts';
import {
  EASY,
  HARD,
  MODEL,
  send,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;

async function start(hasExemplars: boolean): Promise<TestServer> {
  const registry = createMetricRegistry(MODEL, { hasExemplars });
  const server = await startTestServer({ metrics: createServerMetrics(registry, '0.1.0') });
  onTestFinished(() => server.close());
  return server;
}

async function page(server: TestServer): Promise<{ type: unknown; lines: string[] }> {
  const { headers, body } = await send(server.metrics, '/metrics');
  return { type: headers['content-type'], lines: body.toString().split('\n') };
}

test('a request that belongs to a trace gets its header back, whatever its answer', async () => {
  const server = await start(false);
  const headers = { traceparent };
  const answers = await Promise.all([
    server.infer([EASY], {}, headers),
    server.infer([EASY], { inputs: [] }, headers),
    server.infer([EASY], {}, { traceparent: `${traceparent}-more` }),
    server.infer([EASY]),
  ]);
  expect(answers.map(({ status, headers: { traceparent: echo } }) => [status, echo])).toEqual([
    [200, traceparent],
    [400, traceparent],
    [200, undefined],
    [200, undefined],
  ]);
});

test('with exemplars on, the bucket of its duration names the trace, and the page is OpenMetrics', async () => {
  const server = await start(true);
  await server.infer([HARD]);
  await server.infer([EASY], {}, { traceparent });
  const { type, lines } = await page(server);
  expect(type).toContain('application/openmetrics-text; version=1.0.0');
  expect(lines.slice(-2)).toEqual(['# EOF', '']);
  const named = lines.filter((line) => line.includes(' # {'));
  expect(named).toHaveLength(1);
  expect(named[0]).toMatch(
    new RegExp(
      `^layercache_request_duration_seconds_bucket\\{.*\\} \\d+ # \\{trace_id="${TRACE}"\\} [\\d.e-]+ [\\d.]+$`,
    ),
  );
  expect(lines).toContain('# TYPE layercache_requests counter');
  expect(lines).toContain('layercache_requests_total{protocol="v2",code="ok",model="digits"} 2');
});

test('without, the same page is the text format and names no trace', async () => {
  const server = await start(false);
  await server.infer([EASY], {}, { traceparent });
  const { type, lines } = await page(server);
  expect(type).toContain('text/plain; version=0.0.4');
  expect(lines.join('\n')).not.toContain(TRACE);
});

test.skipIf(prometheusMissing !== null)(
  'Prometheus reads the page with exemplars, counters under their names',
  async () => {
    const server = await start(true);
    await server.infer([EASY], {}, { traceparent });
    const labels = { namespace: 'vision', pod: 'digits-0' };
    const prometheus = await startPrometheus([{ job: 'models', port: server.metrics, labels }], {
      groups: [],
    });
    try {
      await prometheus.sees('up == 1');
      await prometheus.sees('layercache_requests_total{code="ok",protocol="v2"} == 1');
      await prometheus.sees('process_cpu_user_seconds_total > 0');
      await prometheus.sees('layercache_request_duration_seconds_count == 1');
    } finally {
      await prometheus.close();
    }
  },
);

test('a bug is told with the trace of the request that met it, and its client gets the id alone', async () => {
  const failed: FailedRequest[] = [];
  const observer = {
    refused: () => undefined,
    failed: (failure: FailedRequest) => {
      failed.push(failure);
    },
  };
  const server = createServer(({ headers }, response) => {
    answerError(new TypeError('a bug'), { method: 'POST', path: '/', headers }, response, observer);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { status, body } = await send(port, '/', { headers: { traceparent } });
  expect([status, failed]).toEqual([500, [{ id: expect.any(String) as string, traceId: TRACE }]]);
  expect(body.toString()).toContain(failed[0]!.id);
  expect(body.toString()).not.toContain('bug');
});
