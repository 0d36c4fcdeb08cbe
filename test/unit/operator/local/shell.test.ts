import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serializeAcknowledgement } from '../../../../crds/wire/acknowledgement.ts';
import { serializeEvidenceAnswer } from '../../../../crds/wire/evidence.ts';
import { encodeHeadBundle } from '../../../../crds/wire/head-bundle.ts';
import { parsePolicy, serializePolicy } from '../../../../crds/wire/policy.ts';
import { serializeServerState } from '../../../../crds/wire/state.ts';
import type { AdminCall } from '../../../../operator/fleet/admin-client.ts';
import { verifyBundle } from '../../../../operator/fleet/pull-bundle.ts';
import { emptyLedger } from '../../../../operator/lifecycle/ledger.ts';
import type { PodReport, PolicyContent } from '../../../../operator/lifecycle/types.ts';
import { createEvidenceFeed } from '../../../../operator/local/evidence-feed.ts';
import { createHeadStore } from '../../../../operator/local/head-store.ts';
import { createPolicyPress } from '../../../../operator/local/policy-press.ts';
import { prepareBackbone } from '../../../../operator/local/prepare-backbone.ts';
import { startChild } from '../../../../operator/local/processes/child.ts';
import type { ServerProcess } from '../../../../operator/local/processes/server-process.ts';
import { openStateFolder } from '../../../../operator/local/state-folder.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import {
  aBundle,
  anAcknowledgement,
  anAnswer,
  aPolicy,
  aState,
  aTrack,
  aWindow,
  DIGEST_A,
} from '../../crds/documents.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFile } from './traffic/files.ts';

const bytes = encodeHeadBundle(aBundle());
const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function verified() {
  const bundle = verifyBundle(bytes, digest);
  if (!bundle.ok) throw new Error(bundle.message);
  return bundle.value;
}

const aFolder = (): string => temporaryFolder('layercache-state-');

/** A server whose admin port answers by path. */
function aServer(answers: Record<string, string>, podUid = 'pod-1') {
  const calls: AdminCall[] = [];
  const server = {
    podUid,
    child: { hasEnded: false },
    admin: {
      baseUrl: 'http://pod',
      call: (call: AdminCall) => {
        calls.push(call);
        const body = answers[call.path.split('?')[0] ?? ''];
        return Promise.resolve(
          body === undefined
            ? { ok: false, code: 'NoAnswer', message: 'silent' }
            : { ok: true, value: { status: 200, body: Buffer.from(body) } },
        );
      },
    },
  } as unknown as ServerProcess;
  return { server, calls };
}

function aReport(changes: Partial<PodReport> = {}): PodReport {
  return {
    podUid: 'pod-1',
    bootId: 'boot-1',
    ready: true,
    acknowledgement: null,
    windows: [],
    droppedSeqs: [],
    oldestSeq: 1,
    samples: { long: 0, recent: 0, seen: 0 },
    exitsEnabled: false,
    costs: null,
    ...changes,
  };
}

describe('policies', () => {
  const content: PolicyContent = aPolicy({
    stable: aTrack({ headRevision: digest }),
    candidate: null,
  });
  const accepting = {
    '/v1/policy': serializeAcknowledgement(anAcknowledgement()),
    [`/v1/heads/${digest.slice(7)}`]: '{}',
  };

  function aPress(answers: Record<string, string>) {
    const { server, calls } = aServer(answers);
    const problems: string[] = [];
    const store = createHeadStore(null);
    store.add(verified());
    const press = createPolicyPress({
      servers: [server],
      store,
      epoch: 4,
      logLevel: 'Info',
      onProblem: (text) => problems.push(text),
    });
    return { press, calls, problems };
  }

  test('get the next number when their content changes, and keep it when not', () => {
    const { press } = aPress({});
    const first = press.number(content);
    expect([first.policy.epoch, first.policy.revision, first.isNew]).toEqual([4, 1, true]);
    expect(press.number({ ...content })).toEqual({ policy: first.policy, isNew: false });
    expect(press.number({ ...content, auditRate: 0.5 }).policy.revision).toBe(2);
  });

  test('that name an agreement are of the version that says it, with the log level of the manifest', () => {
    const { press } = aPress({});
    const { policy } = press.number({ ...content, agreement: 'F1' });
    expect(policy).toMatchObject({
      ...{ schemaVersion: 4, agreement: 'F1' },
      limits: { logLevel: 'Info' },
    });
    expect(parsePolicy(serializePolicy(policy)).ok).toBe(true);
    expect(press.number(content).policy.schemaVersion).toBe(content.schemaVersion);
  });

  test('are pushed after the heads that they name', async () => {
    const { press, calls } = aPress(accepting);
    const { policy } = press.number(content);
    await press.push(policy, [aReport()]);
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `PUT /v1/heads/${digest.slice(7)}`,
      'PUT /v1/policy',
    ]);
    expect(parsePolicy(String(calls[1]?.body))).toEqual({ ok: true, value: policy });
  });

  test('are not pushed again to a server that has them and their heads', async () => {
    const { press, calls } = aPress(accepting);
    const { policy } = press.number(content);
    const inForce = anAcknowledgement({ epoch: 4, revision: 1, headRevisions: [digest] });
    await press.push(policy, [aReport({ acknowledgement: inForce })]);
    expect(calls).toEqual([]);
    const withoutHeads = { ...inForce, headRevisions: [] };
    await press.push(policy, [aReport({ acknowledgement: withoutHeads })]);
    expect(calls).toHaveLength(2);
  });

  test('that a server refuses are reported', async () => {
    const rejected = anAcknowledgement({
      result: 'Rejected',
      reason: 'CertificateRejected',
      message: 'the counts do not support it',
    });
    const { press, problems } = aPress({
      ...accepting,
      '/v1/policy': serializeAcknowledgement(rejected),
    });
    await press.push(press.number(content).policy, [aReport()]);
    expect(problems).toEqual(['pod-1 refused the policy: the counts do not support it']);
  });

  test('wait when the heads cannot be stored', async () => {
    const { press, calls, problems } = aPress({ '/v1/policy': accepting['/v1/policy'] });
    await press.push(press.number(content).policy, [aReport()]);
    expect([calls.length, problems]).toEqual([1, ['silent']]);
  });
});

describe('evidence', () => {
  function aFeed(answers: Record<string, string>) {
    const { server, calls } = aServer(answers);
    const clock = fakeClock();
    const seen = { windows: [] as number[], problems: [] as string[] };
    const feed = createEvidenceFeed({
      servers: [{ server, state: aState() }],
      clock,
      onWindow: ({ seq }) => seen.windows.push(seq),
      onProblem: (text) => seen.problems.push(text),
    });
    return { feed, calls, clock, seen };
  }

  test('is read once: the next pull asks for what came after', async () => {
    const { feed, calls, seen } = aFeed({ '/v1/evidence': serializeEvidenceAnswer(anAnswer()) });
    await feed.pull();
    await feed.pull();
    expect(calls.map(({ path }) => path)).toEqual([
      '/v1/evidence?after=0&close=true',
      '/v1/evidence?after=6&close=true',
    ]);
    expect(seen.windows.slice(0, 2)).toEqual([5, 6]);
    expect(feed.reports()[0]?.oldestSeq).toBe(5);
  });

  test('is kept until the ledger has it', async () => {
    const { feed } = aFeed({ '/v1/evidence': serializeEvidenceAnswer(anAnswer()) });
    await feed.pull();
    feed.dropConsumed(new Map([['pod-1 boot-1', 5]]));
    expect(feed.reports()[0]?.windows.map(({ seq }) => seq)).toEqual([6]);
    feed.dropConsumed(new Map([['pod-1 other', 9]]));
    expect(feed.reports()[0]?.windows).toHaveLength(1);
  });

  test('that breaks the laws is dropped and its number told', async () => {
    const bad = aWindow({ seq: 6, grid: { ...aWindow().grid, n: 0 } });
    const text = JSON.stringify({
      ...JSON.parse(serializeEvidenceAnswer(anAnswer({ windows: [aWindow()] }))),
    });
    const answer = JSON.parse(text) as { windows: object[] };
    answer.windows.push({ ...answer.windows[0], seq: 6, grid: bad.grid });
    const { feed, seen } = aFeed({ '/v1/evidence': JSON.stringify(answer) });
    await feed.pull();
    expect(feed.reports()[0]?.droppedSeqs).toEqual([6]);
    expect(seen.problems[0]).toContain('evidence window 6 of pod-1 is dropped');
  });

  test('of a silent server is no data, and after 90 s neither is its acknowledgement', async () => {
    const { feed, clock, seen } = aFeed({});
    await feed.pull();
    await feed.refreshStates();
    expect(seen.problems).toEqual([
      'pod-1 did not tell its evidence and is asked again: silent',
      'pod-1 did not tell its state and is asked again: silent',
    ]);
    expect(feed.reports()[0]?.acknowledgement).not.toBeNull();
    clock.advance(90_000);
    expect(feed.reports()[0]?.acknowledgement).toBeNull();
  });

  test('of a process that was started again is counted from its first window', async () => {
    const answers: Record<string, string> = {
      '/v1/evidence': serializeEvidenceAnswer(anAnswer()),
      '/v1/state': serializeServerState(aState()),
    };
    const { feed, calls, seen } = aFeed(answers);
    await feed.pull();
    const acknowledgement = anAcknowledgement({ bootId: 'boot-2' });
    const windows = anAnswer().windows.map((window) => ({ ...window, bootId: 'boot-2' }));
    answers['/v1/evidence'] = serializeEvidenceAnswer(
      anAnswer({ bootId: 'boot-2', acknowledgement, windows }),
    );
    answers['/v1/state'] = serializeServerState(aState({ bootId: 'boot-2', acknowledgement }));
    await feed.pull();
    expect(calls.map(({ path }) => path).slice(1)).toEqual([
      '/v1/evidence?after=6&close=true',
      '/v1/state',
      '/v1/evidence?after=0&close=true',
    ]);
    expect(seen.windows.slice(0, 4)).toEqual([5, 6, 5, 6]);
    const [report] = feed.reports();
    expect([report?.bootId, report?.windows.every(({ bootId }) => bootId === 'boot-2')]).toEqual([
      'boot-2',
      true,
    ]);
  });

  test('comes with the newest state', async () => {
    const state = aState({ samples: { long: 7, recent: 7, seen: 7 } });
    const { feed } = aFeed({ '/v1/state': serializeServerState(state) });
    await feed.refreshStates();
    expect([feed.states[0]?.samples.long, feed.reports()[0]?.samples.long]).toEqual([7, 7]);
  });
});

describe('--state', () => {
  test('resumes ledger and heads under a higher epoch', () => {
    const folder = aFolder();
    const first = openStateFolder(folder, DIGEST_A);
    createHeadStore(first.bundleFolder).add(verified());
    first.store(emptyLedger());
    const second = openStateFolder(folder, DIGEST_A);
    expect([first.epoch, second.epoch]).toEqual([1, 2]);
    expect(second.ledger).toEqual(emptyLedger());
    expect([...createHeadStore(second.bundleFolder).bundles().keys()]).toEqual([digest]);
    expect(createHeadStore(second.bundleFolder).bytes(digest)).toEqual(Buffer.from(bytes));
  });

  test('without a folder keeps everything in memory', () => {
    const state = openStateFolder(null, DIGEST_A);
    state.store(state.ledger);
    expect([state.epoch, state.bundleFolder]).toEqual([1, null]);
  });

  test('takes no broken head bundle', () => {
    const folder = aFolder();
    const { bundleFolder } = openStateFolder(folder, DIGEST_A);
    createHeadStore(bundleFolder).add(verified());
    const [file = ''] = readdirSync(bundleFolder ?? '');
    const path = join(bundleFolder ?? '', file);
    writeFileSync(path, readFileSync(path).subarray(1));
    writeFileSync(join(bundleFolder ?? '', 'notes.txt'), 'x');
    expect(createHeadStore(bundleFolder).bundles().size).toBe(0);
  });

  test.each([
    [
      'of another backbone',
      (folder: string) => void openStateFolder(folder, 'sha256:other'),
      'it belongs to the backbone sha256:other',
    ],
    [
      'with a ledger that cannot be read',
      (folder: string) => {
        openStateFolder(folder, DIGEST_A);
        writeFileSync(join(folder, 'ledger.json'), '{"schemaVersion":9}');
      },
      '[StateUnusable]',
    ],
    [
      'with a state that cannot be read',
      (folder: string) => {
        writeFileSync(join(folder, 'state.json'), '{');
      },
      '[StateUnusable]',
    ],
  ])('%s is refused with what to do', (_, prepare, why) => {
    const folder = aFolder();
    prepare(folder);
    expect(() => openStateFolder(folder, DIGEST_A)).toThrow(why);
  });
});

describe('a child process', () => {
  const script = (text: string) =>
    startChild({ name: 'child', program: temporaryFile('child.mjs', text), environment: {} });

  test('is heard by its log lines', async () => {
    const child = script(
      "console.log('plain'); console.log(JSON.stringify({ msg: 'listening', dataPort: 7 })); process.stdin.resume();",
    );
    expect(await child.waitFor('listening', 10_000)).toMatchObject({ dataPort: 7 });
    expect(await child.waitFor('listening', 0)).toMatchObject({ dataPort: 7 });
    expect(await child.waitFor('ready', 10)).toBeNull();
    expect(await child.stop(5_000)).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('that ends first is not waited for, and its last words are kept', async () => {
    const child = script("console.error('no such model'); process.exit(3);");
    expect(await child.waitFor('ready', 10_000)).toBeNull();
    expect(await child.ended).toEqual({ code: 3, signal: null });
    expect([child.tail(), child.hasEnded]).toEqual(['no such model', true]);
    expect(await child.stop(1)).toEqual({ code: 3, signal: null });
    expect(await child.waitFor('ready', 10_000)).toBeNull();
  });

  test('that ignores SIGTERM is killed after the deadline', async () => {
    const child = script(
      'process.on(\'SIGTERM\', () => {}); console.log(\'{"msg":"up"}\'); setInterval(() => {}, 1000);',
    );
    await child.waitFor('up', 10_000);
    expect(await child.stop(100)).toEqual({ code: null, signal: 'SIGKILL' });
  });
});

describe('a backbone', () => {
  const path = temporaryFile('model.onnx', 'hello');
  const folder = join(path, '..');
  const sha256 = `sha256:${createHash('sha256').update('hello').digest('hex')}`;

  test.each(['model.onnx', 'file:model.onnx', `file://${path}`, path])(
    'at %s is found',
    async (uri) => {
      expect(await prepareBackbone({ uri }, folder, 'svc.yaml')).toEqual({ path, digest: sha256 });
    },
  );

  test.each([
    [
      { uri: 'https://x/model.onnx' },
      'local mode reads files only. Download the model and write file:PATH. [BackboneFetchFailed]',
    ],
    [{ uri: 'missing.onnx' }, 'missing.onnx does not exist.'],
    [{ uri: folder }, 'it is a folder without a model.json or saved_model.pb.'],
    [{ uri: path, digest: 'sha256:0' }, `it has ${sha256}, and the manifest names sha256:0.`],
  ])('%j is refused', async (backbone, why) => {
    await expect(prepareBackbone(backbone, folder, 'svc.yaml')).rejects.toThrow(why);
  });
});
