import { finding, ok, type Finding } from './finding.ts';

/** A right of a person, and which commands want it. */
export interface WantedRight {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly commands: string;
  /** Without it a command still says the rest. */
  readonly isOptional: boolean;
}

export const WANTED_RIGHTS: readonly WantedRight[] = [
  right(
    'get',
    'layercache.io',
    'cachedmodelservices',
    'status, dashboard, explain, rollout, exits',
  ),
  right('list', 'layercache.io', 'cachedmodelservices', 'top, names that are suggested'),
  right('patch', 'layercache.io', 'cachedmodelservices', 'rollout and exits verbs'),
  right('list', 'layercache.io', 'cacheheadrevisions', 'explain, heads list'),
  right('get', '', 'configmaps', 'explain, evidence, dashboard'),
  { ...right('list', '', 'configmaps', 'traffic in top'), isOptional: true },
  { ...right('list', '', 'events', 'decisions in status and dashboard'), isOptional: true },
  {
    ...right('list', '', 'pods', 'bundle, traffic in dashboard and before there are heads'),
    isOptional: true,
  },
  {
    ...right('get', '', 'pods', 'traffic in dashboard and before there are heads'),
    subresource: 'proxy',
    isOptional: true,
  },
  { ...right('get', '', 'pods', 'logs in bundle'), subresource: 'log', isOptional: true },
];

function right(verb: string, group: string, resource: string, commands: string): WantedRight {
  return { verb, group, resource, commands, isOptional: false };
}

/** `get pods/log`. */
export function rightText({ verb, group, resource, subresource }: WantedRight): string {
  const place = subresource === undefined ? resource : `${resource}/${subresource}`;
  return `${verb} ${place}${group === '' ? '' : `.${group}`}`;
}

/** What this user may do in a namespace, in one line when it is everything. */
export function checkRights(
  namespace: string,
  answers: readonly { readonly right: WantedRight; readonly isAllowed: boolean }[],
): readonly Finding[] {
  const missing = answers.filter(({ isAllowed }) => !isAllowed);
  if (missing.length === 0) {
    return [ok('Rights', `this user may do all that commands want in namespace ${namespace}`)];
  }
  return missing.map(({ right: wanted }) =>
    finding(
      'Rights',
      `this user may not ${rightText(wanted)} in namespace ${namespace}: ${wanted.isOptional ? 'left out of' : 'needed by'} ${wanted.commands}`,
      wanted.group === 'layercache.io' && wanted.verb === 'patch'
        ? 'Bind ClusterRole edit there (the chart adds our kinds to it), or a role with this verb.'
        : 'Bind ClusterRole view or edit there (the chart adds our kinds to both), or a role with this verb.',
    ),
  );
}
