import { createHash } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { pino, type Logger } from 'pino';
import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import { encodeHeadBundle } from '../../crds/wire/head-bundle.ts';
import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import { parseAcknowledgement } from '../../crds/wire/acknowledgement.ts';
import type { EvidenceAnswer } from '../../crds/wire/evidence.ts';
import { parseEvidenceAnswer } from '../../crds/wire/evidence.ts';
import type { Policy, PolicyCandidate, PolicyTrack } from '../../crds/wire/policy.ts';
import type { ServerState } from '../../crds/wire/state.ts';
import { parseServerState } from '../../crds/wire/state.ts';
import type { Clock } from '../../server/clock.ts';
import { systemClock } from '../../server/clock.ts';
import type { ServerConfig } from '../../server/config.ts';
import { loadConfig } from '../../server/config.ts';
import type { RunningServer } from '../../server/create-server.ts';
import { createCompanions } from '../../server/create-companions.ts';
import { createStudents } from '../../server/students.ts';
import { createServer } from '../../server/create-server.ts';
import { createLoadProgress, type LoadProgress } from '../../server/backbone/load-progress.ts';
import type { ServerMetrics } from '../../server/server-metrics.ts';
import { DEFAULT_LIMITS } from '../../server/serving.ts';
import type { EngineClient } from '../../server/engine/engine-client.ts';
import type { ModelNotes } from '../../server/engine/model-notes.ts';
import { NO_NOTES } from '../../server/engine/model-notes.ts';
import type { ImageDecoder } from '../../server/image/image-decoder.ts';
import type { FakeEngine } from './fake-engine.ts';
import { FAKE_CLASSES, FAKE_DIGEST, createFakeEngine } from './fake-engine.ts';
import { silentMetrics } from './silent-metrics.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

const agent = new Agent({ keepAlive: true, maxSockets: 512 });

export interface Sent {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export function send(port: number, path: string, sent: Sent = {}): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, body, signal } = sent;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const outgoing = httpRequest(
      {
        agent,
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: { ...length, ...headers },
        ...(signal === undefined ? {} : { signal }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export const MODEL = 'digits';
export const INFER = `/v2/models/${MODEL}/infer`;

/** [backbone class, score of exit 0, score of exit 1, code], see fake-engine.ts. */
export type Row = readonly [number, number, number, number];

export const EASY: Row = [0, 0.99999, 0.99999, 0];
export const HARD: Row = [1, 0.1, 0.1, 0];

export function inferBody(rows: readonly Row[], more: object = {}): string {
  const data = rows.flat();
  return JSON.stringify({
    inputs: [{ name: 'input', shape: [rows.length, 4], datatype: 'FP32', data }],
    ...more,
  });
}

export interface InferAnswer {
  readonly id?: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly outputs: readonly { name: string; shape: number[]; data: (number | null)[] }[];
}

export interface ServerOnEngine<E extends EngineClient> {
  readonly engine: E;
  readonly server: RunningServer;
  readonly data: number;
  readonly admin: number;
  readonly metrics: number;
  infer(rows: readonly Row[], more?: object, headers?: OutgoingHttpHeaders): Promise<HttpAnswer>;
  /** Expects 200. */
  ask(rows: readonly Row[], more?: object, headers?: OutgoingHttpHeaders): Promise<InferAnswer>;
  apply(policy: Policy): Promise<Acknowledgement>;
  push(bundle: HeadBundle): Promise<string>;
  state(): Promise<ServerState>;
  /** Closes the open windows first. */
  evidence(after?: number): Promise<EvidenceAnswer>;
  close(): Promise<void>;
}

export type TestServer = ServerOnEngine<FakeEngine>;

export interface TestServerOptions {
  readonly engine?: FakeEngine;
  readonly clock?: Clock;
  readonly metrics?: ServerMetrics;
  readonly environment?: Readonly<Record<string, string>>;
  readonly isStarted?: boolean;
  readonly notes?: ModelNotes;
  /** @defaultValue one that nothing may ask */
  readonly images?: ImageDecoder;
  readonly progress?: LoadProgress;
  /** @defaultValue a silent one */
  readonly log?: Logger;
}

export function testConfig(environment: Readonly<Record<string, string>> = {}): ServerConfig {
  const config = loadConfig({
    LAYERCACHE_MODEL_NAME: MODEL,
    LAYERCACHE_BACKBONE_URI: '/models/fake.onnx',
    LAYERCACHE_DATA_PORT: '0',
    LAYERCACHE_ADMIN_PORT: '0',
    LAYERCACHE_METRICS_PORT: '0',
    LAYERCACHE_BIND_HOST: '127.0.0.1',
    LAYERCACHE_POD_UID: 'pod-1',
    LAYERCACHE_EVIDENCE_WINDOW_SECONDS: '3600',
    LAYERCACHE_DRAIN_DELAY: '0s',
    ...environment,
  });
  if (!config.ok) throw new Error(config.problems.join('\n'));
  return config.value;
}

const NO_IMAGES: ImageDecoder = {
  decode: () => Promise.reject(new Error('a picture reached the decoder')),
  close: () => undefined,
};

/** A whole server on loopback with a fake engine; close it at the end of the test. */
export function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  return startServerOn(options.engine ?? createFakeEngine(), options);
}

/** A whole server on loopback on the given engine; close it at the end of the test. */
export async function startServerOn<E extends EngineClient>(
  engine: E,
  options: Omit<TestServerOptions, 'engine'>,
): Promise<ServerOnEngine<E>> {
  const config = testConfig(options.environment);
  const log = options.log ?? pino({ level: 'silent' });
  const server = await createServer({
    config,
    engine,
    companions: createCompanions(config, { engine, log, backbonePath: () => null }),
    students: createStudents({ engine, cacheDir: config.cacheDir, backbonePath: () => null }),
    clock: options.clock ?? systemClock,
    log,
    metrics: options.metrics ?? silentMetrics,
    version: '0.1.0',
    notes: () => options.notes ?? NO_NOTES,
    images: options.images ?? NO_IMAGES,
    progress: options.progress ?? createLoadProgress(),
  });
  if (options.isStarted !== false) await server.start();
  const { dataPort: data, adminPort: admin, metricsPort: metrics } = server.ports;
  const infer: ServerOnEngine<E>['infer'] = (rows, more, headers = {}) =>
    send(data, INFER, { method: 'POST', headers, body: inferBody(rows, more) });

  return {
    engine,
    server,
    data,
    admin,
    metrics,
    infer,
    ask: async (rows, more, headers) => {
      const answer = await infer(rows, more, headers);
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body.toString()}`);
      return JSON.parse(answer.body.toString()) as InferAnswer;
    },
    apply: async (policy) => {
      const answer = await send(admin, '/v1/policy', {
        method: 'PUT',
        body: JSON.stringify(policy),
      });
      return unwrap(parseAcknowledgement(answer.body.toString()));
    },
    push: async (bundle) => {
      const bytes = encodeHeadBundle(bundle);
      const headRevision = digestOf(bytes);
      const answer = await send(admin, `/v1/heads/${headRevision}`, { method: 'PUT', body: bytes });
      if (answer.status >= 300) throw new Error(answer.body.toString());
      return headRevision;
    },
    state: async () => unwrap(parseServerState((await send(admin, '/v1/state')).body.toString())),
    evidence: async (after = 0) => {
      const answer = await send(admin, `/v1/evidence?after=${after}&close=true`);
      const read = unwrap(parseEvidenceAnswer(answer.body.toString()));
      if (read.droppedWindows.length > 0) throw new Error(JSON.stringify(read.droppedWindows));
      return read.answer;
    },
    close: () => server.close(),
  };
}

function unwrap<T>(result: { ok: true; value: T } | { ok: false; message: string }): T {
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A bundle for the fake backbone: exits `early` on cut_a and `late` on cut_b; `mark` is the temperature of both heads. */
export function fakeBundle(mark: number): HeadBundle {
  const head = (exit: string, tensor: string) => ({
    exit,
    tensor,
    modelDigest: null,
    pool: 1 as const,
    hidden: 0 as const,
    featureCount: 2,
    mean: new Float32Array(2),
    scale: new Float32Array([1, 1]),
    w1: {
      type: 'float16' as const,
      rows: 2,
      columns: FAKE_CLASSES,
      values: new Uint16Array(2 * FAKE_CLASSES),
    },
    b1: new Float32Array(FAKE_CLASSES),
    w2: null,
    b2: null,
    score: { features: ['logitMax' as const], mean: [0], scale: [1], weights: [1], intercept: 0 },
    temperature: mark,
    knownAnswers: {
      seed: 1,
      classes: new Array<number>(16).fill(0),
      scoreLogits: new Array<number>(16).fill(0),
    },
  });
  return {
    schemaVersion: 1,
    backboneDigest: FAKE_DIGEST,
    classCount: FAKE_CLASSES,
    heads: [head('early', 'cut_a'), head('late', 'cut_b')],
    training: {
      trainerVersion: '0.1.0',
      seed: 1,
      sampleDigest: FAKE_DIGEST,
      costDigest: FAKE_DIGEST,
      trainingRows: 100,
      validationRows: 20,
      validationDisagreements: 0,
      samplesUntil: [],
      exits: ['early', 'late'].map((exit) => ({ exit, auroc: 0.9, agreement: 0.9, coverage: 0.5 })),
      parent: null,
    },
  };
}

/** A certificate that holds at 1 % and 95 %: no disagreement in 1,000 audits, first attempt, first look. */
export const GOOD_CERTIFICATE = {
  audits: 1000,
  disagreements: 0,
  dispersion: 1,
  attempt: 1,
  look: 1,
  backboneDigest: FAKE_DIGEST,
};

export function aTrack(headRevision: string, more: Partial<PolicyTrack> = {}): PolicyTrack {
  return {
    headRevision,
    lambdaIndex: 60,
    certificate: GOOD_CERTIFICATE,
    activeExits: ['early', 'late'],
    ...more,
  };
}

export function aCandidate(
  headRevision: string,
  share: number,
  more: Partial<PolicyCandidate> = {},
): PolicyCandidate {
  return { ...aTrack(headRevision), share, stage: 'Ramping', ...more };
}

export function aPolicy(more: Partial<Policy> = {}): Policy {
  return {
    schemaVersion: 1,
    epoch: 1,
    revision: 1,
    model: MODEL,
    backboneDigest: FAKE_DIGEST,
    exitsEnabled: true,
    budget: 0.01,
    confidence: 0.95,
    exits: [
      { name: 'early', tensor: 'cut_a', mode: 'Active' },
      { name: 'late', tensor: 'cut_b', mode: 'Active' },
    ],
    stable: null,
    candidate: null,
    auditRate: 0,
    maxAgeSeconds: 300,
    limits: DEFAULT_LIMITS,
    ...more,
  };
}
