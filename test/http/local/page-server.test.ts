import { request, type IncomingHttpHeaders } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import {
  pageEventSchema,
  pageStateSchema,
  type PageState,
  type Picture,
} from '../../../operator/local/page/state/page-state.ts';
import { openDashboard } from '../../../operator/local/web/dashboard.ts';
import { startPageServer, type PageServer } from '../../../operator/local/web/page-server.ts';
import { sceneOf } from '../../browser/scripted-run.ts';
import { eventually } from '../../support/eventually.ts';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';

const state = sceneOf('serve');
const open: PageServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function aServer(port = 0): Promise<PageServer> {
  const assets = new Map([
    ['/', { contentType: 'text/html; charset=utf-8', bytes: Buffer.from('<!doctype html>') }],
  ]);
  const server = await startPageServer({
    port,
    portFlag: '--dashboard-port',
    assets,
    state: () => state,
  });
  open.push(server);
  return server;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** node:http, since fetch sets Host and Origin itself. */
function ask(
  url: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, ...options }, (incoming) => {
      let text = '';
      incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
      incoming.on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** A stream of events, read until it is cut. */
function follow(url: string): { text: () => string; ended: () => boolean; cut: () => void } {
  let text = '';
  let isEnded = false;
  const outgoing = request(`${url}/api/events`, { agent: false }, (incoming) => {
    incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
    incoming.on('end', () => (isEnded = true));
  });
  outgoing.on('error', () => undefined);
  outgoing.end();
  return { text: () => text, ended: () => isEnded, cut: () => outgoing.destroy() };
}

describe('who is answered', () => {
  test.each([
    ['the address of the terminal', {}, 200],
    ['localhost', { host: 'localhost:1234' }, 200],
    ['IPv6 loopback', { host: '[::1]:1234' }, 200],
    ['a name without a port', { host: '127.0.0.1' }, 200],
    [
      'a forwarded port and its own origin',
      { host: 'localhost:9', origin: 'http://localhost:9' },
      200,
    ],
    [
      'a link on another site',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
      200,
    ],
    ['a name that resolves to loopback', { host: 'evil.example:80' }, 421],
    ['a name that begins like loopback', { host: '127.0.0.1.evil.example' }, 421],
    ['a name with a user part', { host: '127.0.0.1@evil.example' }, 421],
    ['another spelling of loopback', { host: '2130706433' }, 421],
    ['the address of every interface', { host: '0.0.0.0:80' }, 421],
    ['another origin', { origin: 'https://evil.example' }, 403],
    ['another origin on this machine', { origin: 'http://127.0.0.1:1' }, 403],
    ['a sandboxed frame', { origin: 'null' }, 403],
    [
      'a script of another site',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
      403,
    ],
    ['a script of another port', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 403],
  ])('%s: %j gives %d', async (_, headers, status) => {
    const { url } = await aServer();
    for (const path of ['/', '/api/state']) {
      const reply = await ask(`${url}${path}`, { headers });
      expect(reply.status, path).toBe(status);
      if (status !== 200) expect(reply.text).not.toContain('fashion');
    }
  });

  test('refused streams stay closed too', async () => {
    const { url } = await aServer();
    const reply = await ask(`${url}/api/events`, { headers: { host: 'evil.example' } });
    expect(reply.status).toBe(421);
  });

  test('only reading is possible', async () => {
    const { url } = await aServer();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const reply = await ask(`${url}/api/state`, { method });
      expect([reply.status, reply.headers.allow], method).toEqual([405, 'GET, HEAD']);
    }
    const head = await ask(`${url}/api/state`, { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
  });

  test('nothing but the page and its data is there', async () => {
    const { url } = await aServer();
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/page/',
      '//etc/passwd',
      '/x',
    ]) {
      expect((await ask(`${url}${path}`)).status, path).toBe(404);
    }
  });
});

describe('answers', () => {
  test('carry the policy that keeps others out, on every status', async () => {
    const { url } = await aServer();
    for (const path of ['/', '/api/state', '/nothing']) {
      const { headers } = await ask(`${url}${path}`);
      expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
      expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|http/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  test('the state keeps its strict schema', async () => {
    const { url } = await aServer();
    const { text } = await ask(`${url}/api/state`);
    expect(pageStateSchema.parse(JSON.parse(text))).toEqual(state);
    expect(pageStateSchema.safeParse({ ...state, more: 1 }).success).toBe(false);
  });

  test('a stream begins with the whole state and goes on with ticks', async () => {
    const server = await aServer();
    const stream = follow(server.url);
    await eventually(() => {
      expect(stream.text()).toContain('\n\n');
    });
    const { history } = state;
    server.send({ ...pictureOf(state), point: history.at(-1) ?? null });
    const events = await eventually(() => {
      const found = [...stream.text().matchAll(/event: (\w+)\ndata: (.*)\n\n/g)];
      expect(found).toHaveLength(2);
      return found.map(([, name, data = '']) => ({ name, data: JSON.parse(data) as unknown }));
    });
    stream.cut();
    expect(events.map(({ name }) => name)).toEqual(['state', 'tick']);
    expect(pageStateSchema.parse(events[0]?.data)).toEqual(state);
    expect(pageEventSchema.parse(events[1]?.data).point).toEqual(history.at(-1));
  });

  test('streams beyond the thirty-second are refused until one ends', async () => {
    const { url } = await aServer();
    const streams = Array.from({ length: 32 }, () => follow(url));
    await eventually(() => {
      expect(streams.every((stream) => stream.text() !== '')).toBe(true);
    });
    expect((await ask(`${url}/api/events`)).status).toBe(503);
    expect((await ask(`${url}/api/state`)).status).toBe(200);
    for (const stream of streams) stream.cut();
    await eventually(async () => {
      const again = follow(url);
      try {
        await eventually(() => {
          expect(again.text()).toContain('event: state');
        }, 200);
      } finally {
        again.cut();
      }
    });
  });

  test('closing ends every stream', async () => {
    const server = await aServer();
    const stream = follow(server.url);
    await eventually(() => {
      expect(stream.text()).not.toBe('');
    });
    open.splice(0);
    await server.close();
    await eventually(() => {
      expect(stream.ended()).toBe(true);
    });
    await expect(ask(server.url)).rejects.toThrow('ECONNREFUSED');
  });

  test('a port that is taken is said with the flag and what to do', async () => {
    const { url } = await aServer();
    const { port } = new URL(url);
    await expect(aServer(Number(port))).rejects.toThrow(
      `The port is in use (--dashboard-port ${port}): another process listens on it. Stop the other process, or leave --dashboard-port out for a free one. [PortInUse]`,
    );
  });
});

function pictureOf({ history, ...picture }: PageState): Picture {
  expect(history.length).toBeGreaterThan(0);
  return picture;
}

describe('the dashboard of a run', () => {
  const identity = {
    service: 'vision',
    backbone: 'file:model.onnx',
    traffic: 'npy:rows.npy',
    seed: 1,
    budgetRatio: 0.01,
    confidence: 0.95,
    startedMs: 1_000,
  };
  const clock = { nowMs: () => 3_500, monotonicMs: () => 0 };

  async function aDashboard(port: number | null) {
    const folder = mkdtempSync(join(tmpdir(), 'layercache-page-'));
    mkdirSync(join(folder, 'page'));
    for (const file of ['index.html', 'page.js', 'page.css', 'icon.svg']) {
      writeFileSync(join(folder, 'page', file), file);
    }
    const problems: string[] = [];
    const dashboard = await openDashboard({
      port,
      bundleDir: folder,
      identity,
      clock,
      onProblem: (message) => problems.push(message),
    });
    rmSync(folder, { recursive: true });
    const read = async (): Promise<PageState> =>
      pageStateSchema.parse(JSON.parse((await ask(`${dashboard.url ?? ''}/api/state`)).text));
    return { dashboard, read, problems };
  }

  test('shows the load before there is a run, then the run, then how it ended', async () => {
    const { dashboard, read } = await aDashboard(0);
    try {
      expect(await read()).toMatchObject({ status: 'Loading', atSeconds: 2.5, history: [] });
      const picture = pictureOf(state);
      const totals = {
        atSeconds: 240,
        requests: 1,
        errors: 0,
        exitRows: [1],
        latency: [],
        disagreement: { n: 0, k: 0, upper: 1 },
        queuedRows: 0,
      };
      dashboard.show(() => ({ picture, totals }));
      expect(await read()).toMatchObject({ status: 'Running', atSeconds: 240 });
      dashboard.end({ status: 'Ended', message: 'done', reportPath: 'out/report.html' });
      dashboard.end({ status: 'Failed', message: 'too late', reportPath: null });
      expect(await read()).toMatchObject({
        status: 'Ended',
        message: 'done',
        reportPath: 'out/report.html',
      });
    } finally {
      await dashboard.close();
    }
  });

  test('a picture that cannot be made ends nothing, and is said once', async () => {
    const { dashboard, read, problems } = await aDashboard(0);
    try {
      const broken = (): never => {
        throw new Error('no figure');
      };
      dashboard.show(broken);
      dashboard.end({ status: 'Ended', message: 'done', reportPath: null });
      expect(problems).toEqual(['the page cannot show the run: no figure.']);
      expect(await read()).toMatchObject({ status: 'Ended' });
    } finally {
      await dashboard.close();
    }
  });

  test('is not there when nobody wants it', async () => {
    const { dashboard } = await aDashboard(null);
    expect(dashboard.url).toBeNull();
    await dashboard.close();
  });

  test('a page that is not bundled is said with what to do', async () => {
    const opening = openDashboard({
      port: 0,
      bundleDir: join(tmpdir(), 'layercache-no-bundle'),
      identity,
      clock,
      onProblem: () => undefined,
    });
    await expect(opening).rejects.toThrow(
      'can do without its page by --no-dashboard. [ProgramMissing]',
    );
  });
});
