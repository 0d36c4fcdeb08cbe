import { describe, expect, test } from 'vitest';
import { classifyAddress } from '../../../../server/net/address-class.ts';

describe('every address has a class', () => {
  test.each([
    ['93.184.215.14', 'Public'],
    ['1.1.1.1', 'Public'],
    ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', 'Public'],
    ['::ffff:93.184.215.14', 'Public'],
    ['64:ff9b::5db8:d70e', 'Public'],
    ['127.0.0.1', 'Private'],
    ['127.255.255.254', 'Private'],
    ['10.0.0.1', 'Private'],
    ['172.16.0.1', 'Private'],
    ['172.31.255.255', 'Private'],
    ['172.32.0.1', 'Public'],
    ['192.168.1.1', 'Private'],
    ['100.64.0.1', 'Private'],
    ['::1', 'Private'],
    ['fd12:3456::1', 'Private'],
    ['::ffff:10.0.0.1', 'Private'],
    ['::ffff:7f00:1', 'Private'],
    ['::127.0.0.1', 'Private'],
    ['64:ff9b::10.0.0.1', 'Private'],
    ['169.254.169.254', 'Forbidden'],
    ['::ffff:169.254.169.254', 'Forbidden'],
    ['::ffff:a9fe:a9fe', 'Forbidden'],
    ['64:ff9b::169.254.169.254', 'Forbidden'],
    ['fd00:ec2::254', 'Forbidden'],
    ['fd20:ce::254', 'Forbidden'],
    ['100.100.100.200', 'Forbidden'],
    ['168.63.129.16', 'Forbidden'],
    ['0.0.0.0', 'Forbidden'],
    ['0.1.2.3', 'Forbidden'],
    ['::', 'Forbidden'],
    ['fe80::1', 'Forbidden'],
    ['fe80::1%eth0', 'Forbidden'],
    ['224.0.0.1', 'Forbidden'],
    ['255.255.255.255', 'Forbidden'],
    ['ff02::1', 'Forbidden'],
    ['2002:a00:1::1', 'Forbidden'],
    ['2001:0:a00:1::1', 'Forbidden'],
    ['host', 'Forbidden'],
    ['', 'Forbidden'],
    ['0177.0.0.1', 'Forbidden'],
  ])('%s is %s', (address, expected) => {
    expect(classifyAddress(address)).toBe(expected);
  });
});
