import type { Http2Session, ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:http2';

/** Answers one call: sends each message it is given; the call ends when the promise does. */
export type GrpcMethod = (
  request: Buffer,
  call: { readonly send: (message: Uint8Array) => void; readonly ended: Promise<void> },
) => Promise<void> | void;

export interface GrpcServer {
  readonly close: () => Promise<void>;
}

const UNIMPLEMENTED = '12';

/** A gRPC server on a Unix socket: one message in, any number out, uncompressed. Methods by `/package.Service/Method`. */
export async function listenGrpc(
  socketPath: string,
  methods: Readonly<Record<string, GrpcMethod>>,
): Promise<GrpcServer> {
  const sessions = new Set<Http2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    const method = methods[String(headers[':path'])];
    stream.on('error', () => undefined);
    void answer(stream, method);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const session of sessions) session.destroy();
      }),
  };
}

async function answer(stream: ServerHttp2Stream, method: GrpcMethod | undefined): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    stream.once('close', resolve);
  });
  const status = method === undefined ? UNIMPLEMENTED : '0';
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': status });
  });
  const request = await readMessage(stream);
  const send = (message: Uint8Array) => {
    if (!stream.destroyed) stream.write(framed(message));
  };
  await method?.(request, { send, ended });
  if (!stream.destroyed) stream.end();
}

/** A message travels behind a byte that says it is not compressed and its length in four bytes. */
function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

async function readMessage(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).subarray(5);
}
