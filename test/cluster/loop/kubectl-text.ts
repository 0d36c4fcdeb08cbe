// What kubectl prints of the service at a stage, as text that is the same in every run: names that hold digests get numbers in
// the order in which they appear, measured figures become N, times go. Words, verdicts, counts of pods and settings stay.
import type { RealNode } from '../../support/real-node.ts';
import type { Kubectl } from '../harness/kubectl-in.ts';

/** Prints a stage; what an earlier stage printed of events is not printed again. */
export interface KubectlText {
  stage(): Promise<string>;
}

const CONDITIONS =
  'jsonpath={range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\\n"}{end}';
const EVENTS =
  'custom-columns=NAME:.metadata.name,MADE:.metadata.creationTimestamp,AT:.eventTime,VERSION:.metadata.resourceVersion,TYPE:.type,REASON:.reason,MESSAGE:.message';

/** Their number, or whether there are any, is chance: policies follow the rate of traffic, hints and tightening the rows. */
const BY_CHANCE: readonly string[] = [
  'PolicyPublished',
  'DriftHint',
  'LambdaTightened',
  'PodDeviates',
  'NoCertificate',
];
/** Later looks of the heads in force, and one that raised lambda: when they come follows the traffic. */
const LATER_LOOKS =
  /^Look \d of stable's attempt | is certified for the same heads, .* is in force/;

function isByChance(reason: string, message: string): boolean {
  return BY_CHANCE.includes(reason) || LATER_LOOKS.test(message);
}

export function createKubectlText(
  { kubectl: run }: Pick<RealNode, 'kubectl'>,
  namespace: string,
  service: string,
): KubectlText {
  const names = new Map<string, string>();
  const printed = new Set<string>();
  const kubectl: Kubectl = async (...args) => {
    const { stdout, stderr } = await run([...args, '-n', namespace]);
    return stdout + stderr;
  };
  const steady = (text: string): string => withoutFigures(withNames(text, service, names));

  async function events(): Promise<string> {
    const about = `involvedObject.kind=CachedModelService,involvedObject.name=${service}`;
    const text = await kubectl('get', 'events', '--field-selector', about, '-o', EVENTS);
    const { rows } = readTable(text);
    const fresh = rows
      .filter(([name = '']) => !printed.has(name))
      .sort((a, b) => compareEvents(a, b));
    for (const [name = ''] of fresh) printed.add(name);
    const lines = fresh
      .filter(([, , , , , reason = '', message = '']) => !isByChance(reason, message))
      .map(([, , , , type, reason, message]) => [type, reason, message].join(' '));
    return [...new Set(lines.map(steady))].join('\n');
  }

  return {
    stage: async () => {
      const parts: readonly (readonly [string, string])[] = [
        ['get cms', table(await kubectl('get', 'cms'), steady)],
        ['get chr', table(await kubectl('get', 'chr', ...BY_AGE), steady)],
        ['get jobs', table(await kubectl('get', 'jobs', ...BY_AGE), steady)],
        [
          `get cms ${service} -o jsonpath=... (conditions)`,
          steady(await kubectl('get', 'cms', service, '-o', CONDITIONS)).trimEnd(),
        ],
        ['get events', await events()],
      ];
      return parts.map(([command, text]) => `$ kubectl ${command}\n${text}\n`).join('\n');
    },
  };
}

const BY_AGE = ['--sort-by=.metadata.creationTimestamp'];

/** In the order in which they were made, to the millisecond; within one by their version. */
function compareEvents(a: readonly string[], b: readonly string[]): number {
  const [, madeA = '', atA = '', versionA] = a;
  const [, madeB = '', atB = '', versionB] = b;
  const byTime = madeA.localeCompare(madeB) || atA.localeCompare(atB);
  return byTime || Number(versionA) - Number(versionB);
}

/** `vision-<12 hex>`, the bare id and the digest that it begins are one thing. */
function withNames(text: string, service: string, names: Map<string, string>): string {
  const nameOf = (id: string): string => {
    const known = names.get(id) ?? `heads${names.size + 1}`;
    names.set(id, known);
    return known;
  };
  return text
    .replaceAll(new RegExp(`\\b${service}-([0-9a-f]{12})\\b`, 'g'), (_, id: string) => {
      return `${service}-${nameOf(id)}`;
    })
    .replaceAll(/sha256:([0-9a-f]{12})[0-9a-f]{52}/g, (_, id: string) => {
      return names.has(id) ? `sha256:${nameOf(id)}` : 'sha256:DIGEST';
    })
    .replaceAll(/(?<= |^)[0-9a-f]{12}(?= |$)/gm, nameOf);
}

/** What is counted or measured, each by the words around it. */
const FIGURES: readonly (readonly [RegExp, string])[] = [
  [
    /\b\d[\d,]*( recorded rows| audited rows| audited requests| candidate requests| disagreements| disagree| requests| rows| samples)\b/g,
    'N$1',
  ],
  [/\bExits [\w, ]+(?= may answer at)/g, 'Exits EXITS'],
  [/\bheads at \w+(?:, \w+)*/g, 'heads at EXITS'],
  [/, rows come in bursts \(D [\d.]+\)/g, ''],
  [/\bLook \d/g, 'Look N'],
  [/\bpolicy \d+\.\d+/gi, 'policy N.N'],
  [/\b([Ll]ambda) [\d.]+%/g, '$1 N%'],
  [/\b(lambda) \d[\d.e-]*\d(?!%)/g, '$1 N'],
  [/\b(saves?|saving) -?[\d.]+%/g, '$1 N%'],
  [/: [\d.]+% against/g, ': N% against'],
  [/\b[\d.]+% (done|of them|at most)/g, 'N% $1'],
  [/\bin \d+ (seconds|minutes|hours?)\b/g, 'in N $1'],
];

function withoutFigures(text: string): string {
  return FIGURES.reduce((sum, [figure, word]) => sum.replaceAll(figure, word), text);
}

/** Columns whose cells are measured. */
const MEASURED: readonly string[] = ['BOUND', 'AGE', 'DURATION'];
/** A share of the last minutes, or none yet. */
const OF_LATE: readonly string[] = ['EXITED'];

interface Table {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** kubectl aligns columns under their titles; cells may be empty. */
function readTable(text: string): Table {
  const [header = '', ...lines] = text.trimEnd().split('\n');
  const found = [...header.matchAll(/\S+(?: \S+)*/g)];
  const titles = found.map(([title]) => title);
  const starts = found.map(({ index }) => index);
  const cells = (line: string): string[] =>
    starts.map((start, i) => line.slice(start, starts[i + 1]).trim());
  return { titles, rows: lines.map(cells) };
}

/** The same table without what is measured, aligned anew. */
function table(text: string, steady: (cell: string) => string): string {
  if (!text.includes('  ')) return text.trimEnd();
  const { titles, rows } = readTable(text);
  const shown = rows.map((row) =>
    row.map((cell, i) => {
      const title = titles[i] ?? '';
      const isHidden = OF_LATE.includes(title) || (MEASURED.includes(title) && cell !== '');
      return isHidden ? '~' : steady(cell);
    }),
  );
  const all = [titles, ...shown];
  const widths = titles.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
