// A host inside the cluster that serves the example model over TLS, under a CA that nobody else knows.
import { hostCertificate } from '../../support/host-certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { NODE_WAIT_MS } from '../../support/node-wait.ts';
import type { RealNode } from '../../support/real-node.ts';
import { SERVER_IMAGE } from './installation.ts';
import { isReady, podsBy } from './node-objects.ts';

export interface InnerModelHost {
  readonly uri: string;
  /** PEM of its certificate, which is its own CA. */
  readonly ca: string;
}

const PROGRAM = `
const { createServer } = require('node:https');
const { readFileSync } = require('node:fs');
const model = readFileSync('/models/fashion-mnist/backbone.onnx');
const { KEY: key, CERT: cert } = process.env;
createServer({ key, cert }, (request, response) => {
  if (request.url === '/backbone.onnx') response.end(model);
  else response.writeHead(404).end();
}).listen(8443);
`;

/** Runs in a namespace of tests and goes with it. */
export async function startInnerModelHost(
  node: RealNode,
  namespace: string,
): Promise<InnerModelHost> {
  const name = 'models';
  const host = `${name}.${namespace}.svc.cluster.local`;
  const { key, ca } = hostCertificate(host);
  const labels = { app: name };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'host',
          image: SERVER_IMAGE,
          imagePullPolicy: 'Never',
          command: ['/usr/bin/node', '-e', PROGRAM],
          env: [
            { name: 'KEY', value: key },
            { name: 'CERT', value: ca },
          ],
          readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
        },
      ],
    },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: labels, ports: [{ port: 8443 }] },
  };
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pod, service] });
  const { code, stderr } = await node.kubectl(['apply', '-f', '-'], { input });
  if (code !== 0) throw new Error(stderr);
  await eventually(async () => {
    const [made] = await podsBy(node, namespace, `app=${name}`);
    if (made === undefined || !isReady(made)) throw new Error(JSON.stringify(made?.status));
  }, NODE_WAIT_MS);
  return { uri: `https://${host}:8443/backbone.onnx`, ca };
}
