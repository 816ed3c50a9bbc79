import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scheduleFault } from './cron.ts';

test('a cron schedule is read as the API server reads it', () => {
  for (const good of ['* * * * *', '*/5 0-6 1,15 jan-mar MON', '0 0 ? * 0', '@daily', '@every 1h30m'])
    assert.equal(scheduleFault(good), undefined, good);
  assert.equal(scheduleFault('often'), 'expected exactly 5 fields, found 1: [often]');
  assert.equal(scheduleFault('60 * * * *'), 'end of range (60) above maximum (59): 60');
  assert.equal(scheduleFault('5-1 * * * *'), 'beginning of range (5) beyond end of range (1): 5-1');
  assert.equal(scheduleFault('x * * * *'), 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax');
  assert.equal(scheduleFault('@often'), 'unrecognized descriptor: @often');
});
