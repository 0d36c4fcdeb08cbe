import { pino, type Logger } from 'pino';
import { ApiStatusError } from './kube/api-status-error.ts';
import { TerminalError } from './kube/terminal-error.ts';

/** JSON lines on standard output: constant messages, facts in fixed keys (`component`, `controller`, `key`, `err`, ...). */
export function createOperatorLog(level: string, base: Readonly<Record<string, string>>): Logger {
  return pino({ level, base, serializers: { err: toLoggedError } });
}

/** Expected failures are one line; only what nobody expected brings its stack. Bodies and headers never. */
export function toLoggedError(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, cause } = error;
  const own = { name, message, ...factsOf(error) };
  return cause instanceof Error ? { ...own, cause: cause.message } : own;
}

function factsOf(error: Error): Readonly<Record<string, unknown>> {
  if (error instanceof ApiStatusError) {
    const { status, reason, call } = error;
    return { status, reason, call };
  }
  if (error instanceof TerminalError) return { reason: error.reason };
  return { stack: error.stack };
}
