// Trust policy documents of every shape, over signatures that the real notation made: what notation says of the document and of the
// signature is what we say. Needs no Kubernetes, only the Go toolchain that builds notation.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isCodedError } from '../../src/std/index.ts';
import { namedTrustStores, parseTrustPolicy, verifyNotation, type Subject } from '../../src/verify/index.ts';
import { issue as issueAt, keyPair, pem, type CertificateSpec, type Issued } from '../../src/verify/notation/testing/authority.ts';
import { crl, ocspResponse } from '../../src/verify/notation/testing/responder.ts';
import { signEnvelope } from '../../src/verify/notation/testing/signer.ts';
import { tool } from '../tools/build.ts';
import { httpRevocation, NotationLab } from './notation-lab.ts';

const program = await tool('notation');
const HOUR = 3_600_000;
const now = Date.now();
const at = (hours: number): Date => new Date(Math.trunc(now / 1000) * 1000 + hours * HOUR);
const issue = (spec: CertificateSpec, issuer?: Issued): Issued => issueAt({ notBefore: at(-48), notAfter: at(48), ...spec }, issuer);
const ROOT = issue({ subject: 'C=RO,ST=B,O=Test,CN=root', key: keyPair('P-256', 'policies root'), authority: true });
const OTHER = issue({ subject: 'C=RO,ST=B,O=Test,CN=other', key: keyPair('P-256', 'policies other'), authority: true });

type Statement = Record<string, unknown>;
const STATEMENT: Statement = {
  name: 'one',
  registryScopes: ['*'],
  signatureVerification: { level: 'strict' },
  trustStores: ['ca:test'],
  trustedIdentities: ['*'],
};
const verification = (signatureVerification: unknown): unknown => ({ trustPolicies: [{ ...STATEMENT, signatureVerification }] });
const one = (changes: Statement): unknown => ({ trustPolicies: [{ ...STATEMENT, ...changes }] });
const identities = (...trustedIdentities: string[]): unknown => one({ trustedIdentities });

describe('notation trust policies', { timeout: 600_000, skip: program === undefined ? 'no Go toolchain' : false }, () => {
  let lab: NotationLab;
  let folder: string;
  let count = 0;
  before(async () => {
    lab = await NotationLab.open(program ?? '');
    folder = mkdtempSync(join(tmpdir(), 'sluice-policies-'));
  });
  after(async () => {
    await lab.close();
    rmSync(folder, { recursive: true });
  });

  const STORES: Readonly<Record<string, readonly Issued[]>> = { 'ca:test': [ROOT], 'ca:other': [OTHER], 'signingAuthority:test': [ROOT] };

  /** What notation and we say of a signature under a document: accepted or not, and in which words. */
  async function compare(
    subject: Subject,
    document: string,
    stores = STORES,
  ): Promise<{ theirs: boolean; ours: boolean; text: string; told: string }> {
    const home = join(folder, String(count++));
    const files: Record<string, Record<string, Uint8Array>> = {};
    for (const [store, certificates] of Object.entries(stores)) {
      const [type = '', name = ''] = store.split(':');
      const place = join(home, 'notation/truststore/x509', type, name);
      mkdirSync(place, { recursive: true });
      files[store] = Object.fromEntries(certificates.map((certificate, index) => [`${index}.crt`, pem(certificate)]));
      for (const [file, bytes] of Object.entries(files[store])) writeFileSync(join(place, file), bytes);
    }
    writeFileSync(join(home, 'notation/trustpolicy.json'), document, { mode: 0o600 });
    const { code, output } = await lab.notation(home, 'verify', '--insecure-registry', `${subject.repository}@${subject.digest}`);
    let told = 'verified';
    try {
      const options = { policy: parseTrustPolicy(document), stores: namedTrustStores(files), now: new Date(), revocation: httpRevocation };
      const verdict = await verifyNotation(subject, await lab.signatures(subject), options);
      if ('kind' in verdict) told = 'skipped';
    } catch (error) {
      if (!isCodedError(error)) throw error;
      told = `${error.code}: ${error.message}`;
    }
    return { theirs: code === 0, ours: told === 'verified' || told === 'skipped', text: output.trim(), told };
  }

  /** Compares all, three at a time; gives what differs. */
  async function differences(
    cases: Readonly<Record<string, string>>,
    subject: Subject,
    different: Readonly<Record<string, string>> = {},
    stores = STORES,
  ): Promise<string[]> {
    const work = Object.entries(cases);
    const found: string[] = [];
    const next = async (): Promise<void> => {
      for (let item = work.pop(); item !== undefined; item = work.pop()) {
        const [name, document] = item;
        const { theirs, ours, text, told } = await compare(subject, document, stores);
        if (process.env['SLUICE_SHOW'] !== undefined) process.stderr.write(`${name}: ${theirs} ${ours} ${told}\n`);
        if ((ours !== theirs) !== Object.hasOwn(different, name)) found.push(`${name}: notation ${theirs} (${text}), we ${ours} (${told})`);
      }
    };
    await Promise.all([next(), next(), next()]);
    return found;
  }

  const text = (value: unknown): string => JSON.stringify({ version: '1.0', ...(value as object) });

  test('documents: scopes, levels, overrides, stores, fields', async () => {
    const subject = await lab.artifact('policies/app');
    const signer = issue({ subject: 'C=RO,ST=B,O=Test,OU=Unit,CN=signer' }, ROOT);
    await lab.sign(subject, [signer, ROOT], 'jws');
    const { repository } = subject;
    const host = repository.slice(0, repository.indexOf('/'));
    const skip = { signatureVerification: { level: 'skip' }, trustStores: undefined, trustedIdentities: undefined };
    const refusing = { trustStores: ['ca:other'] };
    const two = (first: Statement, second: Statement): unknown => ({
      trustPolicies: [
        { ...STATEMENT, ...first },
        { ...STATEMENT, name: 'two', ...second },
      ],
    });
    const documents: Readonly<Record<string, unknown>> = {
      plain: one({}),
      'the repository': one({ registryScopes: [repository] }),
      'another repository': one({ registryScopes: [`${host}/other`] }),
      'the repository among others': one({ registryScopes: [`${host}/other`, repository] }),
      'the repository before the wildcard': two({ registryScopes: [repository] }, refusing),
      'the wildcard before the repository': two(refusing, { registryScopes: [repository] }),
      'the repository refuses, the wildcard accepts': two({ ...refusing, registryScopes: [repository] }, {}),
      'the repository skips, the wildcard refuses': two({ ...skip, registryScopes: [repository] }, refusing),
      'the wildcard skips, the repository refuses': two({ ...refusing, registryScopes: [repository] }, skip),
      'two wildcards': two({}, {}),
      'two statements for the repository': two({ registryScopes: [repository] }, { registryScopes: [repository] }),
      'one scope twice': one({ registryScopes: [repository, repository] }),
      'a wildcard among others': one({ registryScopes: ['*', repository] }),
      'a wildcard path': one({ registryScopes: [`${host}/*`] }),
      'a part of the path': one({ registryScopes: [`${host}/policies`] }),
      'a scope with a tag': one({ registryScopes: [`${repository}:v1`] }),
      'a scope with a digest': one({ registryScopes: [`${repository}@${subject.digest}`] }),
      'a scope with a scheme': one({ registryScopes: [`http://${repository}`] }),
      'a scope without registry': one({ registryScopes: ['app'] }),
      'a scope in capitals': one({ registryScopes: [`${host}/Policies/App`] }),
      'a registry alone': one({ registryScopes: [host] }),
      'an empty scope': one({ registryScopes: [''] }),
      'no scopes': one({ registryScopes: [] }),
      'scopes absent': one({ registryScopes: undefined }),
      'two statements of one name': { trustPolicies: [STATEMENT, { ...STATEMENT, registryScopes: [repository] }] },
      'a statement without name': one({ name: undefined }),
      'an empty name': one({ name: '' }),
      'no statements': { trustPolicies: [] },
      'statements absent': {},
      'version 1.1': { ...(one({}) as object), version: '1.1' },
      'no version': { ...(one({}) as object), version: undefined },
      'an unknown field': { ...(one({ comment: 'x' }) as object), note: 1 },
      'a field in capitals': { ...(one({}) as object), version: undefined, VERSION: '1.0' },
      'level permissive': verification({ level: 'permissive' }),
      'level audit': verification({ level: 'audit' }),
      'level audit, another root': one({ ...refusing, signatureVerification: { level: 'audit' } }),
      'level permissive, another root': one({ ...refusing, signatureVerification: { level: 'permissive' } }),
      'level audit, authenticity enforced, another root': one({
        ...refusing,
        signatureVerification: { level: 'audit', override: { authenticity: 'enforce' } },
      }),
      'level strict, authenticity logged, another root': one({
        ...refusing,
        signatureVerification: { level: 'strict', override: { authenticity: 'log' } },
      }),
      'level skip': one(skip),
      'level skip with stores': one({ signatureVerification: { level: 'skip' } }),
      'level skip with an override': one({ ...skip, signatureVerification: { level: 'skip', override: { expiry: 'log' } } }),
      'level skip with verifyTimestamp': one({ ...skip, signatureVerification: { level: 'skip', verifyTimestamp: 'afterCertExpiry' } }),
      'level in capitals': verification({ level: 'Strict' }),
      'level unknown': verification({ level: 'lenient' }),
      'level absent': verification({}),
      'verification absent': verification(undefined),
      'verification null': verification(null),
      'level a number': verification({ level: 1 }),
      'override revocation skip': verification({ level: 'strict', override: { revocation: 'skip' } }),
      'override revocation log': verification({ level: 'strict', override: { revocation: 'log' } }),
      'override expiry skip': verification({ level: 'strict', override: { expiry: 'skip' } }),
      'override authenticity skip': verification({ level: 'strict', override: { authenticity: 'skip' } }),
      'override timestamp skip': verification({ level: 'strict', override: { authenticTimestamp: 'skip' } }),
      'override integrity': verification({ level: 'strict', override: { integrity: 'log' } }),
      'override integrity to enforce': verification({ level: 'strict', override: { integrity: 'enforce' } }),
      'override unknown': verification({ level: 'strict', override: { trust: 'log' } }),
      'override to an unknown action': verification({ level: 'strict', override: { expiry: 'warn' } }),
      'override null': verification({ level: 'strict', override: null }),
      'override empty': verification({ level: 'strict', override: {} }),
      'override a list': verification({ level: 'strict', override: [] }),
      'verifyTimestamp always': verification({ level: 'strict', verifyTimestamp: 'always' }),
      'verifyTimestamp afterCertExpiry': verification({ level: 'strict', verifyTimestamp: 'afterCertExpiry' }),
      'verifyTimestamp unknown': verification({ level: 'strict', verifyTimestamp: 'never' }),
      'verifyTimestamp empty': verification({ level: 'strict', verifyTimestamp: '' }),
      'another store': one(refusing),
      'two stores': one({ trustStores: ['ca:other', 'ca:test'] }),
      'a store twice': one({ trustStores: ['ca:test', 'ca:test'] }),
      'a store that is not there': one({ trustStores: ['ca:absent'] }),
      'a store that is there and one that is not': one({ trustStores: ['ca:test', 'ca:absent'] }),
      'a store of the other scheme': one({ trustStores: ['signingAuthority:test'] }),
      'a store of both schemes': one({ trustStores: ['signingAuthority:test', 'ca:test'] }),
      'a tsa store that is not there': one({ trustStores: ['ca:test', 'tsa:absent'] }),
      'a store of unknown type': one({ trustStores: ['root:test'] }),
      'a store without type': one({ trustStores: ['test'] }),
      'a store without name': one({ trustStores: ['ca:'] }),
      'a store with a path': one({ trustStores: ['ca:../test'] }),
      'a store with two colons': one({ trustStores: ['ca:test:x'] }),
      'no stores': one({ trustStores: [] }),
      'no identities': one({ trustedIdentities: [] }),
      'an empty document': null,
    };
    const raw: Record<string, string> = Object.fromEntries(Object.entries(documents).map(([name, value]) => [name, text(value)]));
    const plain = text(one({}));
    Object.assign(raw, {
      'no JSON': '{',
      nothing: '',
      'a list': '[]',
      null: 'null',
      'text after the document': `${plain} x`,
      'a second document': `${plain}${plain}`,
      'a comment': `// policy\n${plain}`,
      'a byte order mark': `\uFEFF${plain}`,
      'space around it': `\n\t${plain}\r\n`,
      'a field twice': plain.replace('"version":"1.0"', '"version":"1.1","version":"1.0"'),
      'a trailing comma': plain.replace(/}$/, ',}'),
    });
    const different = {
      'level skip with stores': 'notation refuses it; Flux leaves the stores out, and so do we',
      'text after the document': 'notation reads the first value; Flux and we refuse the rest',
      'a second document': 'the same',
    };
    assert.deepEqual(await differences(raw, subject, different), []);
  });

  test('identities: distinguished names in every spelling', async () => {
    const subject = await lab.artifact('policies/names');
    const strange = String.raw`C=RO,ST=București,O=Acme\, Inc. + Söhne "x" \\ <y>;z,OU=#1,L= spaced ,CN=signer`;
    await lab.sign(subject, [issue({ subject: strange }, ROOT), ROOT], 'cose');
    const O = String.raw`O=Acme\, Inc. \+ Söhne \"x\" \\ \<y\>\;z`;
    const names: Readonly<Record<string, readonly string[]>> = {
      everyone: ['*'],
      'the whole name': [String.raw`x509.subject: C=RO, ST=București, ${O}, OU=\#1, L=\ spaced\ , CN=signer`],
      'a part of it': [`x509.subject: C=RO, ST=București, ${O}`],
      'in another order': [`x509.subject: ${O}, CN=signer, ST=București, C=RO`],
      'without spaces': [`x509.subject:C=RO,ST=București,${O}`],
      'with more spaces': [`x509.subject:   C = RO ,  ST =București , ${O}  `],
      'S for ST': [`x509.subject: C=RO, S=București, ${O}`],
      'both S and ST': [`x509.subject: C=RO, S=București, ST=București, ${O}`],
      semicolons: [`x509.subject: C=RO; ST=București; ${O}`],
      'hexadecimal escapes': [String.raw`x509.subject: C=RO, ST=Bucure\C8\99ti, O=Acme\2C Inc. \2B Söhne \22x\22 \5C \3Cy\3E\3Bz`],
      'an escaped number sign': [String.raw`x509.subject: C=RO, ST=București, ${O}, OU=\#1`],
      'a bare number sign': [`x509.subject: C=RO, ST=București, ${O}, OU=#1`],
      'another case of a value': [`x509.subject: C=ro, ST=București, ${O}`],
      'another case of a name': [`x509.subject: c=RO, st=București, ${O}`],
      'another common name': [`x509.subject: C=RO, ST=București, ${O}, CN=signer-evil`],
      'a prefix of the common name': [`x509.subject: C=RO, ST=București, ${O}, CN=sign`],
      'a wildcard in a value': [`x509.subject: C=RO, ST=București, ${O}, CN=*`],
      'an attribute it has not': [`x509.subject: C=RO, ST=București, ${O}, STREET=x`],
      'no C': [`x509.subject: ST=București, ${O}`],
      'no ST': [`x509.subject: C=RO, ${O}`],
      'no O': ['x509.subject: C=RO, ST=București'],
      'an empty O': ['x509.subject: C=RO, ST=București, O='],
      'an attribute twice': [`x509.subject: C=RO, C=RO, ST=București, ${O}`],
      'several attributes in one': [`x509.subject: C=RO+ST=București, ${O}`],
      'no value': ['x509.subject:'],
      'no kind': [`C=RO, ST=București, ${O}`],
      'another kind': ['plugin.id: x'],
      'a kind without value': ['plugin.id:'],
      'an empty one': [''],
      'everyone among others': ['*', `x509.subject: C=RO, ST=București, ${O}`],
      'two that overlap': [`x509.subject: C=RO, ST=București, ${O}`, `x509.subject: C=RO, ST=București, ${O}, CN=signer`],
      'two, the second matches': ['x509.subject: C=RO, ST=B, O=Other', `x509.subject: C=RO, ST=București, ${O}`],
      'ours and another kind': ['plugin.id: x', `x509.subject: C=RO, ST=București, ${O}`],
      'the same twice': [`x509.subject: C=RO, ST=București, ${O}`, `x509.subject: C=RO, ST=București, ${O}`],
      'an unfinished escape': ['x509.subject: C=RO, ST=B, O=x\\'],
      'an attribute by number': [`x509.subject: C=RO, ST=București, ${O}, 2.5.4.3=signer`],
      'a comma at the end': [`x509.subject: C=RO, ST=București, ${O},`],
      'no equals sign': [`x509.subject: C=RO, ST=București, ${O}, x`],
      'X509.Subject': [`X509.Subject: C=RO, ST=București, ${O}`],
    };
    const cases = Object.fromEntries(Object.entries(names).map(([name, list]) => [name, text(identities(...list))]));
    assert.deepEqual(await differences(cases, subject), []);
  });

  test('revocation: deltas, staples, several places', async () => {
    const times = { thisUpdate: at(-1), nextUpdate: at(1) };
    const listed = (certificate: Issued['certificate'], reason?: number): object => ({
      ...times,
      entries: [{ certificate, time: at(-1), ...(reason === undefined ? {} : { reason }) }],
    });
    const MUST_STAPLE = '1.3.6.1.5.5.7.1.24';
    const staple = Buffer.from('3003020105', 'hex');
    const cases: Readonly<
      Record<string, readonly [spec: CertificateSpec, serve: (certificate: Issued['certificate']) => Record<string, Buffer>]>
    > = {
      'a base and a delta that revokes': [
        { crl: [lab.url('a-base')] },
        (certificate) => ({
          'a-base': crl(ROOT, { ...times, number: 10, freshest: [lab.url('a-delta')] }),
          'a-delta': crl(ROOT, { ...listed(certificate), number: 11, deltaBase: 10 }),
        }),
      ],
      'a base and a delta that does not': [
        { crl: [lab.url('b-base')] },
        () => ({
          'b-base': crl(ROOT, { ...times, number: 10, freshest: [lab.url('b-delta')] }),
          'b-delta': crl(ROOT, { ...times, number: 11, deltaBase: 10 }),
        }),
      ],
      'a base whose delta cannot be had': [
        { crl: [lab.url('c-base')] },
        () => ({ 'c-base': crl(ROOT, { ...times, number: 10, freshest: [lab.url('absent')] }) }),
      ],
      'a base that holds, and a delta that takes it back': [
        { crl: [lab.url('d-base')] },
        (certificate) => ({
          'd-base': crl(ROOT, { ...listed(certificate, 6), number: 10, freshest: [lab.url('d-delta')] }),
          'd-delta': crl(ROOT, { ...times, entries: [{ certificate, time: at(-0.5), reason: 8 }], number: 11, deltaBase: 10 }),
        }),
      ],
      'a delta that is older than its base': [
        { crl: [lab.url('e-base')] },
        () => ({
          'e-base': crl(ROOT, { ...times, number: 10, freshest: [lab.url('e-delta')] }),
          'e-delta': crl(ROOT, { ...times, number: 9, deltaBase: 8 }),
        }),
      ],
      'on hold': [{ crl: [lab.url('f')] }, (certificate) => ({ f: crl(ROOT, listed(certificate, 6)) })],
      'two lists, the second revokes': [
        { crl: [lab.url('g1'), lab.url('g2')] },
        (certificate) => ({ g1: crl(ROOT, times), g2: crl(ROOT, listed(certificate)) }),
      ],
      'two lists, one cannot be had': [{ crl: [lab.url('absent'), lab.url('h2')] }, () => ({ h2: crl(ROOT, times) })],
      'a list without nextUpdate': [{ crl: [lab.url('i')] }, () => ({ i: crl(ROOT, { ...times, nextUpdate: null }) })],
      'a list of the future': [{ crl: [lab.url('j')] }, () => ({ j: crl(ROOT, { thisUpdate: at(1), nextUpdate: at(2) }) })],
      'an empty list of bytes': [{ crl: [lab.url('k')] }, () => ({ k: Buffer.alloc(0) })],
      'must-staple': [{ extensions: [[MUST_STAPLE, false, staple]] }, () => ({})],
      'must-staple, critical': [{ extensions: [[MUST_STAPLE, true, staple]] }, () => ({})],
      'must-staple, good by OCSP': [
        { extensions: [[MUST_STAPLE, false, staple]], ocsp: [lab.url('l')] },
        (certificate) => ({ l: ocspResponse(certificate, ROOT, times) }),
      ],
      'two responders, the first cannot be reached': [
        { ocsp: ['http://127.0.0.1:1/', lab.url('m')] },
        (certificate) => ({ m: ocspResponse(certificate, ROOT, times) }),
      ],
      'two responders, the first revokes': [
        { ocsp: [lab.url('n1'), lab.url('n2')] },
        (certificate) => ({
          n1: ocspResponse(certificate, ROOT, { ...times, status: 'revoked' }),
          n2: ocspResponse(certificate, ROOT, times),
        }),
      ],
      'revoked by OCSP, good by CRL': [
        { ocsp: [lab.url('o1')], crl: [lab.url('o2')] },
        (certificate) => ({ o1: ocspResponse(certificate, ROOT, { ...times, status: 'revoked' }), o2: crl(ROOT, times) }),
      ],
      'unknown to the responder, good by CRL': [
        { ocsp: [lab.url('p1')], crl: [lab.url('p2')] },
        (certificate) => ({ p1: ocspResponse(certificate, ROOT, { ...times, status: 'unknown' }), p2: crl(ROOT, times) }),
      ],
      'an expired OCSP response, revoked by CRL': [
        { ocsp: [lab.url('q1')], crl: [lab.url('q2')] },
        (certificate) => ({
          q1: ocspResponse(certificate, ROOT, { thisUpdate: at(-3), nextUpdate: at(-2) }),
          q2: crl(ROOT, listed(certificate)),
        }),
      ],
      'an answer about another certificate': [
        { ocsp: [lab.url('r')] },
        (certificate) => ({ r: ocspResponse(certificate, ROOT, { ...times, about: ROOT.certificate }) }),
      ],
    };
    const policies = {
      strict: text(one({})),
      permissive: text(verification({ level: 'permissive' })),
      logged: text(verification({ level: 'strict', override: { revocation: 'log' } })),
    };
    /** Where we are stricter. */
    const different: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      'a list of the future': { strict: 'a list that does not hold yet proves nothing' },
      // RFC 5280 section 4.2 has certificates with unknown critical extensions refused; Go's library leaves that to its user.
      'must-staple, critical': { strict: 'refused', permissive: 'refused', logged: 'refused' },
    };
    const found: string[] = [];
    for (const [index, [name, [spec, serve]]] of Object.entries(cases).entries()) {
      const signer = issue(spec, ROOT);
      for (const [path, bytes] of Object.entries(serve(signer.certificate))) lab.answers.set(path, () => bytes);
      const subject = await lab.artifact(`revocation/${index}`);
      await lab.push(subject, signEnvelope('JWS', { subject, chain: [signer, ROOT], signingTime: at(-1) }));
      for (const difference of await differences(policies, subject, different[name])) found.push(`${name}, ${difference}`);
    }
    assert.deepEqual(found, []);
  });
});
