import { Agent } from 'node:http';
import type { Result } from '../../crds/wire/result.ts';
import { callAdmin } from './admin-call.ts';

/** An answer of an admin port: any status is an answer; the caller judges it. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface AdminCall {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: Uint8Array | string;
  readonly contentType?: string;
  readonly deadlineMs?: number;
  readonly maxBytes?: number;
}

/** One admin port over kept-alive connections. Never throws: a silent process is a value with code NoAnswer. */
export interface AdminClient {
  readonly baseUrl: string;
  call(call: AdminCall): Promise<Result<AdminAnswer>>;
  close(): void;
}

/** A process on this machine: plain HTTP on loopback. */
export function createAdminClient(baseUrl: string): AdminClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  return {
    baseUrl,
    call: (call) => callAdmin(baseUrl, agent, call),
    close: () => {
      agent.destroy();
    },
  };
}

/** A refusal as a value: the status and the server's own sentence. */
export function refusal(call: string, answer: AdminAnswer): Extract<Result<never>, { ok: false }> {
  return {
    ok: false,
    code: 'Refused',
    message: `${call} answered ${answer.status}: ${answer.body.toString('utf8', 0, 512)}`,
  };
}
