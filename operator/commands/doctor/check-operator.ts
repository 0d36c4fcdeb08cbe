import { ageText } from '../output/words.ts';
import { finding, ok, unknown, type Finding } from './finding.ts';

/** A Deployment of the chart. */
export interface OperatorFacts {
  readonly namespace: string;
  readonly name: string;
  readonly readyReplicas: number;
  readonly version: string | null;
  /** When its Lease was renewed last; null: no Lease. */
  readonly renewedMs: number | null;
  readonly leaseSeconds: number;
}

const INSTALL =
  'Install the chart: helm install layercache oci://REGISTRY/layercache -n layercache-system --create-namespace.';

/** Whether an operator runs, leads, and is of this version. Null: this user may not look for it. */
export function checkOperators(
  operators: readonly OperatorFacts[] | null,
  { version, serverMs }: { readonly version: string; readonly serverMs: number },
): readonly Finding[] {
  if (operators === null) {
    return [
      unknown(
        'Operator',
        'this user may not list Deployments of all namespaces, so the operator is not looked at',
      ),
    ];
  }
  const [first] = operators;
  if (first === undefined) return [finding('Operator', 'no operator is installed', INSTALL)];
  return operators.flatMap((operator) => checkOperator(operator, version, serverMs));
}

function checkOperator(operator: OperatorFacts, version: string, serverMs: number): Finding[] {
  const { namespace, name, readyReplicas } = operator;
  const where = `${namespace}/${name}`;
  if (readyReplicas === 0) {
    return [
      finding(
        'Operator',
        `${where} has no ready pod`,
        `kubectl -n ${namespace} describe deployment ${name}, and its log.`,
      ),
    ];
  }
  return [leads(operator, where, serverMs), fits(operator, where, version)];
}

function leads(
  { renewedMs, leaseSeconds, namespace }: OperatorFacts,
  where: string,
  serverMs: number,
): Finding {
  if (renewedMs === null) {
    return finding(
      'Operator',
      `${where} has no Lease: nobody leads`,
      `Read its log: kubectl -n ${namespace} logs -l app.kubernetes.io/part-of=layercache.`,
    );
  }
  const age = (serverMs - renewedMs) / 1000;
  return age > 2 * leaseSeconds
    ? finding(
        'Operator',
        `the Lease of ${where} was renewed ${ageText(age)} ago: nobody leads`,
        `Read its log, and compare the clock of its node: kubectl -n ${namespace} logs -l app.kubernetes.io/part-of=layercache.`,
      )
    : ok('Operator', `${where} leads`);
}

function fits({ version: theirs }: OperatorFacts, where: string, version: string): Finding {
  if (theirs === null || theirs === version)
    return ok('Operator', `${where} is of version ${theirs ?? 'unknown'}`);
  return finding(
    'Operator',
    `${where} is of version ${theirs}, this program of ${version}`,
    'Use the program of the same minor version.',
  );
}
