import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** Makes a cgroup under every mounted hierarchy (version 1) or under the one (version 2). */
export function createCgroups(name: string): void {
  for (const hierarchy of hierarchies()) {
    mkdirSync(join(hierarchy, name), { recursive: true });
    // A new cpuset of version 1 is empty and takes no process until it is told what it may use.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const own = join(hierarchy, name, file);
      const parent = join(hierarchy, file);
      if (existsSync(parent) && existsSync(own)) writeFileSync(own, readFileSync(parent));
    }
  }
}

/** Removes them with all below; throws while a process is still inside. */
export function removeCgroups(name: string): void {
  for (const hierarchy of hierarchies()) {
    if (existsSync(join(hierarchy, name))) removeTree(join(hierarchy, name));
  }
}

/** The same while the last processes inside are still ending, for a process that exits: blocks for a second at most. */
export function removeCgroupsNow(name: string): void {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    try {
      removeCgroups(name);
      return;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

/** The names of cgroups at the top of any hierarchy. */
export function topCgroups(): string[] {
  const names = hierarchies().flatMap((hierarchy) => readdirSync(hierarchy));
  return [...new Set(names)];
}

function hierarchies(): string[] {
  if (!existsSync(ROOT)) return [];
  const candidates = [ROOT, ...readdirSync(ROOT).map((name) => join(ROOT, name))];
  const isRoot = (folder: string) => existsSync(join(folder, 'cgroup.procs'));
  // Under version 2 the children are groups, not hierarchies.
  return isRoot(ROOT) ? [ROOT] : candidates.filter(isRoot);
}

/** Files in a cgroup cannot be unlinked, only the folders removed, innermost first. */
function removeTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  }
  rmdirSync(folder);
}
