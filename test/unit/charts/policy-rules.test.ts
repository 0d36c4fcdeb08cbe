import { beforeAll, expect, test } from 'vitest';
import { renderObjects, type ChartObject } from './helm.ts';
import { problemsOf } from './policy-rules.ts';
import { MONITORING, SCENARIOS } from './scenarios.ts';

let objects: readonly ChartObject[];

beforeAll(async () => {
  const values = { ...SCENARIOS['all on'] };
  objects = await renderObjects({ values, apiVersions: MONITORING });
});

/** One text of the rendering is another, as somebody who edits a template might write it. */
const BREAKS: readonly (readonly [string, RegExp, string])[] = [
  ['may run as root', /"runAsNonRoot":true,"runAsUser":65532/, '"runAsUser":65532'],
  ['has no seccomp profile', /"type":"RuntimeDefault"/, '"type":"Unconfined"'],
  ['is in the host', /"enableServiceLinks":false/, '"enableServiceLinks":false,"hostNetwork":true'],
  ['is told of every service', /"enableServiceLinks":false,/, ''],
  ['does not say if it has a token', /"automountServiceAccountToken":true,/, ''],
  ['of type hostPath', /"emptyDir":\{"sizeLimit":"64Mi"\}/, '"hostPath":{"path":"/"}'],
  ['without a limit', /"emptyDir":\{"sizeLimit":"64Mi"\}/, '"emptyDir":{}'],
  ['may gain privileges', /"allowPrivilegeEscalation":false,/, ''],
  ['writes to its root', /"readOnlyRootFilesystem":true,/, ''],
  [
    'is privileged',
    /"allowPrivilegeEscalation":false/,
    '"allowPrivilegeEscalation":false,"privileged":true',
  ],
  ['keeps capabilities', /"drop":\["ALL"\]/, '"drop":["ALL"],"add":["NET_ADMIN"]'],
  ['has no fixed image', /"image":"[^"]+"/, '"image":"docker.io/layercache/operator:latest"'],
  ['mounts by subPath', /"mountPath":"\/tmp"/, '"mountPath":"/tmp","subPath":"x"'],
  ['has no probes', /"livenessProbe"/, '"startupProbe"'],
  ['reserves no CPU', /"cpu":"100m",/, ''],
  ['reserves no memory', /"memory":"256Mi"\}\}/, '"x":"256Mi"}}'],
  ['has a wildcard', /"resources":\["pods"\]/, '"resources":["*"]'],
  ['may impersonate', /"verbs":\["create"\]/, '"verbs":["impersonate"]'],
  [
    'may read Secrets',
    /"resources":\["secrets"\],"verbs":\["create"\]/,
    '"resources":["secrets"],"verbs":["list"]',
  ],
  [
    'selects no pod of the operator',
    /"matchLabels":\{"app.kubernetes.io\/name":"layercache-operator"/,
    '"matchLabels":{"app.kubernetes.io/name":"x"',
  ],
  [
    'which is not rendered',
    /"roleRef":\{("[^"]+":"[^"]+",)*"name":"[^"]+"/,
    '"roleRef":{"kind":"Role","name":"x"',
  ],
  ['has a name of more than 63', /"name":"demo-layercache-models"/, `"name":"${'m'.repeat(64)}"`],
  ['is written by the operator', /"kind":"ServiceAccount"/, '"kind":"Lease"'],
  ['is written by the operator', /"kind":"PodMonitor"/, '"status":{},"kind":"PodMonitor"'],
  ['is not labelled', /"app.kubernetes.io\/managed-by":"Helm"/, '"x":"y"'],
];

test.each(BREAKS)('an object that %s is found', (sentence, from, to) => {
  const broken = objects.map(
    (one) => JSON.parse(JSON.stringify(one).replace(from, to)) as ChartObject,
  );
  expect(broken).not.toEqual(objects);
  expect(problemsOf(broken).join('\n')).toContain(sentence);
});

test('an object that stands twice is found', () => {
  expect(problemsOf([...objects, objects[0]!]).join('\n')).toContain('stands twice');
});

test('a ClusterRole beside Roles of watched namespaces is found', async () => {
  const narrow = await renderObjects({ values: { rbac: { scope: 'Namespaced' } } });
  expect(
    problemsOf([...narrow, ...objects.filter(({ kind }) => kind === 'ClusterRole')]),
  ).toContain('ClusterRole /demo-layercache-operator');
});
