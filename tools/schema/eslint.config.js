// The rules for the schema. They run from the root of the repository: make schema-lint.
import graphql from '@graphql-eslint/eslint-plugin';

// Parts of something that has an id. Nobody asks for one of them alone, so that there is nothing to find by an id of their own.
const parts = [
  'Address',
  'Allocation',
  'Employment',
  'Enquiry',
  'EventEnvelope',
  'Identification',
  'Identity',
  'Installment',
  'InstitutionFacilities',
  'Latency',
  'ProductEnquiries',
  'ProductFacilities',
  'ProviderProblem',
  'ReportSubject',
  'ScoreFactor',
  'ScoreScale',
];

// Values and figures: two that say the same are the same, and figures are another value a moment later.
const values = [
  'BureauSummary',
  'CreditLine',
  'CreditSummary',
  'Exposure',
  'Failure',
  'LoanTotals',
  'Money',
  'PageInfo',
  'RateLimit',
  'SummarySource',
  'Tenure',
  'UserError',
  'UserWarning',
  'Viewer',
];

// Records are read as a list and pointed to by nothing.
const records = ['AuditRecord'];

export default [
  {
    files: ['**/*.graphqls'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: 'schema/*.graphqls' } } },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      // Beyond what is recommended: everything is described, down to arguments and values of enums.
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          rootField: true,
          DirectiveDefinition: true,
          EnumValueDefinition: true,
          FieldDefinition: true,
          InputValueDefinition: true,
        },
      ],
      // A description of one line stands in one line, a longer one in a block. The rule wants one form for both.
      '@graphql-eslint/description-style': 'off',
      // Pages, their entries and answers of mutations have no id in the Relay specification either.
      '@graphql-eslint/strict-id-in-types': [
        'error',
        { exceptions: { types: [...parts, ...values, ...records], suffixes: ['Connection', 'Edge', 'Payload'] } },
      ],
    },
  },
  {
    // Provider.provider says which provider it is, in the same word as everywhere else: Loan.provider, Event.provider.
    files: ['**/provider.graphqls'],
    rules: { '@graphql-eslint/no-typename-prefix': 'off' },
  },
];
