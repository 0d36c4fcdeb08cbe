import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { serializeLedger } from '../../../operator/lifecycle/ledger.ts';
import {
  answerJson,
  answerStatus,
  reset,
  silence,
  startFakeApiServer,
  type FakeApiServer,
  type Responder,
} from '../../support/kube-fake-server.ts';
import { eventually } from '../../support/eventually.ts';
import { aServingLedger } from '../../support/ledger-builders.ts';
import { aServiceObject, SERVING } from '../../support/service-objects.ts';
import { PATIENCE_MS, playedPages, startDashboard, type DashboardRun } from './dashboard-run.ts';

const SERVICE = '/cachedmodelservices/vision';

describe('the process of a dashboard', () => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-dashboard-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const started: DashboardRun[] = [];
  let api: FakeApiServer;
  let page: () => string;
  /** By a part of the path, before what the API server would say. */
  let scripted: Readonly<Record<string, Responder>> = {};

  beforeAll(async () => {
    api = await startFakeApiServer();
    writeFileSync(kubeconfig, api.kubeconfig);
    page = await playedPages(60);
    for (const what of ['list', 'call'] as const) {
      api.always(what, (response, request) => {
        const [, responder] =
          Object.entries(scripted).find(([part]) => request.path.includes(part)) ?? [];
        (responder ?? answer)(response, request);
      });
    }
  });
  afterEach(async () => {
    scripted = {};
    for (const { run } of started.splice(0)) {
      run.kill('SIGKILL');
      await run.ended;
    }
  });
  afterAll(async () => {
    await api.close();
    rmSync(folder, { recursive: true });
  });

  const answer: Responder = (response, request) => {
    const { path } = request;
    if (path.endsWith('/proxy/metrics')) sendText(response, page());
    else answerJson(200, () => bodyOf(path))(response, request);
  };

  async function aDashboard(): Promise<DashboardRun> {
    const dashboard = await startDashboard(folder, kubeconfig, 'ml');
    started.push(dashboard);
    return dashboard;
  }

  test('reads alone, on loopback, tells what pods count, and ends with 130', async () => {
    const { run, url, state } = await aDashboard();
    const now = await eventually(async () => {
      const latest = await state();
      expect(latest.history.length).toBeGreaterThan(1);
      return latest;
    }, PATIENCE_MS);
    expect(now.servers.map(({ name }) => name)).toEqual(['vision-0']);
    expect(now.exits[0]).toMatchObject({ name: 'early', isOn: true, hasHead: true, share: 0.6 });
    expect(now.history.at(-1)?.rowsPerSecond).toBeGreaterThan(0);
    expect(now.unshown).toMatchObject({ traffic: null, evidence: null });
    expect((await fetch(`${url}/api/state`, { method: 'POST' })).status).toBe(405);
    expect(new Set(api.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(run.stderr()).toBe('ml/vision, read-only; Ctrl-C ends it.\n');
    run.kill('SIGINT');
    expect(await run.ended).toEqual({ code: 130, signal: null });
    expect(run.stdout()).toBe(`dashboard ${url}\n`);
  });

  test('waits on Ctrl-C for no call that hangs', async () => {
    const { run, state } = await aDashboard();
    const asked = api.requests.length;
    scripted = { '/': silence };
    await eventually(() => {
      expect(api.requests.length).toBeGreaterThan(asked);
    }, PATIENCE_MS);
    expect((await state()).status).toBe('Running');
    run.kill('SIGINT');
    let code: number | null = null;
    void run.ended.then((end) => (code = end.code));
    // The call itself would be given up after 15 s only.
    await eventually(() => {
      expect(code).toBe(130);
    }, 12_000);
  });

  test('says since when figures are old while the API server is lost, and goes on after', async () => {
    const { run, state } = await aDashboard();
    scripted = { '/': reset };
    const lost = await eventually(async () => {
      const stale = (await state()).cluster?.stale ?? null;
      expect(stale).not.toBeNull();
      return stale;
    }, PATIENCE_MS);
    expect(lost?.why).toContain('The API server does not answer');
    await eventually(() => {
      expect(run.stderr()).toContain('ml/vision cannot be read. The API server does not answer');
    });
    scripted = {};
    await eventually(async () => {
      expect((await state()).cluster?.stale).toBeNull();
      expect(run.stderr()).toContain('ml/vision is read again.');
    }, PATIENCE_MS);
  });

  test('tells of a right that was taken away, with verb and resource', async () => {
    const { state } = await aDashboard();
    const what = 'User "x" cannot get resource "cachedmodelservices" in API group "layercache.io"';
    scripted = { [SERVICE]: answerStatus(403, 'Forbidden', what) };
    await eventually(async () => {
      expect((await state()).cluster?.stale?.why).toContain(what);
    }, PATIENCE_MS);
  });

  test('keeps what a deleted service was, and shows a new one of its name', async () => {
    const { run, state } = await aDashboard();
    scripted = { [SERVICE]: answerStatus(404, 'NotFound') };
    await eventually(async () => {
      const { status, exits } = await state();
      expect([status, exits.length]).toEqual(['Deleted', 4]);
      expect(run.stderr()).toContain('ml/vision was deleted.');
    }, PATIENCE_MS);
    scripted = {};
    await eventually(async () => {
      expect((await state()).status).toBe('Running');
    }, PATIENCE_MS);
  });

  test('needs no right but that on the service, and says what it would show with others', async () => {
    const refused = answerStatus(403, 'Forbidden', 'no');
    scripted = { '/pods': refused, '/events': refused, '/configmaps': refused };
    const { state } = await aDashboard();
    const { unshown, totals, certificate } = await state();
    expect(unshown.traffic).toContain('may not list pods in namespace ml');
    expect(unshown.decisions).toContain('may not list events');
    expect(unshown.evidence).toContain('may not read ConfigMap vision-evidence');
    expect([totals.requests, certificate]).toEqual([null, null]);
  });

  test('names pods/proxy where pods may be listed and not asked', async () => {
    scripted = { '/proxy/metrics': answerStatus(403, 'Forbidden', 'no') };
    const { state } = await aDashboard();
    const { unshown, servers } = await state();
    expect(unshown.traffic).toContain('may not get pods/proxy in namespace ml');
    expect(servers).toMatchObject([{ name: 'vision-0', isReady: true, queuedRows: null }]);
  });
});

function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end(text);
}

function bodyOf(path: string): unknown {
  if (path.endsWith(SERVICE)) return aServiceObject({ status: SERVING });
  if (path.endsWith('/configmaps/vision-evidence')) {
    return { metadata: {}, data: { 'ledger.json': serializeLedger(aServingLedger()) } };
  }
  if (path.endsWith('/pods')) return { metadata: {}, items: [POD] };
  return { metadata: {}, items: [] };
}

const POD = {
  metadata: { name: 'vision-0', namespace: 'ml' },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
};
