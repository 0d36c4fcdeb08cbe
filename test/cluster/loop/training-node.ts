// A node of its own, and on it the operator that ships, with trainers that leave the processors to the servers.
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { installOperator, OPERATOR_IMAGE, type Installation } from '../pods/installation.ts';
import { PATIENT_LEASE } from './patient-lease.ts';

const TRAINER = { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '2Gi' } };

/** Starts a node; it ends where what is to run on it does not come up. */
export async function onOwnNode<T>(run: (node: OwnRealNode) => Promise<T>): Promise<T> {
  const node = await startRealNode();
  try {
    return await run(node);
  } catch (error) {
    await node.stop();
    throw error;
  }
}

/** The operator in a new namespace of its services, under Pod Security restricted. */
export async function installTrainingOperator(
  node: OwnRealNode,
  namespace: string,
): Promise<Installation> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const metadata = { name: namespace, labels };
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata };
  await node.request({ method: 'POST', path: '/api/v1/namespaces', body });
  return installOperator(node, {
    namespace,
    environment: {
      ...PATIENT_LEASE,
      LAYERCACHE_TRAINER_IMAGE: OPERATOR_IMAGE,
      LAYERCACHE_TRAINER_RESOURCES: JSON.stringify(TRAINER),
    },
  });
}
