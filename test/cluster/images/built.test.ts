import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildImages, whyNoImages } from '../harness/image/built-images.ts';
import { filesOf, readFilesOf, readLayout } from '../harness/image/image-layout.ts';
import { loadProductImages, type ProductImages } from '../harness/image/shared-images.ts';
import { BILL, namingPackages, packagesInside, validComponents } from './image-bill.ts';

const unavailable = whyNoImages();
if (unavailable !== null) process.stderr.write(`SKIPPED: ${unavailable}\n`);
const IMAGES = ['operator', 'server'] as const;
type ProductName = (typeof IMAGES)[number];
const MEBI = 1024 * 1024;

describe.skipIf(unavailable !== null)('images built from the Dockerfiles', () => {
  let layouts: ProductImages;
  const files = new Map<ProductName, ReadonlyMap<string, number>>();

  beforeAll(async () => {
    layouts = await loadProductImages();
    for (const name of IMAGES) files.set(name, await filesOf(layouts[name]));
  }, 600_000);

  const pathsOf = (name: ProductName): readonly string[] => [...(files.get(name)?.keys() ?? [])];

  test.each(IMAGES)('%s runs as nobody, says what it is, and has node as process 1', (name) => {
    const { config } = readLayout(layouts[name]).config;
    expect(config.User).toBe('65532:65532');
    const [program, ...words] = config.Entrypoint ?? [];
    expect([program, words.at(-1)]).toEqual(['node', `/app/${name}.mjs`]);
    expect(words.slice(0, -1).filter((word) => !word.startsWith('--'))).toEqual([]);
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': `layercache ${name}`,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': '0.1.0',
    });
  });

  test.each(IMAGES)('%s holds no shell, map, test, type, secret or cache', (name) => {
    const odd =
      /(^|\/)(sh|bash|busybox|npm|\.npmrc|\.git|\.env|.*\.(map|ts|test\.[cm]?js|pem|key|tsbuildinfo))$/;
    expect(pathsOf(name).filter((path) => odd.test(path))).toEqual([]);
    expect(pathsOf(name).filter((path) => /darwin|win32|arm64/.test(path))).toEqual([]);
  });

  test('each image holds the programs that its pods start, and no others', () => {
    const programs = (name: ProductName): readonly string[] =>
      pathsOf(name)
        .filter((path) => /^app\/[^/]+\.mjs$/.test(path))
        .sort();
    expect(programs('operator')).toEqual([
      'app/layercache.mjs',
      'app/operator.mjs',
      'app/trainer.mjs',
    ]);
    expect(programs('server')).toEqual([
      'app/engine-host.mjs',
      'app/engine-onnx-worker.mjs',
      'app/engine-tfjs-worker.mjs',
      'app/image-host.mjs',
      'app/server.mjs',
    ]);
    expect(pathsOf('server')).toContain('models/fashion-mnist/backbone.onnx');
    expect(pathsOf('operator').some((path) => path.includes('sharp'))).toBe(false);
  });

  test('the operator image holds the boards and rules that its command line exports, byte by byte', async () => {
    const shipped = ['dashboards', 'alerts'].flatMap((folder) =>
      readdirSync(`charts/layercache/files/${folder}`).map((name) => `${folder}/${name}`),
    );
    const inside = pathsOf('operator').filter((path) => path.startsWith('app/chart/'));
    expect([...inside].sort()).toEqual(shipped.map((path) => `app/chart/${path}`).sort());
    for (const [path, text] of await readFilesOf(layouts.operator, inside)) {
      const source = path.replace('app/chart/', 'charts/layercache/files/');
      expect(text, path).toBe(readFileSync(source, 'utf8'));
    }
  });

  test.each(IMAGES)(
    'the bill of materials of %s is valid CycloneDX and names the packages inside, all and no others',
    async (name) => {
      const naming = namingPackages(pathsOf(name));
      const texts = new Map(await readFilesOf(layouts[name], [BILL, ...naming]));
      const named = await validComponents(texts.get(BILL)!);
      texts.delete(BILL);
      expect(packagesInside(texts)).toEqual(named.map(({ full }) => full).sort());
      for (const { full, licenses, hashes } of named) {
        expect(licenses?.length, full).toBeGreaterThan(0);
        expect(hashes?.[0]?.content, full).toMatch(/^[0-9a-f]{128}$/);
      }
    },
  );

  test('the bill of materials of server names the libraries that libvips was compiled with', async () => {
    const versions = 'app/node_modules/@img/sharp-libvips-linux-x64/versions.json';
    const texts = await readFilesOf(layouts.server, [BILL, versions]);
    const components = await validComponents(texts.get(BILL)!);
    const libvips = components.find(({ full }) => full.includes('libvips'));
    const named = libvips?.components?.map(({ name, version }) => [name, version]) ?? [];
    expect(Object.fromEntries(named)).toEqual(JSON.parse(texts.get(versions)!));
  });

  test.each([
    ['operator', 230],
    ['server', 260],
  ] as const)('%s stays below %i MiB uncompressed', (name, budget) => {
    const bytes = [...(files.get(name)?.values() ?? [])].reduce((sum, size) => sum + size, 0);
    expect(bytes / MEBI).toBeLessThan(budget);
  });

  test('a second build of each gives the same digest', async () => {
    const folder = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));
    onTestFinished(() => rm(folder, { recursive: true }));
    const again = { operator: join(folder, 'operator'), server: join(folder, 'server') };
    await buildImages(again);
    const digestOf = (layout: string): string => readLayout(layout).descriptor.digest;
    for (const name of IMAGES) expect(digestOf(again[name])).toBe(digestOf(layouts[name]));
  }, 300_000);
});
