import { VERSION } from '../../version.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Rendered } from '../output/output-format.ts';
import type { Paint } from '../output/paint.ts';
import { checkClocks, checkNodeClocks } from './check-clocks.ts';
import { checkDefinition } from './check-definitions.ts';
import { checkMonitoring } from './check-monitoring.ts';
import { checkOperators } from './check-operator.ts';
import { checkRights } from './check-rights.ts';
import { checkService } from './check-service.ts';
import { ok, unknown, type Finding } from './finding.ts';
import {
  askRights,
  findOperators,
  readDefinitions,
  readMonitoring,
  readNodeClocks,
  readServerVersion,
  readServices,
} from './gather-doctor.ts';
import { renderFindings } from './render-findings.ts';

export interface Diagnosis extends Rendered {
  readonly hasFindings: boolean;
}

/** Looks at everything that has to be right around the services; rejects only when the API server does not answer. */
export async function runDoctor(cluster: Cluster, paint: Paint): Promise<Diagnosis> {
  const findings = await examine(cluster);
  const wrong = findings.filter(({ state }) => state === 'Finding').length;
  return {
    document: { kind: 'Diagnosis', server: cluster.server, findings },
    table: () => renderFindings(findings, paint),
    names: findings
      .filter(({ state }) => state === 'Finding')
      .map(({ area, text }) => `${area}: ${text}`),
    hasFindings: wrong > 0,
  };
}

async function examine(cluster: Cluster): Promise<readonly Finding[]> {
  const { version, serverMs } = await readServerVersion(cluster);
  const localMs = cluster.clock.nowMs();
  const [nodeClocks, definitions, rights, operators, monitoring, services] = await Promise.all([
    readNodeClocks(cluster),
    readDefinitions(cluster),
    askRights(cluster),
    findOperators(cluster),
    readMonitoring(cluster),
    readServices(cluster),
  ]);
  return [
    ok('API server', `${cluster.server} is Kubernetes ${version}`),
    checkClocks(localMs, serverMs),
    ...checkNodeClocks(nodeClocks, serverMs ?? localMs),
    ...definitions.map(([name, live]) => checkDefinition(name, live)),
    ...checkRights(cluster.namespace, rights),
    ...checkOperators(operators, { version: VERSION, serverMs: serverMs ?? localMs }),
    ...checkMonitoring(monitoring),
    ...(services === null
      ? [unknown('Service', 'services cannot be listed: see definitions and rights above')]
      : services.flatMap(([service, ledger]) => checkService(service, ledger))),
  ];
}
