import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { CliError } from '../../operator/errors.ts';
import { measureDetection } from './detection/measure-detection.ts';
import { measureDrift } from './drift.ts';
import { measureOnnxRuntime } from './engines/measure-onnxruntime.ts';
import { measureTensorFlow } from './engines/measure-tensorflow.ts';
import { measureExample, measureResNet20 } from './example.ts';
import { measureExits } from './exits/measure-exits.ts';
import { formatFigures, type Figure } from './figure.ts';
import { measureFleet, type FleetOptions } from './fleet/measure-fleet.ts';
import { measureGpu } from './gpu/measure-gpu.ts';
import { measureOverload } from './overload.ts';
import { serveRawEngine } from './raw-engine.ts';
import { describeEnvironment, formatEnvironment } from './server/environment.ts';
import { serverSections } from './server/measure-server.ts';
import { measureSwap } from './swap.ts';

const USAGE = `npm run bench [-- SECTION ...] [--resnet20 DIR] [--cifar100 DIR] [--frames DIR] [--out FILE] [--write] [--only NAME] [--quick]
  sections: engine small scrape open-loop peers overload swap example exits drift onnxruntime tensorflow gpu resnet20 detection fleet; server: the first five; none: all that can run but fleet
  --resnet20 DIR  folder with resnet20/ and cifar10/ for the section resnet20, which is left out without it, and for exits
  --cifar100 DIR  folder that test/bench/exits/cifar-100/train.py wrote, for exits
  --frames DIR    folder with video/ (a folder of frames per clip) and coco_val/ (images/, labels/) for the section detection, which is left out without it
  --out FILE      the machine and all figures as JSON (dist/bench.json)
  section engine:
  --engine-threads N  fewer than there are cores: callers and the server's main thread have the others
  section gpu:
  --processors    without a card, on processors: to see that it runs
  section exits:
  --write         its results, and the tables and figure of the READMEs made of them
  --quick         few rows: to see that it runs
  section fleet, an hour or so; needs the test cluster's programs (test/cluster/README.md):
  --services N[,N...]  sizes that are run one after the other (10,100,1000)
  --pods N[,N...]      of each service (10)
  --heads         certifies heads of all services too, rolls others out, and lets 1 % drift
  --profile       keeps a processor profile of each operator in dist/fleet
  section peers:
  --write         its results, and the table and figure of the README made of them
  --only NAME     one of the other servers instead of all of them, by a part of its name; may be repeated
  --quick         a second at each load: to see that it runs
`;

async function main(): Promise<number> {
  // Before onnxruntime and TensorFlow load: as engine hosts set it.
  process.env.ORT_DISABLE_TELEMETRY = '1';
  process.env.TF_NUM_INTRAOP_THREADS = '1';
  process.env.TF_NUM_INTEROP_THREADS = '-1';
  process.env.TF_CPP_MIN_LOG_LEVEL = '2';
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      resnet20: { type: 'string' },
      cifar100: { type: 'string' },
      frames: { type: 'string' },
      out: { type: 'string', default: 'dist/bench.json' },
      write: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      processors: { type: 'boolean', default: false },
      'engine-threads': { type: 'string' },
      services: { type: 'string', default: '10,100,1000' },
      pods: { type: 'string', default: '10' },
      profile: { type: 'boolean', default: false },
      heads: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { write, quick, only = null } = values;
  if (write && (quick || only !== null)) {
    process.stderr.write('--write takes a whole run: leave out --quick and --only.\n');
    return 2;
  }
  const engineThreads = toCount(values['engine-threads']);
  const server = serverSections(new URL(import.meta.url), { write, quick, only, engineThreads });
  const { processors: onProcessors } = values;
  const gpu = (): Promise<Figure[]> => measureGpu({ onProcessors, quick });
  const { resnet20, cifar100 } = values;
  const exits = (): Promise<Figure[]> => measureExits({ write, quick, resnet20, cifar100 });
  const fleet = (): Promise<Figure[]> => measureFleet(toFleetOptions(values));
  const sections: Sections = { ...server, ...sectionsOf(values), exits, gpu, fleet };
  const chosen = chosenSections(positionals, server, sections);
  const unknown = chosen.filter((name) => !(name in sections));
  if (unknown.length > 0) {
    process.stderr.write(`Unknown section ${unknown.join(', ')}.\n${USAGE}`);
    return 2;
  }
  const environment = describeEnvironment();
  process.stdout.write(`${formatEnvironment(environment)}\n\n`);
  const figures = await measure(chosen.map((name) => sections[name]));
  writeFileSync(values.out, `${JSON.stringify({ environment, figures }, null, 2)}\n`);
  const broken = figures.filter(({ holds }) => holds === false);
  process.stdout.write(
    `\n${figures.length} figures, ${broken.length} broken promises, in ${values.out}\n`,
  );
  return broken.length === 0 ? 0 : 4;
}

type Section = () => Promise<Figure[]>;

function sectionsOf({
  resnet20,
  frames,
}: {
  readonly resnet20?: string | undefined;
  readonly frames?: string | undefined;
}): Record<string, Section> {
  const sections: Record<string, Section> = {
    overload: measureOverload,
    swap: measureSwap,
    example: measureExample,
    drift: measureDrift,
    onnxruntime: measureOnnxRuntime,
    tensorflow: measureTensorFlow,
  };
  if (resnet20 !== undefined) sections.resnet20 = () => measureResNet20(resnet20);
  if (frames !== undefined) sections.detection = () => measureDetection(frames);
  return sections;
}

function toFleetOptions(values: {
  readonly services: string;
  readonly pods: string;
  readonly profile: boolean;
  readonly heads: boolean;
}): FleetOptions {
  const { services, pods, profile: isProfiled, heads: withHeads } = values;
  return { services: toSizes(services), pods: toSizes(pods), isProfiled, withHeads };
}

/** Throws CliError. */
function toCount(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new CliError('UsageError', {
    where: '--engine-threads',
    why: `it is ${text}, not a whole number of 1 or more.`,
  });
}

function toSizes(list: string): number[] {
  return list.split(',').map(Number);
}

type Sections = Readonly<Record<string, Section>>;

function chosenSections(asked: readonly string[], server: Sections, all: Sections): string[] {
  if (asked.length === 0) return Object.keys(all).filter((name) => name !== 'fleet');
  return asked.flatMap((name) => (name === 'server' ? Object.keys(server) : [name]));
}

async function measure(sections: readonly (Section | undefined)[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const section of sections) {
    const measured = (await section?.()) ?? [];
    process.stdout.write(`${formatFigures(measured)}\n\n`);
    figures.push(...measured);
  }
  return figures;
}

if (isMainThread) {
  // By way of exit, where servers that were started are ended.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => process.exit(130));
  process.exitCode = await main().catch((error: unknown) => {
    if (!(error instanceof CliError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  });
} else await serveRawEngine();
