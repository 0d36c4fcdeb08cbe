import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LAYERCACHE } from '../../../bench/peers/layercache-name.ts';
import { versionOf } from '../../../bench/peers/peer.ts';
import { PEERS } from '../../../bench/peers/peers.ts';

test('every package is pinned, so that a run can be repeated', () => {
  const packages = PEERS.flatMap((peer) => peer.packages);
  for (const one of packages) expect(one).toMatch(/^[\w-]+(\[\w+\])?==\d+(\.\d+)+$/);
});

test('every server runs the same release of the engine as ours', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const engine = `onnxruntime==${dependencies['onnxruntime-node'] ?? ''}`;
  for (const { name, packages } of PEERS) expect(packages, name).toContain(engine);
});

test('every server gets all cores, as workers or as threads', () => {
  for (const { name, layout } of PEERS) {
    const { workers, threads } = layout(4);
    expect(workers * threads, name).toBe(4);
  }
});

test('servers have names of their own, and those with one environment the same packages', () => {
  expect(new Set([LAYERCACHE, ...PEERS.map(({ name }) => name)]).size).toBe(PEERS.length + 1);
  const packages = new Map(PEERS.map((peer) => [peer.environment, peer.packages]));
  for (const peer of PEERS) expect(packages.get(peer.environment)).toEqual(peer.packages);
});

test('the version of a server is that of its first package', () => {
  expect(versionOf({ packages: ['ray[serve]==2.60.0', 'onnxruntime==1.30.0'] })).toBe('2.60.0');
});

test('programs in Python are there', () => {
  const folder = 'test/bench/peers/programs';
  const files = ['engine', 'kserve_server', 'mlserver_runtime', 'litserve_server'];
  const more = ['bentoml_service', 'pytriton_server', 'ray_server', 'torchserve_handler'];
  for (const file of [...files, ...more]) expect(existsSync(`${folder}/${file}.py`)).toBe(true);
});
