import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CONFIG_VARIABLES, loadConfig } from '../../../server/config.ts';
import { POD_PATHS } from '../../../server/pod-paths.ts';

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
  const { engineThreads, loneThreads, ...config } = load();
  expect(engineThreads).toBeGreaterThan(0);
  expect(loneThreads).toBe(engineThreads);
  expect(config).toEqual({
    service: null,
    namespace: null,
    podName: null,
    modelName: 'digits',
    backboneUri: { kind: 'file', path: '/models/a b.onnx' },
    backboneDigest: null,
    backboneFormat: null,
    outputName: null,
    task: null,
    engine: 'Auto',
    companions: [],
    warmupIterations: 3,
    dataPort: 8080,
    adminPort: 8081,
    metricsPort: 9090,
    metricsExemplars: false,
    bindHost: '',
    podUid: '',
    engineMemoryBytes: null,
    policyDir: null,
    adminDir: null,
    cacheDir: null,
    modelDir: null,
    credentialsDir: null,
    caBundleDir: null,
    warmupDir: null,
    ...{ headStore: null, storeCredentialsDir: null, storeCaBundleDir: null },
    allowedHosts: { othersAllowed: true, named: [] },
    awsIdentity: null,
    proxy: { url: null, exceptions: '' },
    requestLimits: {
      maxJsonDepth: 32,
      maxTensorElements: 67_108_864,
      maxDecompressionRatio: 4,
      maxImagePixels: 16_000_000,
      maxHeldBytes: 2 ** 28,
    },
    connectionLimits: {
      maxHeaderBytes: 16_384,
      headersTimeoutMs: 10_000,
      receiveTimeoutMs: 120_000,
      keepAliveTimeoutMs: 75_000,
      writeTimeoutMs: 60_000,
      maxConnections: 1_024,
    },
    sampleMemoryBytes: 256 * 2 ** 20,
    inputMemoryBytes: 0,
    inputRetentionMs: 3_600_000,
    drainDelayMs: 10_000,
    drainTimeoutMs: 30_000,
    exitWithStdin: false,
    evidenceWindowMs: 10_000,
    logLevel: 'info',
  });
});

test('in a pod, directories default to where pods mount them, and a named one wins', () => {
  expect(load({ LAYERCACHE_SERVICE: 'vision', LAYERCACHE_ADMIN_DIR: '/elsewhere' })).toMatchObject({
    service: 'vision',
    ...POD_PATHS,
    adminDir: '/elsewhere',
  });
});

test('what the API allows is no problem of the configuration, also where this image cannot do it', () => {
  expect(
    load({
      LAYERCACHE_BACKBONE_URI: 's3://models/resnet50/3',
      LAYERCACHE_BACKBONE_FORMAT: 'TFJSGraphModel',
      LAYERCACHE_TASK: 'Detection',
      LAYERCACHE_ENGINE: 'TFJSGPU',
      LAYERCACHE_COMPANIONS: '[{"name":"small","uri":"pvc://models/s.onnx"}]',
      LAYERCACHE_HEAD_STORE: 's3://heads/vision',
    }),
  ).toMatchObject({
    backboneUri: { kind: 'unread', scheme: 's3' },
    backboneFormat: 'TFJSGraphModel',
    task: 'Detection',
    engine: 'TFJSGPU',
    companions: [{ name: 'small', uri: { kind: 'claim', claim: 'models', path: 's.onnx' } }],
  });
});

test('on a card there is one worker, whatever the pod has of processors', () => {
  const threads = { LAYERCACHE_ENGINE_THREADS: '4', LAYERCACHE_ENGINE_LONE_THREADS: '2' };
  expect(load(threads)).toMatchObject({ engineThreads: 4, loneThreads: 2 });
  expect(load({ ...threads, LAYERCACHE_DEVICE: 'CPU' }).engineThreads).toBe(4);
  expect(load({ ...threads, LAYERCACHE_DEVICE: 'GPU' })).toMatchObject({
    engineThreads: 1,
    loneThreads: 1,
  });
});

test('a proxy counts in both spellings, an empty one does not', () => {
  expect(load({ HTTPS_PROXY: 'http://proxy:3128', no_proxy: '.svc' }).proxy).toEqual({
    url: 'http://proxy:3128',
    exceptions: '.svc',
  });
  expect(load({ HTTPS_PROXY: '' }).proxy.url).toBeNull();
});

test('the table of the README names every variable, and no other', () => {
  const readme = readFileSync(new URL('../../../server/README.md', import.meta.url), 'utf8');
  const table = readme.split('| --- | --- | --- |')[1]!.split('\n\n')[0]!;
  const named = [...table.matchAll(/^\| (`[A-Z_` ]+`) \|/gm)].flatMap((row) =>
    row[1]!.split(' ').map((name) => name.replaceAll('`', '')),
  );
  expect(named.toSorted()).toEqual(CONFIG_VARIABLES.toSorted());
});

test('units are read: sizes, durations, seconds, switches', () => {
  expect(
    load({
      LAYERCACHE_SAMPLE_MEMORY: '1Gi',
      LAYERCACHE_ENGINE_MEMORY: '2Gi',
      LAYERCACHE_DRAIN_DELAY: '1m30s',
      LAYERCACHE_EVIDENCE_WINDOW_SECONDS: '1',
      LAYERCACHE_EXIT_WITH_STDIN: 'true',
      LAYERCACHE_DATA_PORT: '0',
    }),
  ).toMatchObject({
    sampleMemoryBytes: 2 ** 30,
    engineMemoryBytes: 2 ** 31,
    drainDelayMs: 90_000,
    evidenceWindowMs: 1_000,
    exitWithStdin: true,
    dataPort: 0,
  });
});

test('a relative path is taken from the working directory', () => {
  expect(load({ LAYERCACHE_BACKBONE_URI: 'a/model.onnx' }).backboneUri).toEqual({
    kind: 'file',
    path: `${process.cwd()}/a/model.onnx`,
  });
});

describe('problems', () => {
  test.each([
    ['LAYERCACHE_MODEL_NAME', '../etc', /letters, digits/],
    ['LAYERCACHE_BACKBONE_URI', 'file://host/model.onnx', /file:\/\/\//],
    ['LAYERCACHE_BACKBONE_URI', 'pvc://claim/../x', /pvc:\/\/CLAIM\/PATH/],
    ['LAYERCACHE_BACKBONE_URI', 'https://', /URL such as/],
    ['LAYERCACHE_BACKBONE_FORMAT', 'onnx', /ONNX, TFJSGraphModel/],
    ['LAYERCACHE_COMPANIONS', '{', /JSON of the form/],
    ['LAYERCACHE_COMPANIONS', '{}', /JSON of the form/],
    ['LAYERCACHE_ALLOWED_HOSTS', 'https://host', /comma-separated/],
    ['LAYERCACHE_WARMUP_ITERATIONS', '101', /at most 100/],
    ['LAYERCACHE_BACKBONE_DIGEST', 'sha256:12', /64 hex digits/],
    ['LAYERCACHE_ENGINE', 'ort', /Auto, ONNX, TFJSGPU/],
    ['LAYERCACHE_DEVICE', 'gpu', /must be CPU or GPU/],
    ['LAYERCACHE_DATA_PORT', '-1', /port number/],
    ['LAYERCACHE_ADMIN_PORT', '65536', /at most 65535/],
    ['LAYERCACHE_ENGINE_THREADS', '0', /from 1 up/],
    ['LAYERCACHE_ENGINE_LONE_THREADS', '0', /from 1 up/],
    ['LAYERCACHE_ENGINE_THREADS', '2000', /at most 1024/],
    ['LAYERCACHE_SAMPLE_MEMORY', '256MB', /such as 256Mi/],
    ['LAYERCACHE_ENGINE_MEMORY', 'half', /such as 256Mi/],
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
        'LAYERCACHE_BACKBONE_URI is missing; set it to https://..., file:///path/to/model.onnx or a path.',
        'LAYERCACHE_DATA_PORT is "x" and must be a port number, 0 for a free one.',
      ],
    });
  });
});
