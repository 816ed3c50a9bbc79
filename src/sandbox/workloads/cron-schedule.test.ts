import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSchedule } from './cron-schedule.ts';

/** The next few times of a schedule, as the API writes them. */
function times(text: string, after: string, count = 1, zone?: string): string[] {
  const schedule = parseSchedule(text, zone);
  assert.ok(schedule !== undefined, text);
  const out: string[] = [];
  for (let time: number | undefined = Date.parse(after); out.length < count; out.push(new Date(time).toISOString().replace('.000', ''))) {
    time = schedule.next(time);
    if (time === undefined) break;
  }
  return out;
}

describe('CronJob schedules', () => {
  for (const [text, after, expected] of [
    ['* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01:00Z'],
    ['*/15 * * * *', '2026-01-01T00:45:00Z', '2026-01-01T01:00:00Z'],
    ['5/20 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00Z'],
    ['0 9-17/4 * * MON-FRI', '2026-01-02T18:00:00Z', '2026-01-05T09:00:00Z'],
    ['30 6 1,15 * *', '2026-01-01T06:30:00Z', '2026-01-15T06:30:00Z'],
    ['0 0 31 * *', '2026-02-01T00:00:00Z', '2026-03-31T00:00:00Z'],
    ['0 0 29 feb ?', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    // Both days given: either matches.
    ['0 0 13 * FRI', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
    ['@hourly', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z'],
    ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'],
    ['@every 1h30m', '2026-01-01T00:00:10Z', '2026-01-01T01:30:10Z'],
  ] as const) {
    it(`${text} after ${after}`, () => assert.deepEqual(times(text, after), [expected]));
  }

  it('go by the clock of a time zone', () => {
    assert.deepEqual(times('0 9 * * *', '2026-01-01T00:00:00Z', 1, 'America/New_York'), ['2026-01-01T14:00:00Z']);
    assert.deepEqual(times('0 0 * * *', '2026-01-01T00:00:00Z', 1, 'Asia/Kolkata'), ['2026-01-01T18:30:00Z']);
    assert.deepEqual(times('0 9 * * *', '2026-07-01T00:00:00Z', 1, 'Europe/Berlin'), ['2026-07-01T07:00:00Z']);
  });

  it('leave out the times a clock change skips, and come twice for those it repeats', () => {
    // 8 March 2026: from 2:00 to 3:00; 1 November 2026: from 2:00 back to 1:00.
    assert.deepEqual(times('30 2 * * *', '2026-03-07T12:00:00Z', 1, 'America/New_York'), ['2026-03-09T06:30:00Z']);
    assert.deepEqual(times('30 1 * * *', '2026-11-01T00:00:00Z', 2, 'America/New_York'), ['2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z']);
    assert.deepEqual(times('0 3 * * *', '2026-03-08T00:00:00Z', 1, 'America/New_York'), ['2026-03-08T07:00:00Z']);
    // In Santiago the clock skips midnight: the 6th of September 2026 begins at 1:00.
    assert.deepEqual(times('0 12 6 9 *', '2026-09-01T00:00:00Z', 1, 'America/Santiago'), ['2026-09-06T15:00:00Z']);
  });

  it('that never come end', () => assert.deepEqual(times('0 0 31 2 *', '2026-01-01T00:00:00Z'), []));

  for (const text of [
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 7',
    '*/0 * * * *',
    '5-1 * * * *',
    'a * * * *',
    '@reboot',
    '@every soon',
    '1--2 * * * *',
  ]) {
    it(`refuse ${JSON.stringify(text)}`, () => assert.equal(parseSchedule(text), undefined));
  }
  it('refuse a zone nobody knows', () => assert.equal(parseSchedule('* * * * *', 'Moon/Base'), undefined));
});
