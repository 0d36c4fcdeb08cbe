// Whatever a document names is there: fields, metrics, alerts, values, variables, reasons, scripts, commands.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { alertGroups, alertName } from '../../../charts/generate/alerts/rule-groups.ts';
import { timeScale } from '../../../charts/generate/alerts/time-scale.ts';
import { BOARDS } from '../../../charts/generate/dashboards/boards.ts';
import { FAMILIES } from '../../../charts/generate/queries/families.ts';
import { createProgram } from '../../../operator/cli/program.ts';
import { CONFIG_VARIABLES as OPERATOR_VARIABLES } from '../../../operator/config.ts';
import { VERSION } from '../../../operator/version.ts';
import { CONFIG_VARIABLES as SERVER_VARIABLES } from '../../../server/config.ts';
import { syntaxFaults } from '../boards/promql.ts';
import { documents, inlineOf, textOf } from './documents.ts';

/** For those who work on the tests. */
const OF_ENGINEERS = ['test/README.md', 'test/LONG.md', 'test/cluster/README.md'];
const DOCUMENTS = documents().filter((path) => !OF_ENGINEERS.includes(path));

const words = DOCUMENTS.flatMap((path) => inlineOf(path).map((word) => ({ path, word })));

/** Names of one kind in all documents, each once, with where it stands. */
function named(pattern: RegExp, within = ''): (readonly [name: string, path: string])[] {
  const found = new Map<string, string>();
  for (const { path, word } of words) {
    if (!path.startsWith(within)) continue;
    for (const match of word.matchAll(pattern)) found.set(match[1] ?? match[0], path);
  }
  return [...found];
}

function firstCells(path: string): string[] {
  return [...textOf(path).matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell);
}

const fields = [
  ...firstCells('charts/layercache/docs/manifest.md'),
  ...firstCells('charts/layercache/docs/head-revision.md'),
].map((field) => field.replaceAll('[]', ''));
const values = firstCells('charts/layercache/docs/values.md');

/** A field, a block of fields, or what lies in a map or a raw object. */
function isField(name: string): boolean {
  return fields.some((field) => field === name || field.startsWith(`${name}.`));
}

/** A value, a block of values, or a key of a map. */
function isValue(name: string): boolean {
  return values.some(
    (value) => value === name || value.startsWith(`${name}.`) || isKeyOf(value, name),
  );
}

function isKeyOf(value: string, name: string): boolean {
  const row = new RegExp(`^\\| \`${value.replaceAll('.', '\\.')}\` \\| \`\\{`, 'm');
  return name.startsWith(`${value}.`) && row.test(textOf('charts/layercache/docs/values.md'));
}

describe('documents name no', () => {
  test.each(named(/\b((?:spec|status)(?:\.[a-zA-Z0-9]+)+)/g))(
    'field %s that is not there (%s)',
    (name) => {
      // Of pods, leases and other objects of Kubernetes.
      if (/^spec\.(containers|template|holderIdentity|renewTime)/.test(name)) return;
      expect(isField(name)).toBe(true);
    },
  );

  test.each(named(/(?<![:\w])(layercache_[a-z0-9_]+)/g))(
    'metric %s that is not there (%s)',
    (name) => {
      // A parameter of requests.
      if (name === 'layercache_mode') return;
      const metrics: readonly string[] = Object.values(FAMILIES).map((family) => family.name);
      expect(metrics).toContain(name.replace(/_(bucket|sum|count)$/, ''));
    },
  );

  test.each(named(/\b(Layercache[A-Z][A-Za-z]+)\b/g))('alert %s that is not there (%s)', (name) => {
    const alerts = alertGroups(timeScale()).flatMap((group) => group.alerts.map(alertName));
    expect(alerts).toContain(name);
  });

  const blocks = [...new Set(values.map((value) => value.split('.')[0]!))].join('|');
  test.each(
    named(new RegExp(`^(?:--set )?((?:${blocks})(?:\\.[a-zA-Z_]+)+)`, 'g'), 'charts/layercache/'),
  )('value %s that is not there (%s)', (name) => {
    expect(isValue(name)).toBe(true);
  });

  test.each(named(/\bLAYERCACHE_([A-Z_]+)\b/g))('variable %s that is not there (%s)', (name) => {
    // Of tests.
    if (name.startsWith('TEST_') || name === 'LOOP_HEADS') return;
    const isSetting = [...SERVER_VARIABLES, ...OPERATOR_VARIABLES].includes(name);
    expect(isSetting || isReadElsewhere(`LAYERCACHE_${name}`)).toBe(true);
  });

  test.each(named(/\bnpm run ([a-z:-]+)/g))('script %s that is not there (%s)', (name) => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    expect(Object.keys(scripts)).toContain(name);
  });

  test.each(named(/\b(?:npx )?layercache (local run|[a-z]+)\b/g))(
    'command %s that is not there (%s)',
    (name) => {
      const quiet = { write: () => undefined, columns: 100 };
      const io = { stdout: quiet, stderr: quiet, isTerminal: false, environment: {} };
      const program = createProgram({ ...io, bundleDir: '' }, { exitCode: 0 });
      const [first, second] = name.split(' ');
      const command = program.commands.find((one) => one.name() === first);
      const found =
        second === undefined ? command : command?.commands.find((one) => one.name() === second);
      expect(found?.name()).toBe(second ?? first);
    },
  );
});

test.each(named(/^(?=.*[[({])(.*layercache_.*)$/g))(
  '%s is a query that Prometheus can read (%s)',
  (query) => {
    expect(syntaxFaults(query.replaceAll('\\|', '|'))).toEqual([]);
  },
);

test('guides name the version that is here', () => {
  const guides = ['install', 'upgrade', 'air-gap'].map(
    (name) => `charts/layercache/docs/${name}.md`,
  );
  const versions = guides.flatMap((path) => textOf(path).match(/\b0\.\d+\.\d+\b(?!\.)/g) ?? []);
  expect(versions.length).toBeGreaterThan(3);
  expect(new Set(versions)).toEqual(new Set([VERSION]));
});

test('panels that pages of reasons name are on the boards', () => {
  const titles = BOARDS.flatMap(({ rows }) =>
    rows.flatMap((row) => [row.title, ...row.panels.map((panel) => panel.title)]),
  );
  const text = textOf('charts/layercache/docs/reasons.md');
  const panels = [...text.matchAll(/(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)/g)].map(([, title]) => title);
  expect(panels.length).toBeGreaterThan(0);
  for (const title of panels) expect(titles).toContain(title);
});

/** Some are read where the program is not configured yet. */
function isReadElsewhere(variable: string): boolean {
  const words = ['grep', '--untracked', '-qw', variable, '--', 'server/*.ts', 'operator/*.ts'];
  return spawnSync('git', words).status === 0;
}
