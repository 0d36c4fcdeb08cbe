import { pushHeads } from '../../operator/fleet/push-heads.ts';
import { pushPolicy } from '../../operator/fleet/push-policy.ts';
import { driveServer } from './closed-loop.ts';
import { atLeast, seen, type Figure } from './figure.ts';
import { quantile } from './median.ts';
import { randomResNet, RESNET_18 } from './models.ts';
import { policyFor, randomHeads, type RandomHeads } from './random-heads.ts';
import { serveModel, writeModel, type ServedModel } from './served-model.ts';

const ROUNDS = 4;
const SECONDS = 3;
const WARM_ROWS = 2_500;

/** What heads cost when no row leaves: two servers on one ResNet-18, one with three heads in force, in turns (ABBA). */
export async function measureHeadsOn(): Promise<Figure[]> {
  const model = writeModel(randomResNet(RESNET_18, 1));
  const plain = await serveModel(model.path, [3, 32, 32]);
  const withHeads = await serveModel(model.path, [3, 32, 32]);
  try {
    const heads = randomHeads(withHeads.state, {
      tensors: ['block1', 'block3', 'block5'],
      hidden: 64,
      intercept: -50,
      seed: 3,
    });
    await putInForce(withHeads, heads, 1);
    const figures: Figure[] = [];
    for (const concurrency of [1, 8])
      figures.push(...(await compare(plain, withHeads, concurrency)));
    return figures;
  } finally {
    await Promise.all([plain.stop(), withHeads.stop()]);
    model.remove();
  }
}

export async function putInForce(
  served: ServedModel,
  heads: RandomHeads,
  revision: number,
): Promise<void> {
  const stored = await pushHeads(served.server.admin, heads.headRevision, heads.bytes);
  if (!stored.ok) throw new Error(stored.message);
  const applied = await pushPolicy(served.server.admin, policyFor(served.state, heads, revision));
  if (!applied.ok) throw new Error(applied.message);
  if (applied.value.result !== 'Applied')
    throw new Error(`${applied.value.reason}: ${applied.value.message}`);
}

async function compare(
  plain: ServedModel,
  withHeads: ServedModel,
  concurrency: number,
): Promise<Figure[]> {
  const ratios: number[] = [];
  let early = 0;
  const perRow = async (served: ServedModel): Promise<number> => {
    const run = await driveServer(served, { concurrency, seconds: SECONDS });
    early += run.earlyRows;
    return run.processorSeconds / run.rows;
  };
  await driveServer(plain, { concurrency: 32, rows: WARM_ROWS });
  await driveServer(withHeads, { concurrency: 32, rows: WARM_ROWS });
  for (let round = 0; round < ROUNDS; round++) {
    const plainFirst = round % 2 === 0;
    const first = await perRow(plainFirst ? plain : withHeads);
    const second = await perRow(plainFirst ? withHeads : plain);
    ratios.push(plainFirst ? first / second : second / first);
  }
  const section = `heads on, nothing leaves, concurrency ${concurrency}`;
  return [
    atLeast(
      { section, name: 'throughput per processor second, heads on / off' },
      quantile(ratios, 0.5),
      0.95,
    ),
    seen({ section, name: 'rows that left early' }, early),
  ];
}
