// The part of the schema that the picture has: the types that somebody opened, and what these lead to.
import { graphlib, layout } from '@dagrejs/dagre';
import type { GraphQLSchema } from 'graphql';
import { kindOf, rowsOf, type Kind, type Row } from './types';

/** TypeBox is a type in the picture. */
export interface TypeBox {
  name: string;
  kind: Kind;
  open: boolean;
  /** rows are the fields that the box shows: none unless it is open. */
  rows: Row[];
  /** more is how many fields the box leaves out: all of them unless it is open. */
  more: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Line leads from a field to the type that it answers with. */
export interface Line {
  from: string;
  row: string;
  to: string;
}

/** Picture is what there is to draw. */
export interface Picture {
  boxes: TypeBox[];
  lines: Line[];
}

/** sizes of a box, in pixels; the style sheet has them, too. */
export const sizes = { width: 250, head: 34, row: 22, foot: 8 };

const most = 18; // rows of one box

/** pictureOf lays out the open types and those that they lead to, from the left to the right. */
export function pictureOf(schema: GraphQLSchema, open: readonly string[]): Picture {
  const opened = open.filter((name) => schema.getType(name));
  const lines = opened.flatMap((name) => linesOf(schema, name));
  const names = [...new Set([...opened, ...lines.map((line) => line.to)])];
  const boxes = names.map((name) => boxOf(schema, name, opened.includes(name)));
  place(boxes, lines);
  return { boxes, lines };
}

function linesOf(schema: GraphQLSchema, name: string): Line[] {
  return rowsOf(schema, name).flatMap((row) => (row.target && row.target !== name ? [{ from: name, row: row.name, to: row.target }] : []));
}

function boxOf(schema: GraphQLSchema, name: string, open: boolean): TypeBox {
  const all = rowsOf(schema, name);
  const rows = open ? shownOf(all) : [];
  const more = all.length - rows.length;
  const lines = rows.length + (open && more > 0 ? 1 : 0);
  const height = sizes.head + (open ? lines * sizes.row + sizes.foot : 0);
  return { name, kind: kindOf(schema.getType(name)!), open, rows, more, x: 0, y: 0, width: sizes.width, height };
}

/** shownOf leaves out plain fields where there are too many, and never one that leads somewhere. */
function shownOf(all: Row[]): Row[] {
  let room = most - all.filter((row) => row.target).length;
  return all.filter((row) => row.target !== undefined || room-- > 0);
}

/** place gives the boxes their places. */
function place(boxes: TypeBox[], lines: Line[]) {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 90, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name, width, height } of boxes) graph.setNode(name, { width, height });
  for (const { from, to } of lines) graph.setEdge(from, to);
  layout(graph);
  for (const box of boxes) {
    const { x, y } = graph.node(box.name);
    box.x = x - box.width / 2; // the layout has the middle of a box
    box.y = y - box.height / 2;
  }
}
