import { beforeAll, describe, expect, test } from 'vitest';
import type { Api } from '../../../operator/kube/api.ts';
import { createClient } from '../../../operator/kube/client.ts';
import { systemKubeClock } from '../../../operator/kube/clock.ts';
import { loadAccess } from '../../../operator/kube/cluster-access.ts';
import { answersAsText, holdTalk, TALKS } from '../../support/api-conformance.ts';
import type { Answers } from '../../support/api-conformance-talker.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { installDefinitions } from '../kube/definitions.ts';

const plane = await sharedControlPlane();

describe.skipIf(plane.unavailable !== null)('the real API server', () => {
  const answers = new Map<string, Answers>();
  let api: Api;

  beforeAll(async () => {
    await installDefinitions(plane);
    const access = loadAccess({ from: 'File', path: plane.kubeconfigPath });
    api = createClient({ access, clock: systemKubeClock, budget: null });
    return () => {
      access.close();
    };
  });

  test.each(TALKS)('$rule', async (talk) => {
    const { name } = await plane.namespace();
    answers.set(talk.rule, await holdTalk(talk, api, name));
  });

  test('answers all talks as the simulation is held to', async () => {
    expect(answers.size).toBe(TALKS.length);
    await expect(answersAsText(answers)).toMatchFileSnapshot('../../golden/kube/conformance.json');
  });
});
