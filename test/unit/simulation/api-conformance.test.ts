import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { answersAsText, holdTalk, TALKS } from '../../support/api-conformance.ts';
import { systemKubeClock } from '../../../operator/kube/clock.ts';
import { createSimulatedCluster } from '../../support/simulated-api.ts';

const GOLDEN = new URL('../../golden/kube/conformance.json', import.meta.url);
const real = JSON.parse(readFileSync(GOLDEN, 'utf8')) as Readonly<Record<string, unknown>>;

describe('the simulated API answers as the real one:', () => {
  test.each(TALKS)('$rule', async (talk) => {
    const cluster = createSimulatedCluster({ clock: systemKubeClock });
    cluster.addNamespace('ns-of-talk');
    const answers = await holdTalk(talk, cluster.client('talker'), 'ns-of-talk');
    const text = answersAsText(new Map([[talk.rule, answers]]));
    expect(JSON.parse(text)).toEqual({ [talk.rule]: real[talk.rule] });
  });

  test('and no rule of the golden file is without its talk', () => {
    expect(Object.keys(real).toSorted()).toEqual(TALKS.map(({ rule }) => rule).toSorted());
  });
});
