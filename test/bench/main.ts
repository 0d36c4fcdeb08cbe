import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { measureDrift } from './drift.ts';
import { measureExample, measureResNet20 } from './example.ts';
import { formatFigures, type Figure } from './figure.ts';
import { measureOverload } from './overload.ts';
import { serveRawEngine } from './raw-engine.ts';
import { describeEnvironment, formatEnvironment } from './server/environment.ts';
import { serverSections } from './server/measure-server.ts';
import { measureSwap } from './swap.ts';
import { measureTensorFlow } from './tensorflow/measure-tensorflow.ts';

const USAGE = `npm run bench [-- SECTION ...] [--resnet20 DIR] [--out FILE]
  sections: engine small scrape open-loop peers overload swap example drift tensorflow resnet20; server: the first five; none: all that can run
  --resnet20 DIR  folder with resnet20/ and cifar10/ for the section resnet20, which is left out without it
  --out FILE      the machine and all figures as JSON (dist/bench.json)
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
      out: { type: 'string', default: 'dist/bench.json' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const sections = sectionsOf(values.resnet20);
  const chosen = chosenSections(positionals, Object.keys(sections));
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

const SERVER = serverSections(new URL(import.meta.url));

function sectionsOf(resnet20: string | undefined): Record<string, Section> {
  const sections: Record<string, Section> = {
    ...SERVER,
    overload: measureOverload,
    swap: measureSwap,
    example: measureExample,
    drift: measureDrift,
    tensorflow: measureTensorFlow,
  };
  if (resnet20 !== undefined) sections.resnet20 = () => measureResNet20(resnet20);
  return sections;
}

function chosenSections(asked: readonly string[], all: readonly string[]): readonly string[] {
  if (asked.length === 0) return all;
  return asked.flatMap((name) => (name === 'server' ? Object.keys(SERVER) : [name]));
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

if (isMainThread) process.exitCode = await main();
else await serveRawEngine();
