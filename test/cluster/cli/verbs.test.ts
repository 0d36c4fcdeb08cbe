import { beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../operator/kube/api.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { runCli } from '../../support/run-cli.ts';
import {
  aCondition,
  ALARM,
  aServiceObject,
  CANDIDATE_NAME,
  RAMPING,
  SERVING,
} from '../../support/service-objects.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { answerWhen } from './answering-operator.ts';
import { storeService, storeStatus } from './stored-service.ts';

const plane = await sharedControlPlane();

describe.skipIf(plane.unavailable !== null)('asking a service for something', () => {
  beforeAll(() => installDefinitions(plane));

  async function aStored(status: Record<string, unknown>, spec: Record<string, unknown> = {}) {
    const { name: namespace } = await plane.namespace();
    await storeService(plane, namespace, aServiceObject({ status, spec }));
    const place = { namespace, name: 'vision' };
    return {
      place,
      run: (...words: string[]) => runCli(plane.kubeconfigPath, [...words, '-n', namespace]),
      live: async () => {
        const path = `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices/vision`;
        return (await plane.request({ path })).body as KubeObject;
      },
    };
  }

  const isRequest = (annotations: Readonly<Record<string, string>>): boolean =>
    annotations['layercache.io/request'] !== undefined;
  const answered =
    (result: string, message: string) => (annotations: Readonly<Record<string, string>>) => ({
      ...RAMPING,
      request: { value: annotations['layercache.io/request'], result, message },
    });

  test('promote and abort name the candidate, leave the spec alone and tell what became of it', async () => {
    const service = await aStored(RAMPING);
    const before = (await service.live()).spec;
    for (const verb of ['promote', 'abort']) {
      const [outcome] = await Promise.all([
        service.run('rollout', verb, 'vision'),
        answerWhen(
          plane,
          service.place,
          (found) => isRequest(found) && found['layercache.io/request']!.startsWith(verb),
          answered('Done', `The ${verb} is done.`),
        ),
      ]);
      expect(outcome).toEqual({ out: `The ${verb} is done.\n`, err: '', exitCode: 0 });
    }
    const { metadata, spec } = await service.live();
    expect(metadata.annotations?.['layercache.io/request']).toMatch(
      new RegExp(`^abort:${CANDIDATE_NAME}:\\d{4}-\\d\\d-\\d\\dT\\d{6}Z$`),
    );
    expect(spec).toEqual(before);
  });

  test('a promotion without a certificate is refused, with 4', async () => {
    const service = await aStored(RAMPING);
    const [outcome] = await Promise.all([
      service.run('rollout', 'promote', 'vision'),
      answerWhen(
        plane,
        service.place,
        isRequest,
        answered('Refused', 'The candidate has no certificate yet: nothing uncertified serves.'),
      ),
    ]);
    expect(outcome.exitCode).toBe(4);
    expect(outcome.err).toContain('The operator refused the request (promote:');
    expect(outcome.err).toContain('nothing uncertified serves.');
    expect(outcome.err).toContain('[RequestRefused]');
  });

  test('nothing is written when there is no candidate, and a silent operator is told as such', async () => {
    const idle = await aStored(SERVING);
    const none = await idle.run('rollout', 'abort', 'vision');
    expect(none).toMatchObject({ out: '', exitCode: 4 });
    expect(none.err).toContain('[NoCandidate]');
    expect((await idle.live()).metadata.annotations).toBeUndefined();

    const silent = await aStored(RAMPING);
    const late = await silent.run('rollout', 'promote', 'vision', '--timeout', '600ms');
    expect(late).toMatchObject({ out: '', exitCode: 3 });
    expect(late.err).toContain('[RequestUnanswered]');
  });

  test('pause and resume hold a step by annotation, and wait until the operator says so', async () => {
    const service = await aStored(RAMPING);
    const held = {
      ...RAMPING,
      conditions: [aCondition('RolloutSucceeded', 'Unknown', 'Paused', 'Paused by request.')],
    };
    const [paused] = await Promise.all([
      service.run('rollout', 'pause', 'vision'),
      answerWhen(
        plane,
        service.place,
        (found) => found['layercache.io/rollout'] === 'paused',
        () => held,
      ),
    ]);
    expect(paused).toMatchObject({
      out: 'The step is held; disagreement still aborts it.\n',
      exitCode: 0,
    });
    const [resumed] = await Promise.all([
      service.run('rollout', 'resume', 'vision'),
      answerWhen(
        plane,
        service.place,
        (found) => found['layercache.io/rollout'] === undefined,
        () => RAMPING,
      ),
    ]);
    expect(resumed).toMatchObject({ out: 'The rollout goes on.\n', exitCode: 0 });
  });

  test('resume does not touch a spec that says paused', async () => {
    const service = await aStored(RAMPING, { rollout: { paused: true } });
    const outcome = await service.run('rollout', 'resume', 'vision');
    expect(outcome.exitCode).toBe(4);
    expect(outcome.err).toContain('Set spec.rollout.paused to false.');
  });

  test('exits go off for a while by annotation and on again by its removal', async () => {
    const service = await aStored(SERVING);
    const conditionsOf = (...more: Record<string, unknown>[]) => [
      aCondition('PolicyApplied', 'True', 'AllReplicas', '2 of 2 pods acknowledged policy 3.18.'),
      ...more,
    ];
    const off = {
      ...SERVING,
      conditions: conditionsOf(aCondition('ExitsActive', 'False', 'Disabled', 'By annotation.')),
    };
    const [first] = await Promise.all([
      service.run('exits', 'off', 'vision', '--for', '1h'),
      answerWhen(
        plane,
        service.place,
        (found) => (found['layercache.io/exits'] ?? '').startsWith('off until '),
        () => off,
      ),
    ]);
    expect(first.exitCode).toBe(0);
    expect(first.out).toMatch(
      /^Exits are off until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: the backbone answers everything/,
    );
    const [second] = await Promise.all([
      service.run('exits', 'on', 'vision'),
      answerWhen(
        plane,
        service.place,
        (found) => found['layercache.io/exits'] === undefined,
        () => SERVING,
      ),
    ]);
    expect(second).toMatchObject({ exitCode: 0 });
    expect(second.out).toContain('Exits are on (Serving): Exits early, late may answer');
  });

  test('exits on only withdraws an off: an alarm keeps them off', async () => {
    const service = await aStored(ALARM);
    const { out, exitCode } = await service.run('exits', 'on', 'vision');
    expect(exitCode).toBe(0);
    expect(out).toContain('No request had switched them off. Exits are off (Alarm)');
  });

  test('a rollout is followed to its end, whose kind is the exit code', async () => {
    const service = await aStored(RAMPING);
    const ended = {
      ...SERVING,
      conditions: [aCondition('RolloutSucceeded', 'False', 'Aborted', 'LatencyP99 failed twice.')],
    };
    let told = '';
    const stderr = { write: (text: string) => void (told += text), columns: undefined };
    const words = ['rollout', 'status', 'vision', '--watch', '-n', service.place.namespace];
    const [outcome] = await Promise.all([
      runCli(plane.kubeconfigPath, words, { stderr }),
      // Only once it has been seen to ramp.
      eventually(() => {
        expect(told).toContain('Ramping: step 2 of 4, 25% of the traffic\n');
      }, 20_000).then(() => storeStatus(plane, service.place, ended)),
    ]);
    expect(outcome.exitCode).toBe(4);
    expect(told).toContain('Aborted: LatencyP99 failed twice.\n');
    expect(outcome.out).toContain('LatencyP99 failed twice.');
  });
});
