// From a pod to what runc is told: the same settings that a kubelet and a container runtime hand down, without either.
// Not taken over is the default seccomp profile, which belongs to the runtime; pods on the test node have it.
import type {
  Container,
  PodSecurityContext,
  PodSpec,
  SecurityContext,
  Volume,
} from 'kubernetes-types/core/v1.js';
import { join } from 'node:path';

/** What is changed of a runtime configuration (runtime-spec 1.0). */
export interface RuntimeSpec {
  process: {
    readonly terminal?: boolean;
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly [field: string]: unknown;
  };
  root: { readonly path: string; readonly readonly?: boolean };
  mounts: readonly Mount[];
  linux: {
    readonly namespaces: readonly { readonly type: string }[];
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

interface Mount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
}

export interface UnpackedImage {
  readonly folder: string;
  readonly spec: RuntimeSpec;
}

export interface RunOptions {
  readonly pod: PodSpec;
  /** Of the cgroup. */
  readonly name: string;
  /** Beside those of the pod that have a value of their own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Files of this machine, read-only, by their place in the container. */
  readonly files?: Readonly<Record<string, string>>;
  /** Instead of the image's own program. */
  readonly command?: readonly string[];
}

const CAPABILITY_SETS = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'];

/**
 * The container of a pod on top of what its image says. It shares this machine's network, so a test reaches it on
 * loopback. ConfigMaps and Secrets are left out: the pods of the product start without them.
 */
export function toRuntimeSpec(
  { folder, spec: image }: UnpackedImage,
  options: RunOptions,
): RuntimeSpec {
  const { pod, name, environment = {}, files = {}, command } = options;
  const container = pod.containers[0]!;
  const security = { ...pod.securityContext, ...container.securityContext };
  const env = { ...literals(container), ...environment };
  return {
    ...image,
    process: {
      ...image.process,
      terminal: false,
      args: command ?? image.process.args,
      env: [...image.process.env, ...Object.entries(env).map(([key, value]) => `${key}=${value}`)],
      ...identityOf(security),
    },
    root: { path: join(folder, 'rootfs'), readonly: security.readOnlyRootFilesystem === true },
    mounts: [
      ...image.mounts,
      ...emptyFolders(pod, container),
      ...Object.entries(files).map(([destination, source]) => ({
        ...{ destination, source, type: 'bind', options: ['bind', 'ro'] },
      })),
    ],
    linux: {
      ...image.linux,
      namespaces: image.linux.namespaces.filter(({ type }) => type !== 'network'),
      cgroupsPath: `/${name}`,
      resources: { memory: { limit: bytesOf(String(container.resources?.limits?.memory)) } },
    },
  };
}

function identityOf(security: PodSecurityContext & SecurityContext): object {
  const { runAsUser, runAsGroup = runAsUser, fsGroup, capabilities } = security;
  const isWithout = capabilities?.drop?.includes('ALL') === true && capabilities.add === undefined;
  if (!isWithout) throw new Error('only pods that drop every capability are run');
  return {
    user: {
      ...{ uid: runAsUser, gid: runAsGroup },
      additionalGids: fsGroup === undefined ? [] : [fsGroup],
    },
    capabilities: Object.fromEntries(CAPABILITY_SETS.map((set) => [set, []])),
    noNewPrivileges: security.allowPrivilegeEscalation === false,
  };
}

function literals({ env = [] }: Container): Record<string, string> {
  return Object.fromEntries(
    env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  );
}

/** A kubelet makes them for everybody; a limit of size it enforces later, a file system in memory at once. */
function emptyFolders({ volumes = [] }: PodSpec, { volumeMounts = [] }: Container): Mount[] {
  const byName = new Map<string, Volume>(volumes.map((volume) => [volume.name, volume]));
  return volumeMounts.flatMap(({ name, mountPath }) => {
    const folder = byName.get(name)?.emptyDir;
    if (folder === undefined) return [];
    const size = `size=${bytesOf(String(folder.sizeLimit))}`;
    const options = ['rw', 'nosuid', 'nodev', 'mode=0777', size];
    return [{ destination: mountPath, type: 'tmpfs', source: 'tmpfs', options }];
  });
}

const UNITS: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

function bytesOf(quantity: string): number {
  const [, digits, unit] = /^(\d+)([KMG]i)$/.exec(quantity) ?? [];
  if (unit === undefined) throw new Error(`${quantity} is no whole number of Ki, Mi or Gi`);
  return Number(digits) * UNITS[unit]!;
}
