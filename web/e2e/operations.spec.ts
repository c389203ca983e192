// Every operation that the explorer offers can be run as it stands, by the group that it is offered to.
import { collect, type Group } from '../operations/collect';
import { askForIds, fill, idsFrom, idsQuery } from '../src/ids';
import { emptied } from '../src/uploads';
import { formOf } from '../src/session';
import { expect, sandbox, test } from './explorer';

const roleOf: Record<Group, string> = { mobile: 'mobile', web: 'front end', analyst: 'analyst', operator: 'operator' };

/** idle are those for which this world may have nothing to act on: what they act on, then, is what is said to be missing. */
const idle: Record<string, string> = {
  ResolveOperation: 'operation in doubt',
  'ConfirmCreditScore (further information)': 'operation that waits for information',
};

for (const entry of collect().filter(({ kind }) => kind !== 'subscription')) {
  test(`${entry.title}, as ${roleOf[entry.group]}`, async () => {
    const session = await fetch(`${sandbox()}/explorer/session`, { headers: { 'Sec-Fetch-Site': 'same-origin' } });
    const { roles } = await session.json();
    const { token } = roles.find(({ role }: { role: string }) => role === roleOf[entry.group]);
    const { customerId } = roles.find((role: { customerId?: string }) => role.customerId);
    const ask = async (query: string, variables: object, file?: string) => {
      const body = JSON.stringify({ query, variables: file ? emptied(variables, [file]) : variables });
      const response = await fetch(`${sandbox()}/graphql`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, ...(!file && { 'Content-Type': 'application/json' }) },
        body: file ? formOf(body, new Map([[file, new File(['%PDF-1.4'], 'paper.pdf', { type: 'application/pdf' })]])) : body,
      });
      return response.json();
    };
    const { variables, missing } = fill(entry.variables, idsFrom((await ask(idsQuery, askForIds(customerId))).data));
    if (missing.length > 0 && missing[0] === idle[entry.title]) return;
    expect(missing).toEqual([]);
    const { data, errors } = await ask(entry.document, variables as object, entry.name === 'UploadDocument' ? 'variables.input.file' : undefined);
    expect(errors ?? []).toEqual([]);
    if (entry.kind === 'mutation') for (const payload of Object.values<any>(data)) {
      expect(payload.userErrors).toEqual([]);
      expect(payload.operation?.failure ?? null).toBeNull();
    }
  });
}
