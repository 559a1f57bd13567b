import { describe, expect, it } from 'vitest';
import { createAddressGuard, type Resolve } from '../../src/outside/address-guard.ts';
import { parseTarget } from '../../src/outside/http-target.ts';
import { failureOf } from './provider.ts';

const at =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

const FORBIDDEN = [
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.1.1',
  '100.64.0.1',
  '0.0.0.0',
  '0.1.2.3',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '169.254.169.254',
  '169.254.170.2',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  '::',
  '::1',
  'fe80::1',
  'fc00::1',
  'fd12::1',
  'fd00:ec2::254',
  'ff02::1',
  'fec0::1',
  '2001:db8::1',
  '2001::1',
  '100::1',
  '::ffff:127.0.0.1',
  '::ffff:a00:1',
  '::7f00:1',
  '64:ff9b::7f00:1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2002:c0a8:101::1',
  '5f00::1',
  '4000::1',
];

const PUBLIC = [
  '93.184.216.34',
  '8.8.8.8',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
  '2002:808:808::1',
];

describe('address guard', () => {
  it.each(FORBIDDEN)('refuses %s as a literal and behind a name', async (address) => {
    const guard = createAddressGuard([], at(address));
    expect(() => guard.check(address, 80)).toThrow(expect.objectContaining({ code: 'ADDRESS_FORBIDDEN' }));
    expect((await failureOf(guard.resolve('innocent.example', 80))).code).toBe('ADDRESS_FORBIDDEN');
  });

  it.each(PUBLIC)('lets %s pass', async (address) => {
    const guard = createAddressGuard([], at(address));
    guard.check(address, 80);
    expect(await guard.resolve('innocent.example', 80)).toMatchObject([{ address }]);
  });

  it.each([
    'http://2130706433/',
    'http://0x7f000001/',
    'http://017700000001/',
    'http://127.1/',
    'http://0x7f.1/',
    'http://127.0.0.1./',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[0:0:0:0:0:ffff:7f00:1]/',
    'http://①②⑦.0.0.1/',
    'http://0/',
    'http://3232235777/',
  ])('refuses the notation %s', (url) => {
    const { hostname, port } = parseTarget(url);
    expect(() => createAddressGuard([]).check(hostname, port)).toThrow(
      expect.objectContaining({ code: 'ADDRESS_FORBIDDEN' }),
    );
  });

  it('opens ranges, addresses, and hosts and addresses with their port', async () => {
    const guard = createAddressGuard(
      ['10.0.0.0/8', '192.168.7.7', 'fd00::/8', '127.0.0.1:8080', '[::1]:8080', 'crm.internal:443'],
      at('172.16.0.9'),
    );
    for (const [host, port] of [
      ['10.9.9.9', 1],
      ['::ffff:10.9.9.9', 1],
      ['192.168.7.7', 5],
      ['fd00::9', 1],
      ['127.0.0.1', 8080],
      ['[::1]', 8080],
    ] as const) {
      guard.check(host, port);
    }
    expect(await guard.resolve('CRM.internal.', 443)).toEqual([{ address: '172.16.0.9', family: 4 }]);
    expect(() => guard.check('127.0.0.1', 8081)).toThrow();
    expect(() => guard.check('192.168.7.8', 5)).toThrow();
    expect((await failureOf(guard.resolve('crm.internal', 80))).code).toBe('ADDRESS_FORBIDDEN');
    expect((await failureOf(guard.resolve('crm.internal.example', 443))).code).toBe('ADDRESS_FORBIDDEN');
  });

  it('opens a metadata service only to its own address, not to a range or a name', async () => {
    const wide = createAddressGuard(['0.0.0.0/0', '::/0', 'meta.example:80'], at('169.254.169.254'));
    wide.check('10.0.0.1', 80);
    for (const address of ['169.254.169.254', 'fd00:ec2::254', '64:ff9b::a9fe:a9fe', '168.63.129.16']) {
      expect(() => wide.check(address, 80)).toThrow(/naming the very address/);
    }
    expect((await failureOf(wide.resolve('meta.example', 80))).code).toBe('ADDRESS_FORBIDDEN');
    createAddressGuard(['169.254.169.254']).check('169.254.169.254', 80);
  });

  it('gives a connection only the permitted ones of several addresses', async () => {
    const guard = createAddressGuard([], at('10.0.0.1', '93.184.216.34', '::1', '2606:4700::1111'));
    const lookup = (options: { all?: boolean; family?: number }) =>
      new Promise((resolve) => guard.lookupFor(80)('mixed.example', options, (...given) => resolve(given)));
    expect(await lookup({ all: true })).toEqual([
      null,
      [
        { address: '93.184.216.34', family: 4 },
        { address: '2606:4700::1111', family: 6 },
      ],
    ]);
    expect(await lookup({})).toEqual([null, '93.184.216.34', 4]);
    expect(await lookup({ family: 6 })).toEqual([null, '2606:4700::1111', 6]);
    const none = createAddressGuard([], at('93.184.216.34')).lookupFor(80);
    await new Promise<void>((resolve) =>
      none('v4.example', { family: 6 }, (error) => {
        expect(error).toMatchObject({ code: 'ENOTFOUND' });
        resolve();
      }),
    );
  });

  it('asks the name server once for all who wait', async () => {
    let asked = 0;
    const { promise, resolve: release } = Promise.withResolvers<void>();
    const guard = createAddressGuard([], async () => {
      asked += 1;
      await promise;
      return [{ address: '93.184.216.34', family: 4 }];
    });
    const all = Promise.all(Array.from({ length: 50 }, () => guard.resolve('slow.example', 80)));
    release();
    expect(await all).toHaveLength(50);
    expect(asked).toBe(1);
    await guard.resolve('slow.example', 80);
    expect(asked).toBe(2);
  });

  it('says which host, why, and what an operator can do, without the address behind a name', async () => {
    const { message, details } = await failureOf(
      createAddressGuard([], at('10.1.2.3')).resolve('crm.example', 8443),
    );
    expect(message).toBe(
      '"crm.example" leads to a private address, which must not be reached from here. If it is a service of your own, an operator can allow it by adding crm.example:8443 to SLUICEWAY_ALLOW_ADDRESSES.',
    );
    expect(details).toMatchObject({ kind: 'forbidden_address', statusCode: 0 });
  });

  it.each([
    '10.0.0.0/33',
    'crm.example',
    'crm.example:99999',
    'http://crm.example:80',
    '[crm]:80',
    '',
    '300.1.1.1',
  ])('refuses the entry "%s"', (entry) => {
    expect(() => createAddressGuard([entry])).toThrow(expect.objectContaining({ code: 'SETTINGS_INVALID' }));
  });
});
