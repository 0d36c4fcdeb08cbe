// A node with the operator that ships and a service on a backbone of textures, which a student learns by its colours, under traffic.
import { memorySource } from '../../../operator/local/traffic/source.ts';
import { FIRST_SHARES, SIDE, textureModel, textureRows } from '../../http/local/texture-place.ts';
import type { OwnRealNode } from '../../support/real-node.ts';
import { claimModel } from '../pods/model-claim.ts';
import { isReady, podsBy } from '../pods/node-objects.ts';
import { runService, type RunningService, type ServicePlace } from '../pods/running-service.ts';
import { startRowTraffic, type Rows, type Traffic } from './row-traffic.ts';
import { installTrainingOperator, onOwnNode } from './training-node.ts';
import { createWaiting, type Waiting } from './waiting.ts';

const NAMESPACE = 'pictures';
const SERVICE = 'texture';
/** Not the pods of trainers. */
const SERVERS = `layercache.io/service=${SERVICE},app.kubernetes.io/component=server`;
export const REPLICAS = 2;
/** More than are sent. */
const ROWS = 40_000;

export interface StudentRun extends Waiting {
  readonly place: ServicePlace & { readonly namespace: string };
  readonly node: OwnRealNode;
  readonly service: RunningService;
  readonly traffic: Traffic;
  readonly stop: () => Promise<void>;
}

/** Pods that stop in seconds, and that get what their traffic needs while a trainer takes all the rest; a ramp of two short steps. */
const SPEC = {
  modelName: SERVICE,
  replicas: REPLICAS,
  accuracy: { maxDisagreement: '5%' },
  exits: [{ name: 'early', tensor: 'stem' }],
  server: { warmup: { iterations: 1 }, drain: { delay: '5s', timeout: '15s' } },
  pod: { resources: { requests: { cpu: '300m', memory: '128Mi' }, limits: { memory: '2Gi' } } },
  rollout: {
    minRequests: 50,
    // Of the last step too: ten minutes unless it is told.
    steps: [
      { share: '50%', hold: '30s' },
      { share: '100%', hold: '30s' },
    ],
  },
};

/** The service holds no inputs, and wants no student. */
export function startStudentRun(rate: number): Promise<StudentRun> {
  return onOwnNode((node) => runOn(node, rate));
}

async function runOn(node: OwnRealNode, rate: number): Promise<StudentRun> {
  const installation = await installTrainingOperator(node, NAMESPACE);
  const { uri, digest, remove } = await claimModel(node, NAMESPACE, textureModel());
  const place = { node, installation, name: SERVICE, namespace: NAMESPACE };
  const service = await runService(place, { ...SPEC, backbone: { uri, digest } });
  await service.readyPods(REPLICAS);
  const endpoint = await service.endpoint();
  const traffic = startRowTraffic(node, endpoint, { model: SERVICE, rate, rows: pictures() });
  return {
    ...{ place, node, service, traffic },
    ...createWaiting(node, NAMESPACE, traffic),
    stop: async () => {
      await traffic.stop();
      await remove();
      await node.stop();
    },
  };
}

function pictures(): Rows {
  const { pixels } = textureRows(ROWS, 8, FIRST_SHARES);
  const shape = {
    name: 'textures',
    rowShape: [SIDE, SIDE, 3],
    element: 'u1',
    labels: null,
  } as const;
  return {
    source: memorySource(shape, Buffer.from(pixels.buffer)),
    picture: { height: SIDE, width: SIDE, channels: 3, isPlanar: false },
    input: { name: 'input', datatype: 'FP32', shape: [-1, 3, SIDE, SIDE] },
    description: { input: { layout: 'NCHW', mean: [128], std: [50] } },
  };
}

/** Whether every pod of a server is ready and as asked for, and none is left of before. */
export async function areServersReady({ node }: Pick<StudentRun, 'node'>): Promise<boolean> {
  const pods = await podsBy(node, NAMESPACE, SERVERS);
  return pods.length === REPLICAS && pods.every(isReady);
}
