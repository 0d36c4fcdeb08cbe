import { FAKE_NODE } from './part-arguments.ts';

export interface FakeNodes {
  readonly count: number;
  readonly devices?: Readonly<Record<string, number>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Node objects that kwok plays: `fake-0`, `fake-1`, ... A taint keeps pods away that do not tolerate it. */
export function fakeNodes({ count, devices = {}, labels = {} }: FakeNodes): object[] {
  const resources = {
    ...{ cpu: '64', memory: '512Gi', pods: '250' },
    ...Object.fromEntries(Object.entries(devices).map(([name, many]) => [name, `${many}`])),
  };
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: `fake-${index}`,
      annotations: { [FAKE_NODE.annotation]: FAKE_NODE.value },
      labels: { 'kubernetes.io/hostname': `fake-${index}`, ...labels },
    },
    spec: { taints: [{ key: FAKE_NODE.annotation, value: FAKE_NODE.value, effect: 'NoSchedule' }] },
    status: { allocatable: resources, capacity: resources },
  }));
}
