import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { operatorRules, type PolicyRule } from '../../../../operator/plan/rbac.ts';

const { services, installation } = operatorRules('demo');
const all = [...services, ...installation];

function verbsOn(rules: readonly PolicyRule[], resource: string): readonly string[] {
  return rules.flatMap((rule) => (rule.resources.includes(resource) ? rule.verbs : []));
}

test('the chart gives exactly these', () => {
  const shipped: unknown = JSON.parse(
    readFileSync('charts/layercache/files/operator-rules.json', 'utf8'),
  );
  expect(operatorRules('{release}')).toEqual(shipped);
});

test('nothing is given wholesale', () => {
  for (const { apiGroups, resources, verbs } of all) {
    expect([...apiGroups, ...resources, ...verbs].filter((word) => word.includes('*'))).toEqual([]);
  }
});

test('no Secret of a service can be read, only the identity of the installation', () => {
  expect(verbsOn(services, 'secrets')).toEqual(['create']);
  const reading = installation.filter(
    ({ resources, verbs }) => resources.includes('secrets') && verbs.includes('get'),
  );
  expect(reading).toMatchObject([{ resourceNames: ['demo-identity'], verbs: ['get'] }]);
});

test('rights cannot be passed on, pods not entered, definitions not changed', () => {
  const forbidden =
    /^(roles|rolebindings|clusterroles|clusterrolebindings|pods\/.*|nodes.*|customresourcedefinitions|.*webhookconfigurations)$/;
  expect(all.flatMap(({ resources }) => resources).filter((one) => forbidden.test(one))).toEqual(
    [],
  );
  const verbs = new Set(all.flatMap((rule) => rule.verbs));
  for (const verb of ['bind', 'escalate', 'impersonate', 'deletecollection']) {
    expect(verbs.has(verb), verb).toBe(false);
  }
});

test('a Lease can be held by the leaders of these shards alone, and read whatever their number', () => {
  const namesFor = (shards: number, verb: string): readonly string[] =>
    operatorRules('demo', shards).installation.flatMap(
      ({ resources, verbs, resourceNames = [] }) =>
        resources.includes('leases') && verbs.includes(verb) ? resourceNames : [],
    );
  expect(namesFor(1, 'update')).toEqual(['demo-operator']);
  expect(namesFor(2, 'update')).toEqual(['demo-operator', 'demo-operator-0', 'demo-operator-1']);
  expect(namesFor(2, 'get')).toHaveLength(9);
  expect(namesFor(1, 'get')).toEqual(namesFor(2, 'get'));
});

test('a spec is never written', () => {
  expect(verbsOn(all, 'cachedmodelservices')).toEqual(['get', 'list', 'watch']);
});
