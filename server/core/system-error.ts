// What the system says of a file or a connection, in words: Node's own text repeats the code and the name of a system call.

/** What was to be done with the file: it decides the words for a missing right. */
export type FileUse = 'read' | 'write';

const PREDICATES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a folder',
  ENOTDIR: 'is below something that is no folder',
  EEXIST: 'exists already',
  ENOTEMPTY: 'is a folder that is not empty',
  ELOOP: 'is a link that leads in circles',
  ENAMETOOLONG: 'has too long a name',
  EROFS: 'is on a disk that can only be read',
  ENOSPC: 'is on a disk that is full',
  EDQUOT: 'is on a disk of which this user may use no more',
  EIO: 'is on a disk that does not answer properly',
  EMFILE: 'cannot be opened: this process has too many files open',
  ENFILE: 'cannot be opened: this machine has too many files open',
};

const RIGHTS: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM']);

/** "does not exist", to go behind the name of a file; null: no file is at fault. */
export function fileProblem(error: unknown, use: FileUse = 'read'): string | null {
  const { code = '', syscall } = toSystemError(error);
  if (syscall === undefined || NETWORK.has(syscall)) return null;
  if (!RIGHTS.has(code)) return PREDICATES[code] ?? null;
  const isRead = use === 'read' && syscall !== 'mkdir';
  return `is not ${isRead ? 'readable' : 'writable'} by this user`;
}

const NETWORK: ReadonlySet<string> = new Set(['connect', 'listen', 'bind', 'getaddrinfo']);

/** To go before address and port. */
const LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens on',
  EADDRNOTAVAIL: 'this machine has no address of',
  EACCES: 'this user may not open',
};

/** The text of anything thrown, without a stack and without codes of the system: "/x does not exist". */
export function errorText(error: unknown, use: FileUse = 'read'): string {
  const problem = fileProblem(error, use);
  if (problem !== null) return `${toSystemError(error).path ?? 'it'} ${problem}`;
  const { code = '', syscall, address, port } = toSystemError(error);
  const listening = syscall === 'listen' ? LISTENING[code] : undefined;
  if (listening !== undefined) return `${listening} ${String(address)}:${String(port)}`;
  return error instanceof Error ? error.message : String(error);
}

interface SystemError {
  readonly code?: string;
  readonly syscall?: string;
  readonly path?: string;
  /** Of Node's errors of a server. */
  readonly address?: string;
  readonly port?: number;
}

function toSystemError(error: unknown): SystemError {
  return error instanceof Error ? (error as SystemError) : {};
}
