import { join } from 'node:path';
import type { ApiRequest } from '../api-request.ts';
import { startPart } from '../part-process.ts';
import { enterNetwork } from './namespaces.ts';
import { DNS_ADDRESS } from './node-configuration.ts';

const program = new URL('name-server.mjs', import.meta.url).pathname;

/** Starts the node's name server and the service under whose address pods ask it. */
export async function startNameService(
  request: ApiRequest,
  site: { folder: string; url: string; initPid: number; nodeAddress: string },
): Promise<void> {
  const { folder, url, initPid, nodeAddress } = site;
  startPart({
    command: process.execPath,
    args: [program, nodeAddress, url, join(folder, 'keys')],
    enter: enterNetwork(initPid),
    logPath: join(folder, 'name-server.log'),
  });
  const name = 'kube-dns';
  const port = { name: 'dns', port: 53, protocol: 'UDP' };
  await create(request, '/api/v1/namespaces/kube-system/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { clusterIP: DNS_ADDRESS, ports: [port] },
  });
  await create(request, '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [nodeAddress], conditions: { ready: true } }],
    ports: [port],
  });
}

async function create(request: ApiRequest, path: string, body: object): Promise<void> {
  const { status, body: answer } = await request({ method: 'POST', path, body });
  if (status !== 201) throw new Error(`POST ${path}: ${JSON.stringify(answer)}`);
}
