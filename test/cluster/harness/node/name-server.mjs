// name-server.mjs ADDRESS URL KEYS : runs inside the node's network in place of CoreDNS. Knows the A records of
// services, `web.shop.svc.cluster.local`, by asking the API server each time; every other name does not exist.
// Messages: RFC 1035 section 4.
import { Buffer } from 'node:buffer';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { URL } from 'node:url';

const [address, url, keys] = process.argv.slice(2);
const read = (name) => readFileSync(`${keys}/${name}`);
const agent = new Agent({
  keepAlive: true,
  ca: read('ca.crt'),
  cert: read('admin.crt'),
  key: read('admin.key'),
});
const A_RECORD = 1;
const NAME_ERROR = 3;

function fetchObject(path) {
  return new Promise((resolve) => {
    get(new URL(path, url), { agent, timeout: 2_000 }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += chunk));
      answer.on('end', () => resolve(answer.statusCode === 200 ? JSON.parse(text) : undefined));
    }).on('error', () => resolve(undefined));
  });
}

/** Addresses of a name, or undefined when there is no such service. */
async function lookUp(name) {
  const match = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.cluster\.local$/.exec(name.toLowerCase());
  if (match === null) return undefined;
  const [, service, namespace] = match;
  const found = await fetchObject(`/api/v1/namespaces/${namespace}/services/${service}`);
  if (found === undefined) return undefined;
  if (found.spec.clusterIP !== 'None') return [found.spec.clusterIP];
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const label = encodeURIComponent(`kubernetes.io/service-name=${service}`);
  const { items = [] } = (await fetchObject(`${slices}?labelSelector=${label}`)) ?? {};
  const ready = items.flatMap(({ endpoints }) => endpoints ?? []);
  return ready.filter((e) => e.conditions?.ready !== false).flatMap((e) => e.addresses);
}

function readQuestion(message) {
  const labels = [];
  let at = 12;
  while (message[at] !== 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + message[at]));
    at += 1 + message[at];
  }
  const question = message.subarray(12, at + 5);
  return { name: labels.join('.'), type: message.readUInt16BE(at + 1), question };
}

function writeAnswer(message, question, { code, addresses }) {
  const header = Buffer.alloc(12);
  message.copy(header, 0, 0, 2);
  // An answer, authoritative, recursion as asked for and said to be available, so that no resolver complains.
  header.writeUInt16BE(0x8480 | (message.readUInt16BE(2) & 0x0100) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((ip) =>
    // The question's name, type A, class IN, five seconds, four bytes.
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...ip.split('.').map(Number)]),
  );
  return Buffer.concat([header, question, ...records]);
}

const socket = createSocket('udp4', async (message, from) => {
  const { name, type, question } = readQuestion(message);
  const found = await lookUp(name);
  const addresses = type === A_RECORD ? (found ?? []) : [];
  const code = found === undefined ? NAME_ERROR : 0;
  socket.send(writeAnswer(message, question, { code, addresses }), from.port, from.address);
});
socket.bind(53, address);
