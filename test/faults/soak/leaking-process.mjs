// The control of a soak: a process that keeps memory, open files and series of its metrics page at even rates.
import { Buffer } from 'node:buffer';
import { openSync } from 'node:fs';
import { createServer } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setInterval } from 'node:timers';

const [mebibytesPerSecond, handlesPerSecond, seriesPerSecond] = process.argv.slice(2).map(Number);
const startedMs = performance.now();
const kept = [];
const handles = [];
let series = 0;
const secondsNow = () => (performance.now() - startedMs) / 1000;

setInterval(() => {
  const seconds = secondsNow();
  // Filled, or the kernel gives no page for it.
  const missing = Math.floor((seconds * mebibytesPerSecond - kept.length / 16) * 16);
  for (let i = 0; i < missing; i += 1) kept.push(Buffer.alloc(2 ** 16, 1));
  while (handles.length < seconds * handlesPerSecond) handles.push(openSync('/dev/null'));
  series = Math.floor(seconds * seriesPerSecond);
}, 250);

const http = createServer((_, response) => {
  const lines = Array.from({ length: series }, (_, i) => `kept{of="${i}"} 1\n`);
  response.end(`# TYPE kept gauge\n${lines.join('')}`);
});
http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${http.address().port}\n`);
});
