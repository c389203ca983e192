import type { Bureau } from './model';
import { Figure } from './Owed';

/** BureauFigures are a credit report in a few figures. */
export function BureauFigures({ bureau }: { bureau: Bureau }) {
  return (
    <dl className="pic-figures">
      <Text name="Report" value={bureau.reportNumber} />
      <Text name="Of" value={bureau.orderedOn} />
      <Text name="Open facilities" value={bureau.openFacilities} />
      <Figure name="Outstanding" money={bureau.totalOutstanding} />
      <Figure name="Overdue" money={bureau.amountOverdue} />
      <Text name="Enquiries in 12 months" value={bureau.enquiriesLast12Months} />
    </dl>
  );
}

function Text({ name, value }: { name: string; value: string | number | null | undefined }) {
  if (value === undefined) return null;
  return <div><dt>{name}</dt><dd>{value ?? 'not known'}</dd></div>;
}
