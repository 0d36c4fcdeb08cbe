import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../operator/kube/client.ts';
import { loadAccess } from '../../../operator/kube/cluster-access.ts';
import { systemKubeClock } from '../../../operator/kube/clock.ts';
import { createLeaseElector, type LeaseElector } from '../../../operator/kube/lease-elector.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';

const plane = await sharedControlPlane();

interface Candidate {
  readonly elector: LeaseElector;
  readonly proxy: FaultProxy;
  readonly ended: Promise<string>;
  stop(): void;
}

describe.skipIf(plane.unavailable !== null)('an election on a real API server', () => {
  let namespace: string;

  beforeEach(async () => {
    namespace = (await plane.namespace()).name;
  });

  async function candidate(identity: string): Promise<Candidate> {
    const proxy = await startFaultProxy(plane);
    const access = loadAccess({ from: 'Text', kubeconfig: proxy.kubeconfig });
    const stop = new AbortController();
    const elector = createLeaseElector({
      api: createClient({ access, clock: systemKubeClock, budget: null }),
      clock: systemKubeClock,
      random: Math.random,
      signal: stop.signal,
      namespace,
      name: 'operator',
      identity,
      leaseMs: 1_500,
      renewDeadlineMs: 1_000,
      retryMs: 200,
    });
    const ended = elector.run();
    onTestFinished(async () => {
      stop.abort();
      await ended;
      access.close();
      await proxy.close();
    });
    return {
      elector,
      proxy,
      ended,
      stop: () => {
        stop.abort();
      },
    };
  }

  const leads = ({ elector }: Candidate) =>
    eventually(() => {
      expect(elector.isLeading()).toBe(true);
    }, 10_000);

  const lease = async (): Promise<Record<string, unknown>> => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/operator`;
    const { body } = await plane.request({ path });
    return (body as { spec: Record<string, unknown> }).spec;
  };

  test('goes to one, who renews with times the API server takes', async () => {
    const a = await candidate('a');
    await leads(a);
    const b = await candidate('b');
    const { renewTime } = await lease();
    await eventually(async () => {
      expect((await lease()).renewTime).not.toBe(renewTime);
    });
    expect(renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect([a.elector.isLeading(), b.elector.isLeading()]).toEqual([true, false]);
  });

  test('passes to the other when the leader hears nothing any more, and never to both', async () => {
    const a = await candidate('a');
    await leads(a);
    const b = await candidate('b');
    a.proxy.onRequest = () => ({ kind: 'Silence' });
    let both = 0;
    await eventually(() => {
      if (a.elector.isLeading() && b.elector.isLeading()) both += 1;
      expect(b.elector.isLeading()).toBe(true);
    }, 10_000);
    expect(both).toBe(0);
    expect(await a.ended).toBe('Lost');
    expect(await lease()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  test('survives renewals that are done and never answered, one after the other', async () => {
    const a = await candidate('a');
    await leads(a);
    let count = 0;
    a.proxy.onRequest = ({ method }) => {
      if (method !== 'PUT') return null;
      count += 1;
      return count % 2 === 1 ? { kind: 'LoseAnswer' } : null;
    };
    await eventually(() => {
      expect(count).toBeGreaterThanOrEqual(8);
    }, 10_000);
    expect(a.elector.isLeading()).toBe(true);
    expect(await lease()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 });
  });

  test('is given back at the end and taken at once', async () => {
    const a = await candidate('a');
    await leads(a);
    const b = await candidate('b');
    a.stop();
    expect(await a.ended).toBe('Released');
    const releasedMs = performance.now();
    await leads(b);
    expect(performance.now() - releasedMs).toBeLessThan(1_400);
    expect(await lease()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  test('is lost at once when somebody writes another holder into the Lease, and kept when it is deleted', async () => {
    const a = await candidate('a');
    await leads(a);
    await plane.kubectl(['delete', 'lease', 'operator', '-n', namespace]);
    await eventually(async () => {
      expect(await lease()).toMatchObject({ holderIdentity: 'a' });
    });
    expect(a.elector.isLeading()).toBe(true);
    const patch = [
      'patch',
      'lease',
      'operator',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      '{"spec":{"holderIdentity":"x"}}',
    ];
    expect((await plane.kubectl(patch)).code).toBe(0);
    expect(await a.ended).toBe('Lost');
  });
});
