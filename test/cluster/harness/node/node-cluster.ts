import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { eventually } from '../../../support/eventually.ts';
import type { ApiRequest } from '../api-request.ts';
import { issueServer } from '../certificates.ts';
import type { Cluster, ClusterFacts, ClusterOptions } from '../cluster.ts';
import { startCluster } from '../cluster.ts';
import { createClusterFolder, isAbandoned, removeFolder } from '../cluster-folder.ts';
import { addClient } from '../cluster-keys.ts';
import { freePorts } from '../free-ports.ts';
import { writeImageArchive } from '../image/image-archive.ts';
import { nodeLayer } from '../image/node-layer.ts';
import { startPart } from '../part-process.ts';
import type { PartSet } from '../part-set.ts';
import { createPartSet } from '../part-set.ts';
import { programFolder } from '../programs.ts';
import { expectCommand } from '../run-command.ts';
import { createCgroups, removeCgroups, removeCgroupsNow, topCgroups } from './cgroups.ts';
import { startDevicePlugin } from './device-plugin.ts';
import { forwardPort } from './dial.ts';
import { loadImage } from './load-image.ts';
import { startNameService } from './name-service.ts';
import { createNamespaces, enterNetwork, enterNode } from './namespaces.ts';
import { PAUSE_IMAGE, containerdSocket, writeNodeConfiguration } from './node-configuration.ts';

export type NodePart = 'containerd' | 'kubelet' | 'kube-proxy';

/** Plain data, so that it can be handed to another process of the same run. */
export interface NodeFacts extends ClusterFacts {
  readonly nodeName: string;
  readonly initPid: number;
  readonly dialSocket: string;
  /** Folder with containerd's client. */
  readonly programs: string;
}

export interface NodeCluster extends Omit<Cluster, 'facts'> {
  readonly facts: NodeFacts;
  readonly killOnNode: (part: NodePart) => Promise<void>;
  /** Starts a killed part again; a container runtime answers when this returns, as a kubelet wants it to. */
  readonly startOnNode: (part: NodePart) => Promise<void>;
}

export interface NodeOptions extends ClusterOptions {
  /** Extended resources that the node advertises, each through a device plugin. @defaultValue two nvidia.com/gpu */
  readonly devices?: Readonly<Record<string, number>>;
}

/** Runs Node on the arguments of its container; loaded on every node. */
export const NODE_IMAGE = 'localhost/node:test';
const NODE_NAME = 'node1';
const NODE_ADDRESS = '10.250.0.1';
const READY_WITHIN_MS = 90_000;
const dialer = new URL('dialer.mjs', import.meta.url).pathname;

/**
 * Starts a control plane with one real node, all inside namespaces of their own: kubelet, containerd, runc, a bridge
 * network and kube-proxy. Its API server is also reached on this machine's loopback, at `facts.url`.
 * @throws Unavailable when the programs cannot be had here.
 */
export async function startNodeCluster(options: NodeOptions = {}): Promise<NodeCluster> {
  const programs = await programFolder('node');
  const folder = createClusterFolder();
  const undo: (() => Promise<void> | void)[] = [
    () => {
      removeFolder(folder);
    },
  ];
  const stop = async () => {
    for (const step of undo.toReversed()) await step();
  };
  try {
    return await assemble({ options, programs, folder, undo, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Assembly {
  readonly options: NodeOptions;
  readonly programs: string;
  readonly folder: string;
  /** What to do, last first, when the cluster stops. */
  readonly undo: (() => Promise<void> | void)[];
  readonly stop: () => Promise<void>;
}

async function assemble({ options, programs, folder, undo, stop }: Assembly): Promise<NodeCluster> {
  for (const name of topCgroups().filter(isAbandoned)) removeCgroups(name);
  const cgroup = basename(folder);
  createCgroups(cgroup);
  undo.push(() =>
    eventually(() => {
      removeCgroups(cgroup);
    }),
  );
  const pause = join(programs, 'pause');
  const { initPid, end, kill } = await createNamespaces(folder, NODE_ADDRESS, pause);
  undo.push(end);
  // An interrupted run exits without stopping its clusters.
  const atExit = () => {
    kill();
    removeCgroupsNow(cgroup);
  };
  process.once('exit', atExit);
  undo.push(() => {
    process.off('exit', atExit);
  });
  const dialSocket = await startDialer(folder, initPid);
  const [apiPort] = await freePorts(1);
  const forward = await forwardPort(dialSocket, apiPort!);
  undo.push(() => {
    forward.close();
  });

  const cluster = await startCluster(options, {
    folder,
    enter: enterNode(initPid),
    nodeAddress: NODE_ADDRESS,
    ports: [2379, 2380, apiPort!, 10247],
  });
  undo.push(cluster.stop);
  await addNodeKeys(folder, cluster.facts.url);
  writeNodeConfiguration({ folder, name: NODE_NAME, address: NODE_ADDRESS, cgroup });

  const facts = { ...cluster.facts, nodeName: NODE_NAME, initPid, dialSocket, programs };
  const parts = nodeParts(facts);
  undo.push(() => parts.stopAll());
  parts.start('containerd');
  await runtimeReady(facts);
  await loadPauseImage(facts);
  parts.start('kubelet');
  parts.start('kube-proxy');
  const site = { folder, url: facts.url, initPid, nodeAddress: NODE_ADDRESS };
  await startNameService(cluster.request, site);
  await loadNodeImage(facts);
  await nodeReady(cluster.request, parts);
  const devices = Object.entries(options.devices ?? { 'nvidia.com/gpu': 2 });
  for (const [resource, count] of devices) {
    const plugin = await startDevicePlugin(folder, resource, count);
    undo.push(plugin.close);
  }
  return {
    ...cluster,
    facts,
    stop,
    killOnNode: (part) => parts.kill(part),
    startOnNode: async (part) => {
      parts.start(part);
      if (part === 'containerd') await runtimeReady(facts);
    },
  };
}

async function startDialer(folder: string, initPid: number): Promise<string> {
  const dialSocket = join(folder, 'dial');
  startPart({
    command: process.execPath,
    args: [dialer, dialSocket],
    enter: enterNetwork(initPid),
    logPath: join(folder, 'dialer.log'),
  });
  await eventually(() => {
    if (!existsSync(dialSocket)) throw new Error('the dialer does not listen yet');
  }, READY_WITHIN_MS);
  return dialSocket;
}

async function addNodeKeys(folder: string, url: string): Promise<void> {
  const keys = { folder: join(folder, 'keys'), url };
  const subject = { user: `system:node:${NODE_NAME}`, groups: ['system:nodes'] };
  await Promise.all([
    addClient(keys, 'kubelet', subject),
    addClient(keys, 'kube-proxy', { user: 'system:kube-proxy' }),
    issueServer(keys.folder, 'kubelet-server', subject, [`DNS:${NODE_NAME}`, `IP:${NODE_ADDRESS}`]),
  ]);
}

function nodeParts({ folder, initPid, programs, nodeName }: NodeFacts): PartSet<NodePart> {
  const argsOf: Record<NodePart, string[]> = {
    containerd: [`--config=${join(folder, 'containerd.toml')}`],
    kubelet: [
      `--config=${join(folder, 'kubelet.json')}`,
      `--kubeconfig=${join(folder, 'keys', 'kubelet.kubeconfig')}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${NODE_ADDRESS}`,
      `--root-dir=${join(folder, 'kubelet')}`,
    ],
    'kube-proxy': [`--config=${join(folder, 'proxy.json')}`, `--hostname-override=${nodeName}`],
  };
  return createPartSet<NodePart>((part) => ({
    command: join(programs, part),
    args: argsOf[part],
    enter: enterNode(initPid),
    // containerd finds its shim and runc by name.
    environment: { PATH: `${programs}:/usr/sbin:/usr/bin:/sbin:/bin` },
    logPath: join(folder, `${part}.log`),
  }));
}

async function runtimeReady({ folder, programs }: NodeFacts): Promise<void> {
  const client = join(programs, 'ctr');
  const words = ['--address', containerdSocket(folder), 'version'];
  await eventually(() => expectCommand(client, words), 30_000);
}

async function loadPauseImage(facts: NodeFacts): Promise<void> {
  const archive = join(facts.folder, 'pause.tar');
  const source = join(facts.programs, 'pause');
  writeImageArchive(archive, {
    name: PAUSE_IMAGE,
    layers: [[{ path: 'pause', source, mode: 0o755 }]],
    entrypoint: ['/pause'],
  });
  await loadImage(facts, archive);
}

async function loadNodeImage(facts: NodeFacts): Promise<void> {
  const archive = join(facts.folder, 'node.tar');
  const layers = [await nodeLayer()];
  writeImageArchive(archive, { name: NODE_IMAGE, layers, entrypoint: ['/usr/bin/node'] });
  await loadImage(facts, archive);
}

interface NodeObject {
  readonly status: { readonly conditions?: readonly { type: string; status: string }[] };
}

function nodeReady(request: ApiRequest, parts: PartSet<NodePart>): Promise<void> {
  return eventually(async () => {
    for (const part of ['containerd', 'kubelet', 'kube-proxy'] as const) parts.expectRunning(part);
    const { status, body } = await request({ path: `/api/v1/nodes/${NODE_NAME}` });
    const conditions = status === 200 ? (body as NodeObject).status.conditions : [];
    const ready = conditions?.find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True')
      throw new Error(`the node is not ready: ${JSON.stringify(ready)}`);
  }, READY_WITHIN_MS);
}
