import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { serializeLedger } from '../../../operator/lifecycle/ledger.ts';
import { chromiumPath, launch } from '../../browser/browser.ts';
import {
  PATIENCE_MS,
  playedPages,
  startDashboard,
  type DashboardRun,
} from '../../http/dashboard/dashboard-run.ts';
import type { CliRun } from '../../http/local/local-run.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { aServingLedger } from '../../support/ledger-builders.ts';
import { runCli } from '../../support/run-cli.ts';
import { aServiceObject, SERVING } from '../../support/service-objects.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { storeService } from './stored-service.ts';

const plane = await sharedControlPlane();

describe.skipIf(plane.unavailable !== null)(
  'the dashboard of a service of a real API server',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'layercache-dashboard-'));
    const runs: CliRun[] = [];
    let proxy: FaultProxy;
    beforeAll(async () => {
      await installDefinitions(plane);
      proxy = await startFaultProxy(plane);
      writeFileSync(join(folder, 'kubeconfig'), proxy.kubeconfig);
    });
    afterEach(async () => {
      proxy.onRequest = () => null;
      for (const run of runs.splice(0)) {
        run.kill('SIGKILL');
        await run.ended;
      }
    });
    afterAll(async () => {
      await proxy.close();
      rmSync(folder, { recursive: true });
    });

    /** A service with its ledger and two running pods, whose metrics the proxy answers with. */
    async function aNamespace(): Promise<string> {
      const { name: namespace } = await plane.namespace();
      await storeService(plane, namespace, aServiceObject({ status: SERVING }));
      await make(`/api/v1/namespaces/${namespace}/configmaps`, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'vision-evidence' },
        data: { 'ledger.json': serializeLedger(aServingLedger()) },
      });
      for (const name of ['vision-0', 'vision-1']) await makePod(namespace, name);
      return namespace;
    }

    async function make(path: string, body: unknown): Promise<void> {
      const { status, body: answer } = await plane.request({ method: 'POST', path, body });
      expect([status, answer]).toEqual([201, answer]);
    }

    async function makePod(namespace: string, name: string): Promise<void> {
      const path = `/api/v1/namespaces/${namespace}/pods`;
      const labels = { 'layercache.io/service': 'vision', 'app.kubernetes.io/component': 'server' };
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, labels },
        // Nobody runs it: a node of that name does not exist.
        spec: { nodeName: 'nowhere', containers: [{ name: 'server', image: 'server' }] },
      };
      await make(path, pod);
      const conditions = [{ type: 'Ready', status: 'True' }];
      const put = await plane.request({
        method: 'PUT',
        path: `${path}/${name}/status`,
        body: { ...pod, status: { phase: 'Running', conditions } },
      });
      expect([put.status, put.body]).toEqual([200, put.body]);
    }

    async function letPodsAnswer(): Promise<void> {
      const page = await playedPages(60);
      proxy.onRequest = ({ target }) =>
        target.includes('/proxy/metrics') ? { kind: 'Text', text: page() } : null;
    }

    async function aDashboard(namespace: string): Promise<DashboardRun> {
      const dashboard = await startDashboard(folder, join(folder, 'kubeconfig'), namespace);
      runs.push(dashboard.run);
      return dashboard;
    }

    test('tells what the API server holds and what pods count, reads alone, and ends with 130', async () => {
      const namespace = await aNamespace();
      await letPodsAnswer();
      const since = proxy.requests.length;
      const { run, url, state: stateOf } = await aDashboard(namespace);
      const state = await eventually(async () => {
        const now = await stateOf();
        expect(now.history.length).toBeGreaterThan(1);
        return now;
      }, PATIENCE_MS);
      expect(state.run).toMatchObject({ service: `${namespace}/vision`, budgetRatio: 0.01 });
      expect(state.cluster?.conditions.map(({ type }) => type)).toContain('ExitsActive');
      expect(state.disagreement.n).toBe(1_000);
      expect(state.servers.map(({ name, isReady }) => [name, isReady])).toEqual([
        ['vision-0', true],
        ['vision-1', true],
      ]);
      expect(state.exits[0]).toMatchObject({ name: 'early', isOn: true, hasHead: true });
      expect(state.exits[0]?.share).toBe(0.6);
      expect(state.history.at(-1)?.rowsPerSecond).toBeGreaterThan(0);
      expect(state.unshown).toMatchObject({ traffic: null, evidence: null });
      expect((await fetch(`${url}/api/state`, { method: 'POST' })).status).toBe(405);
      expect(new Set(proxy.requests.slice(since).map(({ method }) => method))).toEqual(
        new Set(['GET']),
      );
      expect(run.stderr()).toBe(`${namespace}/vision, read-only; Ctrl-C ends it.\n`);
      run.kill('SIGINT');
      expect(await run.ended).toEqual({ code: 130, signal: null });
      expect(run.stdout()).toBe(`dashboard ${url}\n`);
    });

    test('keeps what a deleted service was, and shows a new one of its name', async () => {
      const namespace = await aNamespace();
      const { run, state } = await aDashboard(namespace);
      const path = `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices/vision`;
      await plane.request({ method: 'DELETE', path });
      await eventually(async () => {
        const { status, exits } = await state();
        expect([status, exits.length]).toEqual(['Deleted', 4]);
      }, PATIENCE_MS);
      expect(run.stderr()).toContain(`${namespace}/vision was deleted.`);
      await storeService(plane, namespace, aServiceObject({ status: SERVING }));
      await eventually(async () => {
        expect((await state()).status).toBe('Running');
      }, PATIENCE_MS);
    });

    test('a wrong name, a missing right and a taken port are one sentence each', async () => {
      const namespace = await aNamespace();
      const wrong = await runCli(plane.kubeconfigPath, ['dashboard', 'visoin', '-n', namespace]);
      expect(wrong).toMatchObject({ out: '', exitCode: 2 });
      expect(wrong.err).toContain('Did you mean vision? [ServiceNotFound]');
      const nobody = await plane.userKubeconfig({ user: 'nobody' });
      const refused = await runCli(nobody, ['dashboard', 'vision', '-n', namespace]);
      expect(refused).toMatchObject({ out: '', exitCode: 1 });
      expect(refused.err).toContain('cannot get resource "cachedmodelservices"');
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;
      const words = ['dashboard', 'vision', '-n', namespace, '--port', String(port)];
      const taken = await runCli(plane.kubeconfigPath, words, { bundleDir: 'dist/bundle' });
      expect(taken).toMatchObject({ out: '', exitCode: 1 });
      expect(taken.err).toBe(
        `The port is in use (--port ${port}): another process listens on it. Stop the other process, or leave --port out for a free one. [PortInUse]\n`,
      );
      await new Promise((resolve) => other.close(resolve));
    });

    describe.skipIf(chromiumPath === null)('in a browser', () => {
      let browser: Browser;
      beforeAll(async () => {
        browser = await launch();
      });
      afterAll(() => browser.close());

      test('is filled, tells old figures, and comes back by itself', async () => {
        const namespace = await aNamespace();
        await letPodsAnswer();
        const { run, url } = await aDashboard(namespace);
        const page = await browser.newPage();
        page.setDefaultTimeout(PATIENCE_MS);
        const asked: string[] = [];
        page.on('request', (request) => asked.push(request.url()));
        await page.goto(url);
        await page.waitForSelector('h1:has-text("leave early, certified at 1%")');
        for (const panel of [
          'requests',
          'share',
          'latency',
          'disagreement',
          'certificate',
          'servers',
        ])
          await page.waitForSelector(`#${panel} canvas`);
        await page.waitForSelector('.link:has-text("Live")');
        const { onRequest } = proxy;
        proxy.onRequest = () => ({ kind: 'Reset' });
        await page.waitForSelector('.link:has-text("Old figures")');
        await page.waitForSelector('.notice.stale:has-text("does not answer")');
        proxy.onRequest = onRequest;
        await page.waitForSelector('.link:has-text("Live")');
        run.kill('SIGINT');
        await page.waitForSelector('.link:has-text("No answer")');
        expect(asked.filter((address) => !address.startsWith(`${url}/`))).toEqual([]);
        await page.close();
      });
    });
  },
);
