import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { eventually } from '../../support/eventually.ts';
import type { ApiRequest } from './api-request.ts';
import { createApiRequest } from './api-request.ts';
import { kubeconfigText } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import type { ClusterLayout } from './part-arguments.ts';
import { apiServerArguments } from './part-arguments.ts';
import { createPartSet } from './part-set.ts';
import { createPausableLink } from './pausable-link.ts';

/** Another API server over the same etcd, whose link can be paused: then it answers from a stale watch cache. */
export interface SecondApiServer {
  readonly url: string;
  readonly kubeconfigPath: string;
  readonly request: ApiRequest;
  readonly pauseEtcd: () => void;
  readonly resumeEtcd: () => void;
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly stop: () => Promise<void>;
}

export async function startSecondApiServer(
  layout: ClusterLayout,
  program: string,
): Promise<SecondApiServer> {
  const link = await createPausableLink(layout.etcdPort);
  const [port] = await freePorts(1);
  const url = `https://127.0.0.1:${port!}`;
  const certPath = join(layout.keys, 'admin.crt');
  const keyPath = join(layout.keys, 'admin.key');
  const kubeconfigPath = join(layout.keys, `admin-${port!}.kubeconfig`);
  writeFileSync(kubeconfigPath, kubeconfigText(layout.keys, url, { certPath, keyPath }));
  const request = createApiRequest({
    ...{ url, certPath, keyPath },
    caPath: join(layout.keys, 'ca.crt'),
  });
  const set = createPartSet<'apiserver'>(() => ({
    command: program,
    args: apiServerArguments(layout, { api: port!, etcd: link.port }),
    logPath: join(layout.folder, `apiserver-${port!}.log`),
  }));
  const stop = async () => {
    await set.stopAll();
    await link.close();
  };
  set.start('apiserver');
  try {
    await eventually(async () => {
      set.expectRunning('apiserver');
      const { status } = await request({ path: '/readyz', deadlineMs: 2_000 });
      if (status !== 200) throw new Error(`the second API server is not ready: ${status}`);
    }, 60_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ url, kubeconfigPath, request, stop },
    pauseEtcd: () => {
      link.pause();
    },
    resumeEtcd: () => {
      link.resume();
    },
    freeze: () => {
      set.freeze('apiserver');
    },
    thaw: () => {
      set.thaw('apiserver');
    },
  };
}
