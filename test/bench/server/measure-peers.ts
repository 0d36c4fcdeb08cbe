import { availableParallelism } from 'node:os';
import { atLeast, seen, type Figure } from '../figure.ts';
import { randomResNet, RESNET_18 } from '../models.ts';
import { lagP99Ms, latenciesOf, startOpenLoop, type OpenLoopReport } from '../open-loop.ts';
import { quantile } from '../median.ts';
import { serveModel, writeModel, type ServedModel } from '../served-model.ts';
import { medianOf, p50, p99, perSecond, ratioOf } from './closed-figures.ts';
import { driveClosed, inTurns, type ClosedRun, type Target } from './drive.ts';
import { inferMessages } from './infer-messages.ts';
import { PATH, ROW_SHAPE, targetOf } from './layercache-target.ts';
import { PEERS, type Peer } from './peers.ts';
import { trivialModel } from './trivial-model.ts';

const ROUNDS = 2;
const SECONDS = 2;
const WARM_SECONDS = 3;
const OPEN_SECONDS = 4;
/** Of what the slower of two servers answers in a closed loop: both keep up, and queues are seen. */
const OPEN_LOAD = 0.6;

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly rowShape: readonly number[];
  /** Threads within one run of the model in the other server; ours chooses by itself. */
  readonly engineThreads: number;
}

function cases(): readonly Case[] {
  const resNet = { bytes: randomResNet(RESNET_18, 1), rowShape: ROW_SHAPE };
  const cores = availableParallelism();
  return [
    { name: 'trivial', bytes: trivialModel([16, 1, 1], 1), rowShape: [16, 1, 1], engineThreads: 1 },
    { name: 'ResNet-18, 1 thread', ...resNet, engineThreads: 1 },
    { name: `ResNet-18, ${cores} threads`, ...resNet, engineThreads: cores },
  ];
}

/** Beside two servers that many run, on the same file, engine, requests and machine. One that cannot be had here is left out, aloud. */
export async function measurePeers(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const peer of PEERS) {
    const environment = peer.environment();
    if (!environment.ok) {
      process.stderr.write(`SKIPPED: no comparison with ${peer.name}: ${environment.why}\n`);
      continue;
    }
    for (const one of cases()) figures.push(...(await comparePeer(peer, environment, one)));
  }
  return figures;
}

async function comparePeer(
  peer: Peer,
  environment: Parameters<Peer['start']>[0],
  one: Case,
): Promise<Figure[]> {
  const model = writeModel(one.bytes);
  const { engineThreads } = one;
  const served = await serveModel(model.path, one.rowShape);
  const other = await peer.start(environment, { modelPath: model.path, engineThreads });
  try {
    return await compare({ peer, served, other }, one);
  } finally {
    await Promise.all([served.stop(), other.stop()]);
    model.remove();
  }
}

interface Sides {
  readonly peer: Peer;
  readonly served: ServedModel;
  readonly other: Target;
}

async function compare(
  { peer, served, other }: Sides,
  { name, rowShape }: Case,
): Promise<Figure[]> {
  const { format } = peer;
  const messages = inferMessages({ path: PATH, rowShape, format });
  const drive = (target: Target, concurrency: number, seconds = SECONDS): Promise<ClosedRun> =>
    driveClosed(target, { messages, concurrency, seconds });
  const ours = targetOf(served);
  for (const target of [ours, other]) await drive(target, 8, WARM_SECONDS);
  const [oursAtOne = [], theirsAtOne = []] = await inTurns(ROUNDS, [
    () => drive(ours, 1),
    () => drive(other, 1),
  ]);
  const [oursLoaded = [], theirsLoaded = []] = await inTurns(ROUNDS, [
    () => drive(ours, 8),
    () => drive(other, 8),
  ]);
  const slower = Math.min(medianOf(oursLoaded, perSecond), medianOf(theirsLoaded, perSecond));
  const ratePerSecond = slower * OPEN_LOAD;
  const openLoop = async ({ port }: Target): Promise<OpenLoopReport> => {
    const requests = Math.max(100, Math.round(ratePerSecond * OPEN_SECONDS));
    const plan = { port, seed: 5, ratePerSecond, requests, messages, connections: 8 };
    return (await startOpenLoop(plan)).done;
  };
  const oursOpen = await openLoop(ours);
  const theirsOpen = await openLoop(other);
  const section = `${peer.name}, ${name}, ${format}`;
  const at = (what: string, unit = ''): { section: string; name: string; unit: string } => ({
    section,
    name: what,
    unit,
  });
  return [
    atLeast(
      at('throughput at concurrency 8, ours / theirs'),
      ratioOf(oursLoaded, theirsLoaded, perSecond),
      1,
    ),
    seen(at('throughput of ours', 'requests/s'), medianOf(oursLoaded, perSecond)),
    seen(at('throughput of theirs', 'requests/s'), medianOf(theirsLoaded, perSecond)),
    atLeast(
      at('latency p50 at concurrency 8, theirs / ours'),
      ratioOf(theirsLoaded, oursLoaded, p50),
      1,
    ),
    atLeast(
      at('latency p99 at concurrency 8, theirs / ours'),
      ratioOf(theirsLoaded, oursLoaded, p99),
      1,
    ),
    atLeast(
      at('latency p50 at concurrency 1, theirs / ours'),
      ratioOf(theirsAtOne, oursAtOne, p50),
      1,
    ),
    seen(at('latency p50 of ours at concurrency 1', 'ms'), medianOf(oursAtOne, p50)),
    seen(at('latency p50 of theirs at concurrency 1', 'ms'), medianOf(theirsAtOne, p50)),
    seen(at('rate of the open loop', 'requests/s'), ratePerSecond),
    ...openFigures(at, oursOpen, theirsOpen),
  ];
}

function openFigures(
  at: (what: string, unit?: string) => { section: string; name: string; unit: string },
  ours: OpenLoopReport,
  theirs: OpenLoopReport,
): Figure[] {
  const of = (report: OpenLoopReport, q: number): number => quantile(latenciesOf(report), q);
  const failed = (report: OpenLoopReport): number =>
    report.status.length - latenciesOf(report).length;
  return [
    atLeast(at('open loop, p50, theirs / ours'), of(theirs, 0.5) / of(ours, 0.5), 1),
    atLeast(at('open loop, p99, theirs / ours'), of(theirs, 0.99) / of(ours, 0.99), 1),
    seen(at('open loop, p99 of ours', 'ms'), of(ours, 0.99)),
    seen(at('open loop, failed, ours'), failed(ours)),
    seen(at('open loop, failed, theirs'), failed(theirs)),
    seen(at('generator lag p99', 'ms'), Math.max(lagP99Ms(ours), lagP99Ms(theirs))),
  ];
}
