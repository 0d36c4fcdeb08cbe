import { randomInt, randomUUID } from 'node:crypto';
import { errorText } from '../server/core/system-error.ts';
import { loadProcessConfig } from './config.ts';
import { systemKubeClock as clock } from './kube/clock.ts';
import { loadAccess } from './kube/cluster-access.ts';
import { createMetricRegistry } from './metrics.ts';
import { createOperatorLog } from './operator-log.ts';
import { createOperatorMetrics } from './operator-metrics.ts';
import { startProbeServer, type ProbeServer } from './probes/probe-server.ts';
import { createOperator, type Operator } from './run-operator.ts';
import { VERSION } from './version.ts';

const loaded = loadProcessConfig();
if (!loaded.ok) {
  process.stderr.write(`${loaded.problems.join('\n')}\n`);
  process.exit(2);
}
const config = loaded.value;
const { kubeconfig, podName, installation, bindHost, metricsPort } = config;
const log = createOperatorLog(config.logLevel, { namespace: installation.namespace, pod: podName });
const identity = `${podName}_${randomUUID()}`;
const metrics = createOperatorMetrics(createMetricRegistry(config.serviceMetrics), {
  ...{ version: VERSION, nodeVersion: process.versions.node, clock },
});

function start(): Operator {
  const access = loadAccess(
    kubeconfig === null ? { from: 'InCluster' } : { from: 'File', path: kubeconfig },
  );
  const random = (): number => randomInt(2 ** 32) / 2 ** 32;
  return createOperator({ config, access, clock, random, log, metrics, identity });
}

function listen(operator: Operator): Promise<ProbeServer> {
  return startProbeServer(
    { host: bindHost, port: metricsPort },
    {
      whyNotReady: () => operator.whyNotReady(),
      render: () => metrics.render(),
      onProblem: (err) => {
        log.error({ component: 'metrics', err }, 'metrics not rendered');
      },
    },
  );
}

try {
  const operator = start();
  const { port } = await listen(operator);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // A second signal means now.
      if (operator.isStopping) process.exit(1);
      log.info({ component: 'process', signal }, 'ending');
      operator.stop();
    });
  }
  log.info({ component: 'process', version: VERSION, identity, port }, 'started');
  const end = await operator.run();
  if (end === 'Lost') log.error({ component: 'elector', identity }, 'lease lost');
  else log.info({ component: 'process', end }, 'ended');
  process.exit(end === 'Lost' ? 1 : 0);
} catch (error) {
  log.fatal({ component: 'process', err: error }, 'cannot go on');
  process.stderr.write(`The operator cannot go on: ${errorText(error)}\n`);
  process.exit(1);
}
