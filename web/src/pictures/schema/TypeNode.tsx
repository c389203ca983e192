import { Handle, Position, type NodeProps } from '@xyflow/react';
import type { TypeBox } from './graph';
import type { Row } from './types';

interface NodeData {
  box: TypeBox;
  focused: boolean;
  onVisit: (name: string) => void;
  onClose: (name: string) => void;
}

/** TypeNode is one type of the picture, with its fields once it is open. */
export function TypeNode({ data }: NodeProps) {
  const { box, focused, onVisit, onClose } = data as unknown as NodeData;
  return (
    <div className="schema-node" data-kind={box.kind} data-focused={focused}>
      <Handle type="target" position={Position.Left} isConnectable={false} style={{ top: 17 }} />
      <div className="schema-node-head">
        <button type="button" className="nodrag nopan" aria-expanded={box.open} onClick={() => onVisit(box.name)}>{box.name}</button>
        {!box.open && <span className="schema-more">{counted(box)}</span>}
        {box.open && <button type="button" className="nodrag nopan" aria-label={`Close ${box.name}`} onClick={() => onClose(box.name)}>×</button>}
      </div>
      <ul>
        {box.rows.map((row) => <li key={row.name}><NodeRow row={row} onVisit={onVisit} /></li>)}
        {box.open && box.more > 0 && <li className="schema-more">and {box.more} more</li>}
      </ul>
    </div>
  );
}

function counted({ kind, more }: TypeBox): string {
  const word = kind === 'enum' ? 'value' : kind === 'union' ? 'member' : 'field';
  return `${more} ${word}${more === 1 ? '' : 's'}`;
}

function NodeRow({ row, onVisit }: { row: Row; onVisit: (name: string) => void }) {
  const { name, type, target, scope, description } = row;
  const title = [description, scope && `For tokens with ${scope}.`].filter(Boolean).join(' ');
  if (!target) return <span className="schema-node-row" title={title}><span>{name}</span><span className="schema-node-type">{type}</span></span>;
  return (
    <>
      <button type="button" className="schema-node-row nodrag nopan" title={title} onClick={() => onVisit(target)}>
        <span>{name}</span><span className="schema-node-type">{type}</span>
      </button>
      <Handle type="source" id={name} position={Position.Right} isConnectable={false} />
    </>
  );
}
