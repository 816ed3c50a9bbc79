import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  addDuration,
  civil,
  fixedZone,
  formatGoDuration,
  formatTime,
  goInt64,
  inZone,
  loadZone,
  makeTime,
  parseGoDuration,
  parseTime,
  roundDuration,
  sprintf,
  timeFromMillis,
  timeSince,
  timeToString,
  timeValue,
  toYamlValue,
  unixTime,
  utc,
  zeroTime,
  type GoTime,
} from '../index.ts';

const RFC3339 = '2006-01-02T15:04:05Z07:00';

suite('durations', () => {
  test('text and back', () => {
    for (const [text, want] of [
      ['0', '0s'],
      ['1.5h', '1h30m0s'],
      ['-90s', '-1m30s'],
      ['1500us', '1.5ms'],
      ['.5s', '500ms'],
      ['1h1h', '2h0m0s'],
      ['9223372036854775807ns', '2562047h47m16.854775807s'],
    ] as const) {
      assert.equal(formatGoDuration(parseGoDuration(text)), want);
    }
    for (const [text, message] of [
      ['', 'time: invalid duration ""'],
      ['1', 'time: missing unit in duration "1"'],
      ['1d', 'time: unknown unit "d" in duration "1d"'],
      ['--1s', 'time: invalid duration "--1s"'],
      ['3000000h', 'time: invalid duration "3000000h"'],
      ['1é', String.raw`time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9"`],
    ] as const) {
      assert.throws(() => parseGoDuration(text), { message });
    }
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 63n) + 1n, max: (1n << 63n) - 1n }), (ns) =>
        assert.equal(parseGoDuration(formatGoDuration(ns)), ns),
      ),
    );
  });

  test('rounding goes away from zero and saturates', () => {
    assert.equal(roundDuration(1_500_000_000n, 1_000_000_000n), 2_000_000_000n);
    assert.equal(roundDuration(-1_500_000_000n, 1_000_000_000n), -2_000_000_000n);
    assert.equal(timeSince(unixTime(1n << 60n, 0n, utc), zeroTime), (1n << 63n) - 1n);
  });
});

suite('times', () => {
  const moment = makeTime({ year: 2020, month: 2, day: 29, hour: 15, minute: 4, second: 5, nanos: 678_900_000 }, fixedZone('', 19_800));

  test('layouts', () => {
    for (const [layout, want] of [
      [RFC3339, '2020-02-29T15:04:05+05:30'],
      ['Monday, 02-Jan-06 03:04PM MST', 'Saturday, 29-Feb-20 03:04PM +0530'],
      ['_2 __2 002 2.1.06', '29  60 060 29.2.20'],
      ['.000 ,999999 05.99', '.678 ,6789 05.67'],
      ['-07:00:00 Z0700', '+05:30:00 +0530'],
      ['20060102150405', '20200229150405'],
      ['Janet Mont', 'Janet Mont'],
    ] as const) {
      assert.equal(formatTime(moment, layout), want);
    }
    assert.equal(timeToString(moment), '2020-02-29 15:04:05.6789 +0530 +0530');
    assert.equal(
      sprintf('%v|%s|%#v', [timeValue(zeroTime), timeValue(zeroTime), timeValue(zeroTime)]),
      '0001-01-01 00:00:00 +0000 UTC|0001-01-01 00:00:00 +0000 UTC|time.Date(1, time.January, 1, 0, 0, 0, 0, time.UTC)',
    );
    assert.equal(toYamlValue(timeValue(moment)), '2020-02-29T15:04:05.6789+05:30');
  });

  test('civil dates agree with the calendar', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
        (date) => {
          const time = timeFromMillis(date.getTime(), utc);
          assert.equal(formatTime(time, '2006-01-02T15:04:05.000Z'), date.toISOString());
          assert.equal(civil(time).weekday, date.getUTCDay());
          const { year, month, day, hour, minute, second } = civil(time);
          assert.equal(makeTime({ year, month, day, hour, minute, second }, utc).unix, time.unix);
          assert.equal(parseTime('2006-01-02T15:04:05.000Z07:00', date.toISOString()).unix, time.unix);
        },
      ),
    );
  });

  test('a formatted time reads back', () => {
    const times = fc.tuple(
      fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
      fc.nat(999_999_999),
      fc.integer({ min: -1439, max: 1439 }),
    );
    fc.assert(
      fc.property(times, ([unix, nanos, minutes]) => {
        const time: GoTime = unixTime(unix, BigInt(nanos), fixedZone('', minutes * 60));
        if (civil(time).year < 0 || civil(time).year > 9999) return;
        const back = parseTime('2006-01-02 15:04:05.999999999 -07:00', formatTime(time, '2006-01-02 15:04:05.999999999 -07:00'));
        assert.deepEqual([back.unix, back.nanos], [time.unix, time.nanos]);
      }),
    );
  });

  test('parsing errors', () => {
    for (const [layout, value, message] of [
      ['2006-01-02', '2020-13-04', 'parsing time "2020-13-04": month out of range'],
      ['2006-01-02', '2020-02-30', 'parsing time "2020-02-30": day out of range'],
      ['2006-01-02', 'x', 'parsing time "x" as "2006-01-02": cannot parse "x" as "2006"'],
      ['2006', '20201', 'parsing time "20201": extra text: "1"'],
      ['2006-002', '2021-366', 'parsing time "2021-366": day-of-year out of range'],
      ['Jan 002', 'Feb 001', 'parsing time "Feb 001": day-of-year does not match month'],
      [RFC3339, '2020-01-02T03:04:05+25:00', 'parsing time "2020-01-02T03:04:05+25:00": time zone offset hour out of range'],
    ] as const) {
      assert.throws(() => parseTime(layout, value), { message });
    }
  });

  test('zones', () => {
    const winter = makeTime({ year: 2020, month: 1, day: 1 }, utc);
    const summer = makeTime({ year: 2020, month: 7, day: 1 }, utc);
    for (const [zone, cold, warm] of [
      ['Europe/Berlin', '01:00 CET', '02:00 CEST'],
      ['America/New_York', '19:00 EST', '20:00 EDT'],
      ['Asia/Kolkata', '05:30 IST', '05:30 IST'],
      ['America/Sao_Paulo', '21:00 -03', '21:00 -03'],
      ['Local', '00:00 UTC', '00:00 UTC'],
      ['GMT', '00:00 GMT', '00:00 GMT'],
    ] as const) {
      assert.equal(formatTime(inZone(winter, loadZone(zone)), '15:04 MST'), cold);
      assert.equal(formatTime(inZone(summer, loadZone(zone)), '15:04 MST'), warm);
    }
    for (const bad of ['Nope/Zone', 'europe/berlin', '+01:00', 'a b'])
      assert.throws(() => loadZone(bad), { message: `unknown time zone ${bad}` });
    assert.throws(() => loadZone('../x'), { message: 'time: invalid location name' });
    assert.equal(makeTime({ year: 2020, month: 7, day: 1, hour: 2 }, loadZone('Europe/Berlin')).unix, summer.unix);
  });

  test('extreme times do not fail', () => {
    for (const unix of [(1n << 63n) - 1n, -(1n << 63n)]) {
      const time = unixTime(unix, 0n, utc);
      assert.equal(typeof formatTime(time, RFC3339), 'string');
      assert.equal(typeof formatTime(inZone(time, loadZone('Asia/Tokyo')), RFC3339), 'string');
      assert.equal(typeof addDuration(time, 1n << 62n).unix, 'bigint');
    }
    assert.equal(goInt64(1).value, 1);
  });
});
