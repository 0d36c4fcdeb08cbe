import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { ModelFile } from './onnx-models/model-file.ts';
import { modelFile } from './onnx-models/model-file.ts';
import { residualNet } from './onnx-models/networks.ts';
import type { StartedServer } from './server-process.ts';
import { spawnServer } from './server-process.ts';
import { INFER, send } from './test-server.ts';
import { childrenOf } from './child-processes.ts';

/** A server process of the bundle that a test does its worst to. */
export interface HostileServer {
  readonly dataPort: number;
  readonly adminPort: number;
  /** A body that it answers with 200. */
  readonly goodBody: string;
  /** Largest resident size of its main process so far. */
  peakBytes(): number;
  /** Main process and engine host are those of the start, it is ready, answers, and logged no failure. */
  expectUnharmed(): Promise<void>;
  close(): Promise<void>;
}

export async function startHostileServer(
  environment: Record<string, string> = {},
): Promise<HostileServer> {
  const file: ModelFile = await modelFile(residualNet(), {
    input: { scale: 1 / 255, image: { width: 16, height: 16 } },
  });
  const started: StartedServer = spawnServer({
    LAYERCACHE_BACKBONE_URI: file.path,
    ...environment,
  });
  const pid = started.child.pid!;
  const ports = await eventually(() => {
    const lines = started.stdout().split('\n');
    expect([started.stderr(), lines.some((line) => line.includes('"msg":"ready"'))]).toEqual([
      '',
      true,
    ]);
    const listening = lines.find((line) => line.includes('"msg":"listening"'))!;
    return JSON.parse(listening) as { dataPort: number; adminPort: number };
  }, 60_000);
  const data = Array.from({ length: 768 }, (_, i) => i % 256);
  const goodBody = JSON.stringify({
    inputs: [{ name: 'input', shape: [1, 3, 16, 16], datatype: 'UINT8', data }],
  });
  const hosts = await childrenOf(pid);
  return {
    dataPort: ports.dataPort,
    adminPort: ports.adminPort,
    goodBody,
    peakBytes: () => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024;
    },
    expectUnharmed: async () => {
      expect(started.child.exitCode).toBeNull();
      expect(await childrenOf(pid)).toEqual(expect.arrayContaining(hosts));
      const answer = await send(ports.dataPort, INFER, { method: 'POST', body: goodBody });
      expect(answer.status).toBe(200);
      expect((await send(ports.dataPort, '/v2/health/ready')).status).toBe(200);
      expect(started.stdout()).not.toMatch(/"msg":"request failed"/);
      expect(started.stderr()).toBe('');
    },
    close: async () => {
      started.child.kill('SIGKILL');
      await started.code;
      await file.remove();
    },
  };
}
