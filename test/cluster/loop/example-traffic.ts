// Traffic of the example: the held-out part of its rows, all 50,000.
import { openFashionMnist } from '../../../operator/local/traffic/fashion-mnist.ts';
import { loadModelDescription } from '../../../operator/local/traffic/model-description.ts';
import type { RealNode } from '../../support/real-node.ts';
import type { Endpoint } from '../pods/example-model.ts';
import { startRowTraffic, type Traffic, type TrafficOptions } from './row-traffic.ts';

const INPUT = { name: 'image', datatype: 'FP32', shape: [-1, 1, 28, 28] };
const PICTURE = { height: 28, width: 28, channels: 1, isPlanar: true };

export async function startTraffic(
  node: RealNode,
  endpoint: Endpoint,
  options: TrafficOptions,
): Promise<Traffic> {
  const rows = {
    source: await openFashionMnist('example:fashion-mnist'),
    picture: PICTURE,
    input: INPUT,
    description: loadModelDescription('server/examples/fashion-mnist/backbone.onnx'),
  };
  return startRowTraffic(node, endpoint, { ...options, rows });
}
