// A Prometheus outside of a node's network that finds the pods inside by the monitors of the chart, as it would with its operator.
import { createServer, request as httpRequest, type Agent, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import type { RealNode } from '../support/real-node.ts';
import { discover, type Lister, type Role } from './discovered-targets.ts';
import { scrapesOf, type Access, type Monitor } from './monitor-scrapes.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';

const KINDS = ['podmonitors', 'servicemonitors', 'prometheusrules'] as const;

/** What is asked of a node. */
export type Cluster = Pick<RealNode, 'agent'> & Lister;

/** Of the monitors and rules in a namespace. */
export async function watchRelease(node: Cluster, namespace: string): Promise<Prometheus> {
  const [pods, services, rules] = await Promise.all(
    KINDS.map((kind) => listOf(node, namespace, kind)),
  );
  const agent = node.agent();
  const gate = await startGate(node, agent);
  const monitors = [...pods!, ...services!] as Monitor[];
  const scrapes = monitors.flatMap((monitor) => scrapesOf(monitor, gate));
  const groups = (rules as { spec: { groups: object[] } }[]).flatMap(({ spec }) => spec.groups);
  try {
    const prometheus = await startPrometheus([], { groups }, { scrapes });
    return {
      ...prometheus,
      close: async () => {
        await prometheus.close();
        await gate.close();
        agent.destroy();
      },
    };
  } catch (error) {
    await gate.close();
    agent.destroy();
    throw error;
  }
}

async function listOf(
  node: Cluster,
  namespace: string,
  plural: (typeof KINDS)[number],
): Promise<readonly object[]> {
  const path = `/apis/monitoring.coreos.com/v1/namespaces/${namespace}/${plural}`;
  const { status, body } = await node.request({ path });
  expect(status, JSON.stringify(body)).toBe(200);
  // Objects of a list do not say their kind.
  const { kind, items } = body as { kind: string; items: object[] };
  return items.map((item) => ({ ...item, kind: kind.replace(/List$/, '') }));
}

interface Gate extends Access {
  close(): Promise<void>;
}

/** One server for both: it tells targets, and as a proxy it takes requests by their whole address and asks from inside. */
async function startGate(node: Cluster, agent: Agent): Promise<Gate> {
  const server = createServer((outside, answer) => {
    const url = String(outside.url);
    if (url.startsWith('/')) {
      void tellTargets(node, new URL(url, 'http://gate').searchParams, answer);
      return;
    }
    const { hostname, port, pathname } = new URL(url);
    const { headers } = outside;
    const inside = httpRequest({ agent, host: hostname, port, path: pathname, headers }, (page) => {
      answer.writeHead(page.statusCode ?? 502, page.headers);
      page.pipe(answer);
    });
    inside.on('error', () => answer.destroy());
    answer.on('close', () => inside.destroy());
    inside.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxyUrl = `http://127.0.0.1:${port}`;
  return {
    proxyUrl,
    discoveryUrl: (role, namespaces) => {
      const query = new URLSearchParams({ role });
      for (const namespace of namespaces ?? []) query.append('namespace', namespace);
      return `${proxyUrl}/targets?${query.toString()}`;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function tellTargets(
  node: Cluster,
  query: URLSearchParams,
  answer: ServerResponse,
): Promise<void> {
  try {
    const namespaces = query.getAll('namespace');
    const found = await discover(
      node,
      query.get('role') as Role,
      namespaces.length === 0 ? null : namespaces,
    );
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found));
  } catch (error) {
    answer.writeHead(500).end(String(error));
  }
}
