import { join } from 'node:path';
import { listenGrpc } from './grpc-server.ts';
import { pluginRegistry } from './node-configuration.ts';
import { field, readFields } from './protobuf.ts';

export interface DevicePlugin {
  /** How many of the devices the kubelet may give to pods from now on; the others are reported unhealthy. */
  readonly setHealthy: (count: number) => void;
  readonly close: () => Promise<void>;
}

const VERSION = 'v1beta1';

/**
 * Plays the device plugin of an accelerator: the node then advertises `count` of an extended resource, and a container
 * that gets some finds their ids in NVIDIA_VISIBLE_DEVICES. The kubelet finds the socket in its plugin registry.
 */
export async function startDevicePlugin(
  clusterFolder: string,
  resource: string,
  count: number,
): Promise<DevicePlugin> {
  let healthy = count;
  const watchers = new Set<(message: Uint8Array) => void>();
  const name = resource.replaceAll('/', '-');
  const server = await listenGrpc(join(pluginRegistry(clusterFolder), `${name}.sock`), {
    '/pluginregistration.Registration/GetInfo': (_request, { send }) => {
      send(Buffer.concat([field(1, 'DevicePlugin'), field(2, resource), field(4, VERSION)]));
    },
    '/pluginregistration.Registration/NotifyRegistrationStatus': (request, { send }) => {
      const [refusal] = readFields(request, 2);
      if (refusal !== undefined)
        throw new Error(`the kubelet refused ${resource}: ${refusal.toString()}`);
      send(Buffer.alloc(0));
    },
    [`/${VERSION}.DevicePlugin/GetDevicePluginOptions`]: (_request, { send }) => {
      send(Buffer.alloc(0));
    },
    [`/${VERSION}.DevicePlugin/ListAndWatch`]: async (_request, { send, ended }) => {
      watchers.add(send);
      send(devices(count, healthy));
      await ended;
      watchers.delete(send);
    },
    [`/${VERSION}.DevicePlugin/Allocate`]: (request, { send }) => {
      send(
        Buffer.concat(readFields(request, 1).map((container) => field(1, allocation(container)))),
      );
    },
  });
  return {
    setHealthy: (next) => {
      healthy = next;
      for (const send of watchers) send(devices(count, healthy));
    },
    close: () => server.close(),
  };
}

function devices(count: number, healthy: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) =>
      field(
        1,
        Buffer.concat([
          field(1, `device-${index}`),
          field(2, index < healthy ? 'Healthy' : 'Unhealthy'),
        ]),
      ),
    ),
  );
}

/** The environment of one container, a map entry of key 1 and value 2. */
function allocation(container: Uint8Array): Buffer {
  const ids = readFields(container, 1).join(',');
  return field(1, Buffer.concat([field(1, 'NVIDIA_VISIBLE_DEVICES'), field(2, ids)]));
}
