import { startOpenLoop } from '../open-loop.ts';
import { writeModel } from '../served-model.ts';
import { medianOf, perSecond } from '../server/closed-figures.ts';
import { driveClosed } from '../server/drive.ts';
import { seededRows } from '../server/seeded-rows.ts';
import { checkAnswers, engineScores } from './answers.ts';
import type { Contender, ModelOnDisk } from './contender.ts';
import {
  failLane,
  laneName,
  laneResults,
  takeTurn,
  watched,
  type RunningLane,
  type RunningServer,
} from './lane.ts';
import type { CaseResults, PeerPlan } from './results.ts';
import { turnOrder } from './turn-order.ts';

/** Callers of the closed loops. */
export const CALLERS = [1, 8, 32];
/** Of what the slowest server answers in a closed loop: all keep up, and queues are seen. */
const OPEN_LOAD = 0.6;
/** So that a percentile is one, however slow the slowest is. */
const LEAST_OPEN_REQUESTS = 100;

export interface BenchCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly rowShape: readonly number[];
}

/** What could not be prepared, by name of the server. */
export type Unavailable = ReadonlyMap<string, string>;

/** All servers run side by side on one model, and have their turns at each load. */
export async function measureCase(
  { name, bytes, rowShape }: BenchCase,
  { contenders, unavailable }: { contenders: readonly Contender[]; unavailable: Unavailable },
  plan: PeerPlan,
): Promise<CaseResults> {
  const file = writeModel(bytes);
  const model: ModelOnDisk = { path: file.path, rowShape };
  const rows = seededRows(rowShape);
  const lanes: RunningLane[] = [];
  try {
    const scores = await engineScores(model.path, rowShape, rows);
    for (const contender of contenders) {
      say(`${name}: starting ${contender.name}`);
      const started = await start(contender, model, unavailable.get(contender.name) ?? null);
      for (const protocol of contender.protocols) {
        const messages = rows.map((row) => protocol.message(row, rowShape));
        const lane: RunningLane = {
          ...{ name: laneName(contender, protocol), protocol, messages, failure: null },
          ...{ server: started.server, closed: new Map(), open: [] },
        };
        lanes.push(lane);
        if (started.why !== null) failLane(lane, started.why);
        await takeTurn(lane, ({ program }) =>
          checkAnswers(program.port, protocol, { messages, scores }),
        );
      }
    }
    await warmUp(lanes, plan);
    for (const concurrency of CALLERS) await measureClosed(lanes, concurrency, plan);
    const ratePerSecond = openRate(lanes);
    await measureOpen(lanes, ratePerSecond, plan);
    return { name, rowShape, ratePerSecond, lanes: lanes.map(laneResults) };
  } finally {
    const servers = new Set(lanes.flatMap(({ server }) => server ?? []));
    await Promise.all([...servers].map(({ program }) => program.stop()));
    file.remove();
  }
}

async function start(
  contender: Contender,
  model: ModelOnDisk,
  unavailable: string | null,
): Promise<{ readonly server: RunningServer | null; readonly why: string | null }> {
  if (unavailable !== null) return { server: null, why: unavailable };
  try {
    return { server: watched(await contender.start(model)), why: null };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return { server: null, why: 'it did not start' };
  }
}

/** Long enough for what compiles while it runs: ours and Java's. */
async function warmUp(lanes: readonly RunningLane[], { warmSeconds }: PeerPlan): Promise<void> {
  for (const lane of lanes)
    await takeTurn(lane, async ({ program }) => {
      const { messages } = lane;
      await driveClosed(program, { messages, concurrency: 8, seconds: warmSeconds });
    });
}

async function measureClosed(
  lanes: readonly RunningLane[],
  concurrency: number,
  { rounds, seconds }: PeerPlan,
): Promise<void> {
  for (const lane of lanes) lane.closed.set(concurrency, []);
  for (let round = 0; round < rounds; round++) {
    say(`${concurrency} callers, round ${round + 1}`);
    for (const lane of inOrder(lanes, round))
      await takeTurn(lane, async ({ program }) => {
        const { messages } = lane;
        const run = await driveClosed(program, { messages, concurrency, seconds });
        lane.closed.get(concurrency)?.push(run);
      });
  }
}

function openRate(lanes: readonly RunningLane[]): number {
  const most = CALLERS.at(-1) ?? 1;
  const capacities = lanes
    .filter(({ failure }) => failure === null)
    .map(({ closed }) => medianOf(closed.get(most) ?? [], perSecond));
  return Number((Math.min(...capacities) * OPEN_LOAD).toPrecision(3));
}

async function measureOpen(
  lanes: readonly RunningLane[],
  ratePerSecond: number,
  { rounds, openSeconds }: PeerPlan,
): Promise<void> {
  const requests = Math.max(LEAST_OPEN_REQUESTS, Math.round(ratePerSecond * openSeconds));
  for (let round = 0; round < rounds; round++) {
    say(`${ratePerSecond} requests a second, round ${round + 1}`);
    for (const lane of inOrder(lanes, round))
      await takeTurn(lane, async ({ program: { port } }) => {
        const { messages } = lane;
        const seed = 5 + round;
        const load = { port, seed, ratePerSecond, requests, messages, connections: 8 };
        const report = await (await startOpenLoop(load)).done;
        if (!report.status.includes(200)) throw new Error('it answered nothing in the open loop');
        lane.open.push(report);
      });
  }
}

function inOrder(lanes: readonly RunningLane[], round: number): RunningLane[] {
  return turnOrder(lanes.length, round).flatMap((index) => lanes[index] ?? []);
}

function say(what: string): void {
  process.stdout.write(`  ${what}\n`);
}
