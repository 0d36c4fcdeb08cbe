import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { measureDrift } from './drift.ts';
import { measureExample, measureResNet20 } from './example.ts';
import { formatFigures, type Figure } from './figure.ts';
import { measureHeadsOn } from './heads-on.ts';
import { measureOverhead } from './overhead.ts';
import { serveRawEngine } from './raw-engine.ts';
import { measureSwap } from './swap.ts';

const USAGE = `npm run bench [-- SECTION ...] [--resnet20 DIR] [--out FILE]
  sections: overhead heads swap example drift resnet20; none: all that can run
  --resnet20 DIR  folder with resnet20/ and cifar10/ for the section resnet20, which is left out without it
  --out FILE      figures as JSON
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { resnet20: { type: 'string' }, out: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const sections = sectionsOf(values.resnet20);
  const chosen = positionals.length === 0 ? Object.keys(sections) : positionals;
  const unknown = chosen.filter((name) => !(name in sections));
  if (unknown.length > 0) {
    process.stderr.write(`Unknown section ${unknown.join(', ')}.\n${USAGE}`);
    return 2;
  }
  const figures = await measure(chosen.map((name) => sections[name]));
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(figures, null, 2)}\n`);
  const broken = figures.filter(({ holds }) => holds === false);
  process.stdout.write(`\n${figures.length} figures, ${broken.length} broken promises\n`);
  return broken.length === 0 ? 0 : 4;
}

type Section = () => Promise<Figure[]>;

function sectionsOf(resnet20: string | undefined): Record<string, Section> {
  const sections: Record<string, Section> = {
    overhead: () => measureOverhead(new URL(import.meta.url), availableParallelism()),
    heads: measureHeadsOn,
    swap: measureSwap,
    example: measureExample,
    drift: measureDrift,
  };
  if (resnet20 !== undefined) sections.resnet20 = () => measureResNet20(resnet20);
  return sections;
}

async function measure(sections: readonly (Section | undefined)[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const section of sections) {
    const measured = (await section?.()) ?? [];
    process.stdout.write(`${formatFigures(measured)}\n`);
    figures.push(...measured);
  }
  return figures;
}

if (isMainThread) process.exitCode = await main();
else await serveRawEngine();
