import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectCommand } from './run-command.ts';

export interface Subject {
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
}

export const SERVICE_ADDRESS = '10.96.0.1';

/** Makes a certificate authority in `folder`, as `<name>.crt` and `<name>.key`. */
export async function createAuthority(folder: string, name: string): Promise<void> {
  await expectCommand('openssl', [
    ...newKey(folder, name),
    ...['-x509', '-days', '30', '-subj', `/CN=${name}`],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ]);
}

/** Issues a certificate for a Kubernetes user (CN) and its groups (O). */
export function issueClient(folder: string, name: string, subject: Subject): Promise<Certificate> {
  return issue(folder, name, subject, 'extendedKeyUsage=clientAuth');
}

/** Issues a certificate for a server under `names`, each `DNS:...` or `IP:...`. */
export function issueServer(
  folder: string,
  name: string,
  subject: Subject,
  names: readonly string[],
): Promise<Certificate> {
  const alternatives = `subjectAltName=${names.join(',')}`;
  return issue(folder, name, subject, 'extendedKeyUsage=serverAuth', alternatives);
}

/** Makes one that expired yesterday for the names and the key of a server's certificate that was issued here. */
export async function expire(
  folder: string,
  { certPath, keyPath }: Certificate,
): Promise<Certificate> {
  const expiredPath = certPath.replace(/\.crt$/, '-expired.crt');
  const requestPath = certPath.replace(/\.crt$/, '.csr');
  await expectCommand('openssl', [
    ...['x509', '-x509toreq', '-copy_extensions', 'copyall', '-in', certPath],
    ...['-signkey', keyPath, '-out', requestPath],
  ]);
  await expectCommand('openssl', [
    ...['x509', '-req', '-copy_extensions', 'copyall', '-in', requestPath, '-days', '-1'],
    ...['-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key'), '-out', expiredPath],
  ]);
  return { certPath: expiredPath, keyPath };
}

async function issue(
  folder: string,
  name: string,
  { user, groups = [] }: Subject,
  ...extensions: string[]
): Promise<Certificate> {
  const authority = name.startsWith('front-proxy') ? 'front-proxy-ca' : 'ca';
  const subject = [...groups.map((group) => `/O=${escape(group)}`), `/CN=${escape(user)}`].join('');
  await expectCommand('openssl', [
    ...newKey(folder, name),
    ...['-CA', join(folder, `${authority}.crt`), '-CAkey', join(folder, `${authority}.key`)],
    ...['-days', '30', '-subj', subject],
    ...['basicConstraints=critical,CA:FALSE', ...extensions].flatMap((line) => ['-addext', line]),
  ]);
  return { certPath: join(folder, `${name}.crt`), keyPath: join(folder, `${name}.key`) };
}

function newKey(folder: string, name: string): string[] {
  return [
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'],
    ...['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)],
  ];
}

function escape(name: string): string {
  return name.replaceAll(/[/\\]/g, String.raw`\$&`);
}

/** Makes the pair that signs service account tokens. */
export function createTokenKeys(folder: string): void {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const encoding = { format: 'pem' } as const;
  writeFileSync(
    join(folder, 'tokens.key'),
    pair.privateKey.export({ type: 'pkcs8', ...encoding }),
    { mode: 0o600 },
  );
  writeFileSync(join(folder, 'tokens.pub'), pair.publicKey.export({ type: 'spki', ...encoding }));
}

export type Credential = Certificate | { readonly token: string };

/** A kubeconfig for one user (JSON, which is YAML), with everything inside, so it can be copied anywhere. */
export function kubeconfigText(folder: string, url: string, credential: Credential): string {
  const base64 = (path: string) => readFileSync(path).toString('base64');
  const user =
    'token' in credential
      ? { token: credential.token }
      : {
          'client-certificate-data': base64(credential.certPath),
          'client-key-data': base64(credential.keyPath),
        };
  const cluster = {
    server: url,
    'certificate-authority-data': base64(join(folder, 'ca.crt')),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  });
}
