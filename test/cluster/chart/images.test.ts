import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  dockerfileOf,
  startImageBuilder,
  whyNoImages,
  type BuiltImage,
  type ImageBuilder,
  type ImageName,
} from '../harness/image/built-images.ts';

const unavailable = whyNoImages();
if (unavailable !== null) process.stderr.write(`SKIPPED: ${unavailable}\n`);
const IMAGES = ['operator', 'server'] as const satisfies readonly ImageName[];
const MEBI = 1024 * 1024;

test.each(IMAGES)('the Dockerfile of %s names no shell, no package manager and no root', (name) => {
  const lines = dockerfileOf(name)
    .split('\n')
    .filter((line) => !line.startsWith('#'));
  const verbs = new Set(lines.flatMap((line) => /^[A-Z]+/.exec(line) ?? []));
  expect([...verbs].sort()).toEqual(
    ['ARG', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'LABEL', 'USER', 'WORKDIR'].sort(),
  );
  expect(lines.filter((line) => line.startsWith('FROM'))).toHaveLength(1);
  expect(lines).toContain('USER 65532:65532');
  // In the exec form: node is process 1 and gets the signals.
  expect(lines.at(-2)).toMatch(/^ENTRYPOINT \["node", /);
});

describe.skipIf(unavailable !== null)('images built from the Dockerfiles', () => {
  let builder: ImageBuilder | undefined;
  const built = new Map<ImageName, BuiltImage>();
  const files = new Map<ImageName, ReadonlyMap<string, number>>();

  beforeAll(async () => {
    const started = await startImageBuilder();
    builder = started;
    for (const name of IMAGES) {
      built.set(name, await started.build(name, 'first'));
      files.set(name, await started.files(name, 'first'));
    }
  }, 600_000);
  afterAll(() => builder?.close());

  const pathsOf = (name: ImageName): readonly string[] => [...(files.get(name)?.keys() ?? [])];

  test.each(IMAGES)('%s runs as nobody, says what it is, and has node as process 1', (name) => {
    const { config } = built.get(name)!.config;
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
    const programs = (name: ImageName): readonly string[] =>
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

  test.each([
    ['operator', 230],
    ['server', 260],
  ] as const)('%s stays below %i MiB uncompressed', (name, budget) => {
    const bytes = [...(files.get(name)?.values() ?? [])].reduce((sum, size) => sum + size, 0);
    expect(bytes / MEBI).toBeLessThan(budget);
  });

  test('a second build gives the same digest', async () => {
    const again = await builder?.build('operator', 'second');
    expect(again?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(again?.digest).toBe(built.get('operator')!.digest);
  }, 300_000);
});
