// What can be said of our packages without asking anybody: sources, digests, scripts, ages and licences. For advisories `.ci/run` asks
// the registry.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { licenceProblem } from '../../support/licences.ts';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly deprecated?: string;
  readonly license?: string;
}

const LOCKS = ['package-lock.json', 'test/node-24/package-lock.json'] as const;

/** By its folder below `node_modules`, without the project itself. */
function packagesOf(lock: string): readonly (readonly [folder: string, of: Locked])[] {
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  return Object.entries(packages).filter(([folder]) => folder !== '');
}

const nameOf = (folder: string): string => folder.split('node_modules/').at(-1) ?? '';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;

/** They are never run; each package works without its own. */
const WITH_SCRIPTS = [
  // Would fetch its program where npm left out the package of this platform.
  'esbuild',
  // Would compile it: the bill of materials is validated by our own call, without it.
  'libxmljs2',
  // Would download CUDA libraries.
  'onnxruntime-node',
];

/** Of what ships: two majors at once are two places to mend. */
const TWO_MAJORS = [
  // Types alone; client-node has younger ones than Node 20.
  '@types/node',
  'undici-types',
  // express has the younger, form-data of client-node the older.
  'mime-types',
];

test.each(LOCKS)(
  '%s: every package comes from the registry of whoever installs, by digest',
  (lock) => {
    const packages = packagesOf(lock);
    expect(packages.length).toBeGreaterThan(0);
    const elsewhere = packages.filter(([, { resolved, link }]) => resolved !== undefined || link);
    expect(elsewhere.map(([folder]) => folder)).toEqual([]);
    const versions = packages.filter(([, { version }]) => !/^\d+\.\d+\.\d+/.test(version ?? ''));
    expect(versions.map(([folder]) => folder)).toEqual([]);
    // What lies inside the archive of another package has the digest of that one.
    const loose = packages.filter(
      ([, { integrity, inBundle }]) =>
        inBundle !== true && integrity?.startsWith('sha512-') !== true,
    );
    expect(loose.map(([folder]) => folder)).toEqual([]);
  },
);

test('no script of a package is run, and those that have one are known', () => {
  expect(readFileSync('.npmrc', 'utf8').split('\n')).toContain('ignore-scripts=true');
  const scripted = LOCKS.flatMap(packagesOf)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([folder]) => nameOf(folder));
  expect(scripted.sort()).toEqual(WITH_SCRIPTS);
});

test('no package is deprecated', () => {
  const old = LOCKS.flatMap(packagesOf).filter(([, { deprecated }]) => deprecated !== undefined);
  expect(old.map(([folder, { deprecated }]) => `${folder}: ${deprecated ?? ''}`)).toEqual([]);
});

test('what ships has one major of each package, but for those that are known', () => {
  const majors = new Map<string, Set<string>>();
  for (const [folder, { version, dev }] of packagesOf('package-lock.json')) {
    if (dev === true) continue;
    const [major = ''] = (version ?? '').split('.');
    majors.set(nameOf(folder), (majors.get(nameOf(folder)) ?? new Set()).add(major));
  }
  const several = [...majors].filter(([, found]) => found.size > 1).map(([name]) => name);
  expect(several.sort()).toEqual(TWO_MAJORS.toSorted());
});

test('direct dependencies are exact, and at most 16 of them run', () => {
  const all = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(16);
});

test.each(LOCKS)('%s: every licence is one that may stand there', (lock) => {
  const problems = packagesOf(lock).map(([folder, { license, dev, inBundle }]) => {
    // npm notes no licence of what lies inside an archive.
    const found = license ?? (inBundle === true ? licenceOnDisk(folder) : undefined);
    return licenceProblem(nameOf(folder), found, dev !== true);
  });
  expect(problems.filter((problem) => problem !== null)).toEqual([]);
});

function licenceOnDisk(folder: string): string | undefined {
  const { license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Locked;
  return license;
}

test.each([
  ['no licence', undefined, true, 'x names no licence'],
  ['one that asks for sources', 'GPL-3.0-only', false, 'x: GPL-3.0-only'],
  ['one of a tool that would ship', 'MPL-2.0', true, 'x: MPL-2.0'],
  ['one of several that bind at once', 'MIT AND GPL-2.0-only', true, 'x: MIT AND GPL-2.0-only'],
  ['that of libvips under another name', 'LGPL-3.0-or-later', true, 'x: LGPL-3.0-or-later'],
])('%s is a problem', (_, licence, isShipped, problem) => {
  expect(licenceProblem('x', licence, isShipped)).toBe(problem);
});

test('of licences to choose from one is enough', () => {
  expect(licenceProblem('x', '(MIT OR GPL-3.0-or-later)', true)).toBeNull();
  expect(licenceProblem('@img/sharp-linux-x64', 'Apache-2.0 AND LGPL-3.0-or-later', true)).toBe(
    null,
  );
});
