import { expect, test } from 'vitest';
import { operatorRules, type PolicyRule } from '../../../../operator/plan/rbac.ts';

const { services, installation } = operatorRules('demo');
const all = [...services, ...installation];

function verbsOn(rules: readonly PolicyRule[], resource: string): readonly string[] {
  return rules.flatMap((rule) => (rule.resources.includes(resource) ? rule.verbs : []));
}

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

test('a spec is never written', () => {
  expect(verbsOn(all, 'cachedmodelservices')).toEqual(['get', 'list', 'watch']);
});
