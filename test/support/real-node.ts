import type { Agent, AgentOptions } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';
import { absentCluster } from '../cluster/harness/absent-cluster.ts';
import { askBroker } from '../cluster/harness/ask-broker.ts';
import { whyUnavailable } from '../cluster/harness/availability.ts';
import type { ControlPlane } from '../cluster/harness/connected-cluster.ts';
import { connectControlPlane } from '../cluster/harness/connected-cluster.ts';
import type { ImageContent } from '../cluster/harness/image/image-archive.ts';
import { writeImageArchive } from '../cluster/harness/image/image-archive.ts';
import { packLayout, type LayoutContent } from '../cluster/harness/image/image-layout.ts';
import type { DevicePlugin } from '../cluster/harness/node/device-plugin.ts';
import { startDevicePlugin } from '../cluster/harness/node/device-plugin.ts';
import { createInsideAgent, dialInside } from '../cluster/harness/node/dial.ts';
import { loadImage } from '../cluster/harness/node/load-image.ts';
import { enterNetwork } from '../cluster/harness/node/namespaces.ts';
import type { NodeCluster, NodeFacts, NodeOptions } from '../cluster/harness/node/node-cluster.ts';
import { NODE_IMAGE, startNodeCluster } from '../cluster/harness/node/node-cluster.ts';
import type { CommandOptions, CommandResult } from '../cluster/harness/run-command.ts';
import { runCommand } from '../cluster/harness/run-command.ts';

/** A control plane with one real node, in a network of its own that this machine reaches only through these. */
export interface RealNode extends ControlPlane {
  readonly nodeName: string;
  /** An image with Node alone: `args: ['-e', '...']` is a whole program. Use with `imagePullPolicy: Never`. */
  readonly nodeImage: string;
  /** For `http.request` to pods and services; not a keep-alive one unless asked. Destroy it when done. */
  readonly agent: (options?: AgentOptions) => Agent;
  /** A TCP connection to a pod or service. */
  readonly dial: (host: string, port: number) => Socket;
  /** Runs a program of this machine inside the node's network. */
  readonly runInNetwork: (
    command: string,
    args: readonly string[],
    options?: CommandOptions,
  ) => Promise<CommandResult>;
  /** The words before a command that make it run there, for programs that a test starts and ends itself. */
  readonly networkWords: readonly string[];
  /** Packs an image and imports it; returns its digest. */
  readonly loadImage: (image: ImageContent | LayoutContent) => Promise<string>;
  /** Makes the node advertise a further extended resource; close it at the end of the test. */
  readonly advertise: (resource: string, count: number) => Promise<DevicePlugin>;
}

export type OwnRealNode = RealNode & Omit<NodeCluster, 'facts'>;
export type SharedRealNode = RealNode & { readonly unavailable: string | null };

/** Starts a control plane with a node for this test file alone, about 6 s; the caller stops it. */
export async function startRealNode(options: NodeOptions = {}): Promise<OwnRealNode> {
  const { facts, ...cluster } = await startNodeCluster(options);
  return { ...connectRealNode(facts), ...cluster };
}

/** The node that all test files of a run share; it advertises two `nvidia.com/gpu`. As `sharedControlPlane`. */
export async function sharedRealNode(): Promise<SharedRealNode> {
  const socket = inject('clusterBroker');
  if (socket === undefined) return nodeOfThisFile();
  const shared = await askBroker<NodeFacts>(socket, 'node');
  if (shared.unavailable !== null) return absentCluster(shared.unavailable) as SharedRealNode;
  return { unavailable: null, ...connectRealNode(shared.facts) };
}

async function nodeOfThisFile(): Promise<SharedRealNode> {
  const unavailable = await whyUnavailable('node');
  if (unavailable !== null) return absentCluster(unavailable) as SharedRealNode;
  const own = await startRealNode();
  afterAll(() => own.stop());
  return { unavailable: null, ...own };
}

function connectRealNode(facts: NodeFacts): RealNode {
  const { folder, initPid, dialSocket, nodeName } = facts;
  const networkWords = enterNetwork(initPid);
  return {
    ...connectControlPlane(facts),
    nodeName,
    nodeImage: NODE_IMAGE,
    networkWords,
    agent: (options) => createInsideAgent(dialSocket, options),
    dial: (host, port) => dialInside(dialSocket, host, port),
    runInNetwork: (command, args, options) => {
      const [enter, ...words] = networkWords;
      return runCommand(enter!, [...words, command, ...args], options);
    },
    loadImage: async (image) => {
      const scratch = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));
      try {
        const archive = join(scratch, 'image.tar');
        const digest =
          'layout' in image ? packLayout(archive, image) : writeImageArchive(archive, image);
        await loadImage(facts, archive);
        return digest;
      } finally {
        rmSync(scratch, { recursive: true });
      }
    },
    advertise: (resource, count) => startDevicePlugin(folder, resource, count),
  };
}
