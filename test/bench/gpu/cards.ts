import { spawnSync } from 'node:child_process';

type Cards =
  { readonly ok: true; readonly names: string } | { readonly ok: false; readonly why: string };

/** What the driver of NVIDIA lists. */
export function findCards(): Cards {
  const { status, stdout, error } = spawnSync('nvidia-smi', ['--list-gpus'], { encoding: 'utf8' });
  if (error !== undefined) return { ok: false, why: 'no GPU here (nvidia-smi is not installed)' };
  const names = stdout.trim();
  if (status !== 0 || names === '')
    return { ok: false, why: 'no GPU here (nvidia-smi lists none)' };
  return { ok: true, names };
}

/** Of all processes on the first card, MiB; NaN where the driver does not say. */
export function cardMemoryMib(): number {
  const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits'];
  const { stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8' });
  const [first = ''] = stdout.split('\n');
  return first === '' ? NaN : Number(first);
}
