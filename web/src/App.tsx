/** App is the whole page. */
export function App() {
  return <h1>creditgraph</h1>;
}
