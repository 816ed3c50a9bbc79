/** Lines for people, on stderr, in Flux's signs (L02): data goes to stdout. */
export const progress = {
  action: (text: string): void => line('►', text),
  generate: (text: string): void => line('✚', text),
  waiting: (text: string): void => line('◎', text),
  success: (text: string): void => line('✔', text),
  failure: (text: string): void => line('✗', text),
  warning: (text: string): void => line('⚠️', text),
};

function line(sign: string, text: string): void {
  process.stderr.write(`${sign} ${text}\n`);
}
