/** A PEM block. */
export type PemBlock = { readonly type: string; readonly bytes: Buffer };

/** encoding/pem.EncodeToMemory, without headers: lines of 64 characters. */
export function encodePem(type: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${type}-----\n${lines.map((line) => `${line}\n`).join('')}-----END ${type}-----\n`;
}

const block = /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n((?:[^\n:]+:[^\n]*\n)*)([\s\S]*?)\n?-----END ([^\n]*?)-----/g;

/** encoding/pem.Decode: the first well-formed block of a text, or undefined. */
export function decodePem(text: string): PemBlock | undefined {
  for (const [, type = '', , body = '', end] of text.matchAll(block)) {
    const base64 = body.replaceAll(/[\r\n\t ]/g, '');
    if (type === end && base64.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(base64))
      return { type, bytes: Buffer.from(base64, 'base64') };
  }
  return undefined;
}
