import { CliError } from '../../errors.ts';
import { sleep } from '../../kube/clock.ts';
import { loadAssets } from '../../local/web/assets.ts';
import { startPageServer } from '../../local/web/page-server.ts';
import { toCliError } from '../cluster/call-error.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { getService } from '../service/find-service.ts';
import type { DashboardFacts } from './dashboard-facts.ts';
import { createFactsReader, type FactsReader } from './read-facts.ts';
import { createServicePage, type ServicePage } from './service-page.ts';

export interface DashboardOptions {
  readonly name: string;
  /** 0: a free one. */
  readonly port: number;
  readonly bundleDir: string;
  /** Ends the page. */
  readonly interrupt: AbortSignal;
  /** Told the address once pages are served there. */
  readonly onServed: (url: string) => void;
  /** Told what a person at the terminal should know, a sentence each time. */
  readonly onNews: (text: string) => void;
}

/** Between two readings; a point of the page's history is as long. */
const READ_MS = 2_000;
const TICK_MS = 1_000;

/** `layercache dashboard NAME`: serves the page until it is interrupted. Only the first reading may fail. */
export async function showDashboard(cluster: Cluster, options: DashboardOptions): Promise<void> {
  const { name, port, bundleDir, interrupt } = options;
  const { clock } = cluster;
  const reader = createFactsReader(cluster, name, interrupt);
  const first = await unlessInterrupted(interrupt, firstFacts(cluster, name, reader));
  if (first === null) return;
  const page = createServicePage(cluster, first, clock.nowMs());
  const server = await startPageServer({
    port,
    portFlag: '--port',
    assets: loadAssets(bundleDir),
    state: () => page.state(clock.nowMs()),
  });
  const ticking = setInterval(() => {
    const { picture, point } = page.tick(clock.nowMs());
    server.send({ ...picture, point });
  }, TICK_MS);
  try {
    options.onServed(server.url);
    await follow(cluster, reader, page, options);
  } finally {
    clearInterval(ticking);
    await server.close();
  }
}

/** A service that is not there gets the nearest names. */
async function firstFacts(
  cluster: Cluster,
  name: string,
  reader: FactsReader,
): Promise<DashboardFacts> {
  const facts = await reader.read();
  if (facts !== null) return facts;
  await getService(cluster, name);
  // It came in between.
  return firstFacts(cluster, name, reader);
}

/** Null: it was interrupted. The task may fail after that, and nobody cares. */
function unlessInterrupted<T>(interrupt: AbortSignal, task: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      resolve(null);
    };
    if (interrupt.aborted) end();
    interrupt.addEventListener('abort', end, { once: true });
    void task.then(resolve, reject).finally(() => {
      interrupt.removeEventListener('abort', end);
    });
  });
}

type Standing = 'Read' | 'Deleted' | 'Lost';

async function follow(
  cluster: Cluster,
  reader: FactsReader,
  page: ServicePage,
  { name, interrupt, onNews }: DashboardOptions,
): Promise<void> {
  const { clock, namespace } = cluster;
  const key = `${namespace}/${name}`;
  let before: Standing = 'Read';
  const tell = (now: Standing, text: string): void => {
    if (now !== before) onNews(text);
    before = now;
  };
  for (;;) {
    await sleep(clock, READ_MS, interrupt);
    try {
      const facts = await unlessInterrupted(interrupt, reader.read());
      if (interrupt.aborted) return;
      if (facts === null) {
        page.deleted(clock.nowMs());
        tell(
          'Deleted',
          `${key} was deleted. The page keeps what it was, and shows a new one of that name.`,
        );
      } else {
        page.read(facts, clock.nowMs());
        tell('Read', `${key} is read again.`);
      }
    } catch (error) {
      const why = whyLost(error, cluster.server);
      page.failed(why);
      tell('Lost', `${key} cannot be read. ${why} The page keeps what it was; trying again.`);
    }
  }
}

/** What and why, with the next step; an error of another kind is a fault of ours and ends the command. */
function whyLost(error: unknown, server: string): string {
  const known = toCliError(error, server);
  if (!(known instanceof CliError)) throw error;
  return known.message.replace(/ \[\w+\]$/, '');
}
