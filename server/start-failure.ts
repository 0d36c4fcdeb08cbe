import { LoadError } from './backbone/load-error.ts';
import { shownUrl } from './net/fetch-problem.ts';
import { errorText } from './core/system-error.ts';
import type { BackboneUri } from './backbone/backbone-uri.ts';
import type { ServerConfig } from './config.ts';
import { EngineError } from './engine/engine-error.ts';

/** One paragraph for whoever started the process: what, where, and what to do. */
export function describeStartFailure(error: unknown, config: ServerConfig): string {
  if (error instanceof EngineError || error instanceof LoadError) {
    return `The backbone ${shownPlace(config.backboneUri)} cannot be served (${error.code}): ${error.message}`;
  }
  const { code, port, syscall } = error as NodeJS.ErrnoException & { readonly port?: number };
  const host = config.bindHost === '' ? 'this machine' : config.bindHost;
  if (code === 'EADDRINUSE') {
    return `Port ${port ?? '?'} on ${host} is in use (EADDRINUSE); end the other process, or set LAYERCACHE_DATA_PORT, LAYERCACHE_ADMIN_PORT and LAYERCACHE_METRICS_PORT to free ports (0 picks one).`;
  }
  if (syscall === 'listen' && (code === 'EACCES' || code === 'EADDRNOTAVAIL')) {
    return `Port ${port ?? '?'} on ${host} cannot be opened (${code}); set LAYERCACHE_BIND_HOST to an address of this machine and the ports above 1023.`;
  }
  return `The server did not start: ${errorText(error).replace(/\.$/, '')}.`;
}

function shownPlace(uri: BackboneUri): string {
  switch (uri.kind) {
    case 'file':
      return uri.path;
    case 'claim':
      return `pvc://${uri.claim}/${uri.path}`;
    case 'http':
      return shownUrl(uri.url);
    case 'unread':
      return `${uri.scheme}://`;
  }
}
