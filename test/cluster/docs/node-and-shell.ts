// A real node that has the images of this version as if pulled, and a shell to follow guides and runbooks in.
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { loadReleaseImages } from './release-images.ts';
import { openShell, type Shell } from './shell.ts';

export interface NodeAndShell {
  readonly node: OwnRealNode;
  readonly shell: Shell;
  readonly stop: () => Promise<void>;
}

export async function startNodeAndShell(): Promise<NodeAndShell> {
  const node = await startRealNode({ devices: {} });
  const shell = openShell({ kubeconfigPath: node.kubeconfigPath });
  const stop = async (): Promise<void> => {
    shell.close();
    await node.stop();
  };
  try {
    await loadReleaseImages(node, 'docker.io');
  } catch (error) {
    await stop();
    throw error;
  }
  return { node, shell, stop };
}
