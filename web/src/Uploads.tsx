import { useGraphiQL } from '@graphiql/react';
import type { GraphQLSchema } from 'graphql';
import { useEffect, useMemo, useState } from 'react';
import { createPortal } from 'react-dom';
import { useElement } from './useelement';
import { uploadPaths } from './uploads';

interface UploadsProps {
  schema: GraphQLSchema | null;
  onFiles: (files: ReadonlyMap<string, File>) => void;
}

/** Uploads asks for the files that the operation in the editor takes. */
export function Uploads({ schema, onFiles }: UploadsProps) {
  const document = useGraphiQL((state) => state.documentAST);
  const operationName = useGraphiQL((state) => state.operationName);
  const tab = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.id);
  const paths = useMemo(() => (schema && document ? uploadPaths(schema, document, operationName) : []), [schema, document, operationName]);
  const named = paths.join(' ');
  const [files, setFiles] = useState<ReadonlyMap<string, File>>(new Map());
  const host = useElement('.graphiql-editors', 'uploads-host', 'append');

  useEffect(() => setFiles(new Map()), [named, tab]); // another operation is given its files anew
  useEffect(() => onFiles(files), [files, onFiles]);

  if (!host || paths.length === 0) return null;
  const choose = (path: string, file?: File) => {
    const next = new Map(files);
    if (file) next.set(path, file);
    else next.delete(path);
    setFiles(next);
  };
  return createPortal(
    <fieldset className="uploads" key={`${tab} ${named}`}>
      <legend>Files</legend>
      {paths.map((path) => (
        <label key={path}>
          <code>{path.replace(/^variables\./, '$')}</code>
          <input type="file" onChange={(event) => choose(path, event.target.files?.[0])} />
        </label>
      ))}
    </fieldset>,
    host,
  );
}
