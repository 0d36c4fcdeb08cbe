import { expect, test } from 'vitest';
import { NAMESPACE, notesOf } from './helm.ts';
import { SCENARIOS } from './scenarios.ts';

test('the notes name the version, what is watched and a first service, and warn of nothing by default', async () => {
  const notes = await notesOf({});
  expect(notes).toContain(`Layercache 0.1.0 (chart 0.1.0) runs in namespace ${NAMESPACE}`);
  expect(notes).toContain('watches all namespaces');
  expect(notes).toContain('kind: CachedModelService');
  expect(notes).toContain(`helm test -n ${NAMESPACE} demo`);
  expect(notes).not.toContain('Warnings:');
});

test('the first service goes where the operator looks', async () => {
  const notes = await notesOf({ watchNamespaces: { vision: true, ml: true } });
  expect(notes).toContain('watches ml, vision.');
  expect(notes).toContain('kubectl apply -n ml -f -');
  expect(notes).toMatch(/^kubectl wait -n ml /m);
});

test('without tests.enabled nobody is told to run helm test', async () => {
  expect(await notesOf({ tests: { enabled: false } })).not.toContain('helm test');
});

const WARNINGS: readonly (readonly [string, object, string])[] = [
  ['monitors', { metrics: { podMonitor: { enabled: true } } }, 'none was made'],
  ['alerts', { alerts: { enabled: true } }, 'does not know monitoring.coreos.com/v1'],
  [
    'dashboards of the Grafana operator',
    { dashboards: { enabled: true, grafanaOperator: { enabled: true } } },
    'only ConfigMaps were made',
  ],
  ['definitions that go', { crds: { keep: false } }, 'crds.keep is off'],
  ['definitions of somebody else', { crds: { install: false } }, 'apply crds.yaml'],
  ['no rights', { rbac: { create: false } }, 'rbac.create is off'],
  ['rights of everybody', { serviceAccount: { create: false } }, 'rights go to account default'],
  ['no operator', { operator: { replicas: 0 } }, 'operator.replicas is 0'],
  ['no trainer', { trainer: { enabled: false } }, 'trainer.enabled is off'],
  ['a tag', { server: { gpuImage: { tag: 'latest' } } }, 'server.gpuImage.tag is latest'],
  [
    'a tag of another image',
    { server: { tensorflowImage: { tag: 'latest' } } },
    'server.tensorflowImage.tag is latest',
  ],
  ['any host', { server: { defaults: { allowedHosts: { '*': true } } } }, 'allowedHosts holds *'],
  [
    'alerts on nothing',
    { alerts: { enabled: true }, metrics: { annotations: false } },
    'unless something else scrapes the operator',
  ],
  ['root', { operator: { podSecurityContext: { runAsUser: 0 } } }, 'weaker than Pod Security'],
  [
    'an open seccomp profile',
    { operator: { podSecurityContext: { seccompProfile: { type: 'Unconfined' } } } },
    'weaker than Pod Security',
  ],
  ['a privileged one', { operator: { securityContext: { privileged: true } } }, 'weaker than Pod'],
  [
    'a capability',
    { operator: { securityContext: { capabilities: { add: ['NET_ADMIN'] } } } },
    'weaker than Pod Security',
  ],
];

test.each(WARNINGS)('of %s the notes warn, and of nothing else', async (_, values, sentence) => {
  const [, warnings = ''] = (await notesOf(values)).split('\nWarnings:\n');
  const told = warnings.trim().split('\n');
  expect(told.filter((line) => line.includes(sentence))).toHaveLength(1);
  const isOfAlerts = 'alerts' in values && 'metrics' in values;
  expect(told).toHaveLength(isOfAlerts ? 2 : 1);
});

test('a digest makes tag latest harmless, an account of its own the missing one', async () => {
  const notes = await notesOf({
    operator: { image: { tag: 'latest', digest: `sha256:${'a'.repeat(64)}` } },
    serviceAccount: { create: false, name: 'given' },
  });
  expect(notes).not.toContain('Warnings:');
});

test.each(['HA', 'GPU', 'air gap', 'S3'])('installation %s is warned of nothing', async (name) => {
  expect(await notesOf(SCENARIOS[name] ?? {})).not.toContain('Warnings:');
});
