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

const LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens on this port',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not open this port',
};

/** The text of anything thrown, without a stack and without codes of the system: "/x does not exist". */
export function errorText(error: unknown, use: FileUse = 'read'): string {
  const problem = fileProblem(error, use);
  if (problem !== null) return `${toSystemError(error).path ?? 'it'} ${problem}`;
  const { code = '', syscall } = toSystemError(error);
  const own = error instanceof Error ? error.message : String(error);
  return syscall === 'listen' ? (LISTENING[code] ?? own) : own;
}

interface SystemError {
  readonly code?: string;
  readonly syscall?: string;
  readonly path?: string;
}

function toSystemError(error: unknown): SystemError {
  return error instanceof Error ? (error as SystemError) : {};
}
