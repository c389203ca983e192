import { expect, test } from 'vitest';
import { toldSchema } from '../testing/schema';
import { pictureOf } from './graph';
import { nextTrail, startOf, trailFrom, type Move } from './trail';
import { kindOf, namedTypes, rowsOf, search } from './types';

const schema = toldSchema();
const row = (type: string, name: string) => rowsOf(schema, type).find((each) => each.name === name);

test('a row says what it needs and where it leads', () => {
  expect(row('CreditSummary', 'scores')).toMatchObject({ type: '[CreditScore!]', named: 'CreditScore', target: 'CreditScore', scope: 'read:scores', personal: false });
  expect(row('CreditLine', 'applyUrl')).toMatchObject({ personal: true, target: undefined });
  expect(row('Query', 'loans')?.arguments.map((each) => each.name)).toContain('filter');
  expect(row('Query', 'loans')?.description).toBeTruthy();
});

test('pages of lists are looked through', () => {
  expect(row('Query', 'customers')).toMatchObject({ type: 'CustomerConnection', target: 'Customer' });
  expect(row('CustomerConnection', 'edges')).toMatchObject({ target: 'CustomerEdge' });
});

test('values and inputs have rows, too', () => {
  expect(rowsOf(schema, 'ScoreBand').map((each) => each.name)).toContain('EXCELLENT');
  expect(row('EventFilter', 'providers')).toMatchObject({ type: '[CreditProvider!]', named: 'CreditProvider' });
  expect(rowsOf(schema, 'Decimal')).toEqual([]);
  expect(rowsOf(schema, 'Nothing')).toEqual([]);
});

test('types are told apart and listed without those of introspection', () => {
  expect(['Customer', 'Node', 'ScoreBand', 'EventFilter', 'Decimal'].map((name) => kindOf(schema.getType(name)!))).toEqual(['object', 'interface', 'enum', 'input', 'scalar']);
  expect(namedTypes(schema).filter((name) => name.startsWith('__'))).toEqual([]);
});

test('search finds names before fields, and beginnings before middles', () => {
  const found = search(schema, 'credits');
  expect(found[0]).toBe('CreditScore');
  expect(found).toContain('Customer'); // for its creditSummary
  expect(found.indexOf('ConfirmCreditScoreInput')).toBeLessThan(found.indexOf('Customer'));
  expect(search(schema, 'no such thing')).toEqual([]);
  expect(search(schema, ' ')).toEqual(namedTypes(schema));
});

test('the picture has the open types and what these lead to, and nothing else', () => {
  const picture = pictureOf(schema, ['CreditSummary', 'Nothing']);
  const names = picture.boxes.map((box) => box.name).sort();
  expect(names).toEqual(['BureauSummary', 'CreditLine', 'CreditScore', 'CreditSummary', 'Exposure', 'SummarySource']);
  expect(picture.boxes.filter((box) => box.open).map((box) => box.name)).toEqual(['CreditSummary']);
  expect(picture.lines).toContainEqual({ from: 'CreditSummary', row: 'bestScore', to: 'CreditScore' });
  for (const { from, row: name } of picture.lines) {
    expect(picture.boxes.find((box) => box.name === from)?.rows.map((each) => each.name)).toContain(name); // each line begins at a row
  }
});

test('a large type leaves out plain fields, and says how many', () => {
  const customer = pictureOf(schema, ['Customer']).boxes.find((box) => box.name === 'Customer')!;
  expect(customer.rows.length + customer.more).toBe(rowsOf(schema, 'Customer').length);
  expect(customer.more).toBeGreaterThan(0);
  const leading = rowsOf(schema, 'Customer').filter((each) => each.target).map((each) => each.name);
  expect(customer.rows.map((each) => each.name)).toEqual(expect.arrayContaining(leading));
});

test('boxes do not overlap, and lead from the left to the right', () => {
  const { boxes } = pictureOf(schema, ['Query', 'Customer', 'Loan']);
  for (const a of boxes) {
    for (const b of boxes) {
      if (a.name >= b.name) continue;
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      expect(apart, `${a.name} and ${b.name}`).toBe(true);
    }
  }
  const x = (name: string) => boxes.find((box) => box.name === name)!.x;
  expect(x('Query')).toBeLessThan(x('Customer'));
});

test('the way back and forth has the picture as it was', () => {
  const start = startOf('Query', (type) => type === 'Customer');
  expect(start).toEqual({ focus: 'Customer', open: ['Query', 'Customer'] });
  expect(startOf('Query', () => false)).toEqual({ focus: 'Query', open: ['Query'] });
  const after = (...moves: Move[]) => moves.reduce(nextTrail, trailFrom(start));
  const visited = after({ kind: 'visit', type: 'Loan' }, { kind: 'close', type: 'Query' });
  expect(visited.now).toEqual({ focus: 'Loan', open: ['Customer', 'Loan'] });
  const back = [{ kind: 'back' }, { kind: 'back' }, { kind: 'back' }].reduce((trail, move) => nextTrail(trail, move as Move), visited);
  expect(back.now).toEqual(start);
  expect(nextTrail(back, { kind: 'forward' }).now.focus).toBe('Loan');
  expect(nextTrail(nextTrail(back, { kind: 'visit', type: 'Event' }), { kind: 'forward' }).now.focus).toBe('Event'); // a new way has no old future
  expect(nextTrail(back, { kind: 'visit', type: 'Customer' })).toBe(back);
  expect(nextTrail(visited, { kind: 'restart', view: start })).toEqual(trailFrom(start));
});
