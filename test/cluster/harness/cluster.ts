import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import type { ApiRequest } from './api-request.ts';
import { createApiRequest } from './api-request.ts';
import { createClusterFolder, removeFolder } from './cluster-folder.ts';
import { createClusterKeys } from './cluster-keys.ts';
import { freePorts } from './free-ports.ts';
import type { ClusterLayout } from './part-arguments.ts';
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  kwokArguments,
  schedulerArguments,
  schedulerConfiguration,
} from './part-arguments.ts';
import { createPartSet } from './part-set.ts';
import { controlPlanePrograms, programFolder } from './programs.ts';
import type { SecondApiServer } from './second-api-server.ts';
import { startSecondApiServer } from './second-api-server.ts';

export type ControlPlanePart = 'etcd' | 'apiserver' | 'controller-manager' | 'scheduler' | 'kwok';

export interface ClusterOptions {
  /** What runs. @defaultValue all but kwok */
  readonly parts?: readonly ControlPlanePart[];
  /** Every request with its user, verb and answer, one JSON event a line, in `auditLogPath`. @defaultValue false */
  readonly auditLog?: boolean;
  /** How long etcd keeps old revisions, as its flag has it. @defaultValue "5m" */
  readonly etcdCompaction?: string;
  readonly apiServerFlags?: readonly string[];
  readonly controllerManagerFlags?: readonly string[];
}

/** Plain data, so that it can be handed to another process of the same run. */
export interface ClusterFacts {
  readonly folder: string;
  readonly url: string;
  readonly etcdPort: number;
  readonly parts: readonly ControlPlanePart[];
  readonly auditLogPath: string | null;
}

export interface Cluster {
  readonly facts: ClusterFacts;
  readonly request: ApiRequest;
  readonly kill: (part: ControlPlanePart) => Promise<void>;
  /** Starts a killed part again; an API server has answered ready when this returns. */
  readonly start: (part: ControlPlanePart) => Promise<void>;
  readonly freeze: (part: ControlPlanePart) => void;
  readonly thaw: (part: ControlPlanePart) => void;
  readonly startSecondApiServer: () => Promise<SecondApiServer>;
  readonly stop: () => Promise<void>;
}

/** Where a cluster's processes run: on this machine's loopback, or in a node's namespaces. */
export interface Site {
  readonly folder: string;
  readonly enter: readonly string[];
  readonly nodeAddress: string | null;
  readonly ports: readonly [etcd: number, etcdPeer: number, api: number, kwok: number];
}

/** One that was killed under ten thousand pods takes minutes. */
const READY_WITHIN_MS = 240_000;
const usual: readonly ControlPlanePart[] = ['etcd', 'apiserver', 'controller-manager', 'scheduler'];

export async function loopbackSite(): Promise<Site> {
  const [etcd, etcdPeer, api, kwok] = await freePorts(4);
  const ports = [etcd!, etcdPeer!, api!, kwok!] as const;
  return { folder: createClusterFolder(), enter: [], nodeAddress: null, ports };
}

/**
 * Starts etcd, the API server and what else was asked for, and returns when the API server is ready.
 * @throws Unavailable when the programs cannot be had here; PartEnded when one of them does not stay up.
 */
export async function startCluster(options: ClusterOptions = {}, at?: Site): Promise<Cluster> {
  const programs = await findPrograms(options.parts ?? usual);
  const site = at ?? (await loopbackSite());
  try {
    return await assemble(options, site, programs);
  } catch (error) {
    removeFolder(site.folder);
    throw error;
  }
}

type FindProgram = (name: string) => string;

async function findPrograms(parts: readonly ControlPlanePart[]): Promise<FindProgram> {
  const controlPlane = await controlPlanePrograms();
  const kwok = parts.includes('kwok') ? await programFolder('kwok') : '';
  return (name) => (name.startsWith('kwok') ? join(kwok, name) : controlPlane(name));
}

async function assemble(
  options: ClusterOptions,
  site: Site,
  program: FindProgram,
): Promise<Cluster> {
  const layout = layOut(options, site);
  const { folder, keys, auditLogPath, etcdPort } = layout;
  const url = `https://127.0.0.1:${layout.apiPort}`;
  const { nodeAddress } = site;
  await createClusterKeys(keys, url, nodeAddress === null ? [] : [nodeAddress]);
  writeConfigurations(layout);
  const request = createApiRequest({
    url,
    caPath: join(keys, 'ca.crt'),
    certPath: join(keys, 'admin.crt'),
    keyPath: join(keys, 'admin.key'),
  });
  const set = createPartSet<ControlPlanePart>((part) => ({
    ...partCommand(part, layout, program),
    enter: site.enter,
    logPath: join(folder, `${part}.log`),
  }));
  const ready = () =>
    eventually(async () => {
      set.expectRunning('apiserver');
      const { status } = await request({ path: '/readyz', deadlineMs: 2_000 });
      if (status !== 200) throw new Error(`the API server is not ready: ${status}`);
    }, READY_WITHIN_MS);

  const parts = options.parts ?? usual;
  const seconds: SecondApiServer[] = [];
  const stop = async () => {
    await Promise.all(seconds.map((second) => second.stop()));
    await set.stopAll();
    removeFolder(folder);
  };
  try {
    set.start('etcd');
    set.start('apiserver');
    await ready();
    // The others end when the API server is not there yet.
    for (const part of parts) set.start(part);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    facts: { folder, url, etcdPort, parts, auditLogPath },
    request,
    kill: (part) => set.kill(part),
    start: async (part) => {
      set.start(part);
      if (part === 'apiserver') await ready();
    },
    freeze: (part) => {
      set.freeze(part);
    },
    thaw: (part) => {
      set.thaw(part);
    },
    startSecondApiServer: async () => {
      const second = await startSecondApiServer(layout, program('kube-apiserver'));
      seconds.push(second);
      return second;
    },
    stop,
  };
}

function layOut(options: ClusterOptions, { folder, nodeAddress, ports }: Site): ClusterLayout {
  const { auditLog = false, etcdCompaction = '5m' } = options;
  const { apiServerFlags = [], controllerManagerFlags = [] } = options;
  const [etcdPort, etcdPeerPort, apiPort, kwokPort] = ports;
  return {
    ...{ folder, nodeAddress, etcdPort, etcdPeerPort, apiPort, kwokPort },
    ...{ etcdCompaction, apiServerFlags, controllerManagerFlags },
    keys: join(folder, 'keys'),
    auditLogPath: auditLog ? join(folder, 'audit.log') : null,
  };
}

function partCommand(part: ControlPlanePart, layout: ClusterLayout, program: FindProgram) {
  const { apiPort: api, etcdPort: etcd } = layout;
  switch (part) {
    case 'etcd':
      return { command: program('etcd'), args: etcdArguments(layout) };
    case 'apiserver':
      return {
        command: program('kube-apiserver'),
        args: apiServerArguments(layout, { api, etcd }),
      };
    case 'controller-manager':
      return {
        command: program('kube-controller-manager'),
        args: controllerManagerArguments(layout),
      };
    case 'scheduler':
      return { command: program('kube-scheduler'), args: schedulerArguments(layout) };
    case 'kwok':
      return { command: program('kwok'), args: kwokArguments(layout, program('kwok-stages.yaml')) };
  }
}

function writeConfigurations(layout: ClusterLayout): void {
  const write = (name: string, content: object) => {
    writeFileSync(join(layout.folder, name), JSON.stringify(content));
  };
  write('scheduler.json', schedulerConfiguration(layout));
  write('audit.json', {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [{ level: 'Metadata' }],
  });
}
