import { describe, expect, test } from 'vitest';
import { checkClocks, checkNodeClocks } from '../../../../operator/commands/doctor/check-clocks.ts';
import {
  checkDefinition,
  ownDefinitions,
} from '../../../../operator/commands/doctor/check-definitions.ts';
import { checkMonitoring } from '../../../../operator/commands/doctor/check-monitoring.ts';
import {
  checkOperators,
  type OperatorFacts,
} from '../../../../operator/commands/doctor/check-operator.ts';
import { checkRights, WANTED_RIGHTS } from '../../../../operator/commands/doctor/check-rights.ts';
import { checkService } from '../../../../operator/commands/doctor/check-service.ts';
import { ok } from '../../../../operator/commands/doctor/finding.ts';
import { renderFindings } from '../../../../operator/commands/doctor/render-findings.ts';
import { createPaint } from '../../../../operator/commands/output/paint.ts';
import { readServiceView } from '../../../../operator/commands/service/read-service-view.ts';
import { aServingLedger } from '../../../support/ledger-builders.ts';
import { aCondition, aServiceObject, NOW_MS, SERVING } from '../../../support/service-objects.ts';

const CRD = 'cachedmodelservices.layercache.io';
const operator: OperatorFacts = {
  namespace: 'layercache-system',
  name: 'layercache-operator',
  readyReplicas: 1,
  version: '0.1.0',
  renewedMs: NOW_MS - 2_000,
  leaseSeconds: 15,
};
const at = { version: '0.1.0', serverMs: NOW_MS };
const serving = readServiceView(aServiceObject({ status: SERVING }));
const rated = (rowsPerSecond: number | null) =>
  aServingLedger({ traffic: { rowsPerSecond, auditRate: 0.02 } });
const statesOf = (findings: readonly { readonly state: string }[]) =>
  findings.map(({ state }) => state);

test('a clock may differ by half a minute', () => {
  expect(checkClocks(NOW_MS, NOW_MS - 30_000).state).toBe('Ok');
  expect(checkClocks(NOW_MS, NOW_MS - 31_000)).toMatchObject({
    state: 'Finding',
    text: 'this machine is 31 s ahead of the API server',
  });
  expect(checkClocks(NOW_MS, NOW_MS + 40_000).text).toContain('40 s behind');
  expect(checkClocks(NOW_MS, null).state).toBe('Unknown');
});

describe('clocks of nodes', () => {
  const at = (seconds: number) =>
    checkNodeClocks(
      [
        { node: 'a', renewedMs: NOW_MS - 9_000 },
        { node: 'b', renewedMs: NOW_MS + seconds * 1000 },
      ],
      NOW_MS,
    );

  test('are well within half a minute ahead, and a minute behind for those that renew slowly', () => {
    expect([...at(30), ...at(-60)].map(({ state }) => state)).toEqual(['Ok', 'Ok']);
  });

  test('that are further away are told by their node', () => {
    expect(at(31)[0]?.text).toBe('the clock of node b is 31 s ahead of the API server');
    expect(at(-61)[0]?.text).toContain('node b says that it was alive 61s ago');
  });

  test('that nobody may read, or that are none, are not wrong', () => {
    expect(statesOf(checkNodeClocks(null, NOW_MS))).toEqual(['Unknown']);
    expect(checkNodeClocks([], NOW_MS)).toEqual([]);
  });
});

describe('a definition', () => {
  const own = ownDefinitions()[CRD]!;

  test('that says what this program says is well', () => {
    expect(checkDefinition(CRD, own).state).toBe('Ok');
  });

  test('of another schema, without our version, or absent is a finding', () => {
    const changed = JSON.parse(JSON.stringify(own)) as {
      spec: { versions: { served: boolean; schema: { x?: number } }[] };
    };
    changed.spec.versions[0]!.schema.x = 1;
    expect(checkDefinition(CRD, changed).text).toContain('another schema');
    changed.spec.versions[0]!.served = false;
    expect(checkDefinition(CRD, changed).text).toContain('does not serve v1alpha1');
    expect(checkDefinition(CRD, null).text).toContain('is not installed');
  });

  test('that this user may not read is not wrong', () => {
    expect(checkDefinition(CRD, 'Forbidden').state).toBe('Unknown');
  });
});

test('each right that is missing is told with the commands that want it', () => {
  const answers = WANTED_RIGHTS.map((right) => ({ right, isAllowed: right.verb !== 'patch' }));
  const [missing, ...others] = checkRights('ml', answers);
  expect(others).toEqual([]);
  expect(missing?.text).toBe(
    'this user may not patch cachedmodelservices.layercache.io in namespace ml: needed by rollout and exits verbs',
  );
  expect(
    statesOf(
      checkRights(
        'ml',
        answers.map(({ right }) => ({ right, isAllowed: true })),
      ),
    ),
  ).toEqual(['Ok']);
});

describe('the operator', () => {
  test('that leads and is of this version is well', () => {
    expect(statesOf(checkOperators([operator], at))).toEqual(['Ok', 'Ok']);
  });

  test.each([
    ['is not installed', [], 'no operator is installed'],
    ['has no ready pod', [{ ...operator, readyReplicas: 0 }], 'has no ready pod'],
    ['has no Lease', [{ ...operator, renewedMs: null }], 'nobody leads'],
    ['let its Lease run out', [{ ...operator, renewedMs: NOW_MS - 31_000 }], 'was renewed 31s ago'],
    [
      'is of another version',
      [{ ...operator, version: '0.2.0' }],
      'is of version 0.2.0, this program of 0.1.0',
    ],
  ])('that %s is a finding', (_, operators, text) => {
    const findings = checkOperators(operators, at).filter(({ state }) => state === 'Finding');
    expect(findings.map((one) => one.text).join()).toContain(text);
  });

  test('that nobody may look for is not wrong', () => {
    expect(statesOf(checkOperators(null, at))).toEqual(['Unknown']);
  });
});

test('monitoring is wrong only where it could be there', () => {
  expect(statesOf(checkMonitoring({ isServed: false, podMonitors: null, rules: null }))).toEqual([
    'Unknown',
  ]);
  expect(statesOf(checkMonitoring({ isServed: true, podMonitors: null, rules: 1 }))).toEqual([
    'Unknown',
  ]);
  expect(statesOf(checkMonitoring({ isServed: true, podMonitors: 0, rules: 1 }))).toEqual([
    'Finding',
    'Ok',
  ]);
  expect(statesOf(checkMonitoring({ isServed: true, podMonitors: 1, rules: 0 }))).toEqual([
    'Ok',
    'Finding',
  ]);
});

describe('a service', () => {
  test('whose traffic proves its budget within a day is well', () => {
    expect(statesOf(checkService(serving, rated(1)))).toEqual(['Ok', 'Ok', 'Ok']);
  });

  test('with too little traffic for its budget is a finding, with the time it takes', () => {
    const [, traffic] = checkService(serving, rated(0.01));
    expect(traffic).toMatchObject({ state: 'Finding' });
    expect(traffic?.text).toContain(
      '1,000 audited rows for a first certificate; at 0.01 rows a second that is about 27 h 47 min',
    );
    expect(checkService(serving, rated(0))[1]?.text).toContain('no rows arrive');
    expect(checkService(serving, null)[1]?.state).toBe('Unknown');
  });

  test.each([
    [1, 'Ok', 'about 44 audited early answers an hour: enough for every alert'],
    [0.5, 'Ok', 'about 22 audited early answers an hour: too few for the alert'],
    [0.1, 'Finding', 'about 4 audited early answers an hour: alerts want 30 in 6 h'],
  ])('at %d rows a second is told whether alerts can see its budget', (rate, state, text) => {
    const [, , alerts] = checkService(serving, rated(rate));
    expect(alerts).toMatchObject({ state });
    expect(alerts?.text).toContain(text);
  });

  test('that wants no exits needs no traffic', () => {
    const off = readServiceView(
      aServiceObject({ status: SERVING, spec: { exitMode: 'Disabled' } }),
    );
    expect(statesOf(checkService(off, null))).toEqual(['Ok']);
  });

  test('that nobody reports on, or that does not answer, is a finding', () => {
    expect(checkService(readServiceView(aServiceObject()), null)[0]?.text).toContain(
      'no operator has reported',
    );
    const status = { conditions: [aCondition('Ready', 'False', 'CrashLooping', 'Pod a ends.')] };
    const [trouble] = checkService(readServiceView(aServiceObject({ status })), null);
    expect(trouble).toMatchObject({
      text: 'ml/vision: Ready is False (CrashLooping): Pod a ends.',
      nextStep: 'layercache explain CrashLooping',
    });
  });
});

test('findings are printed with what to do, and counted', async () => {
  const lines = renderFindings(
    [
      ok('API server', 'https://127.0.0.1:6443 is Kubernetes v1.36.1'),
      checkClocks(NOW_MS, NOW_MS - 45_000),
      checkDefinition(CRD, null),
      ...checkMonitoring({ isServed: false, podMonitors: null, rules: null }),
      ...checkService(serving, rated(0.01)),
    ],
    createPaint(false),
  );
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../../../golden/commands/doctor.txt');
  expect(renderFindings([ok('Clocks', 'fine')], createPaint(false)).at(-1)).toBe(
    '0 of 1 things looked at are wrong.',
  );
});
