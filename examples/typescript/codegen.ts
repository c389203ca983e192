import type { CodegenConfig } from '@graphql-codegen/cli';

// Types and documents come from the service's own schema and from the operations beside this folder, of which there is no copy.
const config: CodegenConfig = {
  schema: '../../schema/*.graphqls',
  documents: ['../operations/*.graphql', '../events/*.graphql'],
  generates: {
    'src/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        // Exact numbers, days and moments are strings on the wire and stay strings: a JavaScript number would round them.
        scalars: {
          ID: 'string',
          Decimal: 'string',
          Int64: 'string',
          Date: 'string',
          DateTime: 'string',
          Duration: 'string',
          PhoneNumber: 'string',
          CurrencyCode: 'string',
          JSON: 'unknown',
          Upload: 'Blob',
        },
        strictScalars: true,
        enumsAsTypes: true,
        useTypeImports: true,
        importExtension: '.js',
        emitLegacyCommonJSImports: false,
      },
    },
  },
};

export default config;
