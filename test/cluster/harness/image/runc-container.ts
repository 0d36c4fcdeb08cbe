// A container under runc alone. It hangs on one process of a process namespace: when that or the test run dies, the
// kernel ends everything inside.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { StartedServer } from '../../../support/server-process.ts';
import { removeCgroupsNow } from '../node/cgroups.ts';
import { expectCommand } from '../run-command.ts';
import { TAG } from './built-images.ts';
import { whyMissing } from '../missing-program.ts';
import {
  toRuntimeSpec,
  type RunOptions,
  type RuntimeSpec,
  type UnpackedImage,
} from './runtime-spec.ts';

const TOOLS = { runc: 'runc', umoci: 'umoci', unshare: 'util-linux', setpriv: 'util-linux' };

/** Null: containers can be run here once there are images. */
export function whyNoRunc(): string | null {
  return whyMissing(TOOLS);
}

/** Unpacks the image of a layout into a folder of a test, for any number of containers with a read-only root. */
export async function unpackImage(layout: string, folder: string): Promise<UnpackedImage> {
  const deadlineMs = 600_000;
  await expectCommand('umoci', ['unpack', '--image', `${layout}:${TAG}`, folder], { deadlineMs });
  const spec = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as RuntimeSpec;
  return { folder, spec };
}

export interface RunningContainer extends StartedServer {
  /** To the container's first process, as a kubelet has it sent. */
  signal(name: NodeJS.Signals): void;
  /** What the kernel holds its memory to. */
  memoryLimitBytes(): number;
  /** Ends it whatever it does. */
  end(): Promise<void>;
}

/** Starts a container with the settings of a pod; it has a bundle of its own beside the image's files. */
export function startContainer(image: UnpackedImage, options: RunOptions): RunningContainer {
  const name = `lc-${process.pid}-${options.name}`;
  const bundle = join(image.folder, `run-${options.name}`);
  mkdirSync(bundle);
  const spec = toRuntimeSpec(image, { ...options, name });
  for (const { type, destination } of spec.mounts) {
    if (type === 'tmpfs') makeMountPoint(join(spec.root.path, destination));
  }
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec));
  const words = [
    ...['--pdeathsig', 'KILL', '--', 'unshare', '--pid', '--fork', '--kill-child=KILL'],
    ...['--mount-proc', 'runc', '--root', join(bundle, 'state'), 'run', '--bundle', bundle, name],
  ];
  const child = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return {
    child,
    code,
    stdout: () => out,
    stderr: () => err,
    signal: (signal) => {
      process.kill(firstProcess(child.pid!), signal);
    },
    memoryLimitBytes: () => {
      const version1 = `/sys/fs/cgroup/memory/${name}/memory.limit_in_bytes`;
      const file = existsSync(version1) ? version1 : `/sys/fs/cgroup/${name}/memory.max`;
      return Number(readFileSync(file, 'utf8'));
    },
    end: async () => {
      child.kill('SIGKILL');
      await code;
      removeCgroupsNow(name);
    },
  };
}

/** runc gives a file system in memory the mode of the folder below it, whatever the mount says, once that folder is there. */
function makeMountPoint(path: string): void {
  if (existsSync(path)) return;
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777);
}

/** Below unshare and runc, which wait for it. */
function firstProcess(pid: number): number {
  const command = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  const isWaiting = command === 'unshare' || command === 'setpriv' || command.startsWith('runc');
  if (!isWaiting) return pid;
  // A child is listed with the thread that made it.
  const [child] = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  if (child === undefined) throw new Error(`${command} runs nothing yet`);
  return firstProcess(Number(child));
}
