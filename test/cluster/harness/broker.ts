import type { Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { Shared } from './ask-broker.ts';
import { whyUnavailable } from './availability.ts';
import type { ClusterFacts } from './cluster.ts';
import { startCluster } from './cluster.ts';
import { createClusterFolder, removeFolder } from './cluster-folder.ts';
import { buildProductImages, type ProductImages } from './image/build-product-images.ts';
import { whyNoImages } from './image/built-images.ts';
import { startNodeCluster } from './node/node-cluster.ts';

/**
 * vitest's global set-up: test files run in several processes and share one cluster per tier. It lives in the main
 * process, starts when the first file asks for it over a socket, so a run of unit tests starts nothing, and ends
 * with the run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = createClusterFolder();
  const socket = join(folder, 'broker');
  const clusters = createSharedClusters(folder);
  const server = await listen(socket, (tier) => clusters.get(tier));
  project.provide('clusterBroker', socket);
  return async () => {
    server.closeAllConnections();
    server.close();
    await clusters.stop();
    removeFolder(folder);
  };
}

type SharedTier = 'control-plane' | 'node' | 'images';
type SharedFacts = ClusterFacts | ProductImages;

interface RunningTier {
  readonly facts: SharedFacts;
  readonly stop: () => Promise<void>;
}

const starts: Record<SharedTier, (folder: string) => Promise<RunningTier>> = {
  'control-plane': () => startCluster(),
  node: () => startNodeCluster(),
  // They lie in the broker's folder and go with it.
  images: async (folder) => ({
    facts: await buildProductImages(folder),
    stop: () => Promise.resolve(),
  }),
};

interface SharedClusters {
  get(tier: SharedTier): Promise<Shared<SharedFacts>>;
  stop(): Promise<void>;
}

function createSharedClusters(folder: string): SharedClusters {
  const started = new Map<SharedTier, Promise<Shared<SharedFacts>>>();
  const running: RunningTier[] = [];
  const start = async (tier: SharedTier): Promise<Shared<SharedFacts>> => {
    const unavailable = tier === 'images' ? whyNoImages() : await whyUnavailable(tier);
    if (unavailable !== null) return { unavailable };
    const shared = await starts[tier](folder);
    running.push(shared);
    return { unavailable: null, facts: shared.facts };
  };
  return {
    get: (tier) => {
      const known = started.get(tier) ?? start(tier);
      started.set(tier, known);
      return known;
    },
    stop: async () => {
      await Promise.allSettled(started.values());
      await Promise.all(running.map((cluster) => cluster.stop()));
    },
  };
}

function listen(socket: string, get: (tier: SharedTier) => Promise<unknown>): Promise<Server> {
  const answer = async (path: string, response: ServerResponse) => {
    try {
      const body = JSON.stringify(await get(path.slice(1) as SharedTier));
      response.writeHead(200).end(body);
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    }
  };
  const server = createServer((incoming, response) => {
    void answer(incoming.url ?? '', response);
  });
  // A build of minutes is an answer of minutes.
  server.requestTimeout = 0;
  server.timeout = 0;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, () => {
      resolve(server);
    });
  });
}
