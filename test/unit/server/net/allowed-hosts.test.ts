import { expect, test } from 'vitest';
import { judgeHost, parseAllowedHosts } from '../../../../server/net/allowed-hosts.ts';

function judge(list: string, url: string) {
  const parsed = parseAllowedHosts(list);
  if (!parsed.ok) throw new Error(parsed.message);
  return judgeHost(parsed.value, new URL(url));
}

test.each([
  ['', 'https://models.example.com/m', 'Public'],
  ['*', 'https://models.example.com/m', 'Public'],
  ['models.example.com', 'https://models.example.com/m', 'Named'],
  ['models.example.com', 'https://MODELS.example.com/m', 'Named'],
  ['models.example.com', 'https://example.com/m', 'Refused'],
  ['models.example.com', 'https://models.example.com.evil.org/m', 'Refused'],
  ['models.example.com', 'https://xmodels.example.com/m', 'Refused'],
  ['*, minio.ml', 'https://elsewhere.org/m', 'Public'],
  ['*,minio.ml', 'http://minio.ml:9000/m', 'Named'],
  ['*.ml.svc', 'https://minio.ml.svc/m', 'Named'],
  ['*.ml.svc', 'https://a.b.ml.svc/m', 'Named'],
  ['*.ml.svc', 'https://ml.svc/m', 'Refused'],
  ['*.ml.svc', 'https://xml.svc/m', 'Refused'],
  ['minio.ml:9000', 'http://minio.ml:9000/m', 'Named'],
  ['minio.ml:9000', 'https://minio.ml/m', 'Refused'],
  ['minio.ml:443', 'https://minio.ml/m', 'Named'],
  ['minio.ml:80', 'http://minio.ml/m', 'Named'],
  ['127.0.0.1', 'http://2130706433/m', 'Named'],
  ['127.0.0.1', 'http://0177.1/m', 'Named'],
  ['[::1]:8443', 'https://[::1]:8443/m', 'Named'],
])('with "%s", %s is %s', (list, url, expected) => {
  expect(judge(list, url)).toBe(expected);
});

test.each(['https://host', 'host/path', 'a b', '**.svc', '*.', 'host:x', 'host:123456', '[zz]'])(
  'the entry %s is refused',
  (list) => {
    expect(parseAllowedHosts(list).ok).toBe(false);
  },
);
