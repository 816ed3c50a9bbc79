import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signRequest } from './aws-signature.ts';

// Cases of AWS's published signature suite.
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', sessionToken: undefined };
const NOW = Date.UTC(2015, 7, 30, 12, 36, 0);
const cases: { name: string; method: string; url: string; headers?: Record<string, string>; service: string; want: string }[] = [
  {
    name: 'get-vanilla',
    method: 'GET',
    url: 'https://example.amazonaws.com/',
    service: 'service',
    want: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    name: 'post-vanilla',
    method: 'POST',
    url: 'https://example.amazonaws.com/',
    service: 'service',
    want: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    name: 'the example of the guide',
    method: 'GET',
    url: 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    service: 'iam',
    want: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  },
];
for (const { name, method, url, headers = {}, service, want } of cases) {
  test(`AWS signature version 4: ${name}`, () => {
    const signed = signRequest({ method, url: new URL(url), headers, body: '' }, KEYS, { region: 'us-east-1', service }, NOW);
    assert.match(signed['authorization'] ?? '', new RegExp(`Signature=${want}$`));
  });
}
