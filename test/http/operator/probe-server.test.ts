import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startProbeServer, type ProbeServer } from '../../../operator/probes/probe-server.ts';

let server: ProbeServer;
let reason: string | null;
let render: () => Promise<{ contentType: string; text: string }>;
const problems: unknown[] = [];

beforeEach(async () => {
  reason = null;
  problems.length = 0;
  render = () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' });
  server = await startProbeServer(
    { host: '127.0.0.1', port: 0 },
    {
      whyNotReady: () => reason,
      render: () => render(),
      onProblem: (error) => problems.push(error),
    },
  );
});
afterEach(() => server.close());

const ask = async (path: string, method = 'GET') => {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  const { status, headers } = answer;
  return { status, text: await answer.text(), type: headers.get('content-type'), headers };
};

test('a process that does its work is ready and alive', async () => {
  expect(await ask('/readyz?verbose')).toMatchObject({ status: 200, text: 'ok\n' });
  expect(await ask('/livez')).toMatchObject({ status: 200, text: 'ok\n' });
});

test('one that cannot says why, and stays alive', async () => {
  reason = 'The caches are not full yet.';
  expect(await ask('/readyz')).toMatchObject({ status: 503, text: `${reason}\n` });
  expect((await ask('/livez')).status).toBe(200);
});

test('metrics are rendered for each scrape, with their type', async () => {
  expect(await ask('/metrics')).toMatchObject({
    ...{ status: 200, text: 'up 1\n', type: 'text/plain; version=0.0.4' },
  });
  expect(await ask('/metrics', 'HEAD')).toMatchObject({ status: 200, text: '' });
});

test('metrics that cannot be rendered fail the scrape alone', async () => {
  render = () => Promise.reject(new Error('no'));
  expect((await ask('/metrics')).status).toBe(500);
  expect(problems).toEqual([new Error('no')]);
  expect((await ask('/livez')).status).toBe(200);
});

test('other paths and methods are refused', async () => {
  expect((await ask('/')).status).toBe(404);
  expect((await ask('/constructor')).status).toBe(404);
  const posted = await ask('/metrics', 'POST');
  expect(posted.status).toBe(405);
  expect(posted.headers.get('allow')).toBe('GET, HEAD');
});

test('closing does not wait for idle connections', async () => {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  const ended = once(socket, 'close');
  await server.close();
  await ended;
});

test('a port that is taken is an error', async () => {
  const again = startProbeServer(
    { host: '127.0.0.1', port: server.port },
    { whyNotReady: () => null, render: () => render(), onProblem: () => undefined },
  );
  await expect(again).rejects.toThrow('EADDRINUSE');
});
