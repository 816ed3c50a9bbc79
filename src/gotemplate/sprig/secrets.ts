import { createDecipheriv, createHmac, scryptSync } from 'node:crypto';
import {
  anySliceType,
  budgetExceeded,
  bytesToText,
  GoError,
  goInt,
  GoStruct,
  intType,
  intTypes,
  sliceItems,
  stringType,
  structType,
  textToBytes,
  type GoType,
  type GoValue,
} from '../../golang/index.ts';
import { decodeBase64 } from './base-encoding.ts';
import { checkCustomCertificate } from './custom-certificate.ts';
import { fn, int, text, type Functions } from './define.ts';
import type { CertificateNames, CertificatePair, Providers } from './providers.ts';

const S = stringType;
const I = intType;
const L = anySliceType;

/** sprig.certificate. */
export const certificateType: GoType = structType('sprig.certificate', {
  fields: [
    { name: 'Cert', type: stringType, get: (struct) => pairOf(struct).cert },
    { name: 'Key', type: stringType, get: (struct) => pairOf(struct).key },
  ],
});

function pairOf(value: GoValue): CertificatePair {
  if (value instanceof GoStruct && value.structType === certificateType) return value.data as CertificatePair;
  throw new GoError('value is not a sprig.certificate');
}

function pairValue(pair: CertificatePair): GoStruct {
  return new GoStruct(certificateType, pair);
}

function certificateNames(commonName: GoValue, ips: GoValue, dnsNames: GoValue, days: GoValue): CertificateNames {
  return { commonName: text(commonName), ips: sliceItems(ips) ?? [], dnsNames: sliceItems(dnsNames) ?? [], days: int(days) };
}

/** Characters or bytes of one random text. */
const MAX_RANDOM = 1_000_000;

/** A count of random characters: none for negative ones, as goutils' ignored error. */
function characters(count: GoValue): number {
  const wanted = int(count);
  if (wanted > MAX_RANDOM) throw budgetExceeded('length of a random text', MAX_RANDOM);
  return Math.max(wanted, 0);
}

function randomBytes(providers: Providers, count: number): string {
  if (count < 0) throw new GoError('runtime error: makeslice: len out of range');
  if (count > MAX_RANDOM) throw budgetExceeded('number of random bytes', MAX_RANDOM);
  return providers.random.bytes(count);
}

function randomInteger(providers: Providers, min: number, max: number): number {
  if (max - min <= 0) throw new GoError('invalid argument to Intn');
  return providers.random.integer(min, max);
}

/** AES-256-CBC with the password as the key, base64 with the vector in front. Throws a GoError or the panic Go ends in. */
function decryptAes(password: string, encrypted: string): string {
  if (encrypted === '') return '';
  const data = decodeBase64(encrypted);
  const capacity = 3 * Math.trunc(encrypted.length / 4);
  if (capacity < 16) throw new GoError(`runtime error: slice bounds out of range [:16] with capacity ${capacity}`);
  if (data.length < 16) throw new GoError(`runtime error: slice bounds out of range [16:${data.length}]`);
  if (data.length % 16 !== 0) throw new GoError('crypto/cipher: input not full blocks');
  const decipher = createDecipheriv('aes-256-cbc', aesKey(password), data.subarray(0, 16)).setAutoPadding(false);
  const plain = Buffer.concat([decipher.update(data.subarray(16)), decipher.final()]);
  const last = plain.at(-1);
  if (last === undefined) throw new GoError('runtime error: index out of range [-1]');
  if (last > plain.length) throw new GoError(`runtime error: slice bounds out of range [:${plain.length - last}]`);
  return bytesToText(plain.subarray(0, plain.length - last));
}

/** The password cut or filled with zeros to 32 bytes. */
export function aesKey(password: string): Uint8Array {
  const key = new Uint8Array(32);
  key.set(textToBytes(password).subarray(0, 32));
  return key;
}

const passwordTemplates: Readonly<Record<string, readonly string[]>> = {
  maximum: ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno'],
  long: [
    'CvcvnoCvcvCvcv',
    'CvcvCvcvnoCvcv',
    'CvcvCvcvCvcvno',
    'CvccnoCvcvCvcv',
    'CvccCvcvnoCvcv',
    'CvccCvcvCvcvno',
    'CvcvnoCvccCvcv',
    'CvcvCvccnoCvcv',
    'CvcvCvccCvcvno',
    'CvcvnoCvcvCvcc',
    'CvcvCvcvnoCvcc',
    'CvcvCvcvCvccno',
    'CvccnoCvccCvcv',
    'CvccCvccnoCvcv',
    'CvccCvccCvcvno',
    'CvcvnoCvccCvcc',
    'CvcvCvccnoCvcc',
    'CvcvCvccCvccno',
    'CvccnoCvcvCvcc',
    'CvccCvcvnoCvcc',
    'CvccCvcvCvccno',
  ],
  medium: ['CvcnoCvc', 'CvcCvcno'],
  short: ['Cvcn'],
  basic: ['aaanaaan', 'aannaaan', 'aaannaaa'],
  pin: ['nnnn'],
};

const templateCharacters: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
};

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** The Master Password algorithm. */
function derivePassword(counter: number, type: string, password: string, user: string, site: string): string {
  const templates = Object.hasOwn(passwordTemplates, type) ? passwordTemplates[type] : undefined;
  if (templates === undefined) return `cannot find password template ${type}`;
  const seed = Buffer.from('com.lyndir.masterpassword');
  const name = textToBytes(user);
  const salt = Buffer.concat([seed, bigEndian(name.length), name]);
  const key = scryptSync(textToBytes(password), salt, 64, { N: 32768, r: 8, p: 2, maxmem: 128 * 1024 * 1024 });
  const place = textToBytes(site);
  const digest = createHmac('sha256', key)
    .update(Buffer.concat([seed, bigEndian(place.length), place, bigEndian(counter)]))
    .digest();
  const template = templates[(digest[0] ?? 0) % templates.length] ?? '';
  return [...template]
    .map((element, i) => {
      const allowed = templateCharacters[element] ?? '';
      return allowed[(digest[i + 1] ?? 0) % allowed.length];
    })
    .join('');
}

/** Random text, keys, certificates and passwords. */
export function secretFunctions(providers: Providers): Functions {
  const { random, crypto } = providers;
  return {
    randAlphaNum: fn([I], S, (count) => random.alphaNumeric(characters(count))),
    randAlpha: fn([I], S, (count) => random.alpha(characters(count))),
    randNumeric: fn([I], S, (count) => random.numeric(characters(count))),
    randAscii: fn([I], S, (count) => random.ascii(characters(count))),
    randBytes: fn([I], S, (count) => randomBytes(providers, int(count))),
    randInt: fn([I, I], I, (min, max) => goInt(randomInteger(providers, int(min), int(max)))),
    shuffle: fn([S], S, (value) => (text(value) === '' ? '' : random.shuffle(text(value)))),
    uuidv4: fn([], S, () => random.uuid()),
    bcrypt: fn([S], S, (password) => crypto.bcrypt(text(password))),
    htpasswd: fn([S, S], S, (user, password) =>
      text(user).includes(':') ? `invalid username: ${text(user)}` : crypto.htpasswd(text(user), text(password)),
    ),
    derivePassword: fn([intTypes.uint32, S, S, S, S], S, (counter, type, password, user, site) =>
      derivePassword(int(counter), text(type), text(password), text(user), text(site)),
    ),
    genPrivateKey: fn([S], S, (type) => crypto.privateKey(text(type))),
    genCA: fn([S, I], certificateType, (name, days) => pairValue(crypto.authority(text(name), int(days)))),
    genCAWithKey: fn([S, I, S], certificateType, (name, days, key) => pairValue(crypto.authority(text(name), int(days), text(key)))),
    genSelfSignedCert: fn([S, L, L, I], certificateType, (name, ips, dns, days) =>
      pairValue(crypto.selfSigned(certificateNames(name, ips, dns, days))),
    ),
    genSelfSignedCertWithKey: fn([S, L, L, I, S], certificateType, (name, ips, dns, days, key) =>
      pairValue(crypto.selfSigned(certificateNames(name, ips, dns, days), text(key))),
    ),
    genSignedCert: fn([S, L, L, I, certificateType], certificateType, (name, ips, dns, days, authority) =>
      pairValue(crypto.signed(certificateNames(name, ips, dns, days), pairOf(authority))),
    ),
    genSignedCertWithKey: fn([S, L, L, I, certificateType, S], certificateType, (name, ips, dns, days, authority, key) =>
      pairValue(crypto.signed(certificateNames(name, ips, dns, days), pairOf(authority), text(key))),
    ),
    buildCustomCert: fn([S, S], certificateType, (cert, key) => pairValue(checkCustomCertificate(text(cert), text(key)))),
    encryptAES: fn([S, S], S, (password, value) => (text(value) === '' ? '' : crypto.encryptAes(text(password), text(value)))),
    decryptAES: fn([S, S], S, (password, encrypted) => decryptAes(text(password), text(encrypted))),
  };
}
