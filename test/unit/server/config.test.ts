import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../server/config.ts';

const NEEDED = {
  LAYERCACHE_MODEL_NAME: 'digits',
  LAYERCACHE_BACKBONE_URI: 'file:///models/a%20b.onnx',
};

function load(more: Record<string, string> = {}) {
  const result = loadConfig({ ...NEEDED, ...more });
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.value;
}

test('defaults are complete and in base units', () => {
  const { engineThreads, ...config } = load();
  expect(engineThreads).toBeGreaterThan(0);
  expect(config).toEqual({
    modelName: 'digits',
    backbonePath: '/models/a b.onnx',
    backboneDigest: null,
    outputName: null,
    engine: 'Auto',
    dataPort: 8080,
    adminPort: 8081,
    metricsPort: 9090,
    bindHost: '0.0.0.0',
    podUid: '',
    policyDir: null,
    cacheDir: null,
    sampleMemoryBytes: 256 * 2 ** 20,
    drainDelayMs: 5_000,
    drainTimeoutMs: 30_000,
    exitWithStdin: false,
    evidenceWindowMs: 10_000,
    logLevel: 'info',
  });
});

test('units are read: sizes, durations, seconds, switches', () => {
  expect(
    load({
      LAYERCACHE_SAMPLE_MEMORY: '1Gi',
      LAYERCACHE_DRAIN_DELAY: '1m30s',
      LAYERCACHE_EVIDENCE_WINDOW_SECONDS: '1',
      LAYERCACHE_EXIT_WITH_STDIN: 'true',
      LAYERCACHE_DATA_PORT: '0',
    }),
  ).toMatchObject({
    sampleMemoryBytes: 2 ** 30,
    drainDelayMs: 90_000,
    evidenceWindowMs: 1_000,
    exitWithStdin: true,
    dataPort: 0,
  });
});

test('a relative path is taken from the working directory', () => {
  expect(load({ LAYERCACHE_BACKBONE_URI: 'a/model.onnx' }).backbonePath).toBe(
    `${process.cwd()}/a/model.onnx`,
  );
});

describe('problems', () => {
  test.each([
    ['LAYERCACHE_MODEL_NAME', '../etc', /letters, digits/],
    ['LAYERCACHE_BACKBONE_URI', 'https://host/model.onnx', /other schemes/],
    ['LAYERCACHE_BACKBONE_DIGEST', 'sha256:12', /64 hex digits/],
    ['LAYERCACHE_ENGINE', 'ort', /Auto or ONNX/],
    ['LAYERCACHE_DATA_PORT', '-1', /port number/],
    ['LAYERCACHE_ADMIN_PORT', '65536', /at most 65535/],
    ['LAYERCACHE_ENGINE_THREADS', '0', /from 1 up/],
    ['LAYERCACHE_ENGINE_THREADS', '2000', /at most 1024/],
    ['LAYERCACHE_SAMPLE_MEMORY', '256MB', /such as 256Mi/],
    ['LAYERCACHE_DRAIN_DELAY', '5', /duration/],
    ['LAYERCACHE_EXIT_WITH_STDIN', 'yes', /true or false/],
    ['LAYERCACHE_LOG_LEVEL', 'trace', /debug, info/],
  ])('%s=%s names variable, value and fix', (name, value, message) => {
    const result = loadConfig({ ...NEEDED, [name]: value });
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.problems).toHaveLength(1);
    expect(result.problems[0]).toMatch(message);
    expect(result.problems[0]).toContain(`${name} is ${JSON.stringify(value)} and must be`);
  });

  test('all come at once, missing ones too', () => {
    const result = loadConfig({ LAYERCACHE_DATA_PORT: 'x', OTHER: 'y' });
    expect(result).toEqual({
      ok: false,
      problems: [
        'LAYERCACHE_MODEL_NAME is missing; set it to the name clients use in /v2/models/NAME.',
        'LAYERCACHE_BACKBONE_URI is missing; set it to file:///path/to/model.onnx or a path.',
        'LAYERCACHE_DATA_PORT is "x" and must be a port number, 0 for a free one.',
      ],
    });
  });
});
