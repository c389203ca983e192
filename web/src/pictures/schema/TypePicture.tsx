// The picture of types. It comes in a chunk of its own, as what draws it is large.
import { Background, Controls, ReactFlow, ReactFlowProvider, useReactFlow, useStore, type Edge, type Node } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import type { GraphQLSchema } from 'graphql';
import { useEffect, useMemo } from 'react';
import { pictureOf, type Picture, type TypeBox } from './graph';
import type { View } from './trail';
import { TypeNode } from './TypeNode';

interface PictureProps {
  schema: GraphQLSchema;
  view: View;
  onVisit: (name: string) => void;
  onClose: (name: string) => void;
}

const nodeTypes = { type: TypeNode };

/** TypePicture draws the types that are open, and those that they lead to. */
export default function TypePicture(props: PictureProps) {
  return <ReactFlowProvider><Canvas {...props} /></ReactFlowProvider>;
}

function Canvas({ schema, view, onVisit, onClose }: PictureProps) {
  const picture = useMemo(() => pictureOf(schema, view.open), [schema, view.open]);
  const nodes = useMemo(() => picture.boxes.map((box) => nodeOf(box, view.focus, onVisit, onClose)), [picture, view.focus, onVisit, onClose]);
  const edges = useMemo(() => picture.lines.map((line): Edge => ({
    id: `${line.from}.${line.row}`, source: line.from, sourceHandle: line.row, target: line.to, className: line.from === view.focus ? 'schema-near' : undefined,
  })), [picture, view.focus]);
  return (
    <div className="schema-picture">
      <ReactFlow nodes={nodes} edges={edges} nodeTypes={nodeTypes} fitView minZoom={0.1} maxZoom={1.5}
        nodesDraggable={false} nodesConnectable={false} nodesFocusable={false} edgesFocusable={false} elementsSelectable={false}
        proOptions={{ hideAttribution: false }} aria-label="Types and what they lead to">
        <Background gap={24} />
        <Controls showInteractive={false} />
      </ReactFlow>
      <Fit picture={picture} focus={view.focus} />
    </div>
  );
}

function nodeOf(box: TypeBox, focus: string, onVisit: (name: string) => void, onClose: (name: string) => void): Node {
  return {
    id: box.name, type: 'type', position: { x: box.x, y: box.y }, width: box.width, height: box.height,
    data: { box, focused: box.name === focus, onVisit, onClose },
  };
}

/** Fit moves the picture so that the type that is looked at, and what stands beside it, can be seen. */
function Fit({ picture, focus }: { picture: Picture; focus: string }) {
  const { fitView } = useReactFlow();
  const size = useStore((state) => `${state.width}x${state.height}`); // the pane can be enlarged
  useEffect(() => {
    const near = picture.lines.filter((line) => line.from === focus || line.to === focus).flatMap((line) => [line.from, line.to]);
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const frame = requestAnimationFrame(() => {
      void fitView({ nodes: [focus, ...near].map((id) => ({ id })), padding: 0.08, minZoom: 0.45, maxZoom: 1, duration: still ? 0 : 300 });
    });
    return () => cancelAnimationFrame(frame);
  }, [picture, focus, size, fitView]);
  return null;
}
