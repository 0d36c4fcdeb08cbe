import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { serializeLedger } from '../../../operator/lifecycle/ledger.ts';
import { pageStateSchema, type PageState } from '../../../operator/local/page/state/page-state.ts';
import { chromiumPath, launch } from '../../browser/browser.ts';
import { startCli, type CliRun } from '../../http/local/local-run.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { aServingLedger } from '../../support/ledger-builders.ts';
import { createPlayedPod } from '../../support/played-pod.ts';
import { runCli } from '../../support/run-cli.ts';
import { aServiceObject, SERVING } from '../../support/service-objects.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { storeService } from './stored-service.ts';

const plane = await sharedControlPlane();
const PATIENCE_MS = 30_000;

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

    /** Both pods answer as one that serves more at each reading. */
    async function pages(count: number): Promise<() => string> {
      const pod = createPlayedPod();
      const texts: string[] = [];
      for (let i = 0; i < count; i++) {
        pod.serve({ early: 60, late: 20, backbone: 20 });
        texts.push(await pod.page());
      }
      let next = 0;
      return () => texts[Math.min(next++, count - 1)]!;
    }

    async function letPodsAnswer(): Promise<void> {
      const page = await pages(60);
      proxy.onRequest = ({ target }) =>
        target.includes('/proxy/metrics') ? { kind: 'Text', text: page() } : null;
    }

    async function aDashboard(namespace: string): Promise<{ run: CliRun; url: string }> {
      const words = [
        'dashboard',
        'vision',
        '-n',
        namespace,
        '--kubeconfig',
        join(folder, 'kubeconfig'),
      ];
      const run = startCli(words, folder);
      runs.push(run);
      const url = await eventually(() => {
        const [, address] = /^dashboard (http:\/\/127\.0\.0\.1:\d+)\n/.exec(run.stdout()) ?? [];
        expect(address, run.stderr()).toBeDefined();
        return address!;
      }, PATIENCE_MS);
      return { run, url };
    }

    async function stateOf(url: string): Promise<PageState> {
      return pageStateSchema.parse(await (await fetch(`${url}/api/state`)).json());
    }

    test('tells what the API server holds and what pods count, reads alone, and ends with 130', async () => {
      const namespace = await aNamespace();
      await letPodsAnswer();
      const since = proxy.requests.length;
      const { run, url } = await aDashboard(namespace);
      const state = await eventually(async () => {
        const now = await stateOf(url);
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

    test('waits on Ctrl-C for no call that hangs', async () => {
      const { run, url } = await aDashboard(await aNamespace());
      let hung = 0;
      proxy.onRequest = () => {
        hung += 1;
        return { kind: 'Silence' };
      };
      await eventually(() => {
        expect(hung).toBeGreaterThan(0);
      }, PATIENCE_MS);
      expect((await stateOf(url)).status).toBe('Running');
      run.kill('SIGINT');
      // The call itself would be given up after 15 s only.
      await eventually(async () => {
        expect(await Promise.race([run.ended, Promise.resolve(null)])).toEqual({ code: 130, signal: null });
      }, 10_000);
    });

    test('says since when figures are old while the API server is lost, and goes on after', async () => {
      const { run, url } = await aDashboard(await aNamespace());
      proxy.onRequest = () => ({ kind: 'Reset' });
      proxy.cut();
      const lost = await eventually(async () => {
        const { cluster } = await stateOf(url);
        expect(cluster?.stale).not.toBeNull();
        return cluster!.stale!;
      }, PATIENCE_MS);
      expect(lost.why).toContain('The API server does not answer');
      expect(run.stderr()).toContain('vision cannot be read. The API server does not answer');
      proxy.onRequest = () => null;
      await eventually(async () => {
        expect((await stateOf(url)).cluster?.stale).toBeNull();
      }, PATIENCE_MS);
      await eventually(() => {
        expect(run.stderr()).toContain('vision is read again.');
      });
    });

    test('tells of a right that was taken away, with verb and resource', async () => {
      const { url } = await aDashboard(await aNamespace());
      proxy.onRequest = ({ target }) =>
        target.includes('cachedmodelservices')
          ? {
              kind: 'Answer',
              status: 403,
              body: {
                kind: 'Status',
                status: 'Failure',
                reason: 'Forbidden',
                message:
                  'User "x" cannot get resource "cachedmodelservices" in API group "layercache.io"',
              },
            }
          : null;
      await eventually(async () => {
        const why = (await stateOf(url)).cluster?.stale?.why;
        expect(why).toContain('cannot get resource "cachedmodelservices"');
      }, PATIENCE_MS);
    });

    test('keeps what a deleted service was, and shows a new one of its name', async () => {
      const namespace = await aNamespace();
      const { run, url } = await aDashboard(namespace);
      const path = `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices/vision`;
      await plane.request({ method: 'DELETE', path });
      await eventually(async () => {
        const { status, exits } = await stateOf(url);
        expect([status, exits.length]).toEqual(['Deleted', 4]);
      }, PATIENCE_MS);
      expect(run.stderr()).toContain(`${namespace}/vision was deleted.`);
      await storeService(plane, namespace, aServiceObject({ status: SERVING }));
      await eventually(async () => {
        expect((await stateOf(url)).status).toBe('Running');
      }, PATIENCE_MS);
    });

    test('needs no right on pods or events, and says what it would show with them', async () => {
      const namespace = await aNamespace();
      proxy.onRequest = ({ target }) =>
        /\/(pods|events|configmaps)/.test(target)
          ? {
              kind: 'Answer',
              status: 403,
              body: { kind: 'Status', reason: 'Forbidden', message: 'no' },
            }
          : null;
      const { url } = await aDashboard(namespace);
      const { unshown, totals, certificate } = await stateOf(url);
      expect(unshown.traffic).toContain(`may not list pods in namespace ${namespace}`);
      expect(unshown.decisions).toContain('may not list events');
      expect(unshown.evidence).toContain('may not read ConfigMap vision-evidence');
      expect([totals.requests, certificate]).toEqual([null, null]);
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
