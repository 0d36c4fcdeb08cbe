import type { ControlPlane } from './connected-cluster.ts';

export type Kubectl = (...args: string[]) => Promise<string>;

/** kubectl in a namespace. Resolves with what it prints; throws what it says when it fails. */
export function kubectlIn(plane: Pick<ControlPlane, 'kubectl'>, namespace: string): Kubectl {
  return async (...args) => {
    const { code, stdout, stderr } = await plane.kubectl([...args, '-n', namespace]);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
}
