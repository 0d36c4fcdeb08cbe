// What a server in Node costs at least: HTTP in, one onnxruntime session in one worker thread, HTTP out. No queue, no batches, no
// checks, no policy. It reads the requests of this benchmark and nothing else. Started as: bare-server.mjs MODEL
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

interface Input {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data?: readonly number[];
}

interface Job {
  readonly id: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface Done {
  readonly id: number;
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

if (isMainThread) serve(process.argv[2] ?? '');
else await infer();

function serve(modelPath: string): void {
  const worker = new Worker(new URL(import.meta.url), { workerData: modelPath });
  const waiting = new Map<number, (done: Done) => void>();
  let nextId = 0;
  const server = createServer({ noDelay: true }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isBinary = request.headers['inference-header-content-length'] !== undefined;
      const id = nextId++;
      waiting.set(id, (done) => {
        const { headers, body } = isBinary ? binaryAnswer(done) : jsonAnswer(done);
        response.writeHead(200, { ...headers, 'content-length': body.length });
        response.end(body);
      });
      worker.postMessage({ id, ...readInput(request, Buffer.concat(chunks)) } satisfies Job);
    });
  });
  worker.on('message', (message: Done | 'ready') => {
    if (message === 'ready') {
      server.listen(0, '127.0.0.1', () => {
        process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
      });
      return;
    }
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
}

function readInput(request: IncomingMessage, body: Buffer): Omit<Job, 'id'> {
  const header = request.headers['inference-header-content-length'];
  const jsonBytes = header === undefined ? body.length : Number(header);
  const { inputs } = JSON.parse(body.toString('utf8', 0, jsonBytes)) as { inputs: Input[] };
  const [input] = inputs;
  if (input === undefined) throw new Error('there is no input');
  const { name, shape, data } = input;
  if (data !== undefined) return { name, shape, values: Float32Array.from(data) };
  const bytes = Uint8Array.prototype.slice.call(body, jsonBytes);
  return { name, shape, values: new Float32Array(bytes.buffer) };
}

interface Answer {
  readonly headers: Record<string, string | number>;
  readonly body: Buffer;
}

function jsonAnswer({ values, shape }: Done): Answer {
  const outputs = [{ name: 'logits', datatype: 'FP32', shape, data: [...values] }];
  const body = Buffer.from(JSON.stringify({ model_name: 'bench', outputs }));
  return { headers: { 'content-type': 'application/json' }, body };
}

function binaryAnswer({ values, shape }: Done): Answer {
  const parameters = { binary_data_size: values.byteLength };
  const outputs = [{ name: 'logits', datatype: 'FP32', shape, parameters }];
  const json = Buffer.from(JSON.stringify({ model_name: 'bench', outputs }));
  const headers = {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': json.length,
  };
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return { headers, body: Buffer.concat([json, bytes]) };
}

async function infer(): Promise<void> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(workerData as string, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  parentPort?.on('message', ({ id, name, shape, values }: Job) => {
    void session.run({ [name]: new Tensor('float32', values, [...shape]) }).then((outputs) => {
      const output = outputs.logits;
      if (output === undefined) throw new Error('there is no output logits');
      const done: Done = { id, values: output.data as Float32Array, shape: output.dims };
      parentPort?.postMessage(done);
    });
  });
  parentPort?.postMessage('ready');
}
